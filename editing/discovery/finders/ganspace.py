"""GANSpace: the principal axes of W (Härkönen et al., "GANSpace: Discovering Interpretable GAN Controls", 2020).

The authors use incremental PCA, which long activations need; W's covariance is small enough to be summed exactly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.finders.base import (
    COUNT,
    Plan,
    RankedOptions,
    SampledOptions,
    check_count,
    fixed_signs,
    found_direction,
)
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.statistics import WStatistics

_BATCH = 2000
_SAMPLES = 200_000
# Axes by generator, number of samples and seed: they depend on neither layers nor count.
_FOUND: "WeakKeyDictionary[Generator, dict[tuple[int, int], PrincipalAxes]]" = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """Principal axes of W.

    Attributes:
        mean: float64 ``[w_dim]``.
        axes: float64 ``[w_dim, w_dim]``, unit row vectors by decreasing variance; see ``fixed_signs``.
        deviations: float64 ``[w_dim]``, the standard deviation along each.
    """

    mean: "Tensor"
    axes: "Tensor"
    deviations: "Tensor"


class GANSpace:
    """Finds the axes of W with the largest variance.

    Args:
        G: any generator; only its mapping network runs.
        layers: the layers that the directions move by default; None for all.
        samples: of W; 200,000 fix the first eight axes of the default model to |cos| 0.99.
        seed: of the samples.

    Raises:
        InputError: there is no such layer, or there are fewer samples than axes.
    """

    def __init__(
        self, G: "Generator", layers: str | None = None, *, samples: int = _SAMPLES, seed: int = 0
    ) -> None:
        self.G, self.samples, self.seed = G, samples, seed
        self.layers = layers or "all"
        G.rows(self.layers)
        if samples <= G.w_dim:
            raise InputError(
                f"Finding the axes of this model's W needs more than {G.w_dim} samples, not {samples}."
            )

    def axes(self, progress: Progress | None = None) -> PrincipalAxes:
        """The eigenvectors of the covariance, cached for each generator; ``progress`` counts samples."""
        kept = _FOUND.setdefault(self.G, {})
        if (self.samples, self.seed) not in kept:
            kept[self.samples, self.seed] = self._axes(progress)
        return kept[self.samples, self.seed]

    def _axes(self, progress: Progress | None) -> PrincipalAxes:
        import torch

        # Sums about a point near the mean keep their precision.
        centre = self.G.w_avg.cpu().double()
        total = torch.zeros_like(centre)
        squares = torch.zeros(self.G.w_dim, self.G.w_dim, dtype=torch.float64)
        done = 0
        for w in draw_w(self.G, self.samples, self.seed):
            away = w.cpu().double() - centre
            total += away.sum(dim=0)
            squares += away.T @ away
            done += len(w)
            if progress is not None:
                progress(done, self.samples)
        shift = total / done
        covariance = (squares - done * torch.outer(shift, shift)) / (done - 1)
        variances, vectors = torch.linalg.eigh(covariance)
        deviations = variances.flip(0).clamp_min(0).sqrt()
        return PrincipalAxes(centre + shift, fixed_signs(vectors.T.flip(0)), deviations)

    def find(self, count: int = COUNT, on_progress: Progress | None = None) -> list[Direction]:
        """The axes of largest variance: ``ganspace-00``, ``ganspace-01``, ...; strength 1 is one sigma.

        Raises:
            InputError: ``count`` is not between 1 and w_dim.
        """
        check_count(count, self.G.w_dim)  # before the samples are drawn
        return self.directions(self.axes(on_progress), count)

    def directions(self, found: PrincipalAxes, count: int) -> list[Direction]:
        """The first ``count`` of ``axes`` as directions; see ``find``.

        Raises:
            InputError: ``count`` is not between 1 and w_dim.
        """
        check_count(count, self.G.w_dim)
        statistics = _statistics(found)
        variance = found.deviations.square()
        directions = []
        for index in range(count):
            about: dict[str, JSON] = {
                "positive": f"principal axis {index} of W",
                "finder": "GANSpace",
                "index": index,
                "samples": self.samples,
                "seed": self.seed,
                "sigma": float(found.deviations[index]),
                "share": float(variance[index] / variance.sum()),
            }
            name, vector = f"ganspace-{index:02d}", found.axes[index : index + 1].float()
            directions.append(
                found_direction(self.G, name, vector, about, layers=self.layers, statistics=statistics)
            )
        return directions


def draw_w(G: "Generator", samples: int, seed: int) -> "Iterator[Tensor]":
    """Untruncated samples of W in batches ``[n, w_dim]``, of random classes if the model has classes."""
    import torch

    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for start in range(0, samples, _BATCH):
            count = min(_BATCH, samples - start)
            z = torch.randn(count, G.z_dim, generator=source)
            label = None
            if G.label_dim:
                classes = torch.randint(G.label_dim, (count,), generator=source)
                label = torch.nn.functional.one_hot(classes, G.label_dim).float()
            yield G.map(z, label)[:, 0]


def _statistics(found: PrincipalAxes) -> "WStatistics":
    from stylegan_latents.generator.statistics import WStatistics

    return WStatistics(found.mean.float(), found.axes.T.float(), found.deviations.float())


@dataclass(frozen=True, kw_only=True)
class GANSpaceOptions(RankedOptions, SampledOptions):
    """Options of ``GANSpace``."""

    def plan(self, begin: Begin) -> Plan:  # noqa: ARG002 - needs no progress bar
        def make(G: "Generator") -> GANSpace:
            return GANSpace(G, self.layers, samples=self.samples or _SAMPLES, seed=self.seed)

        return Plan(self.numbered("ganspace"), make, "sampling W")
