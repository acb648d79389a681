"""SeFa: directions from the generator's weights alone (Shen & Zhou, "Closed-Form Factorization of Latent Semantics
in GANs", 2021).

A direction changes the picture most when it changes the styles most: the eigenvectors of A Aᵀ with the largest
eigenvalues, where the columns of A are the weights by which w enters each style channel, each of length 1.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.calibration import calibrated, w_statistics
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.finders.base import COUNT, Plan, RankedOptions, check_count
from stylegan_latents.generator.cli.progress import Begin, Progress

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator


class SeFa:
    """Factorises the style weights of a generator.

    Args:
        G: any generator.
        layers: the layers whose weights are factorised and which the directions move, as a person types them;
            None for all.

    Raises:
        InputError: there is no such layer.
    """

    def __init__(self, G: "Generator", layers: str | None = None) -> None:
        self.G = G
        self.layers = layers or "all"
        self.rows = G.rows(self.layers)

    def factors(self) -> "tuple[Tensor, Tensor]":
        """All directions and their eigenvalues, in float64, the largest first.

        The sign of an eigenvector is free; here its entry of the largest size is positive.

        Returns:
            ``[w_dim, w_dim]``, one direction of length 1 a row, and ``[w_dim]``.
        """
        import torch

        from stylegan_latents.generator.features import style_weights

        chosen = self._chosen()
        weights = [weight for index, weight in enumerate(style_weights(self.G)) if index in chosen]
        matrix = torch.cat(weights).cpu().double()
        lengths = torch.linalg.vector_norm(matrix, dim=1, keepdim=True)
        # A channel that no code moves has no direction of its own.
        matrix = matrix[lengths[:, 0] > 0] / lengths[lengths > 0, None]
        values, vectors = torch.linalg.eigh(matrix.T @ matrix)
        values, vectors = values.flip(0), vectors.T.flip(0)
        largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
        return vectors * largest.sign(), values

    def find(self, count: int = COUNT, on_progress: Progress | None = None) -> list[Direction]:
        """The directions with the largest eigenvalues: ``sefa-00``, ``sefa-01``, ...

        Args:
            count: how many.
            on_progress: called with the number of directions found and in all.

        Raises:
            InputError: ``count`` is not between 1 and w_dim.
        """
        check_count(count, self.G.w_dim)
        vectors, values = self.factors()
        statistics = w_statistics(self.G)
        found = []
        for index in range(count):
            direction = Direction(
                name=f"sefa-{index:02d}",
                latent_space=self.G.latent_space,
                vector=vectors[index : index + 1].float(),
                scale=1.0,
                layers=self.layers,
                provenance={
                    "positive": f"eigenvector {index} of the style weights",
                    "finder": "SeFa",
                    "generator": self.G.name,
                    "generator_fingerprint": self.G.fingerprint,
                    "index": index,
                    "eigenvalue": float(values[index]),
                    "share": float(values[index] / values.sum()),
                },
            ).bind(self.G)
            found.append(calibrated(direction, self.G, statistics))
            if on_progress is not None:
                on_progress(len(found), count)
        return found

    def _chosen(self) -> set[int]:
        """The layers to factorise: the rows' convolutions, and a to-RGB only where its row has nothing else.

        An inner to-RGB of StyleGAN2 shares its row with a convolution and says little about it; the authors
        leave it out as well.
        """
        layers = self.G.layers
        chosen = set()
        for row in self.rows:
            here = [index for index, layer in enumerate(layers) if layer.ws_index == row]
            convolutions = [index for index in here if not layers[index].name.endswith("rgb")]
            chosen.update(convolutions or here)
        return chosen


@dataclass(frozen=True, kw_only=True)
class SeFaOptions(RankedOptions):
    """What SeFa can be told."""

    def plan(self, begin: Begin) -> Plan:  # noqa: ARG002 - there is nothing to wait for
        return Plan(self.numbered("sefa"), lambda G: SeFa(G, self.layers), "factorising the weights")
