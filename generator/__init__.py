"""Pretrained StyleGAN generators with one interface.

>>> from stylegan_latents import generator
>>> G = generator.load("ffhq")
>>> images = G(torch.randn(2, G.z_dim), truncation=0.7)  # [2, 3, 1024, 1024], -1 black to 1 white
>>> ws = G.sample(seeds=[0, 1], truncation=0.7)          # [2, num_ws, w_dim], the codes
>>> images = G.synthesize(ws)

Exported names are imported at their first use, so that importing the package takes no time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
