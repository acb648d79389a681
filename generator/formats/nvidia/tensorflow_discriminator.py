"""StyleGAN's, StyleGAN2's and StyleGAN2-ADA's discriminator, from the variables of a TensorFlow pickle."""

from pathlib import Path

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.nvidia.tensorflow_mapping import sides_of
from stylegan_latents.generator.formats.nvidia.tensorflow_network import Variables, networks_in
from stylegan_latents.generator.networks.stylegan2 import Architecture
from stylegan_latents.generator.networks.stylegan2_discriminator import StyleGAN2DiscriminatorConfig
from stylegan_latents.generator.reading.budget import Budget

_BOX = (1.0, 1.0)
_READ = {"nonlinearity": "lrelu", "use_pagan": False, "use_spectral_norm": False, "score_max": 1}


def tensorflow_discriminator(
    contents: object, path: Path
) -> tuple[StyleGAN2DiscriminatorConfig, dict[str, Tensor]]:
    """Read the discriminator of what a pickle with at least one network holds.

    One that was trained by progressive growing is read at its end, where it is of the ``orig`` architecture.

    Returns:
        The sizes, and tensors by the names of ``generator.networks.stylegan2_discriminator``; float32.

    Raises:
        InputError: the file has a network that is not understood, or no discriminator of StyleGAN2.
    """
    try:
        for network in reversed(networks_in(contents)):
            variables = Variables(network, Budget(path.stat().st_size))
            if any("FromRGB" in name for name in variables):
                return _discriminator(variables)
        raise InputError("it holds no discriminator; give a file with one")
    except InputError as error:
        raise InputError(f"{path.name}: {str(error).rstrip('.')}.") from error


def _discriminator(variables: Variables) -> tuple[StyleGAN2DiscriminatorConfig, dict[str, Tensor]]:
    is_first = "4x4/Dense1/weight" in variables
    if is_first and variables.builder != "D_basic":
        raise InputError("its discriminator is that of a Progressive GAN, which is not read")
    variables.check_settings("", _READ)
    if "lod" in variables and float(variables.tensor("lod")) > 0:
        raise InputError("its discriminator was saved while its resolution still grew, which is not read")
    sides = sides_of(variables, "")
    tensors: dict[str, Tensor] = {}
    channels = list(variables.lengths("4x4/Conv/bias", 1))
    for i, side in enumerate(sides[1:]):
        channels.append(_block(variables, tensors, i, side, channels[-1]))
    taking = [_from_rgb(variables, tensors, i, sides, channels[i]) for i in range(len(sides))]
    if not taking[-1]:
        raise InputError("its discriminator lacks the layer that takes the picture")
    deviations = variables.lengths("4x4/Conv/weight", 4)[2] - channels[0]
    _conv(variables, tensors, "4x4/Conv", "conv", (3, channels[0] + deviations, channels[0]))
    (hidden,) = variables.lengths("4x4/Dense0/bias", 1)
    _dense(variables, tensors, "4x4/Dense0", "hidden", 16 * channels[0], hidden)
    output = "4x4/Dense1" if is_first else "Output"
    label_dim, label_widths = _label(variables, tensors)
    (scores,) = variables.lengths(f"{output}/bias", 1)
    _dense(variables, tensors, output, "out", hidden, scores)
    taps, averages = _halving(variables, is_first)
    if is_first:
        _move_gain(variables, tensors)
    residual = any(name.endswith(".skip") for name in tensors)
    architecture: Architecture = "resnet" if residual else "skip" if all(taking) else "orig"
    # The later repository's default is the whole batch.
    group = variables.setting("", "mbstd_group_size", None if variables.builder == "D_main" else 4)
    clamp = variables.setting("", "conv_clamp", None)
    config = StyleGAN2DiscriminatorConfig(
        channels=tuple(channels),
        hidden=hidden,
        image_channels=taking[-1],
        label_dim=label_dim,
        label_widths=label_widths,
        architecture=architecture,
        taps=taps,
        averages=averages,
        clamp=None if clamp is None else variables.number("", "conv_clamp", 0),
        clamps_coarsest=True,
        group=None if group is None else int(variables.number("", "mbstd_group_size", 4)),
        deviations=deviations,
    )
    variables.check_all_read(r"lod|FromRGB_lod\d+/.*")
    return config, tensors


