"""A direction in a generator's latent space with a calibrated scale: strength 1 is one standard deviation of W.

``raw`` strengths are multiples of the stored vector, for published files.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Gt, MaxLen

from stylegan_latents.editing.directions.bend import Bend
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.layers import GROUPS
from stylegan_latents.generator.reading.files import DamagedFileError, refusing_damage
from stylegan_latents.generator.reading.headers import validated
from stylegan_latents.generator.reading.tensor_file import TensorFile

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.statistics import WStatistics

__all__ = ["JSON", "SUFFIX", "Direction", "check_strength", "load"]
Space = Literal["w", "s"]
SPACES: tuple[Space, ...] = ("w", "s")
SUFFIX = ".safetensors"
"""Of a direction's file."""

_KEY = "stylegan-latents-direction"
_BEND = ("readings", "steps")


_Text = Annotated[str, MaxLen(1024)]


@dataclass(frozen=True)
class _Header:
    """What a file says of its direction; see ``Direction``."""

    __pydantic_config__: ClassVar[Any] = {"strict": True, "allow_inf_nan": False}
    name: _Text
    latent_space: _Text
    scale: Annotated[float, Gt(0)]
    layers: _Text
    provenance: dict[str, Any]
    by_group: bool = False
    space: Space = "w"
    keeps_distance: bool = False


_NAMES = tuple(one.name for one in fields(_Header))


