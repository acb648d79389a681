"""Directions from texts (Patashnik et al., "StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery", 2021,
section 6): the style channels that move pictures towards a text in an image-text model's space.

The paper precomputes a table of every channel's effect, which ``read_text_table`` reads. Without one, one gradient
for each sample gives the product of the table with the text, for small steps, in seconds.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.directions.calibration import style_deviations, w_statistics
from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.finders.base import (
    Finder,
    NamedOptions,
    Plan,
    SampledOptions,
    channel_mask,
    found_direction,
)
from stylegan_latents.editing.discovery.finders.text_table import THRESHOLD, TextTable, read_text_table
from stylegan_latents.editing.text.image_text import ImageTextModel, drawn_size, text_step
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_text_option = partial(typer.Option, rich_help_panel="Text")
_SAMPLES = 32


@dataclass(frozen=True)
class TextPair:
    """A text (``a smiling face``), the neutral text (``a face``) and the direction's name; empty for the text."""

    text: str
    neutral: str
    name: str = ""


class TextDirections:
    """Finds style channels by texts.

    Args:
        G: any generator.
        model: the image-text model.
        layers: whose channels may move, in the syntax of ``--layers``; to-RGB's never do.
        size: side of the model's pictures in pixels; ``drawn_size`` when None.
        texts, ws: for ``find``; ``ws`` as for ``direction``.

    Raises:
        InputError: there is no such layer, or it drives to-RGB alone.
    """

    def __init__(
        self,
        G: "Generator",
        model: ImageTextModel,
        layers: str | None = None,
        *,
        size: int | None = None,
        texts: TextPair | None = None,
        ws: "Tensor | None" = None,
    ) -> None:
        self._texts, self._ws = texts, ws
        self.G, self.model, self.layers = G, model, layers or "all"
        self._mask = channel_mask(G, self.layers)
        self._size = size or drawn_size(G)
        self._statistics = w_statistics(G)
        self._deviations = style_deviations(G, self._statistics).cpu()

    def relevance(self, ws: "Tensor", step: "Tensor", progress: Progress | None = None) -> "Tensor":
        """Movement of pictures along ``text_step`` by one standard deviation of each channel, ``[channels]``."""
        import torch

        from stylegan_latents.generator.perceptual import as_colour

        total = torch.zeros(len(self._deviations))
        for index in range(len(ws)):
            styles = [style.detach().requires_grad_(True) for style in self.G.styles(ws[index : index + 1])]
            with torch.enable_grad():
                embedded = self.model.embed_images(as_colour(self.G.synthesize_styles(styles, size=self._size)))
                gradients = torch.autograd.grad((embedded @ step.to(embedded)).sum(), styles)
            total += torch.cat(gradients, dim=1)[0].cpu() * self._deviations
            if progress is not None:
                progress(index + 1, len(ws))
        return torch.where(self._mask, total / len(ws), torch.zeros(()))

    def find(self, count: int = 1, on_progress: Progress | None = None) -> list[Direction]:  # noqa: ARG002 - one
        """``direction`` for the given texts and codes; ValueError without them."""
        if self._texts is None or self._ws is None:
            raise ValueError("a direction from a text needs the text and codes")
        texts = self._texts
        name = texts.name or None
        return [self.direction(texts.text, texts.neutral, self._ws, name=name, progress=on_progress)]

    def direction(
        self,
        text: str,
        neutral: str,
        ws: "Tensor",
        *,
        name: str | None = None,
        count: int = 100,
        progress: Progress | None = None,
    ) -> Direction:
        """The style channels that move pictures towards a text; strength 1 is one standard deviation.

        Args:
            text, neutral: such as ``a smiling face`` and ``a face``.
            ws: codes, ``[N, num_ws, w_dim]``; a few dozen.
            name: of the direction; the text when None.
            count: number of channels, the most relevant first; fewer channels disentangle better.
            progress: called with the number of codes done and the total.

        Raises:
            InputError: the texts do not differ, there are no codes, or no channel moves pictures towards the text.
        """
        import torch

        if not len(ws) or count < 1:
            raise InputError("A direction from a text needs at least a code to look at, and a channel to move.")
        relevance = self.relevance(ws, text_step(self.model, text, neutral), progress)
        if not bool(torch.isfinite(relevance).all()) or not bool(relevance.any()):
            raise InputError(f"No style channel moves the pictures towards '{text}'.")
        chosen = relevance.abs().argsort(descending=True, stable=True)[:count]
        weights = torch.zeros_like(relevance)
        weights[chosen] = relevance[chosen] / relevance.abs().max()
        vector = (weights * self._deviations)[None]
        about: dict[str, JSON] = {
            "positive": text,
            "neutral": neutral,
            "finder": "StyleCLIP",
            "method": "gradient",
            "model": self.model.version,
            "samples": len(ws),
            "channels": int((weights != 0).sum()),
        }
        return found_direction(
            self.G,
            name or text,
            vector / vector.norm(),
            about,
            layers=self.layers,
            statistics=self._statistics,
            space="s",
        )


