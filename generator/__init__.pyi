from .errors import InputError
from .generator import Generator
from .loading import load, load_discriminator, save
from .networks.camera import Camera

__all__ = ["Camera", "Generator", "InputError", "load", "load_discriminator", "save"]
