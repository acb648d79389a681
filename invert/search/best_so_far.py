"""Which images of a search diverged, and what is kept of them: the best that was seen before.

A search of several images goes on past one whose loss is no number any more; a record tells of it under
``diverged_at_step``: the step of its image, or for several images a list with the step of each, null for one whose
search went well.
"""

import math
from collections.abc import Mapping

import torch
from stylegan_latents.generator.json_values import JSON
from torch import Tensor

DIVERGED = "diverged_at_step"


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


def told_of(diverged: Mapping[int, int], count: int) -> dict[str, JSON]:
    """What a record of ``count`` images tells in its settings of those that diverged; nothing where none did."""
    if not diverged:
        return {}
    steps: list[JSON] = [diverged.get(image) for image in range(count)]
    return {DIVERGED: steps[0] if count == 1 else steps}


def diverged_images(settings: Mapping[str, JSON], count: int) -> dict[int, int]:
    """The images of a record that diverged, each with the step, from its settings."""
    told = settings.get(DIVERGED)
    steps = told if isinstance(told, list) else [told] * count
    return {image: step for image, step in enumerate(steps) if isinstance(step, int)}


def settings_of_image(settings: Mapping[str, JSON], image: int, count: int) -> dict[str, JSON]:
    """The settings for the record of one image alone."""
    step = diverged_images(settings, count).get(image)
    others = {name: value for name, value in settings.items() if name != DIVERGED}
    return others if step is None else others | {DIVERGED: step}
