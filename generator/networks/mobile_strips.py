"""A MobileStyleGAN's blocks with little memory: the finest ones in strips of rows.

Feature maps are not kept for the gradient but computed again (Chen et al., "Training Deep Nets with Sublinear
Memory Cost", 2016), those of the finest blocks a strip at a time. Those of the coarsest
are small and kept. The images are the same.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from stylegan_latents.generator.networks.mobile_layers import ToRGB, UpBlock
from stylegan_latents.generator.networks.synthesis import NoiseMaps

FINEST = 2
"""How many blocks are drawn in strips."""

KEPT = 64
"""Pixels a side up to which a block's feature maps are kept: 0.02 GB in bfloat16, a twentieth of a step."""

_STRIPS = 4  # of 8 strips, a fifth of the rows would be drawn twice
# Rows of the first block's input: 1/2 for each of its two convolutions and 1/4 for each of the next block's.
_REACH = 2


def recomputed(module: nn.Module, *arguments: Any) -> Tensor:
    """``module(*arguments)``, whose intermediate results are computed again for the gradient."""
    # As they are now: a caller may have put others in the place of the module's own for the forward pass alone.
    weights = dict(module.named_parameters())
    return cast(
        Tensor,
        checkpoint(functional_call, module, weights, arguments, use_reentrant=False, preserve_rng_state=False),
    )


class Finest(nn.Module):
    """The last blocks of a network and its to-RGB.

    Args:
        blocks: at most ``FINEST``.
        to_rgb: which follows.
        factor: the number of pixels a side that are averaged, a power of two.
    """

    def __init__(self, blocks: Sequence[UpBlock], to_rgb: ToRGB, factor: int) -> None:
        super().__init__()
        self.blocks, self.to_rgb, self.factor = nn.ModuleList(blocks), to_rgb, factor

    def forward(self, x: Tensor, styles: Sequence[Tensor], noise: NoiseMaps) -> Tensor:
        """The image of a feature map or of some of its rows."""
        for i, block in enumerate(self.blocks):
            x = block(x, styles[3 * i : 3 * i + 3], noise[2 * i : 2 * i + 2])
        return self.to_rgb.image(x, styles[-1], self.factor)

    def draw(self, x: Tensor, styles: Sequence[Tensor], noise: NoiseMaps) -> Tensor:
        """The image of a whole feature map ``[N, C, H, W]``, in strips.

        Args:
            x: the input of the first block.
            styles, noise: of the blocks; the styles end with to-RGB's.
        """
        blocks = cast("list[UpBlock]", list(self.blocks))
        maps = [one for i, block in enumerate(blocks) for one in block.effective_noise(noise[2 * i : 2 * i + 2])]
        height = x.shape[2]
        reach = max(_REACH, self.factor >> (len(blocks) + 1))  # whole blocks of averaged pixels
        rows = max(height // _STRIPS, reach)
        images = []
        for top in range(0, height, rows):
            low, high = max(top - reach, 0), min(top + rows + reach, height)
            parts = [
                None if one is None else one[:, :, low << (i // 2 + 1) : high << (i // 2 + 1)]
                for i, one in enumerate(maps)
            ]
            image = recomputed(self, x[:, :, low:high], styles, parts)
            drawn, before = image.shape[2] * rows // (high - low), image.shape[2] * (top - low) // (high - low)
            images.append(image[:, :, before : before + drawn])
        return torch.cat(images, dim=2)
