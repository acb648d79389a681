"""One tuning over all photos of a person, one photo a step."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.perceptual import LPIPS
from stylegan_latents.invert.inverters.tuning import Drawing, Tuning, TuningSettings
from stylegan_latents.invert.search.loss import Comparison, IdentityLoss, loss_weights


@dataclass(frozen=True, eq=False)
class AlbumPhoto:
    """What tuning brings one anchor's picture to.

    Attributes:
        image: uint8 ``[1, 3, H, H]``: many photos have to fit into memory.
        identity_loss: of the photo's face; None for a photo without one.
        mask: ``[1, 1, H, H]``, 1 where the photo counts; None for all of it.
    """

    image: Tensor
    identity_loss: IdentityLoss | None = None
    mask: Tensor | None = None


def tune_together(
    G: Generator,
    ws: Tensor,
    photos: Sequence[AlbumPhoto],
    settings: TuningSettings,
    on_step: Callable[[int, int, float], None],
) -> tuple[dict[str, Tensor], dict[str, JSON]]:
    """Tune one set of weights so that each anchor's picture becomes its photo (MyStyle, section 3).

    Args:
        G: the generator, which is not changed.
        ws: the anchors, ``[N, num_ws, w_dim]``.
        photos: one for each.
        settings: of tuning; its steps are rounded up to whole rounds over the photos.
        on_step: called after each step with its number, the number of all, and the loss.

    Returns:
        The difference of the weights with a leading axis of 1, and the settings for the record.

    Raises:
        InputError: a setting does not fit the generator, or tuning diverged from the first step.
        KeyboardInterrupt: Ctrl-C.
    """
    steps = -(-(settings.steps or 1) // len(photos)) * len(photos)
    settings = dataclasses.replace(settings.for_generator(G), steps=steps, together=True)
    with keep_freed_memory():
        tuning = _AlbumTuning(settings, Drawing.of(G, settings.dtype), photos, ws.to(G.device))
        tuning.run(steps, lambda _drawn, loss: on_step(tuning.steps_done, steps, loss), keep_partial=False)
    weights = {name: part[None] for name, part in tuning.best_parts().items()}
    return weights, settings.values()


class _AlbumTuning(Tuning):
    """Tuning that takes one photo a step, in a new order in each round."""

    def __init__(
        self, settings: TuningSettings, drawing: Drawing, photos: Sequence[AlbumPhoto], ws: Tensor
    ) -> None:
        self.photos, self.side = photos, drawing.G.resolution
        self.lpips = LPIPS.load("alex").to(ws.device).in_precision(settings.dtype)
        first = _comparison(photos[0], settings, self.side, self.lpips)
        super().__init__(settings, drawing, first, ws, drawing.G.noise_constants(), 0)
        self.all_styles = self.styles
        self.losses: list[float] = []
        self.order: list[int] = []

    def compare(self, step: int, identity_share: float) -> tuple[Tensor, Tensor]:
        place = step % len(self.photos)
        if not place:
            self.order = torch.randperm(len(self.photos), generator=self.random).tolist()
        chosen = self.order[place]
        self.styles = [style[chosen : chosen + 1] for style in self.all_styles]
        self.comparison = _comparison(self.photos[chosen], self.settings, self.side, self.lpips)
        return super().compare(step, identity_share)

    def keep_best(self, step: int, loss: float) -> None:
        # Losses of different photos cannot be compared; those of whole rounds can.
        self.losses.append(loss)
        if (step + 1) % len(self.photos) == 0:
            super().keep_best(step, sum(self.losses) / len(self.losses))
            self.losses.clear()


def _comparison(photo: AlbumPhoto, settings: TuningSettings, side: int, lpips: LPIPS) -> Comparison:
    image = photo.image.to(lpips.shift.device).float() / 127.5 - 1
    weights = loss_weights(settings)
    return Comparison(
        image, settings.search_size, side, lpips, identity_loss=photo.identity_loss, mask=photo.mask, **weights
    )
