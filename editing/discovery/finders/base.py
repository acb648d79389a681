"""What all finders of directions share: their interface, their options and how their results are made."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from stylegan_latents.editing.directions.calibration import calibrated
from stylegan_latents.editing.directions.direction import JSON, Direction, Space
from stylegan_latents.generator.cli.command import LARGEST_SEED
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.nonlinear.attribute_flow import AttributeFlow
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.statistics import WStatistics

COUNT = 10
"""Default number of directions of finders that rank them."""

TRUNCATION = 0.7
"""Truncation of the samples that directions are found and shown on."""

sample_option = partial(typer.Option, rich_help_panel="Samples")
region_option = partial(typer.Option, rich_help_panel="Region")
score_option = partial(typer.Option, rich_help_panel="Scores")
_example_option = partial(typer.Option, rich_help_panel="Examples", metavar="FOLDER")


class Finder(Protocol):
    """Finds directions in a generator's latent space, or another edit of it."""

    def find(
        self, count: int = COUNT, on_progress: Progress | None = None
    ) -> "Sequence[Direction | AttributeFlow]":
        """The directions, the best first, bound to the generator and calibrated; or a flow.

        Args:
            count: the largest number of directions.
            on_progress: called with the amount of work done and the total.

        Raises:
            InputError: there are no such directions.
        """
        ...


@dataclass(frozen=True)
class Plan:
    """What a finder will find, known before a model is loaded.

    Attributes:
        names: names of the directions, and of their files.
        make: makes the finder for a generator.
        work: label of the progress bar of ``find``; None where the finder shows its own.
        notes: sentences for the user.
        report: returns the measurements as text; called after ``find``.
    """

    names: tuple[str, ...]
    make: "Callable[[Generator], Finder]"
    work: str | None = "analysing samples"
    notes: tuple[str, ...] = ()
    report: Callable[[], str] = str


@dataclass(frozen=True, kw_only=True)
class FinderOptions(ABC):
    """Options of every finder, declared as ``generator.cli.options.takes`` reads them.

    Each finder has a subclass; ``__post_init__`` rejects contradictory options before a model is loaded.
    """

    layers: Annotated[
        str | None,
        typer.Option(help="Layers to edit: coarse, middle, fine, all, or rows such as 0-3,7.", metavar="LAYERS"),
    ] = None
    seed: Annotated[int, sample_option(min=0, max=LARGEST_SEED, help="Seed of the samples.", metavar="N")] = 0

    def __post_init__(self) -> None:  # noqa: B027 - many have nothing to check
        """Check the options against one another."""

    @abstractmethod
    def plan(self, begin: Begin) -> Plan:
        """The plan for these options; ``begin`` makes a progress bar.

        Raises:
            InputError: a given file cannot be used.
        """


@dataclass(frozen=True, kw_only=True)
class RankedOptions(FinderOptions):
    """Options of finders that rank directions."""

    count: Annotated[
        int | None,
        typer.Option(
            "--count", "-n", min=1, max=999, metavar="N",
            help=f"Number of directions, or of style channels with --together; {COUNT} by default.",
        ),
    ] = None  # fmt: skip

    @property
    def count_or_default(self) -> int:
        return COUNT if self.count is None else self.count

    def numbered(self, name: str) -> tuple[str, ...]:
        """Names of the directions: ``sefa-00``, ``sefa-01``, ..."""
        return tuple(f"{name}-{index:02d}" for index in range(self.count_or_default))


@dataclass(frozen=True, kw_only=True)
class SampledOptions(FinderOptions):
    """Options of finders that use samples."""

    samples: Annotated[
        int | None, sample_option(min=1, help="Number of samples; the default depends on the method.")
    ] = None

    def sampled(self, G: "Generator", samples: int) -> "Tensor":
        """Sample codes, ``[N, num_ws, w_dim]``; ``samples`` is the default number."""
        return sample_codes(G, range(self.seed, self.seed + (self.samples or samples)))


@dataclass(frozen=True, kw_only=True)
class NamedOptions(FinderOptions):
    """Options of finders that find one direction."""

    name: Annotated[str | None, typer.Option(help="Name of the direction.", metavar="NAME")] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name is not None:
            check_file_name(self.name)


