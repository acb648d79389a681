"""Encoders: from an image to its code in one pass, or in a few.

>>> from stylegan_latents import encoders, generator
>>> G = generator.load("ffhq")
>>> ws = encoders.load("mine.safetensors", G).encode(images)  # [N, 3, H, W] in [-1, 1] to [N, num_ws, w_dim]

Exported names are imported at their first use, so that importing the package takes no time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
