"""StyleCLIP's mappers: small networks, each trained for one text, that say how a code changes (Patashnik et al.,
"StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery", 2021, section 5).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from stylegan_latents.editing.directions.row_mapping import (
    resolutions_of,
    sources_of_rows,
    stylegan2_resolutions,
)
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.checkpoint import open_checkpoint
from stylegan_latents.generator.formats.safe_pickle.inert_torch import StoredTensor
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.reading.budget import Budget, bounded_tensors
from stylegan_latents.generator.reading.files import UNFITTING, DamagedFileError, refusing_damage

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

_SHARE = 0.1  # of a mapper's output that the authors add to a code
_LEARNING_RATE = 0.01
_DEEPEST = 64
_ROWS = 18
_LEVELS = {
    "course_mapping": (0, 4),
    "medium_mapping": (4, 8),
    "fine_mapping": (8, _ROWS),
    "mapping": (0, _ROWS),
}
"""The networks of a file, by its names, and the rows that each moves; ``mapping`` is one for all."""

_NAME = re.compile(r"(?:mapper\.)?(\w{1,20})\.mapping\.(\d{1,3})\.(weight|bias)")
_IN_STYLESPACE = re.compile(r"(?:mapper\.)?mapper_\d+\.")


class LevelMapper(nn.Module):
    """Linear layers of equalised learning rate and leaky rectifiers.

    Args:
        width: of a row.
        depth: number of layers.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        """The change of codes, ``[N, rows, width]``, before the authors' share of it is taken."""
        # Normalised over the rows, not over the values of each, as published networks were trained.
        x = x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        for layer in cast("list[nn.Linear]", list(self.layers)):
            scale = _LEARNING_RATE / x.shape[-1] ** 0.5
            x = nn.functional.linear(x, layer.weight * scale, layer.bias * _LEARNING_RATE)
            x = nn.functional.leaky_relu(x, 0.2) * 2**0.5
        return x


@dataclass(frozen=True, eq=False)
class MapperEdit:
    """A mapper as an edit, as ``apply_edits`` takes it; on rows of another number they are mapped by resolution.

    Attributes:
        name: of the file.
        levels: the networks, each with its first row and the one behind its last, of 18.
        G: the generator of the codes; None until ``bind``.
        provenance: holds under ``note`` what the user should know.
    """

    name: str
    levels: tuple[tuple[int, int, LevelMapper], ...]
    G: "Generator | None" = None
    provenance: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """The number of values of w."""
        weight = self.levels[0][2].layers[0].weight
        return int(weight.shape[1])  # type: ignore[index]

    def bind(self, G: "Generator") -> "MapperEdit":
        """The edit for a generator, on its device.

        Raises:
            InputError: its codes are not those of the mapper.
        """
        if G.w_dim != self.width:
            raise InputError(
                f"The mapper {self.name} is for codes of {self.width} values, and w of the model '{G.name}' has "
                f"{G.w_dim}."
            )
        levels = tuple((first, last, network.to(G.device)) for first, last, network in self.levels)
        mapped = f"its {_ROWS} rows were mapped by resolution to the {G.num_ws} of the model '{G.name}'"
        return MapperEdit(self.name, levels, G, {} if G.num_ws == _ROWS else {"note": mapped})

    def apply(
        self,
        ws: Tensor,
        strength: float,
        *,
        rows: Sequence[int] | None = None,
        raw: bool = False,  # noqa: ARG002 - as directions take
    ) -> Tensor:
        """Move codes ``[N, num_ws, w_dim]`` by a multiple of the authors' step, in all rows or ``rows``."""
        if self.G is None:
            raise ValueError(f"the mapper '{self.name}' has to be bound to a generator first")
        own, theirs = resolutions_of(self.G), stylegan2_resolutions(_ROWS)
        x = _averaged(ws.float(), sources_of_rows(own, theirs))
        step = torch.zeros_like(x)
        with torch.no_grad():
            for first, last, network in self.levels:
                step[:, first:last] = _SHARE * strength * network(x[:, first:last])
        moved = ws + _averaged(step, sources_of_rows(theirs, own)).to(ws.dtype)
        if rows is None:
            return moved
        chosen, result = list(rows), ws.clone()
        result[:, chosen] = moved[:, chosen]
        return result


def load_mapper(path: Path) -> MapperEdit:
    """Read a checkpoint of StyleCLIP's mapper; the generator beside it is not read.

    Raises:
        InputError: the file is missing, damaged, asks for what weights do not need, or holds no mapper of W+.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    with refusing_damage(path, UNFITTING), open_checkpoint(path) as contents:
        inner = contents.get("state_dict", contents) if isinstance(contents, dict) else {}
        found: dict[str, dict[tuple[int, str], StoredTensor]] = {}
        for name, value in (inner if isinstance(inner, dict) else {}).items():
            if _IN_STYLESPACE.match(str(name)):
                raise InputError(f"{path.name} is a mapper of StyleSpace; give one that moves codes of W+.")
            match = _NAME.fullmatch(str(name)[:200])
            if match is not None and match[1] in _LEVELS and isinstance(value, StoredTensor):
                found.setdefault(match[1], {})[int(match[2]), match[3]] = value
        if not found:
            raise InputError(f"{path.name} holds no mapper; give a checkpoint of StyleCLIP's latent mapper.")
        budget = Budget(path.stat().st_size)
        levels = [(*_LEVELS[name], _network(stored, budget, path)) for name, stored in found.items()]
    if len({network.layers[0].in_features for _, _, network in levels}) > 1:
        raise DamagedFileError(f"{path.name} is damaged: its networks are of several widths.")
    return MapperEdit(path.stem, tuple(levels))


def _network(stored: Mapping[tuple[int, str], StoredTensor], budget: Budget, path: Path) -> LevelMapper:
    """One network; its layers are counted from 1, as the normalisation comes first."""
    depth = len(stored) // 2
    if not 0 < depth <= _DEEPEST or set(stored) != {
        (n + 1, part) for n in range(depth) for part in ("weight", "bias")
    }:
        raise DamagedFileError(f"{path.name} is damaged: its mapper lacks layers.")
    for value in stored.values():
        budget.charge(value.size)
    tensors = {f"layers.{place - 1}.{part}": value.read() for (place, part), value in stored.items()}
    if not all(value.is_floating_point() and bool(value.isfinite().all()) for value in tensors.values()):
        raise DamagedFileError(f"{path.name} is damaged: it holds values that are not finite.")
    with bounded_tensors(path.name, sum(4 * value.numel() for value in tensors.values())):
        network = LevelMapper(len(tensors["layers.0.bias"]), depth)
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False)


def _averaged(ws: Tensor, sources: list[list[int]]) -> Tensor:
    """Each row the mean of its sources."""
    return torch.stack([ws[:, rows].mean(dim=1) for rows in sources], dim=1)
