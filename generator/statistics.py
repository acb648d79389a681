"""The distribution of a generator's W, and whitened coordinates in which it is a standard normal."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.generator import Generator, fingerprint
from stylegan_latents.generator.reading.tensor_file import TensorFile

_NAMES = ("mean", "axes", "deviations")
_DIGEST = "sha256"
# Part of the cached file's name, raised when the estimate changes.
_ESTIMATE = 1
# Multiplications for the covariance above which reading a cached file is faster than estimating.
_WORTH_KEEPING = 10**9


@dataclass(frozen=True)
class WStatistics:
    """Mean and covariance of W, and the whitening between them.

    In whitened coordinates every axis has the same spread, so one step size suits all, and the root mean square of
    a code is 1 for a typical sample (the Mahalanobis distance over the square root of the dimension).

    Attributes:
        mean: ``[w_dim]``.
        axes: ``[w_dim, w_dim]``, the covariance's eigenvectors as columns, largest first.
        deviations: ``[w_dim]``, the standard deviation along each axis, above 0.
    """

    mean: Tensor
    axes: Tensor
    deviations: Tensor

    @classmethod
    def of(cls, G: Generator, samples: int = 20_000, seed: int = 0) -> Self:
        """Estimate from samples of W without truncation, or read the same estimate, bit by bit, from the cache."""
        kept = _cache_file(G, samples, seed) if samples * G.w_dim**2 >= _WORTH_KEEPING else None
        tensors = _read(kept, G.w_dim) if kept is not None else None
        if tensors is None:
            estimate = cls._estimate(G, samples, seed)
            if kept is None:
                return estimate
            tensors = {name: getattr(estimate, name).cpu() for name in _NAMES}
            _keep(tensors, kept)
        return cls(*(tensors[name].to(G.device) for name in _NAMES))

    @classmethod
    @torch.no_grad()
    def _estimate(cls, G: Generator, samples: int, seed: int) -> Self:
        z = torch.randn(samples, G.z_dim, generator=torch.Generator().manual_seed(seed))
        classes = torch.randint(G.label_dim or 1, (samples,), generator=torch.Generator().manual_seed(seed + 1))
        parts = []
        for start in range(0, samples, 2000):
            rows = slice(start, start + 2000)
            label = torch.nn.functional.one_hot(classes[rows], G.label_dim).float() if G.label_dim else None
            parts.append(G.map(z[rows], label)[:, 0].cpu())
        w = torch.cat(parts).double()
        mean = w.mean(dim=0)
        variances, axes = torch.linalg.eigh((w - mean).T @ (w - mean) / (samples - 1))
        variances = variances.flip(0)
        # Whitening would divide by zero along directions in which W does not vary.
        deviations = variances.clamp_min(float(variances[0]) * 1e-8).sqrt()
        # Contiguous, as a file gives them back: the bits of a product depend on the layout.
        return cls(*(part.float().contiguous().to(G.device) for part in (mean, axes.flip(1), deviations)))

    def whiten(self, ws: Tensor) -> Tensor:
        """``[..., w_dim]`` to coordinates of mean 0 and standard deviation 1."""
        return (ws - self.mean) @ self.axes / self.deviations

    def unwhiten(self, coordinates: Tensor) -> Tensor:
        """The inverse of ``whiten``."""
        return self.mean + (coordinates * self.deviations) @ self.axes.T

    def distance(self, ws: Tensor) -> Tensor:
        """How atypical codes ``[N, num_ws, w_dim]`` are: the root mean square of the whitened ws, ``[N]``."""
        return self.whiten(ws).square().mean(dim=(1, 2)).sqrt()

    def at_distance_of(self, ws: Tensor, others: Tensor) -> Tensor:
        """Codes ``[N, num_ws, w_dim]`` moved along their rays from the mean, each row as far from it as that of
        ``others``, in whitened coordinates.
        """
        ours, theirs = self.whiten(ws), self.whiten(others)
        factor = theirs.norm(dim=-1, keepdim=True) / ours.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        return self.unwhiten(factor * ours)


def _cache_file(G: Generator, samples: int, seed: int) -> Path:
    """The cached file; its name includes the mapping network's hash, as tuning may have changed it."""
    from stylegan_latents.generator.weights.fetch import cache_folder

    mapping = fingerprint(G.mapping.state_dict().items())
    # The same sums may differ in their last bits on another kind of device.
    name = f"{G.fingerprint[:16]}-{mapping[:16]}-{samples}-{seed}-{G.device.type}-{_ESTIMATE}.safetensors"
    return cache_folder() / "statistics" / name


def _read(path: Path, w_dim: int) -> dict[str, Tensor] | None:
    """What ``_keep`` wrote; None if there is no such file or it is damaged."""
    try:
        with TensorFile.open(path) as file:
            tensors = {name: file.tensor(name) for name in _NAMES}
            digest = file.metadata.get(_DIGEST)
    except InputError:
        return None
    if any(tensor.dtype != torch.float32 for tensor in tensors.values()):
        return None
    shapes = [tuple(tensors[name].shape) for name in _NAMES]
    whole = shapes == [(w_dim,), (w_dim, w_dim), (w_dim,)] and digest == fingerprint(tensors.items())
    return tensors if whole else None


def _keep(tensors: dict[str, Tensor], path: Path) -> None:
    from safetensors.torch import save

    # A cache that cannot be written (shared, or on a full disk) only costs time.
    with contextlib.suppress(InputError, OSError), atomic_path(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={_DIGEST: fingerprint(tensors.items())}))
