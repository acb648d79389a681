"""Finding directions: scorers, samples, linear models, and what the directions found do to pictures."""