@dataclass(frozen=True, eq=False)
class Direction:
    """One direction in the W, W+ or StyleSpace of a family of generators.

    Attributes:
        name: what the user types, such as ``pose``.
        latent_space: ``Generator.latent_space`` of the models it belongs to.
        vector: float32 ``[rows, w_dim]``: 1 row moves every chosen row of ws alike, num_ws rows move each its
            own, and 3 rows with ``by_group`` are for the coarse, middle and fine rows of any generator. In
            StyleSpace ``[1, channels]``, the styles of all layers concatenated.
        scale: how many multiples of ``vector`` are one unit of strength.
        layers: the layers moved by default, as ``Generator.rows`` reads them: ``coarse,middle``, ``0-7``, ``all``.
        provenance: finder, settings, scorer, sample count, held-out accuracy, leakage, what + and - mean.
        by_group: whether the rows of ``vector`` are for coarse, middle and fine rows.
        rows: ``layers`` as rows of one generator's ws; None until ``bind``.
        space: ``w`` moves codes with ``apply``; ``s`` moves styles with ``apply_styles``.
        keeps_distance: whether a moved code stays as far from W's mean as it was, in whitened W. Strong edits then
            stay among likely codes, with skin that looks like skin.
        statistics: of the generator's W, for ``keeps_distance``; None until ``bind``.
        negative: a vector like ``vector`` for negative strengths, where the way back is another one; None if it
            is not. Strength -1 moves by minus ``scale`` times it.
        bend: what is added to ``negative`` for each code; None for nothing.

    Raises:
        ValueError: a vector has another shape or type, or a number is not finite.
    """

    name: str
    latent_space: str
    vector: "Tensor"
    scale: float
    layers: str = "all"
    provenance: Mapping[str, JSON] = field(default_factory=dict)
    by_group: bool = False
    rows: tuple[int, ...] | None = None
    space: Space = "w"
    keeps_distance: bool = False
    statistics: "WStatistics | None" = None
    negative: "Tensor | None" = None
    bend: Bend | None = None

    def __post_init__(self) -> None:
        import torch

        if self.vector.ndim != 2 or self.vector.dtype != torch.float32 or not self.vector.numel():
            raise ValueError(
                f"vector needs float32 [rows, w_dim], got {self.vector.dtype} {list(self.vector.shape)}"
            )
        for vector in self._vectors:
            if not bool(torch.isfinite(vector).all()) or not vector.any():
                raise ValueError("the vector is zero or holds values that are not finite")
            if vector.shape != self.vector.shape or vector.dtype != self.vector.dtype:
                raise ValueError(
                    f"both vectors need the same shape, got {[list(one.shape) for one in self._vectors]}"
                )
        if self.bend is not None and self.bend.steps.shape[1:] != self.vector.shape:
            raise ValueError(f"a bend's steps need the vector's shape, got {list(self.bend.steps.shape[1:])}")
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"scale has to be above 0, got {self.scale}")
        if self.by_group and len(self.vector) != len(GROUPS):
            raise ValueError(f"a vector by groups needs {len(GROUPS)} rows, got {len(self.vector)}")
        if self.space not in SPACES or (self.space == "s" and (self.by_group or len(self.vector) != 1)):
            raise ValueError(f"a vector in the space '{self.space}' cannot have {len(self.vector)} rows")
        if self.space == "s" and self.bend is not None:
            raise ValueError("only a direction of codes can have a bend")

    @property
    def _vectors(self) -> "list[Tensor]":
        return [self.vector] if self.negative is None else [self.vector, self.negative]

    @property
    def description(self) -> str:
        """What a positive strength does, in a few words; empty when the file does not say."""
        return str(self.provenance.get("positive", ""))

    @property
    def is_channel(self) -> bool:
        """Whether it is a single style channel, which changes little with each deviation."""
        return self.space == "s" and int(self.vector.count_nonzero()) == 1

    def check_space(self, latent_space: str, model: str) -> None:
        """Raise InputError when the model of that name has another latent space."""
        if self.latent_space != latent_space:
            raise InputError(
                f"The direction '{self.name}' belongs to the latent space {self.latent_space}, "
                f"but the model '{model}' has {latent_space}; use a direction found on that model."
            )

    def bind(self, G: "Generator") -> "Direction":
        """This direction with its default layers resolved for ``G``.

        Raises:
            InputError: it belongs to another latent space, or its shape or layers do not fit ``G``.
        """
        self.check_space(G.latent_space, G.name)
        vectors, groups = self._vectors, None
        if self.by_group:
            groups = [GROUPS.index(group) for group in G.ws_groups]
            vectors = [vector[groups] for vector in vectors]
        rows, width = vectors[0].shape
        if self.space == "s":
            channels = sum(layer.channels for layer in G.layers)
            if width != channels:
                raise InputError(
                    f"The direction '{self.name}' is for a StyleSpace of {width} channels, and the model "
                    f"'{G.name}' has {channels}; use a direction found on that model."
                )
        elif width != G.w_dim or rows not in (1, G.num_ws):
            raise InputError(
                f"The direction '{self.name}' has {rows} rows of {width} values, which do not fit the model "
                f"'{G.name}' with {G.num_ws} rows of {G.w_dim}."
            )
        statistics = None
        if self.keeps_distance and self.space == "w":
            from stylegan_latents.generator.statistics import WStatistics

            statistics = WStatistics.of(G)
        rows_moved = tuple(G.rows(self.layers))
        return replace(
            self, vector=vectors[0], negative=vectors[1] if len(vectors) > 1 else None,
            bend=None if self.bend is None else self.bend.bound(G, groups),
            by_group=False, rows=rows_moved, statistics=statistics,
        )  # fmt: skip

    def apply(
        self, ws: "Tensor", strength: float, *, rows: Sequence[int] | None = None, raw: bool = False
    ) -> "Tensor":
        """Move codes along the direction.

        Args:
            ws: ``[N, num_ws, w_dim]``; not changed.
            strength: in units of ``scale``; negative for the opposite.
            rows: rows of ws to move; None moves the default layers.
            raw: take ``strength`` as a multiple of ``vector`` instead, exactly, also of one with
                ``keeps_distance``.

        Returns:
            ws ``[N, num_ws, w_dim]``.

        Raises:
            InputError: the strength is not finite.
            ValueError: the shapes do not fit, or the direction needs ``bind`` first.
        """
        step = self._step(strength, raw)
        if self.space != "w":
            raise ValueError(f"the direction '{self.name}' moves styles, not codes")
        if self.by_group or (rows is None and self.rows is None and self.layers != "all"):
            raise ValueError(f"the direction '{self.name}' has to be bound to a generator first")
        if ws.ndim != 3 or ws.shape[2] != self.vector.shape[1] or len(self.vector) not in (1, ws.shape[1]):
            raise ValueError(f"ws {list(ws.shape)} does not fit a direction {list(self.vector.shape)}")
        if rows is None:
            rows = range(ws.shape[1]) if self.rows is None else self.rows
        step = step.to(ws.device, ws.dtype)[None]
        if self.bend is not None and strength < 0 and not raw:
            step = step + strength * self.scale * self.bend.step(ws)
        moved = ws.clone()
        chosen = list(rows)
        moved[:, chosen] += step[:, chosen] if step.shape[1] > 1 else step
        if self.statistics is not None and strength and not raw:
            moved[:, chosen] = self.statistics.at_distance_of(moved[:, chosen], ws[:, chosen])
        return moved

    def apply_styles(
        self,
        styles: "Sequence[Tensor]",
        strength: float,
        G: "Generator",
        *,
        rows: Sequence[int] | None = None,
        raw: bool = False,
    ) -> "list[Tensor]":
        """Move styles along a direction of StyleSpace that is bound to a generator.

        Args:
            styles: one ``[N, channels]`` for each layer, as ``Generator.styles`` gives them; not changed.
            strength, raw: see ``apply``.
            G: the generator of the styles.
            rows: rows of ws whose layers move; None for the default layers.

        Raises:
            InputError: the strength is not finite.
            ValueError: the direction moves codes, is not bound, or is for other layers.
        """
        step = self._step(strength, raw)
        if self.space != "s" or self.rows is None:
            raise ValueError(f"the direction '{self.name}' moves codes, or has to be bound to a generator first")
        chosen = self.rows if rows is None else rows
        moved, start = [], 0
        for style, layer in zip(styles, G.layers, strict=True):
            part = step[:, start : start + layer.channels].to(style.device, style.dtype)
            moved.append(style + part if layer.ws_index in chosen else style)
            start += layer.channels
        return moved

    def moving(self, G: "Generator") -> "Tensor":
        """The vector of a bound direction in its layers: ``[rows, w_dim]`` of these, or in StyleSpace
        ``[1, channels]`` with zeros for the others.
        """
        import torch

        if self.rows is None:
            raise ValueError(f"the direction '{self.name}' has to be bound to a generator first")
        if self.space == "s":
            moves = [layer.ws_index in self.rows for layer in G.layers for _ in range(layer.channels)]
            return self.vector * torch.tensor(moves, device=self.vector.device)
        return self.vector[list(self.rows)] if len(self.vector) > 1 else self.vector

    def _step(self, strength: float, raw: bool) -> "Tensor":
        check_strength(strength)
        if raw:
            return strength * self.vector
        return strength * self.scale * (self.vector if strength >= 0 or self.negative is None else self.negative)

    def save(self, path: Path, overwrite: bool = False) -> None:
        """Write one safetensors file, which ``load`` reads.

        Raises:
            InputError: the file exists and may not be replaced, or cannot be written.
        """
        from safetensors.torch import save

        header = {name: getattr(self, name) for name in _NAMES} | {"provenance": dict(self.provenance)}
        with atomic_path(Path(path), overwrite=overwrite) as temporary:
            named = zip(("vector", "negative"), self._vectors, strict=False)
            # Rows of one tensor share memory, which safetensors refuses.
            tensors = {name: vector.detach().cpu().contiguous().clone() for name, vector in named}
            if self.bend is not None:
                tensors |= {name: getattr(self.bend, name).cpu().contiguous().clone() for name in _BEND}
            temporary.write_bytes(save(tensors, metadata={_KEY: json.dumps(header)}))


