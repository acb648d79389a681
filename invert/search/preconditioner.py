"""Preconditioned steps: a search in W+ moves along the directions that change the picture.

The loss of a search is badly conditioned. Of the 512 directions of a row, ten hold nine tenths of the gradient's
energy, and they are the same ones for all faces. Adam scales each axis by itself, and no axis is such a direction.
In the eigenvectors of the gradients' second moments, measured once on samples, it needs half the steps. That is
SOAP (Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", 2024) with a basis that is known
beforehand, as the few steps of one search are too few to find it.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.reading.tensor_file import TensorFile
from stylegan_latents.generator.statistics import WStatistics

_NAMES = ("basis", "variances", "reach", "resolutions")
_LATENT_SPACE = "latent_space"
_MEASURED = Path(__file__).parent / "measured"
_FLOOR = 0.003  # of a row's mean variance: what hardly changes the picture moves little


@dataclass(frozen=True)
class Preconditioner:
    """Directions of whitened W, row by row, and how steps along them are scaled.

    ``k`` directions of a row are kept; what is orthogonal to them stays on the axes, and counts as one more.

    Attributes:
        basis: ``[num_ws, w_dim, k]``, orthonormal columns: eigenvectors of the gradients' second moments.
        variances: ``[num_ws, k + 1]``, second moments along them, as a share of the row's mean over its axes.
        reach: ``[num_ws, k + 1]``, the relative length of a step: how far codes have to go along each direction.
        resolutions: ``[num_ws]``, in pixels, of each row's coarsest layer.
        trust: the number of steps that ``variances`` count for, beside those of the search.
    """

    basis: Tensor
    variances: Tensor
    reach: Tensor
    resolutions: Tensor
    trust: float = 3.0

    @classmethod
    def of(cls, G: Generator, statistics: WStatistics) -> Self:
        """The measured one that comes with this package for a generator's W, or else ``of_weights``.

        Args:
            G: the generator. It may have other rows than the one with the same W that was measured: each takes what
                was measured of the row of the nearest resolution.
            statistics: those of its W whose whitened coordinates are searched.
        """
        for path, latent_space in _known().items():
            if latent_space == G.latent_space:
                found = cls.load(path, statistics)
                if found.basis.shape[1] == G.w_dim:
                    return found.for_rows(row_resolutions(G))
        return cls.of_weights(G, statistics)

    @classmethod
    @torch.no_grad()
    def of_weights(cls, G: Generator, statistics: WStatistics) -> Self:
        """Estimate from the layers that compute styles: how much each direction of W changes a row's styles.

        Shen and Zhou, "Closed-Form Factorization of Latent Semantics in GANs", 2021, take the same directions for
        edits. On the default model a search needs a quarter more steps than with the measured one.
        """
        axes = torch.eye(G.w_dim, device=G.device)
        codes = statistics.unwhiten(torch.cat([torch.zeros_like(axes[:1]), axes]))
        styles = G.styles(codes[:, None].expand(-1, G.num_ws, -1))
        moments = torch.zeros(G.num_ws, G.w_dim, G.w_dim, device=G.device)
        for layer, style in zip(G.layers, styles, strict=True):
            change = (style[1:] - style[:1]).flatten(1)
            moments[layer.ws_index] += change @ change.T
        values, vectors = _eigenvectors(moments)
        # The picture changes more than in proportion: measured gradients fall faster from direction to direction.
        variances = values.pow(1.5)
        variances = variances / variances.mean(dim=1, keepdim=True).clamp_min(1e-30)
        # Of the measured reach: the more a direction changes the picture, the less far codes go along it.
        reach = 0.87 * variances.clamp_min(_FLOOR).pow(-1 / 8)
        none = torch.zeros_like(variances[:, :1])
        variances, reach = torch.cat([variances, none], dim=1), torch.cat([reach, none], dim=1)
        return cls(vectors, variances, reach, row_resolutions(G), trust=0.5)

    @classmethod
    def of_gradients(cls, gradients: Tensor, errors: Tensor, resolutions: Tensor, k: int = 64) -> Self:
        """Estimate from samples.

        Args:
            gradients: ``[N, num_ws, w_dim]``, of the loss at N codes in whitened W, for images of known codes.
            errors: ``[N, num_ws, w_dim]``, these codes minus those of the images.
            resolutions: as the attribute.
            k: the number of directions of a row.
        """
        values, vectors = _eigenvectors(torch.einsum("nri,nrj->rij", gradients, gradients) / len(gradients))
        values = values / values.mean(dim=1, keepdim=True).clamp_min(1e-30)
        along = torch.einsum("rij,nri->nrj", vectors, errors).square().mean(dim=0).sqrt()
        # Neighbours have much the same; alone each is an estimate from few samples.
        along = torch.nn.functional.pad(along[None], (2, 2), mode="reflect")
        reach = torch.nn.functional.avg_pool1d(along, 5, 1)[0]
        reach = reach / reach.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-30)
        return cls(vectors[:, :, :k].contiguous(), _first(values, k), _first(reach, k), resolutions)

    @classmethod
    def load(cls, path: Path, statistics: WStatistics) -> Self:
        """Read a file of ``save``, for the whitened coordinates of ``statistics``; InputError for another file."""
        with TensorFile.open(path) as file:
            basis, variances, reach, resolutions = (file.tensor(name) for name in _NAMES)
        device = statistics.axes.device
        rotated = torch.einsum("ij,rik->rjk", statistics.axes, basis.to(device).float())
        return cls(rotated, variances.to(device).float(), reach.to(device).float(), resolutions)

    def save(self, path: Path, statistics: WStatistics, latent_space: str) -> None:
        """Write a file in half precision.

        Args:
            path: its name.
            statistics: those of the whitened coordinates of ``basis``, which in the file stands in W's own axes, as
                another estimate of W's covariance has other eigenvectors.
            latent_space: of the generator.
        """
        from safetensors.torch import save

        basis = torch.einsum("ij,rjk->rik", statistics.axes, self.basis).half().contiguous()
        kept = {"basis": basis, "variances": self.variances, "reach": self.reach, "resolutions": self.resolutions}
        tensors = {name: tensor.cpu() for name, tensor in kept.items()}
        with atomic_path(path) as temporary:
            temporary.write_bytes(save(tensors, metadata={_LATENT_SPACE: latent_space}))

    def for_rows(self, resolutions: Tensor) -> Self:
        """The same for a generator with rows of these resolutions, ``[num_ws]`` in pixels."""
        if torch.equal(resolutions, self.resolutions):
            return self
        ours, theirs = self.resolutions.double().log2(), resolutions.double().log2()
        # Of several rows of one resolution, the first serves the first, the second the second.
        order = torch.arange(len(ours)) / len(ours), torch.arange(len(theirs)) / len(theirs)
        distance = (theirs[:, None] - ours).abs() + 0.1 * (order[1][:, None] - order[0]).abs()
        rows = distance.argmin(dim=1).to(self.basis.device)
        return replace(
            self, basis=self.basis[rows], variances=self.variances[rows], reach=self.reach[rows],
            resolutions=resolutions,
        )  # fmt: skip

    def in_w(self) -> Self:
        """The same for codes of W, of one row: of the mean of the rows' second moments."""
        width = self.basis.shape[1]
        rest = self.variances[:, -1].reshape(-1, 1, 1)
        along = torch.einsum("rik,rk,rjk->rij", self.basis, self.variances[:, :-1] - rest[:, :, 0], self.basis)
        moments = (along + rest * torch.eye(width, device=rest.device)).mean(dim=0, keepdim=True)
        values, vectors = _eigenvectors(moments)
        k = self.basis.shape[2]
        return replace(
            self, basis=vectors[:, :, :k].contiguous(), reach=self.reach.mean(dim=0, keepdim=True),
            variances=_first(values, k), resolutions=self.resolutions[:1],
        )  # fmt: skip


