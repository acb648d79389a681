"""Checkpoints of pSp, e4e and ReStyle: a state dict (``encoder.``, ``decoder.``), the mean code, the settings."""

import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from stylegan_latents.encoders.config import Architecture, EncoderConfig
from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.encoders.formats.native import fill
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.checkpoint import open_checkpoint
from stylegan_latents.generator.formats.safe_pickle.inert_torch import InertObject, StoredTensor
from stylegan_latents.generator.reading.budget import Budget

# Class names in the files' settings: architecture, residual blocks, whether features come from a pyramid.
_TYPES: dict[str, tuple[Architecture, Literal["irse", "resnet"], bool]] = {
    "GradualStyleEncoder": ("psp", "irse", True),
    "ResNetGradualStyleEncoder": ("psp", "resnet", True),
    "BackboneEncoder": ("psp", "irse", False),
    "ResNetBackboneEncoder": ("psp", "resnet", False),
    "Encoder4Editing": ("e4e", "irse", True),
    "ProgressiveBackboneEncoder": ("e4e", "irse", False),
    "ResNetProgressiveBackboneEncoder": ("e4e", "resnet", False),
    "BackboneEncoderUsingLastLayerIntoW": ("single", "irse", False),
    "SingleStyleCodeEncoder": ("single", "irse", False),
    "BackboneEncoderUsingLastLayerIntoWPlus": ("flat", "irse", False),
}
# Their names of tensors, and ours.
_NAMES = (
    (r"input_layer\.([012])\.", r"backbone.stem.\1."),
    (r"conv1\.", r"backbone.stem.0."),
    (r"bn1\.", r"backbone.stem.1."),
    (r"relu\.", r"backbone.stem.2."),
    (r"body\.(\d+)\.shortcut_layer\.([01])\.", r"backbone.blocks.\1.shortcut.\2."),
    (r"body\.(\d+)\.res_layer\.5\.fc1\.", r"backbone.blocks.\1.residual.5.squeeze."),
    (r"body\.(\d+)\.res_layer\.5\.fc2\.", r"backbone.blocks.\1.residual.5.excite."),
    (r"body\.(\d+)\.res_layer\.([0-4])\.", r"backbone.blocks.\1.residual.\2."),
    (r"body\.(\d+)\.downsample\.([01])\.", r"backbone.blocks.\1.shortcut.\2."),
    (r"body\.(\d+)\.conv1\.", r"backbone.blocks.\1.residual.0."),
    (r"body\.(\d+)\.bn1\.", r"backbone.blocks.\1.residual.1."),
    (r"body\.(\d+)\.conv2\.", r"backbone.blocks.\1.residual.3."),
    (r"body\.(\d+)\.bn2\.", r"backbone.blocks.\1.residual.4."),
    (r"styles\.(\d+)\.convs\.(\d+)\.", r"heads.\1.convolutions.\2."),
    (r"styles\.(\d+)\.linear\.", r"heads.\1.linear."),
    (r"latlayer1\.", r"middle_lateral."),
    (r"latlayer2\.", r"fine_lateral."),
    (r"output_layer_2\.0\.", r"norm."),
    (r"output_layer_2\.3\.", r"inner."),
    (r"linear\.", r"linear."),
)
_RESTYLE_ITERATIONS = 5


def read_public_encoder(path: Path, *, mean: Tensor | None = None) -> Encoder:
    """Read an encoder, in float32, on the CPU.

    Args:
        path: the checkpoint.
        mean: ``[w_dim]``, the generator's mean w, for a file that starts from it and does not hold it.

    Raises:
        InputError: the file is damaged, asks for what weights do not need, or holds no encoder that is known; the
            message says what it lacks.
    """
    with open_checkpoint(path) as contents:
        return _encoder(contents, path, mean)


def has_generator(path: Path) -> bool:
    """Whether a checkpoint of an encoder holds its generator, too.

    Raises:
        InputError: see ``read_public_encoder``.
    """
    with open_checkpoint(path) as contents:
        parts = {name.partition(".")[0] for name in _state(contents)}
        if "encoder" not in parts:
            raise _no_encoder(path)
        return "decoder" in parts


def _no_encoder(path: Path) -> InputError:
    return InputError(
        f"{path.name} holds no encoder; give a checkpoint of pSp, e4e or ReStyle, or of `stylegan-latents train`."
    )


def _state(contents: object) -> Mapping[str, StoredTensor]:
    inner = contents.get("state_dict", contents) if isinstance(contents, dict) else None
    if not isinstance(inner, dict):
        return {}
    named = {re.sub(r"^((module|_orig_mod|net)\.)+", "", str(name)): value for name, value in inner.items()}
    return {name: value for name, value in named.items() if isinstance(value, StoredTensor)}


