"""Photos into a StyleGAN's latent space and back: alignment, inversion, records, pasting back.

Exported names are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
