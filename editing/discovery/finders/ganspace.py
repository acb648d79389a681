"""GANSpace: the principal axes of W (Härkönen et al., "GANSpace: Discovering Interpretable GAN Controls", 2020).

The authors use incremental PCA because activations can be long. W is short, so its covariance is summed up
exactly, batch by batch, which takes no more memory and is right whatever the order of the samples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from stylegan_latents.editing.directions.calibration import calibrated
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.finders.base import (
    COUNT,
    Plan,
    RankedOptions,
    SampledOptions,
    check_count,
)
from stylegan_latents.generator.cli.progress import Begin, Progress
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.statistics import WStatistics

_BATCH = 2000
_SAMPLES = 200_000
# Axes depend on neither layers nor count, so that they are found once for a generator.
_FOUND: "WeakKeyDictionary[Generator, dict[tuple[int, int], PrincipalAxes]]" = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """Principal axes of W.

    Attributes:
        mean: float64 ``[w_dim]``.
        axes: float64 ``[w_dim, w_dim]``, one axis of length 1 a row, the longest spread first; the entry of the
            largest size is positive.
        deviations: float64 ``[w_dim]``, the standard deviation along each.
    """

    mean: "Tensor"
    axes: "Tensor"
    deviations: "Tensor"


class GANSpace:
    """Finds the axes along which W is widest.

    Args:
        G: any generator; only its mapping network runs.
        layers: the layers that the directions move unless told otherwise; None for all.
        samples: of W. With 200,000 the first eight axes of the default model are sure to |cos| 0.99.
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
        """Sum up the covariance and take its eigenvectors; once for a generator, as long as it is there.

        Args:
            progress: called with the number of samples done and in all, where they are not found already.
        """
        kept = _FOUND.setdefault(self.G, {})
        if (self.samples, self.seed) not in kept:
            kept[self.samples, self.seed] = self._axes(progress)
        return kept[self.samples, self.seed]

    def _axes(self, progress: Progress | None) -> PrincipalAxes:
        import torch

        # Sums about a point near the mean lose no digits.
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
        vectors = vectors.T.flip(0)
        largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
        return PrincipalAxes(centre + shift, vectors * largest.sign(), variances.flip(0).clamp_min(0).sqrt())

    def find(self, count: int = COUNT, on_progress: Progress | None = None) -> list[Direction]:
        """The widest axes: ``ganspace-00``, ``ganspace-01``, ...; strength 1 is one sigma along the axis.

        Raises:
            InputError: ``count`` is not between 1 and w_dim.
        """
        check_count(count, self.G.w_dim)
        return self.directions(self.axes(on_progress), count)

    def directions(self, found: PrincipalAxes, count: int) -> list[Direction]:
        """The widest of axes that ``axes`` gave, as ``find`` gives them; axes do not depend on layers.

        Raises:
            InputError: ``count`` is not between 1 and w_dim.
        """
        check_count(count, self.G.w_dim)
        statistics = _statistics(found)
        variance = found.deviations.square()
        directions = []
        for index in range(count):
            direction = Direction(
                name=f"ganspace-{index:02d}",
                latent_space=self.G.latent_space,
                vector=found.axes[index : index + 1].float(),
                scale=1.0,
                layers=self.layers,
                provenance={
                    "positive": f"principal axis {index} of W",
                    "finder": "GANSpace",
                    "generator": self.G.name,
                    "generator_fingerprint": self.G.fingerprint,
                    "index": index,
                    "samples": self.samples,
                    "seed": self.seed,
                    "sigma": float(found.deviations[index]),
                    "share": float(variance[index] / variance.sum()),
                },
            ).bind(self.G)
            directions.append(calibrated(direction, self.G, statistics))
        return directions


def draw_w(G: "Generator", samples: int, seed: int) -> "Iterator[Tensor]":
    """Samples of W without truncation, of random classes where there are any, in batches ``[n, w_dim]``."""
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
    """What GANSpace can be told."""

    def plan(self, begin: Begin) -> Plan:  # noqa: ARG002 - there is nothing to wait for
        def make(G: "Generator") -> GANSpace:
            return GANSpace(G, self.layers, samples=self.samples or _SAMPLES, seed=self.seed)

        return Plan(self.numbered("ganspace"), make, "sampling W")
