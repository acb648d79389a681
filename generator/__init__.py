"""Pretrained StyleGAN generators behind one interface.

>>> import generator
>>> G = generator.load("ffhq")
>>> images = G.synthesize(G.sample(seeds=[0, 1], truncation=0.7))

Imports are lazy: naming the package costs nothing, and torch is loaded when a generator is.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stylegan_latents.generator.errors import InputError
    from stylegan_latents.generator.formats.native import save_native as save
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.loading import load, load_discriminator

__all__ = ["Generator", "InputError", "load", "load_discriminator", "save"]

_HOMES = {
    "Generator": ("stylegan_latents.generator.generator", "Generator"),
    "InputError": ("stylegan_latents.generator.errors", "InputError"),
    "load": ("stylegan_latents.generator.loading", "load"),
    "load_discriminator": ("stylegan_latents.generator.loading", "load_discriminator"),
    "save": ("stylegan_latents.generator.formats.native", "save_native"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'generator' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
