"""Codes from texts (Patashnik et al., "StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery", 2021, section 4).

The identity loss of the paper is left out; the distance in W keeps the identity.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylegan_latents.editing.text.image_text import ImageTextModel, drawn_size
from stylegan_latents.generator.cli.progress import Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator, Noise
    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.invert.record.inversion import Inversion


@dataclass(frozen=True, eq=False)
class TextOptimized:
    """The result of a search for a text.

    Attributes:
        ws: the code, ``[1, num_ws, w_dim]``.
        before, after: how well the pictures of the first code and of this one fit the text, the cosine in the
            model's space, from -1 to 1.
        steps: how many were made.
        stopped: whether the user ended it before the last one.
    """

    ws: "Tensor"
    before: float
    after: float
    steps: int
    stopped: bool = False


class TextOptimizer:
    """Searches for the code near a given one whose picture fits a text.

    Args:
        G: any generator.
        model: the image-text model.
        steps, learning_rate: of Adam; the rate rises and falls as in a projection.
        distance_weight: of the squared distance from the first code, the sum over W+.
        rows: the rows of ws that may move; all when None.
        size: as for ``TextDirections``.

    Raises:
        InputError: a setting is out of its range.
    """

    def __init__(
        self,
        G: "Generator",
        model: ImageTextModel,
        *,
        steps: int = 300,
        learning_rate: float = 0.1,
        distance_weight: float = 0.008,
        rows: Sequence[int] | None = None,
        size: int | None = None,
    ) -> None:
        check_search(steps, learning_rate, distance_weight)
        self.G, self.model, self.steps, self.learning_rate = G, model, steps, learning_rate
        self.distance_weight = distance_weight
        self.rows = list(range(G.num_ws)) if rows is None else list(rows)
        self._size = size or drawn_size(G)

    def optimize(
        self,
        ws: "Tensor",
        text: str,
        *,
        noise: "Noise" = "const",
        progress: Progress | None = None,
        keep_partial: bool = False,
    ) -> TextOptimized:
        """The code whose picture fits the text.

        Args:
            ws: the code to start from, ``[1, num_ws, w_dim]``.
            text: what the picture is to show.
            noise: as for ``Generator.synthesize``.
            progress: called with the number of steps done and in all.
            keep_partial: whether Ctrl-C gives the code so far.

        Raises:
            InputError: the text is empty, or the search diverges.
        """
        import torch

        if not text.strip():
            raise InputError("Give a text, such as 'a smiling face'.")
        wanted = self.model.embed_texts([text])[0]
        start = ws.detach().to(self.G.device, torch.float32)
        before, done, stopped = self._fit(start, wanted, noise), 0, False
        with torch.enable_grad():
            moving = start[:, self.rows].clone().requires_grad_(True)
            adam = torch.optim.Adam([moving], lr=self.learning_rate)
            try:
                for step in range(self.steps):
                    self._step(adam, moving, start, wanted, noise, (step + 0.5) / self.steps)
                    done = step + 1
                    if progress is not None:
                        progress(done, self.steps)
            except KeyboardInterrupt:
                if not keep_partial:
                    raise
                stopped = True
        code = self._with(start, moving.detach())
        return TextOptimized(code, before, self._fit(code, wanted, noise), done, stopped)

    def _step(
        self,
        adam: "torch.optim.Adam",
        moving: "Tensor",
        start: "Tensor",
        wanted: "Tensor",
        noise: "Noise",
        progress: float,
    ) -> None:
        from stylegan_latents.generator.perceptual import as_colour

        adam.param_groups[0]["lr"] = self.learning_rate * min(
            1.0, progress / 0.05, 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - progress) / 0.25))
        )
        image = self.G.synthesize(self._with(start, moving), noise, size=self._size)
        embedded = self.model.embed_images(as_colour(image))
        loss = 1 - (embedded @ wanted.to(embedded)).mean()
        loss = loss + self.distance_weight * (moving - start[:, self.rows]).square().sum()
        if not math.isfinite(float(loss.detach())):
            raise InputError("The search diverged; use a lower learning rate.")
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()

    def _with(self, start: "Tensor", moving: "Tensor") -> "Tensor":
        code = start.clone()
        code[:, self.rows] = moving
        return code

    def _fit(self, code: "Tensor", wanted: "Tensor", noise: "Noise") -> float:
        import torch

        from stylegan_latents.generator.perceptual import as_colour

        with torch.inference_mode():
            embedded = self.model.embed_images(as_colour(self.G.synthesize(code, noise, size=self._size)))
            return float((embedded @ wanted.to(embedded)).mean())


def text_record(record: "Inversion", search: TextOptimizer, wanted: str, ended: TextOptimized) -> "Inversion":
    """The record of a picture that fits a text, which can be edited and pasted back as the original can."""
    from stylegan_latents.editing.records.codes import changed_record

    settings: dict[str, JSON] = {
        "changed_from": record.method, "text": wanted, "image_text_model": search.model.version,
        "steps": ended.steps, "steps_wanted": search.steps, "learning_rate": search.learning_rate,
        "distance_weight": search.distance_weight, "rows": list(search.rows),
        "fit_before": ended.before, "fit": ended.after,
    }  # fmt: skip
    return changed_record(record, search.G, ended.ws, "text", settings)


def check_search(steps: int, learning_rate: float, distance_weight: float) -> None:
    """Raise InputError for settings out of the ranges of ``TextOptimizer``."""
    if steps < 1:
        raise InputError(f"A search needs at least 1 step, not {steps}.")
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise InputError(f"The learning rate has to be above 0, not {learning_rate}.")
    if not (math.isfinite(distance_weight) and distance_weight >= 0):
        raise InputError(f"The distance's weight has to be 0 or above, not {distance_weight}.")
