"""Directions that change one region of the picture and leave the rest alone, from how it depends on the code.

For a region, the derivatives are taken along the style channels that change it most for what they change
elsewhere: one step of W, which moves every layer, moves the whole face.

What changes the region most in relation to the rest is one problem of eigenvalues (Zhu et al., "Region-Based
Semantic Factorization in GANs", 2022). Zhu et al., "Low-Rank Subspaces in GANs", 2021, project the rest's principal
axes out instead, and take the principal axes of what is left. Both are here. Without a region, the directions
are the principal axes of the change of the whole picture by the leading axes of W.

Derivatives are differences of pictures: no gradient is needed, and each picture serves both sides of a mask.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal

from stylegan_latents.editing.directions.calibration import calibrated, style_deviations, w_statistics
from stylegan_latents.editing.directions.direction import JSON, Direction, Space
from stylegan_latents.editing.discovery.finders.base import (
    COUNT,
    Plan,
    RankedOptions,
    RegionOptions,
    check_count,
    of_region,
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
_STEP = 0.5  # of a standard deviation: the picture is nearly linear, and differences are above the rounding
_BATCH = 4
_PROBES = 2  # enough to tell the best channels; how they go together is measured afterwards
_RANKING, _LOOKING = 1, 3  # about how long each takes
_HELD = 0.95  # of the change elsewhere lies along the axes that are projected out
_FLOOR = 0.5  # of the mean change elsewhere, so that axes that hardly change anything do not win


@dataclass(frozen=True, eq=False)
class Dependence:
    """How pictures change with their codes, the mean over the codes and the pixels.

    Attributes:
        inside, outside: float64 ``[axes, axes]``: inner products of the changes by one standard deviation along
            each axis, within the mask and elsewhere.
        axes: float32 ``[w_dim, axes]`` or ``[channels of all layers, axes]``: one standard deviation along each.
        space: of the axes, ``w``, or ``s`` for style channels.
    """

    inside: "Tensor"
    outside: "Tensor"
    axes: "Tensor"
    space: Space


class LowRank:
    """Finds directions for a region.

    Args:
        G: any generator.
        layers: which rows move, as a person types them; None for all.
        axes: how many leading axes of W, or for a region how many style channels, are looked along.
        method: how the rest is left alone: ``ratio`` as in ReSeFa, or ``null-space`` as in LowRankGAN. At equal
            shares the first changes the region more.
        size: side of the pictures that are compared, or the resolution where that is smaller.
        ws: codes that ``find`` looks at, ``[N, num_ws, w_dim]``; a few samples when None.
        mask: where ``find`` is to change their pictures, as for ``measure``.

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
            raise InputError(f"From 2 to {G.w_dim} axes can be looked along, not {axes}.")
        self._axes = axes
        self._size = min(size, G.resolution)
        self._statistics = w_statistics(G)

    def measure(self, ws: "Tensor", mask: "Tensor | None" = None, progress: Progress | None = None) -> Dependence:
        """Look how pictures change.

        Args:
            ws: codes to look at, ``[N, num_ws, w_dim]``; a handful is enough.
            mask: ``[1 or N, 1, S, S]`` in [0, 1], where to change; None for everywhere.
            progress: called with the amount of work done and in all.

        Raises:
            InputError: a mask is empty or covers everything, there are no codes, or the layers drive to-RGB alone.
        """
        import torch

        from stylegan_latents.generator.ops.memory import keep_freed_memory

        if not len(ws):
            raise InputError("Directions for a region need a code to look at.")
        ranking = 0 if mask is None else _RANKING * len(ws)

        def tell(done: int) -> None:
            if progress is not None:
                progress(done, ranking + _LOOKING * len(ws))

        where = None
        with keep_freed_memory():
            if mask is None:
                space: Space = "w"
                axes = self._statistics.axes * self._statistics.deviations
                axes = axes[:, : min(_AXES, self.G.w_dim) if self._axes is None else self._axes]
            else:
                space, axes = "s", self._channels(ws, mask, lambda done, _: tell(_RANKING * done))
                where = torch.nn.functional.interpolate(mask.float(), (self._size,) * 2, mode="area")
                where = where.to(ws.device).expand(len(ws), -1, -1, -1)
            inside = outside = torch.zeros(axes.shape[1], axes.shape[1], dtype=torch.float64)
            for index, changes in enumerate(self._changes(ws, axes, space)):
                inside = inside + _products(changes, None if where is None else where[index]) / len(ws)
                if where is not None:
                    outside = outside + _products(changes, 1 - where[index]) / len(ws)
                tell(ranking + _LOOKING * (index + 1))
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
        """For each code, what a standard deviation along each axis changes, ``[axes, C, H, W]``."""
        import torch

        from stylegan_latents.generator.ops.cores import on_every_core

        sizes = [layer.channels for layer in self.G.layers]
        # The first step goes nowhere: the picture that the others are compared with.
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
        """``directions`` of the codes and the mask that were given.

        Raises:
            InputError: as ``measure`` and ``directions``.
        """
        ws = sample_codes(self.G, range(_CODES)) if self._ws is None else self._ws
        return self.directions(self.measure(ws, self._mask, on_progress), count)

    def directions(self, seen: Dependence, count: int) -> list[Direction]:
        """The directions that change the region most: ``lowrank-00``, ...; strength 1 is one standard deviation.

        Args:
            seen: what ``measure`` gave.
            count: how many.

        Raises:
            InputError: there are not so many, or nothing changes the region alone.
        """
        import torch

        vectors = _ratio(seen) if self.method == "ratio" else _null_space(seen)
        check_count(count, vectors.shape[1])
        found = []
        for index in range(count):
            along = vectors[:, index]
            here, elsewhere = (float(along @ part @ along) for part in (seen.inside, seen.outside))
            vector = (seen.axes.cpu() @ along.float())[None]
            # A picture's pixels give no direction a sign; a fixed one makes equal runs equal.
            vector = vector * torch.sign(vector[0, vector[0].abs().argmax()])
            about: dict[str, JSON] = {
                "finder": "ReSeFa" if self.method == "ratio" else "LowRankGAN",
                "share": round(here / max(here + elsewhere, 1e-30), 4),
                "axes": seen.axes.shape[1],
                "generator": self.G.name,
                "generator_fingerprint": self.G.fingerprint,
            }
            direction = Direction(
                f"lowrank-{index:02d}",
                self.G.latent_space,
                vector / vector.norm(),
                1.0,
                self.layers,
                about,
                space=seen.space,
            ).bind(self.G)
            found.append(calibrated(direction, self.G, self._statistics))
        return found


