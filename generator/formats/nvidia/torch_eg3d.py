"""EG3D's generator, by the names of NVIDIA's repository (eg3d)."""

import math
from typing import Any

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.nvidia.torch_stylegan2 import styled_conv, stylegan2, to_rgb
from stylegan_latents.generator.formats.nvidia.torch_weights import dense_tensors, resample_taps
from stylegan_latents.generator.formats.safe_pickle.inert_torch import InertObject, StoredTensor
from stylegan_latents.generator.networks.camera import field_of_view
from stylegan_latents.generator.networks.eg3d import EG3DConfig, SuperResolution
from stylegan_latents.generator.ops.volume_rendering import Rendering

_UNUSED = r"backbone\..*|(.*\.)?resample_filter|superresolution\..*\.noise_(const|strength)"
_BLOCKS = ("block0", "block1")
# Focal lengths in sides of the picture of the cameras that the published models were trained with, which no file
# holds: of photos of faces and cats, and of rendered cars, which alone have a white background.
_PHOTOS, _RENDERED = 4.2647, 525 / 512


def eg3d(weights: NetworkWeights) -> tuple[EG3DConfig, dict[str, Tensor]]:
    """Sizes and tensors by the names of ``generator.networks.eg3d``, with ``w_avg``.

    Raises:
        InputError: something is missing, does not fit, or is left over.
    """
    options = weights.attribute("", "rendering_kwargs", None)
    options = options.state if isinstance(options, InertObject) else options
    if not isinstance(options, dict):
        raise InputError("it is an EG3D without its settings of rendering; give the pickle with the whole network")
    backbone, tensors = stylegan2(weights.part("backbone."))
    tensors = {name.replace("synthesis.", "synthesis.backbone.", 1): value for name, value in tensors.items()}
    rate = _number(options, "decoder_lr_mul", 1.0)
    for theirs, ours in (("decoder.net.0", "hidden"), ("decoder.net.2", "out")):
        dense_tensors(weights, tensors, theirs, f"synthesis.decoder.{ours}", rate)
    colours = len(tensors["synthesis.decoder.out.bias"]) - 1
    rendering = _rendering(weights, options)
    super_resolution = _super_resolution(weights, tensors, options, colours, backbone.w_dim)
    weights.check_all_read(_UNUSED)
    white = rendering.white
    zero = options.get("c_gen_conditioning_zero", False)
    pivot = options.get("avg_camera_pivot", (0.0, 0.0, 0.0))
    if not isinstance(pivot, list | tuple) or len(pivot) != 3 or not isinstance(zero, bool):
        raise InputError("its camera looks at no point, or has no conditioning that is read")
    config = EG3DConfig(
        backbone=backbone,
        hidden=len(tensors["synthesis.decoder.hidden.bias"]),
        colours=colours,
        rendering=rendering,
        super_resolution=super_resolution,
        distance=_number(options, "avg_camera_radius", 2.7),
        fov=field_of_view(_RENDERED if white else _PHOTOS),
        pivot=(_float(pivot[0]), _float(pivot[1]), _float(pivot[2])),
        label_scale=0.0 if zero else _number(options, "c_scale", 0.0),
    )
    sizes = {"z_dim": config.z_dim, "c_dim": backbone.label_dim, "w_dim": config.w_dim, "img_channels": 3}
    weights.check_sizes("", **sizes, img_resolution=super_resolution.sides[-1])
    return config, tensors


def _float(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError("it has a setting of rendering that is no number") from error
    if not math.isfinite(number):
        raise InputError("it has a setting of rendering that is no number")
    return number


def _number(options: dict[Any, Any], name: str, default: float | None = None) -> float:
    value = options.get(name, default)
    if value == "auto":
        raise InputError(f"its '{name}' is 'auto', which is not read: give numbers")
    if value is None:
        raise InputError(f"its settings of rendering lack '{name}'")
    return _float(value)


def _rendering(weights: NetworkWeights, options: dict[Any, Any]) -> Rendering:
    if options.get("clamp_mode") != "softplus" or options.get("disparity_space_sampling", False):
        raise InputError("it renders with other densities or depths than the published EG3D, which is not read")
    return Rendering(
        side=weights.whole("", "neural_rendering_resolution", 64),
        near=_number(options, "ray_start"),
        far=_number(options, "ray_end"),
        samples=int(_number(options, "depth_resolution")),
        fine_samples=int(_number(options, "depth_resolution_importance")),
        box=_number(options, "box_warp"),
        white=bool(options.get("white_back", False)),
        axes=_axes(weights),
    )


def _axes(weights: NetworkWeights) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Which coordinates each plane has: the published networks' third plane has the second's, exchanged."""
    stored = weights.attribute("renderer", "plane_axes", None)
    if not isinstance(stored, StoredTensor):
        return Rendering.axes
    if stored.shape != (3, 3, 3):
        raise InputError("it has other than three planes, which is not read")
    frames = stored.read()
    # The rows of a frame are axes; its inverse, the transpose, takes a point to the plane's coordinates.
    if not (((frames == 0) | (frames == 1)).all() and (frames.sum(1) == 1).all() and (frames.sum(2) == 1).all()):
        raise InputError("its planes do not lie along the axes, which is not read")
    across, down, _ = frames.argmax(dim=2).unbind(dim=1)
    first, second, third = zip(across.tolist(), down.tolist(), strict=True)
    return first, second, third


def _super_resolution(
    weights: NetworkWeights, tensors: dict[str, Tensor], options: dict[Any, Any], colours: int, w_dim: int
) -> SuperResolution:
    noisy = options.get("superresolution_noise_mode") != "none"
    channels: list[int] = []
    sides: list[int] = []
    for i, name in enumerate(_BLOCKS):
        theirs, ours = f"superresolution.{name}", f"synthesis.blocks.{i}"
        before = channels[-1] if channels else colours
        channels.append(len(weights.tensor(f"{theirs}.conv0.bias", 0)))
        sides.append(weights.whole(theirs, "resolution", 0))
        for conv, inputs in (("conv0", before), ("conv1", channels[-1])):
            mine = f"{ours}.{'first' if conv == 'conv0' else 'second'}"
            sizes = (channels[-1], inputs, sides[-1], w_dim)
            styled_conv(weights, tensors, f"{theirs}.{conv}", mine, sizes, noisy=noisy)
        to_rgb(weights, tensors, f"{theirs}.torgb", f"{ours}.to_rgb", channels[-1], w_dim)
    side = weights.whole("superresolution", "input_resolution", 0)
    ratios = [after / before for before, after in zip((side, *sides), sides, strict=False)]
    if any(ratio not in (1, 2) for ratio in ratios):
        raise InputError(f"its super-resolution goes from {side} to {sides} pixels, which is not read")
    layers = [f"superresolution.{name}.{layer}" for name in _BLOCKS for layer in ("conv0", "conv1", "torgb")]
    clamps = [weights.attribute(layer, "conv_clamp", None) for layer in layers]
    if any(one != clamps[0] for one in clamps):
        raise InputError("its super-resolution clamps only some of its layers, which is not read")
    clamp = None if clamps[0] is None else weights.number(layers[0], "conv_clamp", 0)
    taps = resample_taps(weights, "superresolution.block0")
    doubles = tuple(ratio == 2 for ratio in ratios)
    return SuperResolution(side, tuple(channels), doubles, taps, clamp, has_noise=noisy)
