"""StyleNeRF's generator, by the names of its official repository (facebookresearch/StyleNeRF).

Its pickles hold whole networks, with the arguments that they were made from: the settings of camera, rays and
up-sampling are nowhere else. Older ones hold these among the synthesis network's own, newer ones in groups.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.nvidia.torch_weights import (
    affine_tensors,
    check_activation,
    mapping_tensors,
    resample_taps,
)
from stylegan_latents.generator.networks.stylenerf import StyleNeRFConfig
from stylegan_latents.generator.networks.stylenerf_layers import FieldSizes, Upsampling
from stylegan_latents.generator.ops.radiance_field import Marching

_UNUSED = r"(?!mapping\.|synthesis\.([fb]g_nerf|b\d+)\.).*|.*\.(resample_filter|num_batches_tracked)"
_MOST_LAYERS = 64
_UPSAMPLINGS: dict[object, Upsampling] = {"nn_cat": "neighbours", "pixelshuffle": "shuffle"}
_FULLY_GROWN, _NOT_GROWING = 1, -1  # of progressive training; the official code takes 20 samples for the latter
_SAMPLES_NOT_GROWING = 20

_FIELD: dict[str, object] = {
    "positional_encoding": "normal", "downscale_p_by": 1, "use_pos": False, "use_skip": False, "add_rgb": False,
    "use_viewdirs": False, "merge_sigma_feat": False, "no_sigma": False, "use_normal": False, "use_sdf": None,
    "normalized_feat": False, "final_sigmoid_act": False, "tcnn_backend": False, "shuffle_factor": 1,
    "disable_latents": False,
}  # fmt: skip
_READ: dict[str, dict[str, object]] = {
    "": {
        "architecture": "skip", "activation": "lrelu", "margin": 0, "rectangular": None, "layer_name": None,
        "block_name": None, "use_single_layer": False, "use_group": False, "mode": "2d",
    },
    "input_kwargs": {"output_mode": "none"},
    "camera_kwargs": {"depth_transform": None, "dists_normalized": False},
    "renderer_kwargs": {
        "hierarchical": True, "no_background": False, "white_background": False, "sigma_type": "relu",
        "abs_sigma": False, "bound": None,
    },
    "upsampler_kwargs": {
        "no_2d_renderer": False, "no_residual_img": False, "block_reses": None, "shared_rgb_style": False,
        "channel_dict": None, "out_channel_dict": None,
    },
    "foreground_kwargs": _FIELD | {"inverse_sphere": False},
    "background_kwargs": _FIELD,
}  # fmt: skip
"""The values of the published models, which are also those of settings that a file leaves out."""

_ALWAYS_SAID: dict[str, dict[str, object]] = {
    "": {"kernel_size": 1, "use_noise": False},
    "foreground_kwargs": {"predict_rgb": True},
    "background_kwargs": {"predict_rgb": True, "inverse_sphere": True},
}
"""The values of the published models where those of settings that a file leaves out are others."""


def stylenerf(weights: NetworkWeights) -> tuple[StyleNeRFConfig, dict[str, Tensor]]:
    """Sizes and tensors by the names of ``generator.networks.stylenerf``, with ``w_avg`` where the file has it.

    Raises:
        InputError: something is missing, does not fit or is left over, or the model is a variant that is not read.
    """
    settings = _Settings(weights)
    tensors = mapping_tensors(weights)
    if "mapping.embed.weight" in tensors:
        raise InputError("it is a StyleNeRF with classes, which is not read")
    depth = sum(name.startswith("mapping.layers.") and name.endswith(".bias") for name in tensors)
    widths = tuple(len(tensors[f"mapping.layers.{i}.bias"]) for i in range(depth))
    foreground, features = _foreground(weights, tensors, settings, widths[-1])
    background, code = _background(weights, tensors, settings, features)
    side, channels = settings.whole("", "resolution_vol", 32), list[int]()
    while weights.has(f"synthesis.b{side << len(channels) + 1}.conv0.weight") and len(channels) < _MOST_LAYERS:
        before = channels[-1] if channels else features
        channels.append(_block(weights, tensors, settings, side, len(channels), (before, widths[-1])))
    if not channels:
        raise InputError(f"it is a StyleNeRF that does not draw more than {side} pixels, which is not read")
    last = f"synthesis.b{side << len(channels)}"
    clamp = weights.attribute(f"{last}.conv1", "conv_clamp", None)
    near, far = settings.pair("camera_kwargs", "depth_range", (0.5, 6.0))
    radius = settings.pair("camera_kwargs", "range_radius", (2.732, 2.732))
    resolution = side << len(channels)
    try:
        config = StyleNeRFConfig(
            z_dim=tensors["mapping.layers.0.weight"].shape[1],
            mapping_widths=widths,
            channels=tuple(channels),
            foreground=foreground,
            background=background,
            background_dim=code,
            features=features,
            marching=Marching(
                side=side,
                near=near,
                far=far,
                samples=_samples(weights, settings),
                background_samples=settings.whole("renderer_kwargs", "n_bg_samples", 4),
                background_start=settings.number("camera_kwargs", "bg_start", 1.0),
                grid=resolution if settings.value("camera_kwargs", "ray_align_corner", True) else 0,
            ),
            distance=sum(radius) / 2,
            fov=settings.number("camera_kwargs", "fov", 49.13),
            upsampling=settings.upsampling(),
            taps=resample_taps(weights, last),
            clamp=None if clamp is None else weights.number(f"{last}.conv1", "conv_clamp", 256.0),
        )
    except ValueError as error:
        raise InputError(f"its sizes do not fit one another: {error}") from error
    weights.check_all_read(_UNUSED)
    sizes = {"w_dim": config.w_dim, "num_ws": foreground.depth + 3 + 2 * len(channels)}
    weights.check_sizes("", z_dim=config.z_dim, img_resolution=resolution, img_channels=3, **sizes)
    weights.check_sizes("synthesis", img_resolution=resolution, img_channels=3, **sizes)
    return config, tensors


class _Settings:
    """The arguments that the network was made from.

    Raises:
        InputError: the file has none, or one that is not read.
    """

    def __init__(self, weights: NetworkWeights) -> None:
        arguments = weights.attribute("", "_init_kwargs", None)
        given = arguments.get("synthesis_kwargs") if isinstance(arguments, dict) else None
        if not isinstance(given, dict):
            raise InputError("it is a StyleNeRF without its settings; give the pickle with the whole network")
        self._given = given
        for group, read in _READ.items():
            for name, value in read.items():
                self._check(group, name, value, self.value(group, name, value))
        for group, read in _ALWAYS_SAID.items():
            for name, value in read.items():
                self._check(group, name, value, self.value(group, name, "left out"))

    @staticmethod
    def _check(group: str, name: str, wanted: object, value: object) -> None:
        if wanted is None and value in ("None", False):
            return
        if value != wanted or (isinstance(value, bool) and not isinstance(wanted, bool)):
            place = f"'{name}' of its '{group}'" if group else f"'{name}'"
            raise InputError(
                f"it is a StyleNeRF variant that is not read: {place} is {str(value)[:40]!r} instead of {wanted!r}"
            )

    def value(self, group: str, name: str, default: object) -> object:
        inner = self._given.get(group) if group else None
        fields = group in ("foreground_kwargs", "background_kwargs", "input_kwargs")
        found: Mapping[Any, Any] = inner if isinstance(inner, dict) and inner else {} if fields else self._given
        return found.get(name, default)

    def number(self, group: str, name: str, default: float) -> float:
        return _number(name, self.value(group, name, default))

    def whole(self, group: str, name: str, default: int) -> int:
        number = self.number(group, name, default)
        if not number.is_integer() or not 0 < number < 1 << 20:
            raise InputError(f"its '{name}' is no size")
        return int(number)

    def pair(self, group: str, name: str, default: tuple[float, float]) -> tuple[float, float]:
        value = self.value(group, name, default)
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise InputError(f"its '{name}' is no pair of numbers")
        return _number(name, value[0]), _number(name, value[1])

    def upsampling(self) -> Upsampling:
        mode = self.value("", "upsample_mode", "default")
        if not isinstance(mode, str) or mode not in _UPSAMPLINGS:
            raise InputError(
                f"it is a StyleNeRF variant that is not read: it up-samples by {str(mode)[:40]!r} instead of "
                "'nn_cat' or 'pixelshuffle'"
            )
        return _UPSAMPLINGS[mode]


def _number(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6 and math.isfinite(value):
        return float(value)
    raise InputError(f"its '{name}' is no number")


def _samples(weights: NetworkWeights, settings: _Settings) -> int:
    grown = float(weights.tensor("synthesis.alpha")) if weights.has("synthesis.alpha") else _NOT_GROWING
    if grown == _NOT_GROWING:
        return _SAMPLES_NOT_GROWING
    if grown != _FULLY_GROWN and settings.value("", "progressive", True):
        raise InputError("it is a StyleNeRF whose training ended while it was growing, which is not read")
    return settings.whole("renderer_kwargs", "n_ray_samples", 14)


def _foreground(
    weights: NetworkWeights, tensors: dict[str, Tensor], settings: _Settings, w_dim: int
) -> tuple[FieldSizes, int]:
    """Take over the foreground's tensors; returns its sizes, and its number of features."""
    theirs, ours = "synthesis.fg_nerf", "synthesis.foreground"
    frequencies = settings.whole("foreground_kwargs", "n_freq_posenc", 10)
    if not weights.has(f"{theirs}.fc_in.affine.weight"):
        raise InputError("it is a StyleNeRF variant that is not read: its foreground takes z instead of styles")
    inputs, names = 6 * frequencies, _hidden(weights, theirs)
    for i, name in enumerate(names):
        inputs = _styled(weights, tensors, f"{theirs}.{name}", f"{ours}.hidden.{i}", inputs, w_dim)
        check_activation(weights, f"{theirs}.{name}")
    _styled(weights, tensors, f"{theirs}.sigma_out", f"{ours}.density", inputs, w_dim, gain=True)
    features = _styled(weights, tensors, f"{theirs}.feat_out", f"{ours}.features", inputs, w_dim, gain=True)
    _pointwise(weights, tensors, f"{theirs}.to_rgb", f"{ours}.rgb", (3, features))
    return FieldSizes(inputs, len(names), frequencies), features


