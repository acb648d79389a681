"""StyleGAN2's and StyleGAN2-ADA's generator, from the variables of a TensorFlow pickle."""

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.nvidia.tensorflow_mapping import read_mapping, sides_of
from stylegan_latents.generator.formats.nvidia.tensorflow_network import Variables
from stylegan_latents.generator.networks.stylegan2 import Architecture, StyleGAN2Config

_HERE = "synthesis/"
_BOX = (1.0, 1.0)


def read_stylegan2(variables: Variables) -> tuple[StyleGAN2Config, dict[str, Tensor]]:
    """Read a generator.

    One that was trained by progressive growing (configurations B to D of the paper) is read at its end, where it
    is of the ``orig`` architecture.

    Returns:
        The sizes, and tensors by the names of ``generator.networks.stylegan2``; float32.

    Raises:
        InputError: variables are missing or do not fit one another, or a setting is not read.
    """
    variables.check_settings(_HERE, {"nonlinearity": "lrelu"})
    if "lod" in variables and float(variables.tensor("lod")) > 0:
        raise InputError("it was saved while its resolution still grew, which is read for StyleGAN only")
    mapping = read_mapping(variables, gain_before=False)
    tensors = mapping.tensors
    sides = sides_of(variables, _HERE)
    channels: list[int] = []
    for i, side in enumerate(sides):
        before = channels[-1] if channels else None
        channels.append(_block(variables, tensors, i, side, before, mapping.widths[-1]))
        _to_rgb(variables, tensors, i, side, channels[-1], side == sides[-1])
    tensors["synthesis.blocks.0.constant"] = variables.tensor("synthesis/4x4/Const/const", 1, channels[0], 4, 4)
    pictures = [f"synthesis.blocks.{i}.to_rgb.bias" in tensors for i in range(len(sides))]
    residual = any(name.endswith(".skip") for name in tensors)
    architecture: Architecture = "resnet" if residual else "skip" if all(pictures) else "orig"
    # None is not: no filter, but nearest neighbours and averages.
    no_taps = variables.setting(_HERE, "resample_kernel", True) is None
    clamp = variables.setting(_HERE, "conv_clamp", None)
    config = StyleGAN2Config(
        z_dim=mapping.z_dim,
        mapping_widths=mapping.widths,
        channels=tuple(channels),
        label_dim=mapping.label_dim,
        label_width=mapping.label_width,
        image_channels=len(tensors[f"synthesis.blocks.{len(sides) - 1}.to_rgb.bias"]),
        architecture=architecture,
        taps=_BOX if no_taps else variables.taps(_HERE, "resample_kernel", StyleGAN2Config.taps),
        clamp=None if clamp is None else variables.number(_HERE, "conv_clamp", 0),
        has_noise="synthesis/noise0" in variables,
        joint_label="mapping/LabelConcat/weight" in variables,
    )
    # A network that was grown keeps the layers for pictures of earlier resolutions.
    variables.check_all_read(r"(synthesis/)?lod|dlatent_avg|synthesis/ToRGB_lod\d+/.*|synthesis/noise\d+")
    return config, tensors


def _block(
    variables: Variables, tensors: dict[str, Tensor], index: int, side: int, before: int | None, w_dim: int
) -> int:
    """Take over one resolution's convolutions; returns its number of channels."""
    theirs, ours = f"synthesis/{side}x{side}", f"synthesis.blocks.{index}"
    second = "Conv" if before is None else "Conv1"
    (width,) = variables.lengths(f"{theirs}/{second}/bias", 1)
    convs = [(second, "conv", width)] if before is None else [("Conv0_up", "up", before), (second, "conv", width)]
    for scope, name, inputs in convs:
        _style(variables, tensors, f"{theirs}/{scope}", f"{ours}.{name}", inputs, w_dim)
        weight = variables.kernel(f"{theirs}/{scope}/weight", 3, inputs, width, (9 * inputs) ** -0.5)
        # Their doubling is a convolution of spread pixels, ours the transpose of one.
        tensors[f"{ours}.{name}.weight"] = weight.flip(2, 3) if name == "up" else weight
        tensors[f"{ours}.{name}.bias"] = variables.tensor(f"{theirs}/{scope}/bias", width)
        if "synthesis/noise0" in variables:
            row = 2 * index - (name == "up")
            tensors[f"{ours}.{name}.noise"] = variables.tensor(f"synthesis/noise{row}", 1, 1, side, side)
            tensors[f"{ours}.{name}.noise_strength"] = variables.tensor(f"{theirs}/{scope}/noise_strength")
    if before is not None and f"{theirs}/Skip/weight" in variables:
        tensors[f"{ours}.skip"] = variables.kernel(f"{theirs}/Skip/weight", 1, before, width, before**-0.5)
    return width


def _to_rgb(
    variables: Variables, tensors: dict[str, Tensor], index: int, side: int, width: int, is_last: bool
) -> None:
    """Take over the layer that makes a picture, if this resolution has one that is used."""
    theirs, ours = f"synthesis/{side}x{side}/ToRGB", f"synthesis.blocks.{index}.to_rgb"
    if is_last and f"{theirs}/bias" not in variables:
        theirs = "synthesis/ToRGB_lod0"
    if f"{theirs}/bias" not in variables and not is_last:
        return
    (pictures,) = variables.lengths(f"{theirs}/bias", 1)
    weight = variables.kernel(f"{theirs}/weight", 1, width, pictures, max(width, 1) ** -0.5)
    tensors[f"{ours}.weight"] = weight[:, :, 0, 0].contiguous()
    tensors[f"{ours}.bias"] = variables.tensor(f"{theirs}/bias", pictures)
    w_dim = tensors["synthesis.blocks.0.conv.style.weight"].shape[1]
    _style(variables, tensors, theirs, ours, width, w_dim)


def _style(
    variables: Variables, tensors: dict[str, Tensor], theirs: str, ours: str, channels: int, w_dim: int
) -> None:
    tensors[f"{ours}.style.weight"] = variables.matrix(f"{theirs}/mod_weight", w_dim, channels, w_dim**-0.5)
    tensors[f"{ours}.style.bias"] = variables.tensor(f"{theirs}/mod_bias", channels) + 1