@dataclass(frozen=True, kw_only=True)
class RegionOptions(SampledOptions):
    """Options of finders for a region of the picture."""

    mask: Annotated[
        list[str],
        region_option(
            metavar="FILE|NAME",
            help="Region to change: a mask, white there, or eyes, nose, mouth, hair, face, background; repeatable.",
        ),
    ] = field(default_factory=list)

    def __post_init__(self) -> None:
        from stylegan_latents.editing.regions.regions import check_regions

        super().__post_init__()
        check_regions(self.mask)

    def region(self, G: "Generator", samples: int, begin: Begin) -> "tuple[Tensor, Tensor]":
        """Sample codes and masks of the region in their pictures; see ``masks_of_codes``."""
        from stylegan_latents.editing.regions.regions import masks_of_codes

        return masks_of_codes(G, self.sampled(G, samples), self.mask, begin("detecting faces"))


@dataclass(frozen=True, kw_only=True)
class ExampleOptions(NamedOptions):
    """Options of finders that compare inversions."""

    before: Annotated[Path | None, _example_option(help="Records without the attribute.")] = None
    after: Annotated[Path | None, _example_option(help="Records with it; records of the same name are pairs.")] = (
        None
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.before is None) != (self.after is None):
            raise InputError("--before and --after go together: give a folder of records for each.")


def sample_codes(G: "Generator", seeds: Sequence[int]) -> "Tensor":
    """Codes of seeds, ``[len(seeds), num_ws, w_dim]``; a class-conditional model's classes take turns."""
    if not G.label_dim:
        return G.sample(seeds, truncation=TRUNCATION)
    import torch

    classes = torch.tensor([seed % G.label_dim for seed in seeds])
    return G.sample(seeds, torch.nn.functional.one_hot(classes, G.label_dim).float(), truncation=TRUNCATION)


def found_direction(
    G: "Generator",
    name: str,
    vector: "Tensor",
    provenance: Mapping[str, JSON],
    *,
    layers: str,
    statistics: "WStatistics | None" = None,
    space: Space = "w",
) -> Direction:
    """A finder's result, bound to the generator, which its provenance names, and calibrated."""
    about = {**provenance, "generator": G.name, "generator_fingerprint": G.fingerprint}
    direction = Direction(name, G.latent_space, vector, 1.0, layers, about, space=space)
    return calibrated(direction.bind(G), G, statistics)


def fixed_signs(vectors: "Tensor") -> "Tensor":
    """Each row with the sign that makes its largest entry in size positive: eigenvectors have none of their own."""
    return vectors * vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True)).sign()


def channel_mask(G: "Generator", layers: str = "all") -> "Tensor":
    """The style channels of the layers other than to-RGB's, bool ``[channels of all layers]``.

    Raises:
        InputError: there is no such layer, or the layers drive to-RGB alone.
    """
    import torch

    rows = G.rows(layers)
    chosen = [layer.ws_index in rows and not layer.name.endswith("rgb") for layer in G.layers]
    if not any(chosen):
        raise InputError(
            f"The layers {layers} drive to-RGB alone, which colours the whole picture; choose other --layers."
        )
    return torch.cat([torch.full((layer.channels,), one) for layer, one in zip(G.layers, chosen, strict=True)])


def record_codes(path: Path, G: "Generator") -> "Tensor":
    """The codes of a record, ``[N, num_ws, w_dim]``.

    Raises:
        InputError: the record cannot be read or belongs to another model.
    """
    from stylegan_latents.invert.record.inversion import Inversion

    record = Inversion.load(path)
    try:
        return record.for_generator(G)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def check_count(count: int, most: int) -> None:
    """Raise InputError unless ``count`` is between 1 and ``most``."""
    if not 1 <= count <= most:
        raise InputError(f"The number of directions has to be between 1 and {most} for this model, not {count}.")


def is_file_name(name: str) -> bool:
    """Whether the name is valid for a file on every system."""
    return bool(name) and not set(name) & set('/\\:*?"<>|') and name not in (".", "..") and name.isprintable()


def check_file_name(name: str) -> None:
    """Raise InputError unless ``is_file_name``."""
    if not is_file_name(name):
        raise InputError(f"'{name}' cannot be a file's name; use letters, such as smile.")
