"""Pretrained StyleGAN generators behind one interface.

>>> import generator
>>> G = generator.load("ffhq")
>>> images = G.synthesize(G.sample(seeds=[0, 1], truncation=0.7))

Imports are lazy: naming the package costs nothing, and torch is loaded when a generator is.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generator.discriminators import load_discriminator
    from generator.errors import InputError
    from generator.formats.native import save_native as save
    from generator.generator import Generator
    from generator.loading import load

__all__ = ["Generator", "InputError", "load", "load_discriminator", "save"]

_HOMES = {
    "Generator": ("generator.generator", "Generator"),
    "InputError": ("generator.errors", "InputError"),
    "load": ("generator.loading", "load"),
    "load_discriminator": ("generator.discriminators", "load_discriminator"),
    "save": ("generator.formats.native", "save_native"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'generator' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
