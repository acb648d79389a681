"""Two codes in one picture, joined by a mask in the image or in the feature maps.

In the image, nothing outside of the mask changes. In the feature maps the following layers blend the seam (Collins
et al. 2020; Suzuki et al. 2018), so the rest may change slightly.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.editing.regions.regions import Mask
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.features import FeatureMap
    from stylegan_latents.generator.generator import Generator, Noise

Array = npt.NDArray[np.float32]
# Side at which colours are compared, their blur as a fraction of it, and the largest shift, of 255.
_SMALL, _SPREAD, _SHADE = 256, 0.06, 60.0


class Displacement(NamedTuple):
    """How far the features of the code inside of a mask are moved before they are blended.

    Attributes:
        feature_map: the first that is blended.
        right, down: in its places.
    """

    feature_map: "FeatureMap"
    right: int
    down: int


def blend_pictures(
    outside: Image.Image, inside: Image.Image, mask: Mask, *, match_colours: bool = False
) -> Image.Image:
    """One picture over another through a mask.

    Args:
        outside, inside: RGB, of one size.
        mask: float32 ``[H, W]`` in 0 to 1; where it is 0, ``outside`` stays as it is.
        match_colours: shift the colours of ``inside`` smoothly to those of ``outside`` along the mask's edge, as a
            part of a face needs in another's skin.

    Raises:
        ValueError: the sizes differ.
    """
    if outside.size != inside.size or mask.shape != (outside.height, outside.width):
        raise ValueError(f"sizes differ: {outside.size}, {inside.size} and a mask {mask.shape}")
    below, above = (np.asarray(picture.convert("RGB"), dtype=np.float32) for picture in (outside, inside))
    if match_colours:
        above = above + _shift_at_edge(below - above, mask)
    blended = below + mask[:, :, None] * (above - below)
    return Image.fromarray(np.rint(blended).clip(0, 255).astype(np.uint8))


def synthesize_blended(
    G: "Generator", outside: "Tensor", inside: "Tensor", mask: "Tensor", noise: "Noise" = "const"
) -> "Tensor":
    """Synthesize two codes as one picture, blended after every modulated convolution.

    Args:
        G: a generator whose convolutions are modules with a style.
        outside, inside: ws ``[1, num_ws, w_dim]``.
        mask: float32 ``[1, 1, H, W]`` in 0 to 1, resized by area to each feature map.
        noise: see ``Generator.synthesize``; the same for both.

    Raises:
        InputError: the network's layers cannot be reached one by one.
        ValueError: a shape does not fit.
    """
    if outside.shape != inside.shape or len(outside) != 1:
        raise ValueError(f"two ws [1, num_ws, w_dim] are needed, not {list(outside.shape)}, {list(inside.shape)}")
    return synthesize_blended_styles(G, G.styles(outside), G.styles(inside), mask, noise)


def synthesize_blended_styles(
    G: "Generator",
    outside: "Sequence[Tensor]",
    inside: "Sequence[Tensor]",
    mask: "Tensor",
    noise: "Noise" = "const",
    *,
    size: int | None = None,
    displacement: Displacement | None = None,
) -> "Tensor":
    """``synthesize_blended`` of two codes' styles, as ``Generator.styles`` gives them, from the first layer on or,
    where features are moved, from a feature map on.
    """
    import torch

    with torch.inference_mode(), _blended_features(G, mask, displacement):
        both = [torch.cat(pair) for pair in zip(outside, inside, strict=True)]
        return G.synthesize_styles(both, noise, size=size)[:1]


def _shift_at_edge(difference: Array, mask: Mask) -> Array:
    """The colour difference along the mask's soft edge, spread over the whole picture, ``[H, W, 3]``."""
    from scipy.ndimage import gaussian_filter

    height, width = mask.shape
    small = (min(width, _SMALL), min(height, _SMALL))
    sigma = _SPREAD * small[0]

    def smooth(field: Array) -> Array:
        shrunk = np.asarray(Image.fromarray(field).resize(small, Image.Resampling.BOX), dtype=np.float32)
        return np.asarray(gaussian_filter(shrunk, sigma), dtype=np.float32)

    edge = (4 * mask * (1 - mask) + np.float32(1e-4)).astype(np.float32)
    weight = smooth(edge)
    shifts = []
    for channel in range(3):
        # Larger differences are other content, lips against skin, not another shade.
        clipped = edge * np.clip(difference[:, :, channel], -_SHADE, _SHADE)
        shift = Image.fromarray(smooth(clipped) / weight).resize((width, height), Image.Resampling.BILINEAR)
        shifts.append(np.asarray(shift, dtype=np.float32))
    return np.stack(shifts, axis=2)


@contextlib.contextmanager
def _blended_features(G: "Generator", mask: "Tensor", displacement: Displacement | None) -> Iterator[None]:
    """Within the block, each module with a style replaces both features of a batch of two by their blend."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    sized: dict[tuple[int, int], Tensor] = {}
    refusal = InputError(f"The model '{G.name}' cannot be blended in its features; leave out --blend features.")
    blends = displacement is None

    def blend(module: nn.Module, _inputs: object, output: object) -> object:
        nonlocal blends
        if not isinstance(output, torch.Tensor) or output.ndim != 4 or len(output) != 2:
            raise refusal
        if displacement is not None and not blends:
            if module is displacement.feature_map.module:
                blends = True
            elif output.shape[1] != G.image_channels:  # a coarser picture is part of the final one
                return output
            output = torch.cat([output[:1], _moved(output[1:], displacement)])
        size = (output.shape[2], output.shape[3])
        if size not in sized:
            shrinks = mask.shape[-1] > size[1]
            sized[size] = F.interpolate(mask, size, mode="area" if shrinks else "bilinear")
        return output[:1].lerp(output[1:], sized[size].to(output.dtype)).expand(2, -1, -1, -1)

    styled = [module for module in G.synthesis.modules() if isinstance(getattr(module, "style", None), nn.Linear)]
    if not styled:
        raise refusal
    if displacement is not None and displacement.feature_map.module not in styled:
        styled.append(displacement.feature_map.module)
    handles = [module.register_forward_hook(blend) for module in styled]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _moved(features: "Tensor", by: Displacement) -> "Tensor":
    """Features ``[N, C, h, w]`` of any resolution, moved; their edges are repeated."""
    import torch
    from torch.nn import functional as F

    height, width = features.shape[2:]
    rows, columns = (
        (2 * (torch.arange(side, device=features.device) + 0.5 - step * side / by.feature_map.size) / side) - 1
        for side, step in ((height, by.down), (width, by.right))
    )
    grid = torch.stack([columns.expand(height, width), rows[:, None].expand(height, width)], dim=2)
    found = F.grid_sample(
        features.float(), grid[None].expand(len(features), -1, -1, -1), padding_mode="border", align_corners=False
    )
    return found.to(features.dtype)
