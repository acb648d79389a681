"""Encoders: from an image to its code in one look, or in a few.

>>> import encoders, generator
>>> G = generator.load("ffhq")
>>> ws = encoders.load("mine.safetensors", G).encode(images)

Imports are lazy: naming the package costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from encoders.config import EncoderConfig
    from encoders.encoder import Encoder
    from encoders.formats.native import save_encoder as save
    from encoders.loading import load
    from encoders.restyle import ReStyle

__all__ = ["Encoder", "EncoderConfig", "ReStyle", "load", "save"]

_HOMES = {
    "Encoder": ("encoders.encoder", "Encoder"),
    "EncoderConfig": ("encoders.config", "EncoderConfig"),
    "ReStyle": ("encoders.restyle", "ReStyle"),
    "load": ("encoders.loading", "load"),
    "save": ("encoders.formats.native", "save_encoder"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'encoders' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
