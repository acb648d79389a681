"""SeFa: directions from the generator's weights alone (Shen & Zhou, "Closed-Form Factorization of Latent Semantics
in GANs", 2021).

The directions that change the styles most are the eigenvectors of A Aᵀ with the largest eigenvalues, where the
columns of A are the normalised weights by which w enters each style channel.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.calibration import w_statistics
from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.finders.base import (
    COUNT,
    Plan,
    RankedOptions,
    check_count,
    fixed_signs,
    found_direction,
)
from stylegan_latents.generator.cli.progress import Begin, Progress

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator


class SeFa:
    """Factorises the style weights of a generator.

    Args:
        G: any generator.
        layers: the layers to factorise and to move, in the syntax of ``--layers``; None for all.

    Raises:
        InputError: there is no such layer.
    """

    def __init__(self, G: "Generator", layers: str | None = None) -> None:
        self.G = G
        self.layers = layers or "all"
        self.rows = G.rows(self.layers)

    def factors(self) -> "tuple[Tensor, Tensor]":
        """Unit row vectors ``[w_dim, w_dim]`` and their eigenvalues ``[w_dim]``, float64, largest eigenvalue first.

        Signs are those of ``fixed_signs``.
        """
        import torch

        from stylegan_latents.generator.features import style_weights

        chosen = self._chosen()
        weights = [weight for index, weight in enumerate(style_weights(self.G)) if index in chosen]
        matrix = torch.cat(weights).cpu().double()
        lengths = torch.linalg.vector_norm(matrix, dim=1, keepdim=True)
        # Channels without weights cannot be normalised.
        matrix = matrix[lengths[:, 0] > 0] / lengths[lengths > 0, None]
        values, vectors = torch.linalg.eigh(matrix.T @ matrix)
        return fixed_signs(vectors.T.flip(0)), values.flip(0)

    def find(self, count: int = COUNT, on_progress: Progress | None = None) -> list[Direction]:
        """The directions with the largest eigenvalues: ``sefa-00``, ``sefa-01``, ...

        Raises:
            InputError: ``count`` is not between 1 and w_dim.
        """
        check_count(count, self.G.w_dim)
        vectors, values = self.factors()
        statistics = w_statistics(self.G)
        found = []
        for index in range(count):
            about: dict[str, JSON] = {
                "positive": f"eigenvector {index} of the style weights",
                "finder": "SeFa",
                "index": index,
                "eigenvalue": float(values[index]),
                "share": float(values[index] / values.sum()),
            }
            name, vector = f"sefa-{index:02d}", vectors[index : index + 1].float()
            found.append(found_direction(self.G, name, vector, about, layers=self.layers, statistics=statistics))
            if on_progress is not None:
                on_progress(len(found), count)
        return found

    def _chosen(self) -> set[int]:
        """The layers to factorise: convolutions; as in the paper, a to-RGB only if its row has nothing else."""
        layers = self.G.layers
        chosen = set()
        for row in self.rows:
            here = [index for index, layer in enumerate(layers) if layer.ws_index == row]
            convolutions = [index for index in here if not layers[index].name.endswith("rgb")]
            chosen.update(convolutions or here)
        return chosen


@dataclass(frozen=True, kw_only=True)
class SeFaOptions(RankedOptions):
    """Options of ``SeFa``."""

    def plan(self, begin: Begin) -> Plan:  # noqa: ARG002 - needs no progress bar
        return Plan(self.numbered("sefa"), lambda G: SeFa(G, self.layers), "factorising the weights")
