"""Directions that change one region of the picture and preserve the rest, from the derivatives of the picture.

Two methods: the generalised eigenvalue problem of change inside over change outside (Zhu et al., "Region-Based
Semantic Factorization in GANs", 2022), and the principal axes of the change inside with those of the change outside
projected out (Zhu et al., "Low-Rank Subspaces in GANs", 2021). For a region, derivatives are taken along the style
channels that are most local to it, as steps in W change the whole face; without one, along the leading axes of W.

Derivatives are finite differences of pictures, so that each picture serves both sides of a mask.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal

from stylegan_latents.editing.directions.calibration import style_deviations, w_statistics
from stylegan_latents.editing.directions.direction import JSON, Direction, Space
from stylegan_latents.editing.discovery.finders.base import (
    COUNT,
    Plan,
    RankedOptions,
    RegionOptions,
    check_count,
    fixed_signs,
    found_direction,
    region_option,
    sample_codes,
)
from stylegan_latents.editing.discovery.finders.stylespace import StyleSpace
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

LowRankMethod = Literal["ratio", "null-space"]
_AXES, _CHANNELS, _CODES = 100, 64, 8
_STEP = 0.5  # standard deviations: nearly linear, and well above rounding errors
_BATCH = 4
_PROBES = 2  # enough to choose channels, which are measured together afterwards
_RANKING, _MEASURING = 1, 3  # relative durations, for the progress bar
_PROJECTED = 0.95  # share of the change outside along the axes that are projected out
_FLOOR = 0.5  # of the mean change outside; keeps axes that change little from ranking high


@dataclass(frozen=True, eq=False)
class Dependence:
    """How pictures change with their codes, averaged over codes and pixels.

    Attributes:
        inside, outside: float64 ``[axes, axes]``, inner products of the changes by one standard deviation along
            each axis, inside and outside the mask.
        axes: float32 ``[w_dim, axes]`` or ``[channels of all layers, axes]``: one standard deviation along each.
        space: of the axes; ``s`` for style channels.
    """

    inside: "Tensor"
    outside: "Tensor"
    axes: "Tensor"
    space: Space


class LowRank:
    """Finds directions for a region.

    Args:
        G: any generator.
        layers: the layers to move, in the syntax of ``--layers``; None for all.
        axes: number of leading axes of W, or for a region of style channels, to combine.
        method: ``ratio`` as in ReSeFa, or ``null-space`` as in LowRankGAN; at equal shares of the change inside
            the first changes the region more.
        size: side of the compared pictures in pixels, at most the resolution.
        ws: codes for ``find``, ``[N, num_ws, w_dim]``; a few samples when None.
        mask: the region for ``find``, as for ``measure``.

    Raises:
        InputError: there is no such layer, or ``axes`` is not between 2 and the length of w.
    """

    def __init__(
        self,
        G: "Generator",
        layers: str | None = None,
        *,
        axes: int | None = None,
        method: LowRankMethod = "ratio",
        size: int = 128,
        ws: "Tensor | None" = None,
        mask: "Tensor | None" = None,
    ) -> None:
        self._ws, self._mask = ws, mask
        self.G, self.layers, self.method = G, layers or "all", method
        self.rows = G.rows(self.layers)
        if axes is not None and not 2 <= axes <= G.w_dim:
            raise InputError(f"From 2 to {G.w_dim} axes can be combined, not {axes}.")
        self._axes = axes
        self._size = min(size, G.resolution)
        self._statistics = w_statistics(G)

    def measure(self, ws: "Tensor", mask: "Tensor | None" = None, progress: Progress | None = None) -> Dependence:
        """Measure how pictures change with their codes.

        Args:
            ws: codes, ``[N, num_ws, w_dim]``; a handful is enough.
            mask: the region, ``[1 or N, 1, S, S]`` in [0, 1]; None for the whole picture.
            progress: called with the amount of work done and the total.

        Raises:
            InputError: a mask is empty or covers everything, there are no codes, or the layers drive to-RGB alone.
        """
        import torch

        from stylegan_latents.generator.ops.memory import keep_freed_memory

        if not len(ws):
            raise InputError("Directions for a region need a code; give at least one.")
        ranking = 0 if mask is None else _RANKING * len(ws)

        def report(done: int) -> None:
            if progress is not None:
                progress(done, ranking + _MEASURING * len(ws))

        where = None
        with keep_freed_memory():
            if mask is None:
                space: Space = "w"
                axes = self._statistics.axes * self._statistics.deviations
                axes = axes[:, : min(_AXES, self.G.w_dim) if self._axes is None else self._axes]
            else:
                space, axes = "s", self._channels(ws, mask, lambda done, _: report(_RANKING * done))
                where = torch.nn.functional.interpolate(mask.float(), (self._size,) * 2, mode="area")
                where = where.to(ws.device).expand(len(ws), -1, -1, -1)
            inside = outside = torch.zeros(axes.shape[1], axes.shape[1], dtype=torch.float64)
            for index, changes in enumerate(self._changes(ws, axes, space)):
                inside = inside + _products(changes, None if where is None else where[index]) / len(ws)
                if where is not None:
                    outside = outside + _products(changes, 1 - where[index]) / len(ws)
                report(ranking + _MEASURING * (index + 1))
        return Dependence(inside, outside, axes, space)

    def _channels(self, ws: "Tensor", mask: "Tensor", progress: Progress) -> "Tensor":
        """One standard deviation of each of the best style channels, ``[channels of all layers, axes]``."""
        import torch

        space = StyleSpace(self.G, self.layers)
        ranked = space.rank_by_mask(ws, mask, probes=_PROBES, size=self._size, progress=progress)
        chosen = [channel.position for channel in ranked[: self._axes or _CHANNELS]]
        deviations = style_deviations(self.G, self._statistics)
        axes = torch.zeros(len(deviations), len(chosen), device=ws.device)
        axes[chosen, range(len(chosen))] = deviations[chosen].to(ws.device)
        return axes

    def _changes(self, ws: "Tensor", axes: "Tensor", space: Space) -> "Iterator[Tensor]":
        """For each code the change of its picture by a standard deviation along each axis, ``[axes, C, H, W]``."""
        import torch

        from stylegan_latents.generator.ops.cores import on_every_core

        sizes = [layer.channels for layer in self.G.layers]
        # The first step is zero: the picture that the others are compared with.
        steps = torch.split(torch.cat([axes.new_zeros(1, len(axes)), _STEP * axes.T]), _BATCH)

        @torch.no_grad()
        def draw(item: "tuple[Tensor, Tensor]") -> "Tensor":
            code, some = item
            if space == "s":
                styles = list(torch.split(torch.cat(self.G.styles(code), dim=1) + some, sizes, dim=1))
            else:
                moved = code.repeat(len(some), 1, 1)
                moved[:, self.rows] += some[:, None]
                styles = self.G.styles(moved)
            return self.G.sketch_styles(styles, size=self._size)

        items = [(code, some) for code in torch.split(ws, 1) for some in steps]
        drawn = on_every_core(draw, items) if ws.device.type == "cpu" else map(draw, items)
        for _ in ws:
            pictures = torch.cat(list(islice(drawn, len(steps))))
            yield (pictures[1:] - pictures[:1]) / _STEP

    def find(self, count: int = COUNT, on_progress: Progress | None = None) -> list[Direction]:
        """``measure`` on the given codes and mask, then ``directions``."""
        ws = sample_codes(self.G, range(_CODES)) if self._ws is None else self._ws
        return self.directions(self.measure(ws, self._mask, on_progress), count)

    def directions(self, dependence: Dependence, count: int) -> list[Direction]:
        """The directions that change the region most: ``lowrank-00``, ...; strength 1 is one standard deviation.

        Raises:
            InputError: there are fewer than ``count``, or nothing changes the region alone.
        """

        vectors = _ratio(dependence) if self.method == "ratio" else _null_space(dependence)
        check_count(count, vectors.shape[1])
        found = []
        for index in range(count):
            along = vectors[:, index]
            inside, outside = (float(along @ each @ along) for each in (dependence.inside, dependence.outside))
            vector = fixed_signs((dependence.axes.cpu() @ along.float())[None])
            about: dict[str, JSON] = {
                "finder": "ReSeFa" if self.method == "ratio" else "LowRankGAN",
                "share": round(inside / max(inside + outside, 1e-30), 4),
                "axes": dependence.axes.shape[1],
            }
            direction = found_direction(
                self.G,
                f"lowrank-{index:02d}",
                vector / vector.norm(),
                about,
                layers=self.layers,
                statistics=self._statistics,
                space=dependence.space,
            )
            found.append(direction)
        return found


class Local(StrEnum):
    """How a direction for a region preserves the rest; see ``LowRank``."""

    RATIO = "ratio"
    NULL_SPACE = "null-space"


@dataclass(frozen=True, kw_only=True)
class LowRankOptions(RankedOptions, RegionOptions):
    """Options of ``LowRank``."""

    local: Annotated[
        Local | None,
        region_option(
            help="How to preserve the rest of the picture: maximise the change inside the --mask over that outside "
            "(ratio, the default), or project out what changes the outside most (null-space).",
            show_choices=True,
        ),
    ] = None  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.local is not None and not self.mask:
            raise InputError("--local needs a region; give one with --mask, too.")

    def plan(self, begin: Begin) -> Plan:
        def make(G: "Generator") -> LowRank:
            G.rows(self.layers or "all")
            ws, mask = self.region(G, _CODES, begin) if self.mask else (self.sampled(G, _CODES), None)
            return LowRank(G, self.layers, method=(self.local or Local.RATIO).value, ws=ws, mask=mask)

        return Plan(self.numbered("lowrank"), make)


def _null_space(dependence: Dependence) -> "Tensor":
    """Principal axes of the change inside among those that hardly change the outside, ``[axes, count]``.

    The robust PCA of the paper is left out: its low-rank part of the change outside preserved the outside less.
    """
    import torch

    values, vectors = (part.flip(-1) for part in torch.linalg.eigh(dependence.outside))
    total = values.clamp_min(0).cumsum(0)
    projected = int((total < _PROJECTED * total[-1]).sum()) + 1 if float(total[-1]) > 0 else 0
    free = vectors[:, projected:]
    if not free.shape[1]:
        raise InputError("Every axis changes the picture outside the region too; use a larger mask, or --layers.")
    _, turned = torch.linalg.eigh(free.T @ dependence.inside @ free)
    return _changing(free @ turned.flip(1), dependence.inside)


def _ratio(dependence: Dependence) -> "Tensor":
    """Axes by the change inside over that outside, the largest ratio first, ``[axes, count]``."""
    import torch

    inside, outside = dependence.inside, dependence.outside
    floor = _FLOOR * (outside if bool(outside.any()) else inside).trace() / len(inside)
    raised = outside + floor * torch.eye(len(inside), dtype=torch.float64)
    root = torch.linalg.inv(torch.linalg.cholesky(raised))
    _, vectors = torch.linalg.eigh(root @ inside @ root.T)
    found = root.T @ vectors.flip(1)
    return _changing(found / found.norm(dim=0), inside)


def _changing(vectors: "Tensor", inside: "Tensor") -> "Tensor":
    """The column vectors that change the inside at all."""
    change = (vectors * (inside @ vectors)).sum(dim=0)
    kept: Tensor = vectors[:, change > 1e-6 * change.max().clamp_min(1e-30)]
    return kept


def _products(changes: "Tensor", where: "Tensor | None") -> "Tensor":
    """Inner products of the changes ``[axes, C, H, W]``, weighted by ``[H, W]`` and averaged over the pixels."""
    weighted = changes if where is None else changes * where.sqrt()
    flat = weighted.flatten(1).cpu().double()
    return flat @ flat.T / flat.shape[1]
