from .errors import InputError
from .generator import Generator
from .loading import load, load_discriminator, save

__all__ = ["Generator", "InputError", "load", "load_discriminator", "save"]
