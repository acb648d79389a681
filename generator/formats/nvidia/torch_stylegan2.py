"""StyleGAN2-ADA's generator, by the names of NVIDIA's PyTorch repositories (stylegan2-ada-pytorch, stylegan3)."""

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.nvidia.torch_weights import (
    affine_tensors,
    check_activation,
    mapping_tensors,
    resample_taps,
)
from stylegan_latents.generator.networks.stylegan2 import MAX_BLOCKS, StyleGAN2Config

_UNUSED = r"(.*\.)?(resample_filter|num_batches_tracked)"  # every layer has the same filter


def stylegan2(weights: NetworkWeights) -> tuple[StyleGAN2Config, dict[str, Tensor]]:
    """Sizes and tensors by the names of ``generator.networks.stylegan2``, with ``w_avg`` where the file has it.

    Raises:
        InputError: something is missing, does not fit, or is left over.
    """
    sides = [4]
    while weights.has(f"synthesis.b{2 * sides[-1]}.conv1.weight"):
        sides.append(2 * sides[-1])
        if len(sides) > MAX_BLOCKS:
            raise InputError(f"it has more than {sides[-2]} pixels, which is not read")
    tensors = mapping_tensors(weights)
    w_dim = tensors["w_avg"].shape[0] if "w_avg" in tensors else len(list(tensors.values())[-1])
    channels: list[int] = []
    for i, side in enumerate(sides):
        channels.append(_block(weights, tensors, side, i, channels[-1] if channels else 0, w_dim))
    last = f"synthesis.b{sides[-1]}"
    pictures = sum(weights.has(f"synthesis.b{side}.torgb.weight") for side in sides)
    residual = any(weights.has(f"synthesis.b{side}.skip.weight") for side in sides)
    clamp = weights.attribute(f"{last}.conv1", "conv_clamp", None)
    depth = sum(name.startswith("mapping.layers.") and name.endswith(".bias") for name in tensors)
    embed = tensors.get("mapping.embed.weight")
    label_width, label_dim = (0, 0) if embed is None else embed.shape
    config = StyleGAN2Config(
        z_dim=tensors["mapping.layers.0.weight"].shape[1] - label_width,
        mapping_widths=tuple(len(tensors[f"mapping.layers.{i}.bias"]) for i in range(depth)),
        channels=tuple(channels),
        label_dim=label_dim,
        label_width=label_width,
        image_channels=len(tensors[f"synthesis.blocks.{len(sides) - 1}.to_rgb.bias"]),
        # A network of one block is the same in every architecture.
        architecture="resnet" if residual else "skip" if pictures == len(sides) else "orig",
        taps=resample_taps(weights, last),
        clamp=None if clamp is None else weights.number(f"{last}.conv1", "conv_clamp", 0),
        has_noise=weights.has(f"{last}.conv1.noise_const"),
        base_width=weights.shape("synthesis.b4.const")[-1],
    )
    weights.check_all_read(_UNUSED)
    pictured = {"img_resolution": config.resolution, "img_channels": config.image_channels}
    rows = 2 * len(sides)
    weights.check_sizes("", z_dim=config.z_dim, c_dim=label_dim, w_dim=config.w_dim, num_ws=rows, **pictured)
    weights.check_sizes("synthesis", w_dim=config.w_dim, num_ws=rows, **pictured)
    weights.check_sizes("mapping", z_dim=config.z_dim, c_dim=label_dim, w_dim=config.w_dim, num_layers=depth)
    return config, tensors


def _block(
    weights: NetworkWeights, tensors: dict[str, Tensor], side: int, index: int, before: int, w_dim: int
) -> int:
    """Take over one resolution's tensors; returns its number of channels."""
    theirs, ours = f"synthesis.b{side}", f"synthesis.blocks.{index}"
    channels = weights.tensor(f"{theirs}.conv1.bias", 0).shape[0]
    if index == 0:
        tensors[f"{ours}.constant"] = weights.tensor(f"{theirs}.const", channels, 4, 0).unsqueeze(0)
    width = side * weights.shape("synthesis.b4.const")[-1] // 4
    if index:
        styled_conv(weights, tensors, f"{theirs}.conv0", f"{ours}.up", (channels, before, side, w_dim), width)
    styled_conv(weights, tensors, f"{theirs}.conv1", f"{ours}.conv", (channels, channels, side, w_dim), width)
    if weights.has(f"{theirs}.torgb.weight"):
        to_rgb(weights, tensors, f"{theirs}.torgb", f"{ours}.to_rgb", channels, w_dim)
    if weights.has(f"{theirs}.skip.weight"):
        gain = weights.number(f"{theirs}.skip", "weight_gain", before**-0.5)
        tensors[f"{ours}.skip"] = gain * weights.tensor(f"{theirs}.skip.weight", channels, before, 1, 1)
    return channels


def to_rgb(
    weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, channels: int, w_dim: int
) -> None:
    """Take over the tensors of a to-RGB."""
    affine_tensors(weights, tensors, f"{theirs}.affine", f"{ours}.style", channels, w_dim)
    gain = weights.number(theirs, "weight_gain", channels**-0.5)
    weight = weights.tensor(f"{theirs}.weight", 0, channels, 1, 1)
    tensors[f"{ours}.weight"] = gain * weight[:, :, 0, 0]
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", len(weight))


def styled_conv(
    weights: NetworkWeights,
    tensors: dict[str, Tensor],
    theirs: str,
    ours: str,
    sizes: tuple[int, int, int, int],
    width: int | None = None,
    *,
    noisy: bool = True,
) -> None:
    """Take over the tensors of a modulated convolution.

    Args:
        weights, tensors, theirs, ours: where from, where to, and its names there.
        sizes: channels out and in, height, length of w.
        width: None for the height.
        noisy: whether its noise is read, where it has one.
    """
    out_channels, in_channels, side, w_dim = sizes
    check_activation(weights, theirs)
    affine_tensors(weights, tensors, f"{theirs}.affine", f"{ours}.style", in_channels, w_dim)
    tensors[f"{ours}.weight"] = weights.tensor(f"{theirs}.weight", out_channels, in_channels, 3, 3)
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", out_channels)
    if noisy and weights.has(f"{theirs}.noise_const"):
        tensors[f"{ours}.noise"] = weights.tensor(f"{theirs}.noise_const", side, width or side)[None, None]
        tensors[f"{ours}.noise_strength"] = weights.tensor(f"{theirs}.noise_strength")
