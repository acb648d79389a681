"""A direction from examples: the mean difference between codes without and with an attribute."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.finders.base import ExampleOptions, Plan, found_direction, record_codes
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_MOST_NAMED = 5


@dataclass(frozen=True, eq=False)
class ExamplePairs:
    """Codes without and with an attribute.

    Attributes:
        before, after: ``[N, num_ws, w_dim]`` and ``[M, num_ws, w_dim]``, in the order of the pairs if any.
        names: of the pairs; empty for unpaired codes.
        left_out: names of records without a counterpart.
    """

    before: "Tensor"
    after: "Tensor"
    names: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Examples:
    """Takes the mean difference of example codes.

    Pairs of one person each are best, as differences between people cancel; unpaired codes give the difference of
    the two means.

    Args:
        G: the generator of the codes.
        examples: such as from ``read_examples``.
        layers: the layers that the direction moves; None for all.
        name: of the direction.

    Raises:
        InputError: a side is empty, or there is no such layer.
    """

    def __init__(
        self, G: "Generator", examples: ExamplePairs, layers: str | None = None, *, name: str = "examples"
    ) -> None:
        if not len(examples.before) or not len(examples.after):
            raise InputError("A direction from examples needs at least one record on each side.")
        self.G, self.examples, self.name = G, examples, name
        self.layers = layers or "all"
        G.rows(self.layers)

    def find(self, count: int = 1, on_progress: Progress | None = None) -> list[Direction]:  # noqa: ARG002 - one
        """The mean difference as a direction, with the agreement of the pairs in its provenance.

        ``agreement`` is the mean cosine of each pair's difference with the mean of the others, and
        ``held_out_accuracy`` the share of pairs where it is positive.

        Raises:
            InputError: the two sides do not differ.
        """
        before, after = self.examples.before, self.examples.after
        difference = after.mean(dim=0) - before.mean(dim=0)
        if bool((difference == difference[:1]).all()):
            difference = difference[:1]
        provenance: dict[str, JSON] = {
            "positive": f"as in the examples '{self.name}'",
            "finder": "examples",
            "samples": min(len(before), len(after)),
            "pairs": len(self.examples.names),
            "difference": float(difference.norm(dim=1).mean()),
        }
        if len(self.examples.names) > 1:
            cosines = _agreement(after - before, self.G.rows(self.layers))
            provenance["agreement"] = round(float(cosines.mean()), 4)
            provenance["held_out_accuracy"] = round(float((cosines > 0).float().mean()), 4)
        if not bool(difference[self.G.rows(self.layers) if len(difference) > 1 else [0]].any()):
            raise InputError("The two sides hold the same codes; give records that differ in the attribute.")
        vector = difference.float().cpu().contiguous()
        return [found_direction(self.G, self.name, vector, provenance, layers=self.layers)]


def read_examples(before: Path, after: Path, G: "Generator") -> ExamplePairs:
    """The codes of two folders of records.

    Records of the same name are pairs, and those without a counterpart are left out; if no name is in both folders,
    all records are used unpaired.

    Raises:
        InputError: a folder is missing or holds no record, or a record belongs to another model.
    """
    import torch

    first, second = _records(before), _records(after)
    common = [name for name in first if name in second]
    if common:
        left_out = tuple(sorted(set(first) ^ set(second)))
        pairs = [(record_codes(first[name], G), record_codes(second[name], G)) for name in common]
        for name, (one, other) in zip(common, pairs, strict=True):
            if len(one) != len(other):
                raise InputError(f"The records {name} hold {len(one)} and {len(other)} images: these are no pairs.")
        names = tuple(name for name, (one, _) in zip(common, pairs, strict=True) for _ in range(len(one)))
        sides = [torch.cat(side) for side in zip(*pairs, strict=True)]
        return ExamplePairs(sides[0], sides[1], names, left_out)
    sides = [torch.cat([record_codes(path, G) for path in side.values()]) for side in (first, second)]
    return ExamplePairs(sides[0], sides[1])


def examples_of(options: ExampleOptions, G: "Generator") -> ExamplePairs:
    """``read_examples`` of the two folders; reports records without a counterpart on stderr."""
    pairs = read_examples(options.before or Path(), options.after or Path(), G)
    if pairs.left_out:
        few = ", ".join(pairs.left_out[:_MOST_NAMED]) + (", ..." if len(pairs.left_out) > _MOST_NAMED else "")
        print(f"edit discover: left out, as only one of the folders has them: {few}", file=sys.stderr)
    return pairs


@dataclass(frozen=True, kw_only=True)
class MeanDifferenceOptions(ExampleOptions):
    """Options of ``Examples``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.before is None:
            raise InputError("--method examples needs two folders of records: --before FOLDER --after FOLDER.")

    def plan(self, begin: Begin) -> Plan:  # noqa: ARG002 - needs no progress bar
        name = self.name or "examples"
        return Plan((name,), lambda G: Examples(G, examples_of(self, G), self.layers, name=name))


def _records(folder: Path) -> dict[str, Path]:
    from stylegan_latents.invert.record.files import RECORD_SUFFIX, record_stem

    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give one with the records of the examples.")
    found = {record_stem(path): path for path in sorted(folder.glob(f"*{RECORD_SUFFIX}"))}
    if not found:
        raise InputError(
            f"The folder {folder} holds no *{RECORD_SUFFIX}; run `invert {shlex.quote(str(folder))}` first."
        )
    return found


def _agreement(differences: "Tensor", rows: list[int]) -> "Tensor":
    """Cosine of each pair's difference with the mean of the others, ``[N]``."""
    import torch

    flat = differences[:, rows].flatten(1).cpu().double()
    others = (flat.sum(dim=0) - flat) / (len(flat) - 1)
    return torch.nn.functional.cosine_similarity(flat, others, dim=1)