def _halving(variables: Variables, is_first: bool) -> tuple[tuple[float, ...], bool]:
    """The filter that halves the resolution, and whether that is StyleGAN's way."""
    if is_first:
        no_blur = variables.setting("", "blur_filter", True) is None
        return () if no_blur else variables.taps("", "blur_filter", (1.0, 2.0, 1.0))[::-1], True
    no_taps = variables.setting("", "resample_kernel", True) is None
    default = StyleGAN2DiscriminatorConfig.taps
    return _BOX if no_taps else variables.taps("", "resample_kernel", default), False


def _move_gain(variables: Variables, tensors: dict[str, Tensor]) -> None:
    """From within StyleGAN's weights to behind the activation, where ours is."""
    if not variables.setting("", "use_wscale", True):
        raise InputError("its discriminator was trained without scaled weights, which is not read")
    for name in tensors:
        if name.endswith(".bias") and not name.startswith("out."):
            tensors[name] = tensors[name] * 0.5**0.5


def _block(variables: Variables, tensors: dict[str, Tensor], index: int, side: int, after: int) -> int:
    """Take over one resolution's convolutions, which make ``after`` channels; returns how many it takes."""
    theirs, ours = f"{side}x{side}", f"blocks.{index}"
    (width,) = variables.lengths(f"{theirs}/Conv0/bias", 1)
    _conv(variables, tensors, f"{theirs}/Conv0", f"{ours}.conv", (3, width, width))
    _conv(variables, tensors, f"{theirs}/Conv1_down", f"{ours}.down", (3, width, after))
    if f"{theirs}/Skip/weight" in variables:
        tensors[f"{ours}.skip"] = variables.kernel(f"{theirs}/Skip/weight", 1, width, after, width**-0.5)
    return width


def _from_rgb(variables: Variables, tensors: dict[str, Tensor], index: int, sides: list[int], width: int) -> int:
    """Take over the layer that takes the picture at one resolution; returns the picture's channels, 0 for none."""
    theirs, ours = f"{sides[index]}x{sides[index]}/FromRGB", f"blocks.{index - 1}.from_rgb" if index else "from_rgb"
    if f"{theirs}/weight" not in variables and index == len(sides) - 1:
        theirs = "FromRGB_lod0"
    if f"{theirs}/weight" not in variables:
        return 0
    pictures = variables.lengths(f"{theirs}/weight", 4)[2]
    _conv(variables, tensors, theirs, ours, (1, pictures, width))
    return pictures


def _conv(
    variables: Variables, tensors: dict[str, Tensor], theirs: str, ours: str, sizes: tuple[int, int, int]
) -> None:
    side, inputs, outputs = sizes
    factor = max(side * side * inputs, 1) ** -0.5
    tensors[f"{ours}.weight"] = variables.kernel(f"{theirs}/weight", side, inputs, outputs, factor)
    tensors[f"{ours}.bias"] = variables.tensor(f"{theirs}/bias", outputs)


def _dense(
    variables: Variables,
    tensors: dict[str, Tensor],
    theirs: str,
    ours: str,
    inputs: int,
    outputs: int,
    rate: float = 1.0,
) -> None:
    tensors[f"{ours}.weight"] = variables.matrix(f"{theirs}/weight", inputs, outputs, rate * inputs**-0.5)
    tensors[f"{ours}.bias"] = variables.tensor(f"{theirs}/bias", outputs, factor=rate)


def _label(variables: Variables, tensors: dict[str, Tensor]) -> tuple[int, tuple[int, ...]]:
    """The number of classes, and the widths of the layers that map the label, which are taken over."""
    if "LabelEmbed/weight" not in variables:
        return int(variables.number("", "label_size", 0)), ()
    classes, width = variables.lengths("LabelEmbed/weight", 2)
    _dense(variables, tensors, "LabelEmbed", "label_layers.0", classes, width)
    widths = [width]
    rate = variables.number("", "mapping_lrmul", 0.1)
    while (name := f"Mapping{len(widths) - 1}") + "/weight" in variables:
        inputs, width = variables.lengths(f"{name}/weight", 2)
        _dense(variables, tensors, name, f"label_layers.{len(widths)}", inputs, width, rate)
        widths.append(width)
    return classes, tuple(widths)