class PreconditionedAdam(torch.optim.Optimizer):
    """Adam in the directions of a preconditioner, for codes ``[N, num_ws, w_dim]`` in whitened W.

    Args:
        coordinates: the codes; each image has second moments of its own.
        preconditioner: for its rows.
        lr: in standard deviations of W.
        betas: the decays of the first and second moments, as Adam's.
    """

    def __init__(
        self, coordinates: Tensor, preconditioner: Preconditioner, lr: float, betas: tuple[float, float]
    ) -> None:
        super().__init__([coordinates], {"lr": lr, "betas": betas})
        self._basis, self._trust = preconditioner.basis, preconditioner.trust
        w_dim, k = self._basis.shape[1:]
        # Each axis gets what was measured of all that is orthogonal to the directions.
        counts = torch.tensor([1.0] * k + [(w_dim - k) / w_dim], device=self._basis.device)
        widths = torch.tensor([1] * k + [w_dim], device=self._basis.device)
        self._variances = (preconditioner.variances * counts).repeat_interleave(widths, dim=1)
        self._reach = preconditioner.reach.repeat_interleave(widths, dim=1)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """One step, from the gradient of the codes."""
        group = self.param_groups[0]
        (coordinates,) = group["params"]
        if coordinates.grad is None:
            return
        state = self.state[coordinates]
        gradient = self._split(coordinates.grad)
        if not state:
            state |= {"first": torch.zeros_like(gradient), "second": torch.zeros_like(gradient), "steps": 0}
        state["steps"] += 1
        steps, (decay, slow_decay) = state["steps"], group["betas"]
        first = state["first"].lerp_(gradient, 1 - decay) / (1 - decay**steps)
        second = state["second"].lerp_(gradient.square(), 1 - slow_decay) / (1 - slow_decay**steps)
        mean = second.sum(dim=2, keepdim=True) / self._basis.shape[1]
        expected = (second * steps + self._variances * mean * self._trust) / (steps + self._trust) + _FLOOR * mean
        move = self._reach * first / (expected.sqrt() + 1e-12)
        coordinates.sub_(self._join(move), alpha=group["lr"])

    def _split(self, codes: Tensor) -> Tensor:
        """``[N, num_ws, w_dim]`` to ``[N, num_ws, k + w_dim]``: along the directions, and what is left."""
        along = torch.einsum("rik,nri->nrk", self._basis, codes)
        return torch.cat([along, codes - torch.einsum("rik,nrk->nri", self._basis, along)], dim=2)

    def _join(self, parts: Tensor) -> Tensor:
        """``[N, num_ws, k + w_dim]`` to ``[N, num_ws, w_dim]``."""
        k = self._basis.shape[2]
        along, rest = parts[..., :k], parts[..., k:]
        # Scaled axis by axis, the rest points along the directions again.
        along = along - torch.einsum("rik,nri->nrk", self._basis, rest)
        joined: Tensor = rest + torch.einsum("rik,nrk->nri", self._basis, along)
        return joined