def _background(
    weights: NetworkWeights, tensors: dict[str, Tensor], settings: _Settings, features: int
) -> tuple[FieldSizes, int]:
    """Take over the background's tensors; returns its sizes, and the length of its random numbers."""
    theirs, ours = "synthesis.bg_nerf", "synthesis.background"
    frequencies = settings.whole("background_kwargs", "n_freq_posenc", 10)
    if weights.has(f"{theirs}.fc_in.affine.weight") or not weights.has(f"{theirs}.fc_in.weight"):
        raise InputError("it is a StyleNeRF variant that is not read: its background takes styles instead of z")
    names = _hidden(weights, theirs)
    inputs = weights.shape(f"{theirs}.fc_in.weight")[-1]
    code = inputs - 8 * frequencies
    outputs = [("sigma_out", "density", 1), ("feat_out", "features", features)]
    for i, name in enumerate(names):
        inputs = _plain(weights, tensors, f"{theirs}.{name}", f"{ours}.hidden.{i}", (0, inputs))
    for name, mine, count in outputs:
        _plain(weights, tensors, f"{theirs}.{name}", f"{ours}.{mine}", (count, inputs))
    _pointwise(weights, tensors, f"{theirs}.to_rgb", f"{ours}.rgb", (3, features))
    return FieldSizes(inputs, len(names), frequencies), code


