from .config import EncoderConfig
from .encoder import Encoder
from .loading import load, save
from .restyle import ReStyle

__all__ = ["Encoder", "EncoderConfig", "ReStyle", "load", "save"]
