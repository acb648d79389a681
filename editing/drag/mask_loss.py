"""The loss that holds what is outside of a mask while points are dragged."""

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.features import FeatureMap

# Largest norm of the mask loss's gradient, as a fraction of that of motion supervision.
_MOST_HOLDING = 0.7
# Steps between weighings of the mask loss, which take a backward pass each.
_WEIGH_EVERY = 5


class MaskLoss:
    """The change of features outside of a mask (section 3.2 of "Drag Your GAN"), kept weaker than a pull.

    Args:
        followed: the feature map.
        first: the features of the image to start from, ``[1, C, S, S]``.
        mask: what may change, ``[h, w]``.
        weight: of the loss.
    """

    def __init__(self, followed: FeatureMap, first: Tensor, mask: Tensor, weight: float) -> None:
        self.first, self.weight = first, weight
        self.outside = 1 - _on_map(followed, mask)
        self.share = torch.zeros((), device=first.device)

    def change(self, features: Tensor) -> Tensor:
        """How much features ``[1, C, S, S]`` have changed outside of the mask."""
        return ((features - self.first) * self.outside).abs().mean()

    def gradient(self, pull: Tensor, features: Tensor, moves: Tensor, step: int) -> Tensor:
        """The gradient by the moves of motion supervision's loss, ``pull``, and of this one, at a step."""
        change = self.weight * self.change(features)
        # At first nothing outside has changed, so that the weight is found in the first few steps.
        if step < _WEIGH_EVERY or step % _WEIGH_EVERY == 0:
            (pulling,) = torch.autograd.grad(pull, moves, retain_graph=True)
            (holding,) = torch.autograd.grad(change, moves, retain_graph=True)
            # An L1 loss has as large a gradient for small changes as for large ones, and Adam normalizes step
            # lengths: without a bound the mask loss would keep the points where they are.
            share = _MOST_HOLDING * pulling.norm() / holding.norm().clamp_min(1e-20)
            self.share = share.clamp_max(1)
            return pulling + self.share * holding
        (both,) = torch.autograd.grad(pull + self.share * change, moves)
        return both


def _on_map(followed: FeatureMap, mask: Tensor) -> Tensor:
    """A mask over the image, resampled to the feature map and extended at its edge, ``[1, 1, S, S]``."""
    fitted = F.interpolate(
        mask[None, None], size=followed.resolution, mode="bilinear", antialias=True, align_corners=False
    )
    margin = (followed.size - followed.resolution) // 2
    rest = followed.size - followed.resolution - margin
    return F.pad(fitted, (margin, rest, margin, rest), mode="replicate")
