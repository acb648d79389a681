"""What all finders of directions share: the verb, the options, and what is known before a model is loaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from stylegan_latents.generator.cli.command import LARGEST_SEED
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.generator.generator import Generator

COUNT = 10
"""How many directions a finder finds that ranks them."""

TRUNCATION = 0.7
"""Of the samples that directions are looked for and shown on."""

of_samples = partial(typer.Option, rich_help_panel="Samples")
"""An option about samples."""
of_region = partial(typer.Option, rich_help_panel="Region")
"""An option about a region of the picture."""
_of_examples = partial(typer.Option, rich_help_panel="Examples", metavar="FOLDER")


class Finder(Protocol):
    """Finds directions in a generator's latent space."""

    def find(self, count: int = COUNT, on_progress: Progress | None = None) -> "list[Direction]":
        """The directions, the best first, bound to the generator and calibrated.

        Args:
            count: how many at most; fewer where the finder was made for fewer.
            on_progress: called with the amount of work done and in all.

        Raises:
            InputError: there are no such directions.
        """
        ...


@dataclass(frozen=True)
class Plan:
    """What a finder will find, known before a model is loaded.

    Attributes:
        names: of the directions, which their files are named after.
        make: the finder for a generator.
        work: what ``find`` does for most of its time, for a progress bar; None where the finder begins its own.
        notes: sentences for the user.
        report: what was measured while the directions were found, as text; called after ``find``.
    """

    names: tuple[str, ...]
    make: "Callable[[Generator], Finder]"
    work: str | None = "looking at samples"
    notes: tuple[str, ...] = ()
    report: Callable[[], str] = str


@dataclass(frozen=True, kw_only=True)
class FinderOptions:
    """What every finder can be told; a finder's own options are a subclass.

    A field's annotation says how ``edit discover`` takes it, see ``generator.cli.options.takes``. Options that
    several finders take stand once, in the classes below. ``__post_init__`` refuses what makes no sense together.
    """

    layers: Annotated[
        str | None,
        typer.Option(help="Only these: coarse, middle, fine, all, or rows such as 0-3,7.", metavar="LAYERS"),
    ] = None
    seed: Annotated[int, of_samples(min=0, max=LARGEST_SEED, help="Of the samples.", metavar="N")] = 0

    def __post_init__(self) -> None:
        """Refuse, before a model is loaded, options that make no sense together."""

    def plan(self, begin: Begin) -> Plan:
        """What will be found.

        Args:
            begin: makes a progress bar.

        Raises:
            InputError: a file that is named cannot be used.
        """
        raise NotImplementedError(f"{type(self).__name__} says of no finder how it is made")


@dataclass(frozen=True, kw_only=True)
class RankedOptions(FinderOptions):
    """Options of finders that rank directions and take the best."""

    count: Annotated[
        int | None,
        typer.Option(
            "--count", "-n", min=1, max=999, metavar="N",
            help=f"How many directions, or style channels of one that is --together; {COUNT} by default.",
        ),
    ] = None  # fmt: skip

    @property
    def wanted(self) -> int:
        """``count``, or the default."""
        return COUNT if self.count is None else self.count

    def numbered(self, name: str) -> tuple[str, ...]:
        """Names of as many directions as are wanted: ``sefa-00``, ``sefa-01``, ..."""
        return tuple(f"{name}-{index:02d}" for index in range(self.wanted))


@dataclass(frozen=True, kw_only=True)
class SampledOptions(FinderOptions):
    """Options of finders that look at samples."""

    samples: Annotated[
        int | None, of_samples(min=1, help="How many to look at; by default as many as the finder needs.")
    ] = None

    def sampled(self, G: "Generator", samples: int) -> "Tensor":
        """Codes to look at, ``[N, num_ws, w_dim]``; so many where ``samples`` is not given."""
        return sample_codes(G, range(self.seed, self.seed + (self.samples or samples)))


@dataclass(frozen=True, kw_only=True)
class NamedOptions(FinderOptions):
    """Options of finders that find one direction."""

    name: Annotated[str | None, typer.Option(help="What to call the direction.", metavar="NAME")] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name is not None:
            check_file_name(self.name)


@dataclass(frozen=True, kw_only=True)
class RegionOptions(SampledOptions):
    """Options of finders that look at a region of the picture."""

    mask: Annotated[
        list[str],
        of_region(
            metavar="FILE|NAME",
            help="Where the picture is to change: a picture, white there, or eyes, nose, mouth, hair, face, "
            "background; repeatable.",
        ),
    ] = field(default_factory=list)

    def __post_init__(self) -> None:
        from stylegan_latents.editing.regions.regions import check_regions

        super().__post_init__()
        check_regions(self.mask)

    def region(self, G: "Generator", samples: int, begin: Begin) -> "tuple[Tensor, Tensor]":
        """Codes to look at, and masks of the region in their pictures; see ``masks_of_codes``."""
        from stylegan_latents.editing.regions.regions import masks_of_codes

        return masks_of_codes(G, self.sampled(G, samples), self.mask, begin("looking for faces"))


@dataclass(frozen=True, kw_only=True)
class ExampleOptions(NamedOptions):
    """Options of finders that compare inversions."""

    before: Annotated[Path | None, _of_examples(help="Records without what is wanted.")] = None
    after: Annotated[Path | None, _of_examples(help="Records with it; equal names are pairs.")] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.before is None) != (self.after is None):
            raise InputError("--before and --after go together: give a folder of records for each.")


def sample_codes(G: "Generator", seeds: Sequence[int]) -> "Tensor":
    """Codes of these seeds, ``[len(seeds), num_ws, w_dim]``; of one class after the other, where there are any."""
    if not G.label_dim:
        return G.sample(seeds, truncation=TRUNCATION)
    import torch

    classes = torch.tensor([seed % G.label_dim for seed in seeds])
    return G.sample(seeds, torch.nn.functional.one_hot(classes, G.label_dim).float(), truncation=TRUNCATION)


def check_count(count: int, most: int) -> None:
    """Refuse a number of directions that there cannot be.

    Raises:
        InputError: it is not between 1 and ``most``.
    """
    if not 1 <= count <= most:
        raise InputError(f"The number of directions has to be between 1 and {most} for this model, not {count}.")


def is_file_name(name: str) -> bool:
    """Whether a file can have this name on every system."""
    return bool(name) and not set(name) & set('/\\:*?"<>|') and name not in (".", "..") and name.isprintable()


def check_file_name(name: str) -> None:
    """Refuse a direction's name that a file cannot have.

    Raises:
        InputError: it has a sign that some system refuses.
    """
    if not is_file_name(name):
        raise InputError(f"'{name}' cannot be a file's name; use letters, such as smile.")
