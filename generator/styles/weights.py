"""Which weights of a generator belong to which resolution, and small forms of their differences."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.layers import Layer

_LEFT, _RIGHT = ":left", ":right"


def layers_of_parameters(G: Generator) -> dict[str, Layer]:
    """The layer that each parameter of the synthesis network belongs to, by the parameter's name in the generator.

    What lies beside the layers, such as a block's constant, belongs to the first one there.
    """
    affines = [name for name, _ in G.synthesis.named_modules() if name.rpartition(".")[2].endswith("style")]
    layers: dict[str, Layer] = {}
    for name, layer in zip(affines, G.layers, strict=True):
        for path in _inside(name):
            layers.setdefault(path, layer)
    return {
        f"synthesis.{name}": next(layers[path] for path in _inside(name) if path in layers)
        for name, _ in G.synthesis.named_parameters()
    }


def _inside(name: str) -> list[str]:
    """The modules around a name, the innermost first, and the network itself."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts) - 1, -1, -1)]


def side(layer: Layer) -> float:
    """A layer's side in pixels; with a cutoff, those that its frequencies need, as for ``Layer.group``."""
    return layer.resolution if layer.cutoff is None else 2 * layer.cutoff


def low_rank(difference: Mapping[str, Tensor], ranks: Sequence[int]) -> Iterator[dict[str, Tensor]]:
    """The nearest products of a few columns and rows to differences of weights, for one rank after another.

    Args:
        difference: float32 tensors by the names of parameters.
        ranks: 1 or above.

    Yields:
        ``name:left`` ``[O, rank]`` and ``name:right`` ``[rank, rest]`` where that is smaller than the tensor, else
        the tensor; in half precision.
    """
    factors: dict[str, tuple[Tensor, Tensor]] = {}
    for name, tensor in difference.items():
        if tensor.ndim > 1:
            left, values, right = torch.linalg.svd(tensor.float().flatten(1), full_matrices=False)
            root = values.sqrt()
            factors[name] = ((left * root).half(), (root[:, None] * right).half())
    for rank in ranks:
        small: dict[str, Tensor] = {}
        for name, tensor in difference.items():
            rows, columns = (len(tensor), tensor[0].numel()) if name in factors else (1, tensor.numel())
            if rank * (rows + columns) >= rows * columns:
                small[name] = tensor.half()
                continue
            left, right = factors[name]
            small[name + _LEFT], small[name + _RIGHT] = left[:, :rank].clone(), right[:rank].clone()
        yield small


def expanded(parts: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The differences that ``low_rank`` made small, float32, in the shapes and on the device of ``weights``.

    Raises:
        InputError: a part belongs to no weight, or its shape does not fit.
    """
    full: dict[str, Tensor] = {}
    for key, part in parts.items():
        name, _, kind = key.partition(":")
        if name not in weights:
            raise InputError(f"it changes {name}, which the model does not have")
        weight = weights[name]
        try:
            if kind == "left":
                if len(part) * parts[name + _RIGHT].shape[1] != weight.numel():  # before it takes the memory
                    raise RuntimeError
                part = part.to(weight.device).float() @ parts[name + _RIGHT].to(weight.device).float()
            elif kind:
                continue
            full[name] = part.to(weight.device).float().reshape(weight.shape)
        except (RuntimeError, LookupError) as error:
            raise InputError(f"its change of {name} does not fit the model's") from error
    return full