def _eigenvectors(moments: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues ``[rows, w_dim]``, largest first, and eigenvectors as columns, of ``[rows, w_dim, w_dim]``."""
    # In double precision, which not every device has.
    values, vectors = torch.linalg.eigh(moments.cpu().double())
    return values.flip(1).clamp_min(0).to(moments), vectors.flip(2).to(moments)


def _first(values: Tensor, k: int) -> Tensor:
    """The first k of each row of ``values``, and the mean of the others, 0 without any."""
    return torch.cat([values[:, :k], values[:, k:].mean(dim=1, keepdim=True).nan_to_num(0.0)], dim=1)


def row_resolutions(G: Generator) -> Tensor:
    """``[num_ws]``, the resolution in pixels of the coarsest layer of each row of ws."""
    coarsest = [G.resolution] * G.num_ws
    for layer in G.layers:
        coarsest[layer.ws_index] = min(coarsest[layer.ws_index], layer.resolution)
    return torch.tensor(coarsest)


@cache
def _known() -> dict[Path, str]:
    """The latent space of each file that comes with this package."""
    found = {}
    for path in sorted(_MEASURED.glob("*.safetensors")):
        with TensorFile.open(path) as file:
            found[path] = str(file.metadata.get(_LATENT_SPACE, ""))
    return found
