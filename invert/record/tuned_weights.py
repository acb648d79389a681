"""Tuned weights, kept as differences from a generator's weights, in full or in a small form.

The difference to a parameter ``p`` is one of

- ``p``: a tensor to add, of its shape;
- ``p:left`` ``[O, R]`` and ``p:right`` ``[R, rest]``: a low-rank product to add (Hu et al., "LoRA", 2021);
- ``p:out`` ``[O]`` and, where there are several inputs, ``p:in`` ``[I]``: gains of the channels, minus 1.

In a record each tensor has a leading axis: one difference for each image, or one for all. Feature patches (see
``invert.record.feature_patch``) are kept beside them.
"""

import copy
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.weights.zoo import models
from stylegan_latents.invert.record.feature_patch import PatchHook, attach, unpacked
from stylegan_latents.invert.record.run_settings import cameras_of, view_of

if TYPE_CHECKING:
    from stylegan_latents.invert.record.inversion import Inversion

Form = Literal["full", "low-rank", "channels"]
FORMS: tuple[Form, ...] = ("full", "low-rank", "channels")
_LEFT, _RIGHT, _OUT, _IN = ":left", ":right", ":out", ":in"


def tunable(G: Generator) -> dict[str, Tensor]:
    """The parameters that are tuned, by their names in the generator: convolutions, constants and biases.

    The mapping and the layers that compute styles are excluded, so that directions keep their meaning; so is noise.
    """
    return {
        f"synthesis.{name}": parameter
        for name, parameter in G.synthesis.named_parameters()
        if not any(part.endswith("style") or part.startswith("noise") for part in name.split("."))
    }


def new_difference(G: Generator, form: Form, *, rank: int, seed: int) -> dict[str, Tensor]:
    """A difference of zero, float32, in ``units``.

    Args:
        G: the generator.
        form: of the tensors with several axes; biases are always in full.
        rank: of the low-rank form.
        seed: of the low-rank form's right factors.
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
    """The root mean square of each parameter, the unit of a step of tuning."""
    sizes = {name: float(parameter.float().square().mean().sqrt()) for name, parameter in tunable(G).items()}
    logarithms = [math.log(size) for size in sizes.values() if size]
    usual = math.exp(sum(logarithms) / max(1, len(logarithms)))
    # Parameters that are all zero, such as untrained biases, get a tenth of the geometric mean.
    return {name: size or 0.1 * usual for name, size in sizes.items()}


def in_units(parts: Mapping[str, Tensor], sizes: Mapping[str, float]) -> dict[str, Tensor]:
    """A difference in multiples of ``units`` as one in absolute values; gains stay as they are."""
    return {
        name: part if name.endswith((_OUT, _IN, _RIGHT)) else part * sizes[name.removesuffix(_LEFT)]
        for name, part in parts.items()
    }


def added(base: Mapping[str, Tensor], parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters plus their differences, float32, differentiable.

    Args:
        base: parameters by name, from ``tunable``.
        parts: the difference of one image, without the leading axis.

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
    """A copy of ``G`` with the tuned weights, the feature patch and the camera of one image of a record, or ``G``.

    The copy keeps name, fingerprint and latent space, so that codes and directions fit it as they fit ``G``.

    Raises:
        InputError: the weights were tuned on another generator, or the camera is out of range.
    """
    parts = _difference_of(G, record, image)
    if parts is not None:
        weights, patches = unpacked(parts)
        tuned = copy.deepcopy(G)
        set_weights(tuned, added(tunable(G), weights))
        attach(tuned, [patch.hook(tuned) for patch in patches])
        G = tuned
    return seen_as(G, record, image)


def camera_matrices_of(G: Generator, record: "Inversion") -> Tensor | None:
    """The matrices ``[N, 25]`` of a record's cameras, for ``Generator.synthesize``; None where there are none."""
    angles = cameras_of(record.settings, len(record))
    if angles is None or G.camera is None:
        return None
    return G.synthesis.camera_matrices(torch.tensor(angles)).to(G.device)


def seen_as(G: Generator, record: "Inversion", image: int = 0) -> Generator:
    """``G`` with the camera of one image of a record; ``G`` itself if the record, or ``G``, has none.

    Raises:
        InputError: the camera is out of range.
    """
    try:
        camera = view_of(record.settings, image, len(record))
    except ValueError as error:
        raise InputError(f"This record holds no camera that can be: {error}.") from error
    return G if camera is None or G.camera is None else G.seen_from(camera)


def differences(G: Generator, record: "Inversion", image: int = 0) -> dict[str, Tensor] | None:
    """The full difference of each parameter for one image, float32; None for a record without tuned weights.

    Raises:
        InputError: the weights were tuned on another generator.
    """
    parts = _difference_of(G, record, image)
    if parts is None:
        return None
    base = tunable(G)
    return {name: weight - base[name] for name, weight in added(base, unpacked(parts)[0]).items()}


def patch_hooks(G: Generator, record: "Inversion", image: int = 0) -> list[PatchHook]:
    """The feature patches of one image, for ``attach`` to ``G``, which does not have its tuned weights.

    Raises:
        InputError: they were made on another generator.
    """
    weights, patches = unpacked(_difference_of(G, record, image) or {})
    if not patches:
        return []
    tuned = copy.deepcopy(G)
    set_weights(tuned, added(tunable(G), weights))
    return [patch.hook(tuned) for patch in patches]


def _difference_of(G: Generator, record: "Inversion", image: int) -> dict[str, Tensor] | None:
    """The difference of one image, without the leading axis; None for a record without tuned weights."""
    if record.weights is None:
        return None
    # Records of before may have a fingerprint of another processor; weights that have a name are checked by hash.
    of_name = record.model == G.name and record.latent_space == G.latent_space and G.name in models()
    if not of_name and not G.has_fingerprint(record.fingerprint):
        raise InputError(
            f"This record's weights were tuned on the model '{record.model}', and '{G.name}' has others; give that "
            "model, or invert the photo again without tuning."
        )
    return {name: part[image if len(part) > 1 else 0] for name, part in record.weights.items()}


@torch.no_grad()
def set_weights(G: Generator, weights: Mapping[str, Tensor]) -> None:
    """Write parameters into a generator, in the generator's precision."""
    for name, parameter in G.named_parameters():
        if name in weights:
            parameter.copy_(weights[name])


def _matrix_shape(parameter: Tensor) -> tuple[int, int]:
    """Output channels, and the product of the other axes."""
    if parameter.ndim < 2:
        return 1, parameter.numel()
    return len(parameter), parameter[0].numel()