def check_strength(strength: float) -> None:
    """Raise InputError for a strength that is not finite."""
    if not math.isfinite(strength):
        raise InputError(f"A strength has to be a finite number, such as 2 or -1.5, not {strength}.")


def load(path: str | Path) -> Direction:
    """Read what ``Direction.save`` wrote; InputError for a file that is missing, damaged, or no direction."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    with refusing_damage(path):
        try:
            with TensorFile.open(path) as file:
                if _KEY not in file.metadata or "vector" not in file.shapes:
                    raise InputError(f"{path} holds no direction that stylegan-latents wrote.")
                text, vector = file.metadata[_KEY], file.tensor("vector")
                negative = file.tensor("negative") if "negative" in file.shapes else None
                bend = [file.tensor(name) for name in _BEND if name in file.shapes]
        except DamagedFileError as error:
            raise InputError(f"{path} is no direction's file, or a damaged one.") from error
        try:
            header = validated(_Header, text, path.name)
            about = {name: getattr(header, name) for name in _NAMES}
            bent = Bend(bend[0], bend[1]) if len(bend) == len(_BEND) else None
            return Direction(vector=vector, negative=negative, bend=bent, **about)
        except (DamagedFileError, ValueError) as error:
            raise InputError(f"{path} is damaged: its header does not fit its vector.") from error