def _hidden(weights: NetworkWeights, field: str) -> list[str]:
    names = ["fc_in"]
    while weights.has(f"{field}.blocks.{len(names) - 1}.weight") and len(names) < _MOST_LAYERS:
        names.append(f"blocks.{len(names) - 1}")
    return names


def _block(
    weights: NetworkWeights,
    tensors: dict[str, Tensor],
    settings: _Settings,
    side: int,
    index: int,
    sizes: tuple[int, int],
) -> int:
    """Take over the tensors of one resolution; returns its number of channels."""
    inputs, w_dim = sizes
    theirs, ours = f"synthesis.b{side << (index + 1)}", f"synthesis.blocks.{index}"
    for conv, mine in (("conv0", "up"), ("conv1", "conv")):
        inputs = _styled(weights, tensors, f"{theirs}.{conv}", f"{ours}.{mine}", inputs, w_dim)
        check_activation(weights, f"{theirs}.{conv}")
        kept = f"{theirs}.{conv}.w_avg"
        magnitude = weights.tensor(kept) if weights.has(kept) else torch.ones(())
        if not float(magnitude) > 0:
            raise InputError(f"its '{kept}' is not above 0")
        tensors[f"{ours}.{mine}.magnitude"] = magnitude
    shuffles = settings.upsampling() == "shuffle"
    inner, outer = (inputs, 4 * inputs) if shuffles else (2 * inputs, inputs)
    _pointwise(weights, tensors, f"{theirs}.conv0.adapter.0", f"{ours}.up.inner", (inputs // 4, inner))
    check_activation(weights, f"{theirs}.conv0.adapter.0")
    _pointwise(weights, tensors, f"{theirs}.conv0.adapter.1", f"{ours}.up.outer", (outer, inputs // 4))
    if _styled(weights, tensors, f"{theirs}.torgb", f"{ours}.to_rgb", inputs, w_dim, gain=True) != 3:
        raise InputError("its pictures have no three channels, which is not read")
    return inputs


def _styled(
    weights: NetworkWeights,
    tensors: dict[str, Tensor],
    theirs: str,
    ours: str,
    inputs: int,
    w_dim: int,
    *,
    gain: bool = False,
) -> int:
    """Take over a modulated layer, with its gain where it is not demodulated; returns its outputs."""
    affine_tensors(weights, tensors, f"{theirs}.affine", f"{ours}.style", inputs, w_dim)
    weight = weights.tensor(f"{theirs}.weight", 0, inputs, 1, 1)[:, :, 0, 0]
    tensors[f"{ours}.weight"] = weight * weights.number(theirs, "weight_gain", inputs**-0.5) if gain else weight
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", len(weight))
    return len(weight)


def _plain(
    weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, shape: tuple[int, int]
) -> int:
    tensors[f"{ours}.weight"] = weights.tensor(f"{theirs}.weight", *shape)
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", len(tensors[f"{ours}.weight"]))
    return len(tensors[f"{ours}.bias"])


def _pointwise(
    weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, shape: tuple[int, int]
) -> None:
    gain = weights.number(theirs, "weight_gain", shape[1] ** -0.5)
    tensors[f"{ours}.weight"] = gain * weights.tensor(f"{theirs}.weight", *shape, 1, 1)[:, :, 0, 0]
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", shape[0])
