"""What NVIDIA's PyTorch pickles of every architecture share: their tensors, mapping network and filters."""

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config


def mapping_tensors(weights: NetworkWeights) -> dict[str, Tensor]:
    """The mapping network's tensors, by our names, with ``w_avg`` where the file has one for all classes."""
    tensors: dict[str, Tensor] = {}
    if weights.has("mapping.embed.bias"):
        dense_tensors(weights, tensors, "mapping.embed", "mapping.embed", 1.0)
    depth = 0
    while weights.has(f"mapping.fc{depth}.weight"):
        check_activation(weights, f"mapping.fc{depth}")
        dense_tensors(weights, tensors, f"mapping.fc{depth}", f"mapping.layers.{depth}", 0.01)
        depth += 1
    if depth == 0:
        raise InputError("its generator has no mapping network")
    if weights.has("mapping.w_avg") and len(weights.shape("mapping.w_avg")) == 1:
        tensors["w_avg"] = weights.tensor("mapping.w_avg", len(tensors[f"mapping.layers.{depth - 1}.bias"]))
    return tensors


def affine_tensors(
    weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, channels: int, w_dim: int
) -> None:
    dense_tensors(weights, tensors, theirs, ours, 1.0)
    if tensors[f"{ours}.weight"].shape != (channels, w_dim):
        raise InputError(f"its '{theirs}' does not fit its other layers")


def dense_tensors(weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, rate: float) -> None:
    weight = weights.tensor(f"{theirs}.weight", 0, 0)
    gain = weights.number(theirs, "weight_gain", rate * weight.shape[1] ** -0.5)
    tensors[f"{ours}.weight"] = weight * gain
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", len(weight)) * weights.number(
        theirs, "bias_gain", rate
    )


def check_activation(weights: NetworkWeights, module: str, wanted: str = "lrelu") -> None:
    activation = weights.attribute(module, "activation", wanted)
    if activation != wanted:
        raise InputError(
            f"its layers have the activation {str(activation)[:40]!r}, and only '{wanted}' can be read"
        )


def fourier_tensors(
    weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, channels: int, w_dim: int
) -> None:
    """A StyleGAN3's input, the first layer of its synthesis network."""
    dense_tensors(weights, tensors, f"{theirs}.affine", "synthesis.input.style", 1.0)
    if tensors["synthesis.input.style.weight"].shape != (4, w_dim):
        raise InputError("its input does not fit its mapping network")
    weight = weights.tensor(f"{theirs}.weight", channels, channels)
    tensors["synthesis.input.weight"] = weight * channels**-0.5
    tensors["synthesis.input.frequencies"] = weights.tensor(f"{theirs}.freqs", channels, 2)
    tensors["synthesis.input.phases"] = weights.tensor(f"{theirs}.phases", channels)
    has = weights.has(f"{theirs}.transform")
    tensors["synthesis.input.transform"] = weights.tensor(f"{theirs}.transform", 3, 3) if has else torch.eye(3)


def resample_taps(weights: NetworkWeights, block: str) -> tuple[float, ...]:
    """The one-dimensional filter whose outer product the file holds."""
    name = f"{block}.resample_filter"
    if not weights.has(name):
        return StyleGAN2Config.taps
    kernel = weights.tensor(name, *[0] * min(len(weights.shape(name)), 2))
    line = kernel if kernel.ndim == 1 else kernel.sum(dim=0)
    square = torch.outer(line, line) / line.sum()
    if len(line) < 2 or float(line.sum()) == 0 or (kernel.ndim == 2 and not _close(kernel, square)):
        raise InputError("its filter is not separable, which is not read")
    return tuple(line.double().tolist())


def _close(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(torch.allclose(a, b, rtol=1e-4, atol=1e-6))