@dataclass(frozen=True, eq=False)
class TableDirections:
    """Finds the direction of a text in a published table.

    Attributes:
        table: StyleCLIP's table of the generator.
        model: the image-text model of the table.
        texts: the texts of the direction.
        threshold: as for ``TextTable.direction``.
        source: the table's name, for the provenance.
    """

    table: TextTable
    model: ImageTextModel
    texts: TextPair
    threshold: float = THRESHOLD
    source: str = ""

    def find(self, count: int = 1, on_progress: Progress | None = None) -> list[Direction]:  # noqa: ARG002 - one
        """The direction of the text; raises as ``TextTable.direction`` and ``text_step``."""
        texts = self.texts
        step = text_step(self.model, texts.text, texts.neutral)
        found = self.table.direction(step, texts.name or texts.text, threshold=self.threshold)
        about: dict[str, JSON] = {
            "positive": texts.text,
            "neutral": texts.neutral,
            "model": self.model.version,
            "method": self.source,
        }
        return [replace(found, provenance={**found.provenance, **about})]


@dataclass(frozen=True, kw_only=True)
class TextOptions(NamedOptions, SampledOptions):
    """Options of ``TextDirections`` and ``TableDirections``."""

    text: Annotated[str | None, _text_option(help="Text of the wanted picture: 'a smiling face'.")] = None
    neutral: Annotated[str | None, _text_option(help="Neutral text: 'a face'.")] = None
    weights: Annotated[
        str | None, _text_option(help="CLIP's weights, ViT-B-32: a file, or open_clip's name.", metavar="FILE|NAME")
    ] = None
    table: Annotated[
        Path | None, _text_option(help="StyleCLIP's table of this model, fs3.npy.", metavar="FILE")
    ] = None
    threshold: Annotated[
        float | None, _text_option(help="Least relevance of a style channel of a --table; 0.1 by default.")
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.text and self.text.strip() and self.neutral and self.neutral.strip()):
            raise InputError("--method text needs --text and --neutral, such as 'a smiling face' and 'a face'.")
        if self.threshold is not None and self.table is None:
            raise InputError("--threshold is for a --table; give one, or leave it out.")
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise InputError(f"--threshold is a relevance between 0 and 1, such as 0.1, not {self.threshold:g}.")
        if self.samples is not None and self.table is not None:
            raise InputError("--samples has no meaning with a --table; leave it out.")

    def plan(self, begin: Begin) -> Plan:  # noqa: ARG002 - needs no progress bar
        name = self.name or "text"
        texts = TextPair(self.text or "", self.neutral or "", name)

        def make(G: "Generator") -> Finder:
            from stylegan_latents.editing.text.image_text import OPENAI, WEIGHTS, OpenCLIP

            if self.table is None:
                model = OpenCLIP(self.weights or WEIGHTS, device=G.device)
                return TextDirections(G, model, self.layers, texts=texts, ws=self.sampled(G, _SAMPLES))
            table = read_text_table(self.table, G)  # before the model's weights are fetched
            # The published tables are in the space of OpenAI's own weights.
            model = OpenCLIP(self.weights or OPENAI, quick_gelu=True, device=G.device)
            table.check_model(model)
            return TableDirections(table, model, texts, self.threshold or THRESHOLD, self.table.name)

        return Plan((name,), make)
