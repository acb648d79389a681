"""Encoders: from an image to its code in one look, or in a few.

>>> import encoders, generator
>>> G = generator.load("ffhq")
>>> ws = encoders.load("mine.safetensors", G).encode(images)

Imports are lazy: naming the package costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stylegan_latents.encoders.config import EncoderConfig
    from stylegan_latents.encoders.encoder import Encoder
    from stylegan_latents.encoders.formats.native import save_encoder as save
    from stylegan_latents.encoders.loading import load
    from stylegan_latents.encoders.restyle import ReStyle

__all__ = ["Encoder", "EncoderConfig", "ReStyle", "load", "save"]

_HOMES = {
    "Encoder": ("stylegan_latents.encoders.encoder", "Encoder"),
    "EncoderConfig": ("stylegan_latents.encoders.config", "EncoderConfig"),
    "ReStyle": ("stylegan_latents.encoders.restyle", "ReStyle"),
    "load": ("stylegan_latents.encoders.loading", "load"),
    "save": ("stylegan_latents.encoders.formats.native", "save_encoder"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'encoders' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
