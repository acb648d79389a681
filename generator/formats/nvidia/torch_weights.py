"""What NVIDIA's PyTorch pickles of every architecture share: their tensors, mapping network and filters."""

import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.safe_pickle.inert_torch import (
    InertObject,
    StoredTensor,
    fits,
)
from stylegan_latents.generator.formats.safe_pickle.stand_ins import Budget
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config

_MAX_MODULES = 10_000


class NetworkWeights:
    """The tensors and attributes of a network, by their modules' full names."""

    def __init__(self, network: InertObject, budget: Budget) -> None:
        self._budget = budget  # many tensors can be the same bytes of the file
        self.class_name = network.class_name
        self.tensors: dict[str, StoredTensor] = {}
        self._attributes: dict[str, Mapping[str, Any]] = {}
        self._visit(network, "")

    def _visit(self, module: InertObject, prefix: str) -> None:
        # A file can make modules contain themselves, or share them so that the count explodes.
        if len(self._attributes) > _MAX_MODULES or prefix.count(".") > 32:
            raise InputError("it has modules within modules without end, as no honest file has")
        self._attributes[prefix] = module.state
        for kind in ("_parameters", "_buffers"):
            for name, tensor in self._entries(module, kind).items():
                if isinstance(tensor, StoredTensor):
                    self.tensors[f"{prefix}{name}"] = tensor
        for name, child in self._entries(module, "_modules").items():
            if isinstance(child, InertObject):
                self._visit(child, f"{prefix}{str(name)[:100]}.")

    @staticmethod
    def _entries(module: InertObject, kind: str) -> Mapping[Any, Any]:
        entries = module.state.get(kind)
        return entries if isinstance(entries, dict) else {}

    def attribute(self, module: str, name: str, default: object) -> object:
        return self._attributes.get(f"{module}.", {}).get(name, default)

    def number(self, module: str, name: str, default: float) -> float:
        value = self.attribute(module, name, default)
        try:
            number = float(cast(Any, value))
        except (TypeError, ValueError) as error:
            raise InputError(f"its {module}.{name} is no number") from error
        if not math.isfinite(number):
            raise InputError(f"its {module}.{name} is no number")
        return number

    def whole(self, module: str, name: str, default: int) -> int:
        number = self.number(module, name, default)
        if not number.is_integer() or not 0 < number < 1 << 20:
            raise InputError(f"its {module}.{name} is no size")
        return int(number)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor of the file."""
        if name not in self.tensors:
            raise InputError(f"its generator lacks '{name}'")
        return self.tensors[name].shape

    def has(self, name: str) -> bool:
        return name in self.tensors

    def tensor(self, name: str, *shape: int) -> Tensor:
        """A tensor of the file, which must have the shape (0: any length)."""
        stored = self.tensors.get(name)
        if stored is None:
            raise InputError(f"its generator lacks '{name}'")
        given = stored.shape
        if not fits(given, shape):
            raise InputError(f"its '{name}' has the shape {given}, which does not fit")
        self._budget.charge(stored.size)
        return stored.read()


def mapping_tensors(weights: NetworkWeights) -> dict[str, Tensor]:
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


def _affine(
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


def check_activation(weights: NetworkWeights, module: str) -> None:
    activation = weights.attribute(module, "activation", "lrelu")
    if activation != "lrelu":
        raise InputError(f"its layers have the activation {str(activation)[:40]!r}, and only 'lrelu' can be read")


def resample_taps(weights: NetworkWeights, block: str) -> tuple[float, ...]:
    """The one-dimensional filter whose outer product the file holds."""
    name = f"{block}.resample_filter"
    if not weights.has(name):
        return StyleGAN2Config.taps
    stored = weights.tensors[name]
    kernel = stored.read() if len(stored.shape) == 1 else weights.tensor(name, 0, 0)
    line = kernel if kernel.ndim == 1 else kernel.sum(dim=0)
    square = torch.outer(line, line) / line.sum()
    if len(line) < 2 or float(line.sum()) == 0 or (kernel.ndim == 2 and not _close(kernel, square)):
        raise InputError("its filter is not separable, which is not read")
    return tuple(line.double().tolist())


def _close(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(torch.allclose(a, b, rtol=1e-4, atol=1e-6))
