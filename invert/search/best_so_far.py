"""Which images of a search diverged, and what is kept of them: the best that was seen before.

A search of several images goes on past one whose loss is no number any more; a record tells of it under
``diverged_at_step``: the step of its image, or for several images a list with the step of each, null for one whose
search went well.
"""

import math

import torch
from torch import Tensor


class BestSoFar:
    """The lowest loss of each image of a search, and whose loss has stopped to be finite.

    Args:
        count: of the images.
        device: of their losses.

    Attributes:
        loss: the lowest so far, ``[count]``; infinite where none was finite.
    """

    def __init__(self, count: int, device: torch.device) -> None:
        self.loss = torch.full((count,), math.inf, device=device)
        # On the device, as looking at it at each step would hold a GPU up.
        self._since = torch.full((count,), -1, device=device)

    def see(self, losses: Tensor, step: int) -> Tensor:
        """Take a step's losses in, ``[count]``; bool ``[count]``, where they are the lowest so far."""
        losses = losses.detach()
        better = losses < self.loss
        self.loss = torch.where(better, losses, self.loss)
        lost = ~torch.isfinite(losses)
        self._since = torch.where(lost & (self._since < 0), step, torch.where(lost, self._since, -1))
        return better

    def diverged(self, before: int = 0) -> dict[int, int]:
        """The images whose last loss was not finite, each with the step from which on it was not.

        Args:
            before: steps of what went before this search, to count them in.
        """
        return {image: before + step for image, step in enumerate(self._since.tolist()) if step >= 0}
