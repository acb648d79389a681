"""Weights that tuning adds to a generator's, kept as a difference, in a form that stays small where that is wanted.

The difference to a parameter ``p`` of a generator is one of

- ``p``: a tensor to add, of its shape;
- ``p:left`` ``[O, R]`` and ``p:right`` ``[R, rest]``: a product of low rank to add (Hu et al., "LoRA", 2021);
- ``p:out`` ``[O]`` and, where there are several inputs, ``p:in`` ``[I]``: how much stronger each channel gets.

In a record each tensor has one more axis in front: one difference for each image, or one for all.
"""

import copy
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator

if TYPE_CHECKING:
    from stylegan_latents.invert.record.inversion import Inversion

Form = Literal["full", "low-rank", "channels"]
FORMS: tuple[Form, ...] = ("full", "low-rank", "channels")
_LEFT, _RIGHT, _OUT, _IN = ":left", ":right", ":out", ":in"


def tunable(G: Generator) -> dict[str, Tensor]:
    """The parameters that tuning moves, by their names in the generator: convolutions, constants and biases.

    Not the mapping and not what makes styles of a code, so that directions keep their meaning; not the noise.
    """
    return {
        f"synthesis.{name}": parameter
        for name, parameter in G.synthesis.named_parameters()
        if not any(part.endswith("style") or part.startswith("noise") for part in name.split("."))
    }


def new_difference(G: Generator, form: Form, *, rank: int, seed: int) -> dict[str, Tensor]:
    """A difference that changes nothing yet, float32, for ``added``; in units that suit one learning rate.

    Args:
        G: the generator.
        form: of the tensors with several axes; biases are always whole.
        rank: of the low-rank form.
        seed: of that form's right factors.
    """
    source = torch.Generator().manual_seed(seed)
    parts: dict[str, Tensor] = {}
    for name, parameter in tunable(G).items():
        rows, columns = _matrix_shape(parameter)
        device = parameter.device
        if form == "low-rank" and min(rows, columns) > rank:
            parts[name + _LEFT] = torch.zeros(rows, rank, device=device)
            parts[name + _RIGHT] = (torch.randn(rank, columns, generator=source) / rank**0.5).to(device)
        elif form == "channels" and rows > 1 and columns > 1:
            parts[name + _OUT] = torch.zeros(rows, device=device)
            if parameter.shape[1] > 1:
                parts[name + _IN] = torch.zeros(parameter.shape[1], device=device)
        else:
            parts[name] = torch.zeros_like(parameter, dtype=torch.float32)
    return parts


def units(G: Generator) -> dict[str, float]:
    """For each parameter the root mean square of its values, in which a step of tuning is measured."""
    sizes = {name: float(parameter.float().square().mean().sqrt()) for name, parameter in tunable(G).items()}
    logarithms = [math.log(size) for size in sizes.values() if size]
    usual = math.exp(sum(logarithms) / max(1, len(logarithms)))
    # What is zero has no size of its own, such as biases that training did not move.
    return {name: size or 0.1 * usual for name, size in sizes.items()}


def in_units(parts: Mapping[str, Tensor], sizes: Mapping[str, float]) -> dict[str, Tensor]:
    """A difference from one in multiples of ``units``; gains are multiples already."""
    return {
        name: part if name.endswith((_OUT, _IN, _RIGHT)) else part * sizes[name.removesuffix(_LEFT)]
        for name, part in parts.items()
    }


def added(base: Mapping[str, Tensor], parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each parameter with its difference, float32, differentiable.

    Args:
        base: parameters by name, as ``tunable`` gives them.
        parts: the difference of one image, without the axis in front.

    Raises:
        InputError: a part belongs to no parameter, or its shape does not fit.
    """
    tuned: dict[str, Tensor] = {}
    for key, part in parts.items():
        name, _, _ = key.partition(":")
        if name not in base:
            raise InputError(f"The record's tuned weights hold {name}, which this generator does not have.")
        weight = base[name].float()
        part = part.to(weight)
        try:
            if key.endswith(_LEFT):
                tuned[name] = weight + (part @ parts[name + _RIGHT].to(weight)).reshape(weight.shape)
            elif key.endswith(_OUT):
                gain = (1 + part).reshape(len(weight), *[1] * (weight.ndim - 1))
                if name + _IN in parts:
                    inner = parts[name + _IN].to(weight)
                    gain = gain * (1 + inner).reshape(1, weight.shape[1], *[1] * (weight.ndim - 2))
                tuned[name] = weight * gain
            elif key == name:
                tuned[name] = weight + part.reshape(weight.shape)
        except (RuntimeError, KeyError) as error:
            raise InputError(f"The record's tuned weights do not fit this generator's {name}.") from error
    return tuned


def tuned_generator(G: Generator, record: "Inversion", image: int = 0) -> Generator:
    """The generator that draws one image of a record: a copy with its tuned weights, or ``G`` where it has none.

    The copy keeps name, fingerprint and latent space: codes and directions belong to it as to ``G``.

    Raises:
        InputError: the weights were tuned on another generator.
    """
    parts = weights_of(record, image)
    if parts is None:
        return G
    check_tuned_on(G, record)
    tuned = copy.deepcopy(G)
    set_weights(tuned, added(tunable(G), parts))
    return tuned


def differences(G: Generator, record: "Inversion", image: int = 0) -> dict[str, Tensor] | None:
    """What is added to each parameter for one image, whole, float32; None for a record without tuned weights.

    Raises:
        InputError: the weights were tuned on another generator.
    """
    parts = weights_of(record, image)
    if parts is None:
        return None
    check_tuned_on(G, record)
    base = tunable(G)
    return {name: weight - base[name] for name, weight in added(base, parts).items()}


def weights_of(record: "Inversion", image: int = 0) -> dict[str, Tensor] | None:
    """The difference of one image of a record, without the axis in front; None where there is none."""
    if record.weights is None:
        return None
    return {name: part[image if len(part) > 1 else 0] for name, part in record.weights.items()}


def check_tuned_on(G: Generator, record: "Inversion") -> None:
    """Raise InputError where a record's weights are not differences to this generator's."""
    if record.fingerprint != G.fingerprint:
        raise InputError(
            f"This record's weights were tuned on the model '{record.model}', and '{G.name}' has others; give that "
            "model, or invert the photo again without tuning."
        )


@torch.no_grad()
def set_weights(G: Generator, weights: Mapping[str, Tensor]) -> None:
    """Write parameters into a generator, each in the precision that it has there."""
    for name, parameter in G.named_parameters():
        if name in weights:
            parameter.copy_(weights[name])


def _matrix_shape(parameter: Tensor) -> tuple[int, int]:
    """Output channels, and everything else; a constant's first axis has one entry."""
    if parameter.ndim < 2:
        return 1, parameter.numel()
    return len(parameter), parameter[0].numel()
