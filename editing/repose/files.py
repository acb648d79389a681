"""Reads the checkpoints of Pose With Style's repository, and its map from DensePose's body parts to one texture."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from stylegan_latents.editing.repose.network import (
    GATED,
    TAPS,
    CoordinateCompletion,
    PoseWithStyle,
    PoseWithStyleConfig,
)
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.checkpoint import open_network
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.loading import check_checkpoint, filled
from stylegan_latents.generator.reading.files import DamagedFileError
from stylegan_latents.generator.reading.numpy_file import read_numpy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PARTS, CELL = 24, 256
"""Body parts of DensePose, and the side of the table of each."""

_LARGEST_LOOKUP = 32 << 20
_LEVELS = (5, 6)  # of networks of 256 and 512 pixels, for which the repository prepares data
_MODEL = "a model of Pose With Style, such as posewithstyle.pt"
_COMPLETION = "a coordinate completion of Pose With Style, such as CCM_epoch50.pt"


def load_pose_with_style(path: Path) -> PoseWithStyle:
    """Read a generator of Pose With Style, the averaged one (``g_ema``); on the CPU, in float32.

    Raises:
        InputError: the file is missing, damaged, asks for what weights do not need, or holds no such network.
    """
    with _network(path, "appearance_encoder.conv11.weight", _MODEL) as weights:
        tensors: dict[str, Tensor] = {}
        levels = 1
        while weights.has(f"appearance_encoder.conv{levels + 1}1.weight"):
            levels += 1
        if levels not in _LEVELS:
            raise InputError(
                f"it is a network of {8 << levels} pixels; of Pose With Style those of 256 and 512 are read"
            )
        _check_taps(weights)
        encoders = _encoder(weights, tensors, "appearance", levels, "appearance_encoder.conv", 1)
        if _encoder(weights, tensors, "pose", levels, "pose_encoder.convs.", 0) != encoders:
            raise InputError("its two encoders are of different widths")
        decoder, hidden = _decoder(weights, tensors, encoders[0], levels)
        for level, width in enumerate(encoders):
            name = f"appearance_encoder.conv{levels - level}"
            _conv(weights, tensors, f"{name}1", f"lateral.{level}", (decoder[0], width + 1, 1))
            if level:
                _conv(weights, tensors, f"{name}3", f"smooth.{level - 1}", (decoder[level], decoder[0], 3))
        weights.check_all_read(r".*\.kernel|noises\..*")
    config = PoseWithStyleConfig(encoders, decoder, hidden)
    return filled(path, _finite(tensors, path), lambda: PoseWithStyle(config))


def load_completion(path: Path) -> CoordinateCompletion:
    """Read a coordinate completion (``CCM_epoch50.pt``); on the CPU, in float32.

    Raises:
        InputError: the file is missing, damaged, asks for what weights do not need, or holds no such network.
    """
    with _network(path, "generator.model.0.mask_conv2d.weight", _COMPLETION) as weights:
        tensors: dict[str, Tensor] = {}
        width, widths = 3, list[int]()
        for ours, place in enumerate((*range(12), 13, 15, 16)):
            theirs, side = f"generator.model.{place}", GATED[ours][0]
            value = weights.tensor(f"{theirs}.conv2d.weight", 0, width, side, side)
            outputs = len(value)
            gate = weights.tensor(f"{theirs}.mask_conv2d.weight", outputs, width, side, side)
            bias, gate_bias, scale, shift, mean, variance = (
                weights.tensor(f"{theirs}.{name}", outputs)
                for name in (
                    "conv2d.bias", "mask_conv2d.bias", "batch_norm2d.weight", "batch_norm2d.bias",
                    "batch_norm2d.running_mean", "batch_norm2d.running_var",
                )
            )  # fmt: skip
            scale = scale * (variance + 1e-5).rsqrt()
            tensors[f"layers.{ours}.weight"] = torch.cat([value * scale[:, None, None, None], gate])
            tensors[f"layers.{ours}.bias"] = torch.cat([(bias - mean) * scale + shift, gate_bias])
            width = outputs
            widths.append(width)
        tensors["last.weight"] = weights.tensor("generator.model.17.weight", 2, width, 3, 3)
        tensors["last.bias"] = weights.tensor("generator.model.17.bias", 2)
        weights.check_all_read(r".*\.num_batches_tracked")
    return filled(path, _finite(tensors, path), lambda: CoordinateCompletion(widths))


def read_lookup(path: Path) -> "NDArray[np.floating[Any]]":
    """Read ``dp_uv_lookup_256.npy``: for each body part, v and u the place in the texture of all parts.

    Returns:
        ``[24, 256, 256, 2]`` in [0, 1]: x to the right, and y up.

    Raises:
        InputError: the file is missing, damaged, or holds something else.
    """
    import numpy as np

    _check_is_there(path)
    wanted = (PARTS, CELL, CELL, 2)
    found = read_numpy(path, largest=_LARGEST_LOOKUP).get("")
    if found is None or found.shape != wanted or found.dtype.kind != "f":
        raise InputError(
            f"{path.name} is no table of places in the texture, of the shape {wanted}; give dp_uv_lookup_256.npy."
        )
    if not bool(((found >= 0) & (found <= 1)).all()):  # not finite ones, too
        raise DamagedFileError(f"{path.name} is damaged: it has places outside of the texture.")
    return np.ascontiguousarray(found)


@contextmanager
def _network(path: Path, sign: str, what: str) -> Iterator[NetworkWeights]:
    _check_is_there(path)
    check_checkpoint(path, what)
    with open_network(path, sign, f"{path.name} is not {what}") as weights:
        yield weights


def _check_is_there(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"There is no file {path}.")


def _finite(tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    if not all(value.is_floating_point() and bool(value.isfinite().all()) for value in tensors.values()):
        raise DamagedFileError(f"{path.name} is damaged: it holds values that are not finite.")
    return tensors


def _check_taps(weights: NetworkWeights) -> None:
    """Refuse filters other than the one that the network has; some are stored with its gain."""
    line = torch.tensor(TAPS)
    for name in weights.tensors:
        if name.endswith(".kernel"):
            kernel = weights.tensor(name, 4, 4)
            if not torch.allclose(kernel / kernel.sum(), torch.outer(line, line), atol=1e-5):
                raise InputError(f"its '{name[:80]}' is a filter that is not read")


def _conv(
    weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, shape: tuple[int, int, int]
) -> None:
    """Take over a convolution of (outputs, inputs, side), its bias in the place that their layers have it in."""
    outputs, inputs, side = shape
    weight = weights.tensor(f"{theirs}.weight", outputs, inputs, side, side)
    tensors[f"{ours}.weight"] = weight * weight[0].numel() ** -0.5
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", outputs)


def _encoder(
    weights: NetworkWeights, tensors: dict[str, Tensor], ours: str, levels: int, theirs: str, first: int
) -> tuple[int, ...]:
    """Take over an encoder; gives its widths, coarsest first."""
    inputs = 4 if ours == "appearance" else 3
    start = weights.tensor(f"{theirs}{first}.0.weight", 0, inputs, 1, 1)
    widths = [len(start)]
    tensors[f"{ours}.blocks.0.from_rgb.weight"] = start * inputs**-0.5
    tensors[f"{ours}.blocks.0.from_rgb.bias"] = weights.tensor(f"{theirs}{first}.1.bias", widths[0])
    for block in range(levels - 1):
        name, mine, width = f"{theirs}{first + 1 + block}", f"{ours}.blocks.{block}", widths[-1]
        after = weights.shape(f"{name}.conv2.1.weight")[0]
        for layer, bias, new, shape in (
            ("conv1.0.weight", "conv1.1.bias", "conv", (width, width, 3)),
            ("conv2.1.weight", "conv2.2.bias", "down", (after, width, 3)),
        ):
            weight = weights.tensor(f"{name}.{layer}", *shape, shape[-1])
            tensors[f"{mine}.{new}.weight"] = weight * weight[0].numel() ** -0.5
            tensors[f"{mine}.{new}.bias"] = weights.tensor(f"{name}.{bias}", shape[0])
        skip = weights.tensor(f"{name}.skip.1.weight", after, width, 1, 1)
        tensors[f"{mine}.skip"] = skip * width**-0.5
        widths.append(after)
    return tuple(reversed(widths))


def _decoder(
    weights: NetworkWeights, tensors: dict[str, Tensor], width: int, levels: int
) -> tuple[tuple[int, ...], int]:
    """Take over the decoder; gives its widths, coarsest first, and the number of hidden channels."""
    hidden = weights.shape("conv1.conv.gamma.0.weight")[0]

    def layer(theirs: str, ours: str, outputs: int, inputs: int, side: int) -> int:
        weight = weights.tensor(f"{theirs}.conv.weight", 1, outputs, inputs, side, side)[0]
        tensors[f"{ours}.weight"] = weight * weight[0].numel() ** -0.5
        for kind in ("gamma", "beta"):
            for place, shape in ((0, (hidden, inputs, 1)), (2, (inputs, hidden, 1))):
                _conv(weights, tensors, f"{theirs}.conv.{kind}.{place}", f"{ours}.{kind}.{place}", shape)
        if side == 1:
            tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", 1, len(weight), 1, 1).reshape(-1)
        else:
            tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.activate.bias", len(weight))
            tensors[f"{ours}.noise_strength"] = weights.tensor(f"{theirs}.noise.weight", 1)
        return len(weight)

    widths = [layer("conv1", "first", width, width, 3)]
    layer("to_rgb1", "to_rgb.0", 3, width, 1)
    for level in range(levels - 1):
        widths.append(layer(f"convs.{2 * level}", f"up.{level}", 0, widths[-1], 3))
        layer(f"convs.{2 * level + 1}", f"conv.{level}", widths[-1], widths[-1], 3)
        layer(f"to_rgbs.{level}", f"to_rgb.{level + 1}", 3, widths[-1], 1)
    return tuple(widths), hidden
