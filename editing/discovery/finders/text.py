"""Directions and codes from texts (Patashnik et al., "StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery",
2021).

``TextDirections`` are the global directions of section 6: the style channels that move pictures a text's way
in an image-text model's space. There a table of every channel's effect is made once, in hours on a GPU;
``read_text_table`` reads such a table. Here one gradient for each sample asks all
channels at once, which is the table's product with the text for small steps, in seconds.

``TextOptimizer`` is the latent optimisation of section 4, without the identity loss, whose network is not at
hand; the distance in W holds the person.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.calibration import calibrated, style_deviations, w_statistics
from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.scorers.image_text import ImageTextModel, text_step
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator, Noise

Progress = Callable[[int, int], None]
_SIDE = 224


class TextDirections:
    """Finds style channels by texts.

    Args:
        G: any generator.
        model: the image-text model.
        layers: whose channels take part, as a person types them; to-RGB's never do.
        size: side of the pictures that the model sees; as near above 224 as the generator draws when None.

    Raises:
        InputError: there is no such layer, or it drives to-RGB alone.
    """

    def __init__(
        self, G: "Generator", model: ImageTextModel, layers: str | None = None, *, size: int | None = None
    ) -> None:
        import torch

        self.G, self.model, self.layers = G, model, layers or "all"
        rows = G.rows(self.layers)
        self._taking_part = torch.cat(
            [
                torch.full((layer.channels,), layer.ws_index in rows and not layer.name.endswith("rgb"))
                for layer in G.layers
            ]
        )
        if not bool(self._taking_part.any()):
            raise InputError(f"The layers {self.layers} drive to-RGB alone, which colours the whole picture.")
        self._size = size or drawn_size(G)
        self._statistics = w_statistics(G)
        self._deviations = style_deviations(G, self._statistics).cpu()

    def relevance(self, ws: "Tensor", step: "Tensor", progress: Progress | None = None) -> "Tensor":
        """How far each channel moves pictures the text's way, for one standard deviation, ``[channels]``.

        Args:
            ws: codes to look at, ``[N, num_ws, w_dim]``.
            step: what ``text_step`` gives.
        """
        import torch

        total = torch.zeros(len(self._deviations))
        for index in range(len(ws)):
            styles = [style.detach().requires_grad_(True) for style in self.G.styles(ws[index : index + 1])]
            with torch.enable_grad():
                seen = self.model.embed_images(self.G.synthesize_styles(styles, size=self._size))
                slopes = torch.autograd.grad((seen @ step.to(seen)).sum(), styles)
            total += torch.cat(slopes, dim=1)[0].cpu() * self._deviations
            if progress is not None:
                progress(index + 1, len(ws))
        return torch.where(self._taking_part, total / len(ws), torch.zeros(()))

    def find(
        self,
        text: str,
        neutral: str,
        ws: "Tensor",
        *,
        name: str | None = None,
        count: int = 100,
        progress: Progress | None = None,
    ) -> Direction:
        """The style channels that go a text's way; strength 1 is one standard deviation.

        Args:
            text, neutral: what is wanted, and what is there, such as ``a smiling face`` and ``a face``.
            ws: codes to look at, ``[N, num_ws, w_dim]``; a few dozen.
            name: of the direction; the text when None.
            count: how many channels move, the most relevant ones; fewer change less beside what is meant.
            progress: called with the number of codes done and in all.

        Raises:
            InputError: the texts do not differ, there are no codes, or nothing moves the pictures the text's way.
        """
        import torch

        if not len(ws) or count < 1:
            raise InputError("A direction from a text needs a code to look at, and a channel to move.")
        relevance = self.relevance(ws, text_step(self.model, text, neutral), progress)
        if not bool(torch.isfinite(relevance).all()) or not bool(relevance.any()):
            raise InputError(f"No style channel moves the pictures towards '{text}'.")
        kept = relevance.abs().argsort(descending=True, stable=True)[:count]
        weights = torch.zeros_like(relevance)
        weights[kept] = relevance[kept] / relevance.abs().max()
        vector = (weights * self._deviations)[None]
        about: dict[str, JSON] = {
            "positive": text,
            "neutral": neutral,
            "finder": "StyleCLIP",
            "method": "gradient",
            "model": self.model.version,
            "samples": len(ws),
            "channels": int((weights != 0).sum()),
            "generator": self.G.name,
            "generator_fingerprint": self.G.fingerprint,
        }
        direction = Direction(
            name or text, self.G.latent_space, vector / vector.norm(), 1.0, self.layers, about, space="s"
        ).bind(self.G)
        return calibrated(direction, self.G, self._statistics)


@dataclass(frozen=True, eq=False)
class TextOptimized:
    """Where a search for a text ended.

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
        G: any generator; it is left as it is.
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
        part: float,
    ) -> None:
        adam.param_groups[0]["lr"] = self.learning_rate * min(
            1.0, part / 0.05, 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - part) / 0.25))
        )
        seen = self.model.embed_images(self.G.synthesize(self._with(start, moving), noise, size=self._size))
        loss = 1 - (seen @ wanted.to(seen)).mean()
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

        with torch.inference_mode():
            seen = self.model.embed_images(self.G.synthesize(code, noise, size=self._size))
            return float((seen @ wanted.to(seen)).mean())


def check_search(steps: int, learning_rate: float, distance_weight: float) -> None:
    """Raise InputError for settings that no search of ``TextOptimizer`` can have."""
    if steps < 1:
        raise InputError(f"A search needs at least 1 step, not {steps}.")
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise InputError(f"The learning rate has to be above 0, not {learning_rate}.")
    if not (math.isfinite(distance_weight) and distance_weight >= 0):
        raise InputError(f"The distance's weight has to be 0 or above, not {distance_weight}.")


def drawn_size(G: "Generator") -> int:
    """The side of pictures for an image-text model: the smallest the generator draws from 224 pixels on."""
    size = G.resolution
    while size // 2 >= _SIDE:
        size //= 2
    return size
