"""Files of strangers that no reader may stumble over: made by kind, from small honest files."""
