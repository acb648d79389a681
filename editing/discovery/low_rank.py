"""Directions that change one place of the picture and leave the rest alone, from how the picture depends on W.

Zhu et al., "Low-Rank Subspaces in GANs", 2021: the matrix of how alike the changes by any two axes of W are has a
low rank; what is low-rank in it for the rest of the picture is projected out, and the principal axes of what is
left are the directions. Zhu et al., "Region-Based Semantic Factorization in GANs", 2022, weigh both sides against
one another in one problem of eigenvalues. Both are here.

The picture's derivatives are taken along the leading axes of W, in its standard deviations, by differences of
pictures: no gradient is needed, and each picture serves every place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from editing.calibration import calibrated, w_statistics
from editing.direction import JSON, Direction
from editing.discovery.sefa import check_count
from generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from generator.generator import Generator

Progress = Callable[[int, int], None]
LowRankMethod = Literal["projection", "ratio"]

_STEP = 0.1  # of a standard deviation: the picture is nearly linear, and differences are above the rounding
_BATCH = 8
_HELD = 0.95  # of the change elsewhere lies along the axes that are projected out
_FLOOR = 0.05  # of the mean change elsewhere, so that axes that change nothing at all do not win
_ROUNDS, _TOLERANCE = 200, 1e-7


@dataclass(frozen=True, eq=False)
class Dependence:
    """How pictures change along axes of W, the mean over the codes and the pixels.

    Attributes:
        inside, outside: float64 ``[axes, axes]``: inner products of the changes by one standard deviation along
            each axis, within the mask and elsewhere.
        axes: float32 ``[w_dim, axes]``: one standard deviation of W along each.
    """

    inside: "Tensor"
    outside: "Tensor"
    axes: "Tensor"


class LowRank:
    """Finds directions for a place.

    Args:
        G: any generator.
        layers: which rows move, as a person types them; None for all.
        axes: how many leading axes of W are looked along.
        method: ``projection`` as in LowRankGAN, or ``ratio`` as in ReSeFa.
        size: side of the pictures that are compared, or the resolution where that is smaller.

    Raises:
        InputError: there is no such layer, or ``axes`` is not between 2 and the length of w.
    """

    def __init__(
        self,
        G: "Generator",
        layers: str | None = None,
        *,
        axes: int | None = None,
        method: LowRankMethod = "projection",
        size: int = 128,
    ) -> None:
        self.G, self.layers, self.method = G, layers or "all", method
        self.rows = G.rows(self.layers)
        self.axes = min(100, G.w_dim) if axes is None else axes
        if not 2 <= self.axes <= G.w_dim:
            raise InputError(f"From 2 to {G.w_dim} axes of W can be looked along, not {axes}.")
        self._size = min(size, G.resolution)
        self._statistics = w_statistics(G)

    def measure(self, ws: "Tensor", mask: "Tensor | None" = None, progress: Progress | None = None) -> Dependence:
        """Look how pictures change.

        Args:
            ws: codes to look at, ``[N, num_ws, w_dim]``; a handful is enough.
            mask: ``[1 or N, 1, S, S]`` in [0, 1], where to change; None for everywhere.
            progress: called with the number of codes done and in all.

        Raises:
            InputError: a mask is empty or covers everything, or there are no codes.
        """
        import torch

        if not len(ws):
            raise InputError("Directions for a place need a code to look at.")
        inside = outside = torch.zeros(self.axes, self.axes, dtype=torch.float64)
        axes = (self._statistics.axes * self._statistics.deviations)[:, : self.axes]
        masks = None
        if mask is not None:
            masks = torch.nn.functional.interpolate(mask.float().to(ws.device), (self._size,) * 2, mode="area")
            covered = masks.mean(dim=(1, 2, 3))
            if not bool(((covered > 0) & (covered < 1)).all()):
                raise InputError(
                    "A mask has to cover a part of the picture: white where to change, black elsewhere."
                )
            masks = masks.expand(len(ws), -1, -1, -1)
        with torch.no_grad():
            for index in range(len(ws)):
                changes = self._changes(ws[index : index + 1], axes)
                where = None if masks is None else masks[index, 0]
                inside = inside + _products(changes, where)
                if where is not None:
                    outside = outside + _products(changes, 1 - where)
                if progress is not None:
                    progress(index + 1, len(ws))
        return Dependence(inside / len(ws), outside / len(ws), axes)

    def _changes(self, ws: "Tensor", axes: "Tensor") -> "Tensor":
        """What a standard deviation along each axis changes, ``[axes, C, H, W]``."""
        import torch

        parts = []
        for start in range(0, axes.shape[1], _BATCH):
            steps = _STEP * axes.T[start : start + _BATCH, None]
            moved = []
            for sign in (-1, 1):
                codes = ws.repeat(len(steps), 1, 1)
                codes[:, self.rows] += sign * steps
                moved.append(self.G.synthesize(codes, size=self._size))
            parts.append((moved[1] - moved[0]) / (2 * _STEP))
        return torch.cat(parts)

    def find(self, seen: Dependence, count: int) -> list[Direction]:
        """The directions that change the place most: ``lowrank-00``, ...; strength 1 is one standard deviation.

        Args:
            seen: what :meth:`measure` gave.
            count: how many.

        Raises:
            InputError: there are not so many, or nothing changes the place alone.
        """
        import torch

        vectors = self._projected(seen) if self.method == "projection" else _ratio(seen)
        check_count(count, vectors.shape[1])
        found = []
        for index in range(count):
            along = vectors[:, index]
            here, elsewhere = (float(along @ part @ along) for part in (seen.inside, seen.outside))
            vector = (seen.axes.cpu() @ along.float())[None]
            # A picture's pixels give no direction a sign; a fixed one makes equal runs equal.
            vector = vector * torch.sign(vector[0, vector[0].abs().argmax()])
            about: dict[str, JSON] = {
                "finder": "LowRankGAN" if self.method == "projection" else "ReSeFa",
                "share": round(here / max(here + elsewhere, 1e-30), 4),
                "axes": self.axes,
                "generator": self.G.name,
                "generator_fingerprint": self.G.fingerprint,
            }
            direction = Direction(
                f"lowrank-{index:02d}", self.G.latent_space, vector / vector.norm(), 1.0, self.layers, about
            ).bind(self.G)
            found.append(calibrated(direction, self.G, self._statistics))
        return found

    def _projected(self, seen: Dependence) -> "Tensor":
        """Principal axes of the change inside among those that change nothing outside, ``[axes, count]``."""
        import torch

        inside, outside = low_rank(seen.inside), low_rank(seen.outside)
        values, vectors = (part.flip(-1) for part in torch.linalg.eigh(outside))
        total = values.clamp_min(0).cumsum(0)
        held = int((total < _HELD * total[-1]).sum()) + 1 if float(total[-1]) > 0 else 0
        free = vectors[:, held:]
        if not free.shape[1]:
            raise InputError("Every axis changes the picture elsewhere too; use a larger mask, or --layers.")
        values, turned = (part.flip(-1) for part in torch.linalg.eigh(free.T @ inside @ free))
        kept = values > 1e-6 * values[0].clamp_min(1e-30)
        found: Tensor = free @ turned[:, kept]
        return found


def low_rank(matrix: "Tensor") -> "Tensor":
    """The low-rank part of a matrix that is the sum of one and a sparse one, as symmetric as the matrix.

    Principal component pursuit by augmented Lagrange multipliers (Candes et al., "Robust Principal Component
    Analysis?", 2011; Lin et al., 2010).
    """
    import torch

    size = float(torch.linalg.matrix_norm(matrix, 2))
    if not size:
        return matrix
    weight = len(matrix) ** -0.5
    multipliers = matrix / max(size, float(matrix.abs().max()) / weight)
    sparse, penalty = torch.zeros_like(matrix), 1.25 / size
    low = matrix
    for _ in range(_ROUNDS):
        u, values, v = torch.linalg.svd(matrix - sparse + multipliers / penalty)
        low = (u * (values - 1 / penalty).clamp_min(0)) @ v
        rest = matrix - low + multipliers / penalty
        sparse = rest.sign() * (rest.abs() - weight / penalty).clamp_min(0)
        left = matrix - low - sparse
        multipliers = multipliers + penalty * left
        penalty = min(1.5 * penalty, 1e7 / size)
        if float(left.norm()) <= _TOLERANCE * float(matrix.norm()):
            break
    return (low + low.T) / 2


def _ratio(seen: Dependence) -> "Tensor":
    """Axes by the change inside over that outside, the best first, ``[axes, axes]``."""
    import torch

    count = len(seen.inside)
    floor = _FLOOR * (seen.outside.trace() if bool(seen.outside.any()) else seen.inside.trace()) / count
    held = seen.outside + floor * torch.eye(count, dtype=torch.float64)
    root = torch.linalg.inv(torch.linalg.cholesky(held))
    _, vectors = torch.linalg.eigh(root @ seen.inside @ root.T)
    found = root.T @ vectors.flip(1)
    unit: Tensor = found / found.norm(dim=0)
    return unit


def _products(changes: "Tensor", where: "Tensor | None") -> "Tensor":
    """Inner products of the changes ``[axes, C, H, W]``, the mean over the pixels, weighted ``[H, W]``."""
    weighted = changes if where is None else changes * where.sqrt()
    flat = weighted.flatten(1).double().cpu()
    return flat @ flat.T / flat.shape[1]
