"""Edits of inverted photos and samples in a StyleGAN's latent spaces.

>>> from stylegan_latents.editing import OpenRecord, find_direction
>>> record = OpenRecord.of("me.jpg")                      # what `invert me.jpg` wrote
>>> smile = find_direction("smile", record.generator)     # or a file, published ones too
>>> record.edited([(smile, 1.5)]).picture.save("smiling.png")
>>> ws = smile.apply(record.ws, strength=1.5)             # the code, [1, num_ws, w_dim]

What is exported is imported when it is first used: importing the package takes no time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