def _encoder(contents: object, path: Path, mean: Tensor | None) -> Encoder:
    prefix = "encoder."
    stored = {name.removeprefix(prefix): v for name, v in _state(contents).items() if name.startswith(prefix)}
    if not isinstance(contents, dict) or not stored:
        raise _no_encoder(path)
    settings = _settings(contents.get("opts"))
    kind = settings.get("encoder_type")
    if kind not in _TYPES:
        raise InputError(
            f"{path.name} does not say in its settings which encoder it is ('encoder_type')."
            if kind is None
            else f"{path.name} holds a '{str(kind)[:60]}', which is not known; known are {', '.join(_TYPES)}."
        )
    budget = Budget(path.stat().st_size)
    tensors: dict[str, Tensor] = {}
    for name, value in stored.items():
        budget.charge(value.size)
        if not name.endswith("num_batches_tracked"):
            tensors[f"network.{_renamed(name, path)}"] = value.read()
    try:
        config = _config(kind, tensors, settings, contents.get("latent_avg"))
        tensors["ws_avg"] = _start(contents.get("latent_avg"), settings, config, mean, path)
        encoder = Encoder(
            config,
            tensors["ws_avg"],
            name=path.stem,
            iterations=_iterations(settings) if config.is_restyle else 1,
        )
        fill(encoder, tensors)
    except InputError:
        raise
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path.name} is damaged: its tensors do not make a {kind} ({reason}).") from error
    return encoder


def _settings(opts: object) -> Mapping[str, Any]:
    """The settings, from a namespace, a dict or a kind of one."""
    found = opts.state if isinstance(opts, InertObject) else opts
    return found if isinstance(found, dict) else {}


def _renamed(name: str, path: Path) -> str:
    for theirs, ours in _NAMES:
        renamed, count = re.subn(f"^{theirs}", ours, name)
        if count:
            return renamed
    raise InputError(f"{path.name}: its encoder has the tensor '{name[:80]}', which is not known.")


def _config(kind: str, tensors: dict[str, Tensor], settings: Mapping[str, Any], mean: object) -> EncoderConfig:
    """The sizes, from the tensors, and from the settings where these do not say."""
    architecture, backbone, pyramid = _TYPES[kind]
    stem = tensors["network.backbone.stem.0.weight"]
    inner = "1" if backbone == "irse" else "0"
    channels: list[int] = []
    while (weight := tensors.get(f"network.backbone.blocks.{len(channels)}.residual.{inner}.weight")) is not None:
        channels.append(len(weight))
    stages = [(width, len(list(blocks))) for width, blocks in groupby(channels)]
    if len(stages) != 4:
        raise ValueError(f"{len(stages)} stages")
    halvings: list[int] = []
    while any(name.startswith(f"network.heads.{len(halvings)}.") for name in tensors):
        start = f"network.heads.{len(halvings)}.convolutions."
        halvings.append(sum(name.startswith(start) and name.endswith("weight") for name in tensors))
    w_dim = len(tensors["network.heads.0.linear.bias" if halvings else "network.linear.bias"])
    if architecture == "flat":
        w_dim = len(tensors["network.inner.bias"])
        num_ws = len(tensors["network.linear.bias"]) // w_dim
    elif halvings:
        num_ws = len(halvings)
    else:
        num_ws = _rows_of_single(settings, mean, w_dim)
    cars = str(settings.get("dataset_type", "")).startswith("cars")
    side = 16 << halvings[0] if halvings else 256
    return EncoderConfig(
        architecture=architecture,
        num_ws=num_ws,
        w_dim=w_dim,
        backbone=backbone,
        pyramid=pyramid,
        input_channels=stem.shape[1],
        input_shape=(side * 3 // 4 if cars else side, side),  # cars are drawn between black bars
        widths=(len(stem), *(width for width, _ in stages)),
        depths=tuple(depth for _, depth in stages),
        first_middle_row=sum(count == halvings[0] for count in halvings) if pyramid else 3,
        first_fine_row=sum(count <= halvings[0] + 1 for count in halvings) if pyramid else 7,
    )


def _rows_of_single(settings: Mapping[str, Any], mean: object, w_dim: int) -> int:
    """The number of rows of ws for a network that predicts one w, from the generator's resolution."""
    if isinstance(mean, StoredTensor) and len(mean.shape) == 2 and mean.shape[1] == w_dim and mean.shape[0] > 1:
        return mean.shape[0]
    size = settings.get("stylegan_size", settings.get("output_size"))
    if not isinstance(size, int) or size < 4 or size.bit_count() != 1:
        raise ValueError("its settings do not say the generator's resolution")
    return 2 * (size.bit_length() - 1) - 2


def _start(
    stored: object, settings: Mapping[str, Any], config: EncoderConfig, mean: Tensor | None, path: Path
) -> Tensor:
    """The code that the network's output is added to, ``[num_ws, w_dim]``."""
    if not settings.get("start_from_latent_avg", True):  # ReStyle, which always does, has no such setting
        return torch.zeros(config.num_ws, config.w_dim)
    if isinstance(stored, StoredTensor):
        mean = stored.read().reshape(-1, config.w_dim)
    if mean is None:
        raise InputError(f"{path.name} lacks the mean code ('latent_avg'); give its generator to --model.")
    return mean.expand(config.num_ws, config.w_dim)


def _iterations(settings: Mapping[str, Any]) -> int:
    count = settings.get("n_iters_per_batch", _RESTYLE_ITERATIONS)
    return count if isinstance(count, int) and 0 < count <= 100 else _RESTYLE_ITERATIONS
