"""Directions from texts (Patashnik et al., "StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery", 2021,
section 6): the style channels that move pictures towards a text in an image-text model's space.

The paper makes a table of every channel's effect once, in hours on a GPU; ``read_text_table`` reads such a table.
Here one gradient for each sample gives all channels' effects along the text at once, in seconds: the table's
product with the text, for small steps.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.directions.calibration import calibrated, style_deviations, w_statistics
from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.finders.base import Finder, NamedOptions, Plan, SampledOptions
from stylegan_latents.editing.discovery.finders.text_table import THRESHOLD, TextTable, read_text_table
from stylegan_latents.editing.text.image_text import ImageTextModel, drawn_size, text_step
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_of_text = partial(typer.Option, rich_help_panel="Text")
_SAMPLES = 32


@dataclass(frozen=True)
class TextPair:
    """What pictures are to show.

    Attributes:
        text: with what is wanted, such as ``a smiling face``.
        neutral: without it, such as ``a face``.
        name: of the direction; the text when empty.
    """

    text: str
    neutral: str
    name: str = ""


class TextDirections:
    """Finds style channels by texts.

    Args:
        G: any generator.
        model: the image-text model.
        layers: whose channels take part, as a person types them; to-RGB's never do.
        size: side of the pictures that the model sees; as near above 224 as the generator draws when None.
        texts: what ``find`` finds a direction for.
        ws: codes that ``find`` looks at, ``[N, num_ws, w_dim]``.

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
        import torch

        self._texts, self._ws = texts, ws
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

        from stylegan_latents.generator.perceptual import as_colour

        total = torch.zeros(len(self._deviations))
        for index in range(len(ws)):
            styles = [style.detach().requires_grad_(True) for style in self.G.styles(ws[index : index + 1])]
            with torch.enable_grad():
                seen = self.model.embed_images(as_colour(self.G.synthesize_styles(styles, size=self._size)))
                slopes = torch.autograd.grad((seen @ step.to(seen)).sum(), styles)
            total += torch.cat(slopes, dim=1)[0].cpu() * self._deviations
            if progress is not None:
                progress(index + 1, len(ws))
        return torch.where(self._taking_part, total / len(ws), torch.zeros(()))

    def find(self, count: int = 1, on_progress: Progress | None = None) -> list[Direction]:  # noqa: ARG002 - one
        """``direction`` for the texts and codes that were given.

        Raises:
            InputError: as ``direction``.
            ValueError: they were not given.
        """
        if self._texts is None or self._ws is None:
            raise ValueError("a direction from a text needs the text and codes to look at")
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
class TableDirections:
    """Finds the direction of a text in a published table.

    Attributes:
        table: StyleCLIP's table of the generator.
        model: the image-text model that the table was made with.
        texts: what to find a direction for.
        threshold: as for ``TextTable.direction``.
        source: the table's name, for the direction's provenance.
    """

    table: TextTable
    model: ImageTextModel
    texts: TextPair
    threshold: float = THRESHOLD
    source: str = ""

    def find(self, count: int = 1, on_progress: Progress | None = None) -> list[Direction]:  # noqa: ARG002 - one
        """The direction of the text.

        Raises:
            InputError: as ``TextTable.direction`` and ``text_step``.
        """
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
    """What ``TextDirections`` and ``TableDirections`` can be told."""

    text: Annotated[str | None, _of_text(help="What the picture is to show: 'a smiling face'.")] = None
    neutral: Annotated[str | None, _of_text(help="What it shows without that: 'a face'.")] = None
    weights: Annotated[
        str | None, _of_text(help="CLIP's weights, ViT-B-32: a file, or open_clip's name.", metavar="FILE|NAME")
    ] = None
    table: Annotated[Path | None, _of_text(help="StyleCLIP's table of this model, fs3.npy.", metavar="FILE")] = None
    threshold: Annotated[
        float | None, _of_text(help="How relevant a style channel of a --table has to be; 0.1 by default.")
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.text and self.text.strip() and self.neutral and self.neutral.strip()):
            raise InputError("--method text needs --text and --neutral, such as 'a smiling face' and 'a face'.")
        if self.threshold is not None and self.table is None:
            raise InputError("--threshold is for a --table; without one the most relevant style channels move.")
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise InputError(f"--threshold is a relevance between 0 and 1, such as 0.1, not {self.threshold:g}.")
        if self.samples is not None and self.table is not None:
            raise InputError("--samples has no meaning here, as no samples are looked at; leave it out.")

    def plan(self, begin: Begin) -> Plan:  # noqa: ARG002 - there is nothing to wait for
        name = self.name or "text"
        texts = TextPair(self.text or "", self.neutral or "", name)

        def make(G: "Generator") -> Finder:
            from stylegan_latents.editing.text.image_text import OPENAI, WEIGHTS, OpenCLIP

            if self.table is None:
                model = OpenCLIP(self.weights or WEIGHTS, device=G.device)
                return TextDirections(G, model, self.layers, texts=texts, ws=self.sampled(G, _SAMPLES))
            table = read_text_table(self.table, G)  # before the model, whose weights may have to be fetched
            # The published tables are in the space of OpenAI's own weights.
            model = OpenCLIP(self.weights or OPENAI, quick_gelu=True, device=G.device)
            table.check_model(model)
            return TableDirections(table, model, texts, self.threshold or THRESHOLD, self.table.name)

        return Plan((name,), make)