class Local(StrEnum):
    """How a direction for a region leaves the rest alone; see ``LowRank``."""

    RATIO = "ratio"
    NULL_SPACE = "null-space"


@dataclass(frozen=True, kw_only=True)
class LowRankOptions(RankedOptions, RegionOptions):
    """What ``LowRank`` can be told."""

    local: Annotated[
        Local | None,
        of_region(
            help="How the rest of the picture is left alone: by the most change within the --mask over that "
            "elsewhere (ratio, the default), or without what changes the rest most (null-space).",
            show_choices=True,
        ),
    ] = None  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.local is not None and not self.mask:
            raise InputError("--local is about what lies outside of a region; give the place with --mask, too.")

    def plan(self, begin: Begin) -> Plan:
        def make(G: "Generator") -> LowRank:
            G.rows(self.layers or "all")
            ws, mask = self.region(G, _CODES, begin) if self.mask else (self.sampled(G, _CODES), None)
            return LowRank(G, self.layers, method=(self.local or Local.RATIO).value, ws=ws, mask=mask)

        return Plan(self.numbered("lowrank"), make)


def _null_space(seen: Dependence) -> "Tensor":
    """Principal axes of the change inside among those that change next to nothing outside, ``[axes, count]``.

    The matrix of the change outside is taken as it is: its low-rank part in the sense of robust principal component
    analysis, as in the paper, left more change outside.
    """
    import torch

    values, vectors = (part.flip(-1) for part in torch.linalg.eigh(seen.outside))
    total = values.clamp_min(0).cumsum(0)
    held = int((total < _HELD * total[-1]).sum()) + 1 if float(total[-1]) > 0 else 0
    free = vectors[:, held:]
    if not free.shape[1]:
        raise InputError("Every axis changes the picture elsewhere too; use a larger mask, or --layers.")
    _, turned = torch.linalg.eigh(free.T @ seen.inside @ free)
    return _changing(free @ turned.flip(1), seen.inside)


def _ratio(seen: Dependence) -> "Tensor":
    """Axes by the change inside over that outside, the best first, ``[axes, count]``."""
    import torch

    count = len(seen.inside)
    floor = _FLOOR * (seen.outside.trace() if bool(seen.outside.any()) else seen.inside.trace()) / count
    held = seen.outside + floor * torch.eye(count, dtype=torch.float64)
    root = torch.linalg.inv(torch.linalg.cholesky(held))
    _, vectors = torch.linalg.eigh(root @ seen.inside @ root.T)
    found = root.T @ vectors.flip(1)
    return _changing(found / found.norm(dim=0), seen.inside)


def _changing(vectors: "Tensor", inside: "Tensor") -> "Tensor":
    """Those of the vectors, as columns, that change anything inside."""
    change = (vectors * (inside @ vectors)).sum(dim=0)
    kept: Tensor = vectors[:, change > 1e-6 * change.max().clamp_min(1e-30)]
    return kept


def _products(changes: "Tensor", where: "Tensor | None") -> "Tensor":
    """Inner products of the changes ``[axes, C, H, W]``, the mean over the pixels, weighted ``[H, W]``."""
    weighted = changes if where is None else changes * where.sqrt()
    flat = weighted.flatten(1).cpu().double()
    return flat @ flat.T / flat.shape[1]
