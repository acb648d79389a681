"""StyleGAN2 by the names of rosinality/stylegan2-pytorch, which pSp, e4e, StyleGAN-NADA and others share."""

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.networks.stylegan2 import MAX_BLOCKS, StyleGAN2Config

MAPPING_RATE = 0.01  # the factor on the mapping network's learning rate: the repository's, never written to files
_UNUSED = r"latent_avg|mean_latent|(.*\.)?num_batches_tracked"


def rosinality(file: NetworkWeights) -> tuple[StyleGAN2Config, dict[str, Tensor]]:
    """Sizes and tensors by the names of ``generator.networks.stylegan2``, with ``w_avg`` where the file has it.

    Raises:
        InputError: something is missing, does not fit, or is left over.
    """
    tensors: dict[str, Tensor] = {}
    depth = 0
    while file.has(f"style.{depth + 1}.weight"):
        # All of the repository's layers are square: z and w have one length.
        side = file.shape(f"style.{depth + 1}.weight")[-1]
        weight = file.tensor(f"style.{depth + 1}.weight", side, side)
        tensors[f"mapping.layers.{depth}.weight"] = weight * (MAPPING_RATE * weight.shape[1] ** -0.5)
        bias = file.tensor(f"style.{depth + 1}.bias", len(weight))
        tensors[f"mapping.layers.{depth}.bias"] = bias * MAPPING_RATE
        depth += 1
    if depth == 0:
        raise InputError("its generator has no mapping network (style)")
    widths = tuple(len(tensors[f"mapping.layers.{i}.bias"]) for i in range(depth))
    constant = file.tensor("input.input", 1, 0, 4, 0)
    tensors["synthesis.blocks.0.constant"] = constant
    channels = [constant.shape[1]]
    _conv(file, tensors, "conv1", "synthesis.blocks.0.conv", 0, channels[0], widths[-1])
    _to_rgb(file, tensors, "to_rgb1", "synthesis.blocks.0.to_rgb", channels[0], widths[-1])
    while file.has(f"convs.{2 * len(channels) - 2}.conv.weight"):
        i = len(channels)
        if i == MAX_BLOCKS:
            raise InputError(f"it has more than {4 << (i - 1)} pixels, which is not read")
        ours = f"synthesis.blocks.{i}"
        _conv(file, tensors, f"convs.{2 * i - 2}", f"{ours}.up", 2 * i - 1, channels[-1], widths[-1])
        channels.append(len(tensors[f"{ours}.up.bias"]))
        _conv(file, tensors, f"convs.{2 * i - 1}", f"{ours}.conv", 2 * i, channels[-1], widths[-1])
        _to_rgb(file, tensors, f"to_rgbs.{i - 1}", f"{ours}.to_rgb", channels[-1], widths[-1])
    stored = file.tensors.get("latent_avg", file.mean)
    if stored is not None:
        # Encoders keep it once for each row of ws.
        mean = stored.read()
        tensors["w_avg"] = mean.reshape(-1, widths[-1])[0] if mean.numel() % widths[-1] == 0 else mean
    config = StyleGAN2Config(
        z_dim=tensors["mapping.layers.0.weight"].shape[1],
        mapping_widths=widths,
        channels=tuple(channels),
        image_channels=len(tensors["synthesis.blocks.0.to_rgb.bias"]),
        taps=_taps(file),
        base_width=constant.shape[-1],
    )
    file.check_all_read(_UNUSED)
    return config, tensors


def _conv(
    file: NetworkWeights,
    tensors: dict[str, Tensor],
    theirs: str,
    ours: str,
    layer: int,
    in_channels: int,
    w_dim: int,
) -> None:
    weight = file.tensor(f"{theirs}.conv.weight", 1, 0, in_channels, 3, 3)[0]
    tensors[f"{ours}.weight"] = weight * (9 * in_channels) ** -0.5
    tensors[f"{ours}.bias"] = file.tensor(f"{theirs}.activate.bias", len(weight))
    _style(file, tensors, theirs, ours, in_channels, w_dim)
    tensors[f"{ours}.noise_strength"] = file.tensor(f"{theirs}.noise.weight", 1)[0]
    octave = (layer + 1) // 2
    shape = (1, 1, 4 << octave, file.shape("input.input")[-1] << octave)
    if file.has(f"noises.noise_{layer}"):
        tensors[f"{ours}.noise"] = file.tensor(f"noises.noise_{layer}", *shape)
    else:  # files of the repository's first months have no maps
        tensors[f"{ours}.noise"] = torch.randn(shape, generator=torch.Generator().manual_seed(layer))


def _to_rgb(
    file: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, channels: int, w_dim: int
) -> None:
    weight = file.tensor(f"{theirs}.conv.weight", 1, 0, channels, 1, 1)[0, :, :, 0, 0]
    tensors[f"{ours}.weight"] = weight * channels**-0.5
    tensors[f"{ours}.bias"] = file.tensor(f"{theirs}.bias", 1, len(weight), 1, 1).reshape(-1)
    _style(file, tensors, theirs, ours, channels, w_dim)


def _style(
    file: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, channels: int, w_dim: int
) -> None:
    weight = file.tensor(f"{theirs}.conv.modulation.weight", channels, w_dim)
    tensors[f"{ours}.style.weight"] = weight * w_dim**-0.5
    tensors[f"{ours}.style.bias"] = file.tensor(f"{theirs}.conv.modulation.bias", channels)


def _taps(file: NetworkWeights) -> tuple[float, ...]:
    """The one filter of all layers that double the resolution."""
    names = [name for name in file.tensors if name.endswith((".blur.kernel", ".upsample.kernel"))]
    kernels = [file.tensor(name, 0, 0) for name in names]
    if not kernels:
        return StyleGAN2Config.taps
    if any(kernel.shape != kernels[0].shape or not torch.allclose(kernel, kernels[0]) for kernel in kernels):
        raise InputError("its layers have several filters, which is not read")
    return tuple(kernels[0].sum(dim=0).double().tolist())
