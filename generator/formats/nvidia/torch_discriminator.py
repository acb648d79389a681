"""The discriminator of NVIDIA's PyTorch pickles: StyleGAN2-ADA's, which StyleGAN3's repository uses too."""

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.nvidia.torch_weights import (
    check_activation,
    dense_tensors,
    resample_taps,
)
from stylegan_latents.generator.networks.stylegan2 import MAX_BLOCKS, Architecture
from stylegan_latents.generator.networks.stylegan2_discriminator import StyleGAN2DiscriminatorConfig


def torch_discriminator(weights: NetworkWeights) -> tuple[StyleGAN2DiscriminatorConfig, dict[str, Tensor]]:
    """Sizes and tensors by the names of ``generator.networks.stylegan2_discriminator``.

    Raises:
        InputError: something is missing, does not fit, or is left over.
    """
    if not weights.has("b4.out.weight"):
        raise InputError(f"it holds the network {weights.class_name!r}, which is no StyleGAN2 discriminator")
    sides = [4]
    while weights.has(f"b{2 * sides[-1]}.conv0.weight"):
        sides.append(2 * sides[-1])
        if len(sides) > MAX_BLOCKS:
            raise InputError(f"it has more than {sides[-2]} pixels, which is not read")
    tensors: dict[str, Tensor] = {}
    channels = [len(weights.tensor("b4.conv.bias", 0))]
    for i, side in enumerate(sides[1:]):
        width = len(weights.tensor(f"b{side}.conv0.bias", 0))
        _conv(weights, tensors, f"b{side}.conv0", f"blocks.{i}.conv", (width, width, 3))
        _conv(weights, tensors, f"b{side}.conv1", f"blocks.{i}.down", (channels[-1], width, 3))
        if weights.has(f"b{side}.skip.weight"):
            gain = weights.number(f"b{side}.skip", "weight_gain", width**-0.5)
            tensors[f"blocks.{i}.skip"] = gain * weights.tensor(f"b{side}.skip.weight", channels[-1], width, 1, 1)
        channels.append(width)
    taking = [weights.has(f"b{side}.fromrgb.weight") for side in sides]
    for i, side in enumerate(sides):
        if taking[i]:
            ours = f"blocks.{i - 1}.from_rgb" if i else "from_rgb"
            _conv(weights, tensors, f"b{side}.fromrgb", ours, (channels[i], 0, 1))
    if not taking[-1]:
        raise InputError("its discriminator lacks the layer that takes the picture")
    last = f"blocks.{len(sides) - 2}.from_rgb" if len(sides) > 1 else "from_rgb"
    _conv(weights, tensors, "b4.conv", "conv", (channels[0], 0, 3))
    for theirs, ours in (("b4.fc", "hidden"), ("b4.out", "out")):
        dense_tensors(weights, tensors, theirs, ours, 1.0)
    label_widths = _label(weights, tensors)
    residual = any(name.endswith(".skip") for name in tensors)
    architecture: Architecture = "resnet" if residual else "skip" if all(taking) else "orig"
    group = weights.attribute("b4.mbstd", "group_size", None)
    clamp = weights.attribute("b4.conv", "conv_clamp", None)
    config = StyleGAN2DiscriminatorConfig(
        channels=tuple(channels),
        hidden=len(tensors["hidden.bias"]),
        image_channels=tensors[f"{last}.weight"].shape[1],
        label_dim=tensors["label_layers.0.weight"].shape[1] if label_widths else 0,
        label_widths=label_widths,
        architecture=architecture,
        taps=resample_taps(weights, f"b{sides[-1]}"),
        clamp=None if clamp is None else weights.number("b4.conv", "conv_clamp", 0),
        group=None if group is None else int(weights.number("b4.mbstd", "group_size", 4)),
        deviations=tensors["conv.weight"].shape[1] - channels[0],
    )
    # Of an earlier block's picture, where only the first block's is used, there can be weights.
    weights.check_all_read(r"(.*\.)?(resample_filter|num_batches_tracked)|mapping\.w_avg")
    return config, tensors


def _conv(
    weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, shape: tuple[int, int, int]
) -> None:
    """Take over a convolution of (outputs, inputs, side); inputs of 0: any number."""
    check_activation(weights, theirs)
    outputs, inputs, side = shape
    weight = weights.tensor(f"{theirs}.weight", outputs, inputs, side, side)
    tensors[f"{ours}.weight"] = weight * weights.number(theirs, "weight_gain", weight[0].numel() ** -0.5)
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", outputs)


def _label(weights: NetworkWeights, tensors: dict[str, Tensor]) -> tuple[int, ...]:
    """The widths of the layers that map the label, which are taken over; none without classes."""
    if not weights.has("mapping.embed.weight"):
        return ()
    dense_tensors(weights, tensors, "mapping.embed", "label_layers.0", 1.0)
    depth = 0
    while weights.has(f"mapping.fc{depth}.weight"):
        check_activation(weights, f"mapping.fc{depth}")
        dense_tensors(weights, tensors, f"mapping.fc{depth}", f"label_layers.{depth + 1}", 0.01)
        depth += 1
    return tuple(len(tensors[f"label_layers.{i}.bias"]) for i in range(depth + 1))
