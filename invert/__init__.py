"""Photos into a StyleGAN's latent space and back: aligning, inverting, recording, pasting back.

What is exported here is imported when it is used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
