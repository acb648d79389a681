"""Which weights of a generator belong to which resolution, and small forms of their differences."""

from collections.abc import Mapping

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator

_LEFT, _RIGHT = ":left", ":right"


def resolutions(G: Generator) -> dict[str, float]:
    """The side in pixels of the layer that each parameter of the synthesis network belongs to, by its name.

    With a cutoff, the pixels are those that the layer's frequencies need, two for each cycle, as for ``Layer.group``.
    """
    affines = [name for name, _ in G.synthesis.named_modules() if name.rpartition(".")[2].endswith("style")]
    sides: dict[str, float] = {}
    for name, layer in zip(affines, G.layers, strict=True):
        pixels = layer.resolution if layer.cutoff is None else 2 * layer.cutoff
        # The first layer inside a module stands for what lies beside the layers, such as a block's constant.
        path = name.rpartition(".")[0]
        while path:
            sides.setdefault(path, pixels)
            path = path.rpartition(".")[0]
    found: dict[str, float] = {}
    for name, _ in G.synthesis.named_parameters():
        path = name.rpartition(".")[0]
        while path and path not in sides:
            path = path.rpartition(".")[0]
        found[f"synthesis.{name}"] = sides[path]
    return found


def low_rank(difference: Mapping[str, Tensor], rank: int) -> dict[str, Tensor]:
    """The nearest products of ``rank`` columns and rows to differences of weights.

    Args:
        difference: float32 tensors by the names of parameters.
        rank: 1 or above.

    Returns:
        ``name:left`` ``[O, rank]`` and ``name:right`` ``[rank, rest]`` where that is smaller than the tensor, else
        the tensor; in half precision.
    """
    small: dict[str, Tensor] = {}
    for name, tensor in difference.items():
        matrix = tensor.flatten(1) if tensor.ndim > 1 else tensor.reshape(1, -1)
        rows, columns = matrix.shape
        if rank * (rows + columns) >= rows * columns:
            small[name] = tensor.half().contiguous()
            continue
        left, values, right = torch.linalg.svd(matrix.float(), full_matrices=False)
        root = values[:rank].sqrt()
        small[name + _LEFT] = (left[:, :rank] * root).half().contiguous()
        small[name + _RIGHT] = (root[:, None] * right[:rank]).half().contiguous()
    return small


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
                part = part.to(weight.device).float() @ parts[name + _RIGHT].to(weight.device).float()
            elif kind:
                continue
            full[name] = part.to(weight.device).float().reshape(weight.shape)
        except (RuntimeError, KeyError) as error:
            raise InputError(f"its change of {name} does not fit the model's") from error
    return full
