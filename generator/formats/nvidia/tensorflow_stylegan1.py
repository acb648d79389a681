"""StyleGAN's generator, from the variables of a TensorFlow pickle."""

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.nvidia.tensorflow_mapping import read_mapping, sides_of
from stylegan_latents.generator.formats.nvidia.tensorflow_network import Variables
from stylegan_latents.generator.networks.stylegan1 import StyleGAN1Config

_HERE = "synthesis/"
_FUSED_FROM = 128  # pixels, where the setting is left to itself


def read_stylegan1(variables: Variables) -> tuple[StyleGAN1Config, dict[str, Tensor]]:
    """Read a generator.

    Returns:
        The sizes, and tensors by the names of ``generator.networks.stylegan1``; float32.

    Raises:
        InputError: variables are missing or do not fit one another, or a setting is not read.
    """
    variables.check_settings(_HERE, {"nonlinearity": "lrelu", "use_styles": True, "const_input_layer": True})
    mapping = read_mapping(variables, gain_before=True)
    tensors = mapping.tensors
    sides = sides_of(variables, _HERE)
    channels: list[int] = []
    for i, side in enumerate(sides):
        before = channels[-1] if channels else None
        channels.append(_block(variables, tensors, i, side, before, mapping.widths[-1]))
        _to_rgb(variables, tensors, i, len(sides) - 1 - i, channels[-1])
    tensors["synthesis.blocks.0.constant"] = variables.tensor("synthesis/4x4/Const/const", 1, channels[0], 4, 4)
    no_blur = variables.setting(_HERE, "blur_filter", True) is None
    config = StyleGAN1Config(
        z_dim=mapping.z_dim,
        mapping_widths=mapping.widths,
        channels=tuple(channels),
        label_dim=mapping.label_dim,
        label_width=mapping.label_width,
        image_channels=len(tensors["synthesis.blocks.0.to_rgb.bias"]),
        # Theirs is a correlation, ours a convolution.
        taps=() if no_blur else variables.taps(_HERE, "blur_filter", StyleGAN1Config.taps)[::-1],
        has_noise="synthesis/noise0" in variables,
        pixel_norm=bool(variables.setting(_HERE, "use_pixel_norm", False)),
        instance_norm=bool(variables.setting(_HERE, "use_instance_norm", True)),
        lod=_level_of_detail(variables, len(sides) - 1),
    )
    variables.check_all_read(r"(synthesis/)?lod|dlatent_avg|synthesis/noise\d+")
    return config, tensors


def _block(
    variables: Variables, tensors: dict[str, Tensor], index: int, side: int, before: int | None, w_dim: int
) -> int:
    """Take over one resolution's tensors; returns its number of channels."""
    scopes = ("Const", "Conv") if before is None else ("Conv0_up", "Conv1")
    fused = variables.setting(_HERE, "fused_scale", "auto")
    is_fused = side >= _FUSED_FROM if fused == "auto" else bool(fused)
    (width,) = variables.lengths(f"synthesis/{side}x{side}/{scopes[0]}/bias", 1)
    for j, (scope, name) in enumerate(zip(scopes, ("first", "second"), strict=True)):
        theirs, ours = f"synthesis/{side}x{side}/{scope}", f"synthesis.blocks.{index}.{name}"
        style_gain = _scale(variables, 1, w_dim)
        tensors[f"{ours}.style.weight"] = variables.matrix(
            f"{theirs}/StyleMod/weight", w_dim, 2 * width, style_gain
        )
        tensors[f"{ours}.style.bias"] = variables.tensor(f"{theirs}/StyleMod/bias", 2 * width)
        tensors[f"{ours}.style.bias"][:width] += 1
        tensors[f"{ours}.bias"] = variables.tensor(f"{theirs}/bias", width)
        inputs = width if j else before
        if inputs is not None:
            weight = variables.kernel(f"{theirs}/weight", 3, inputs, width, _scale(variables, 2, 9 * inputs))
            # Theirs doubles large layers in one step, whose kernel runs backwards.
            tensors[f"{ours}.weight"] = weight.flip(2, 3) if is_fused and j == 0 else weight
        if "synthesis/noise0" in variables:
            tensors[f"{ours}.noise"] = variables.tensor(f"synthesis/noise{2 * index + j}", 1, 1, side, side)
            tensors[f"{ours}.noise_strength"] = variables.tensor(f"{theirs}/Noise/weight", width)
    return width


def _to_rgb(variables: Variables, tensors: dict[str, Tensor], index: int, lod: int, width: int) -> None:
    theirs, ours = f"synthesis/ToRGB_lod{lod}", f"synthesis.blocks.{index}.to_rgb"
    (pictures,) = variables.lengths(f"{theirs}/bias", 1)
    weight = variables.kernel(f"{theirs}/weight", 1, width, pictures, _scale(variables, 1, width))
    tensors[f"{ours}.weight"] = weight[:, :, 0, 0].contiguous()
    tensors[f"{ours}.bias"] = variables.tensor(f"{theirs}/bias", pictures)


def _scale(variables: Variables, gain: float, inputs: int) -> float:
    """The constant factor on a weight: the equalised learning rate, where the network was trained with it."""
    is_scaled = bool(variables.setting(_HERE, "use_wscale", True))
    return (gain / max(inputs, 1)) ** 0.5 if is_scaled else 1.0


def _level_of_detail(variables: Variables, last: int) -> float:
    name = next((name for name in ("lod", "synthesis/lod") if name in variables), None)
    lod = 0.0 if name is None else float(variables.tensor(name))
    if not lod >= 0:  # nor is it NaN
        raise InputError("its level of detail is no number from 0 on")
    return min(lod, float(last))
