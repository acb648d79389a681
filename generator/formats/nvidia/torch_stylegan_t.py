"""StyleGAN-T's generator, by the names of its official PyTorch repository (stylegan-t).

Snapshots are whole networks, saved with dill. That of a model with texts also holds CLIP's text encoder, which no
picture needs once the texts' codes are known.
"""

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.nvidia.torch_weights import (
    check_activation,
    dense_tensors,
    fourier_tensors,
    resample_taps,
)
from stylegan_latents.generator.networks.stylegan2 import MAX_BLOCKS
from stylegan_latents.generator.networks.stylegan_t import BANDWIDTH, FIRST, StyleGANTConfig

_MOST_LAYERS = 64
_UNUSED = r"mapping\.clip\..*|(.*\.)?(resample_filter|num_batches_tracked)"
_RATE = 0.01  # of the mapping network's training; its layers say their own, except in a state dict


def stylegan_t(weights: NetworkWeights) -> tuple[StyleGANTConfig, dict[str, Tensor]]:
    """Sizes and tensors by the names of ``generator.networks.stylegan_t``, and the mean x as ``w_avg``.

    The texts' codes (``mapping.texts``) are left out, as no file has them; see ``formats.text_codes``.

    Raises:
        InputError: something is missing, does not fit, or is left over.
    """
    sides = [FIRST]
    while weights.has(f"synthesis.b{2 * sides[-1]}.conv0.weight"):
        sides.append(2 * sides[-1])
        if len(sides) >= MAX_BLOCKS:
            raise InputError(f"it has more than {sides[-2]} pixels, which is not read")
    tensors: dict[str, Tensor] = {}
    widths = _mapping(weights, tensors)
    w_dim = weights.shape(f"synthesis.b{FIRST}.input.affine.weight")[-1]
    if w_dim < widths[-1]:
        raise InputError("its synthesis network does not fit its mapping network")
    first, last = f"synthesis.b{FIRST}", f"synthesis.b{sides[-1]}"
    pictures = [weights.has(f"synthesis.b{side}.torgb.weight") for side in sides]
    layers = sum(weights.has(f"{first}.convs1.{i}.weight") for i in range(_MOST_LAYERS))
    channels = tuple(weights.shape(f"synthesis.b{side}.convs1.0.bias")[0] for side in sides)
    clamp = weights.attribute(f"{last}.convs1.0", "conv_clamp", StyleGANTConfig.clamp)
    try:
        config = StyleGANTConfig(
            z_dim=tensors["mapping.layers.0.weight"].shape[1],
            mapping_widths=widths,
            channels=channels,
            image_channels=weights.shape(f"{last}.torgb.bias")[0],
            pairs=layers // 2,
            groups=weights.whole(f"{first}.convs1.1.norm", "num_groups", StyleGANTConfig.groups),
            # A network of one block is the same in both ways.
            pictures=all(pictures),
            taps=resample_taps(weights, last),
            clamp=None if clamp is None else weights.number(f"{last}.convs1.0", "conv_clamp", 256.0),
            has_noise=weights.has(f"{last}.convs1.0.noise_const"),
            text_dim=w_dim - widths[-1],
        )
    except (ValueError, IndexError) as error:
        raise InputError(f"its sizes do not fit one another: {error}") from error
    _check_input(weights, f"{first}.input")
    fourier_tensors(weights, tensors, f"{first}.input", config.channels[0], w_dim)
    for index, side in enumerate(sides):
        _block(weights, tensors, config, index, f"synthesis.b{side}")
    tensors["w_avg"] = weights.tensor("mapping.x_avg", config.x_dim)
    weights.check_all_read(_UNUSED)
    pictured = {"img_resolution": config.resolution, "img_channels": config.image_channels}
    rows = 1 + 2 * config.pairs * len(sides) + len(sides)
    weights.check_sizes("", z_dim=config.z_dim, c_dim=config.text_dim, w_dim=w_dim, num_ws=rows, **pictured)
    weights.check_sizes("synthesis", w_dim=w_dim, num_ws=rows, **pictured)
    return config, tensors


def _mapping(weights: NetworkWeights, tensors: dict[str, Tensor]) -> tuple[int, ...]:
    """Take over the mapping network's tensors; returns its layers' widths."""
    depth = 0
    while weights.has(f"mapping.mlp.fc{depth}.weight"):
        depth += 1
    if depth == 0:
        raise InputError("its generator has no mapping network")
    for i in range(depth):
        check_activation(weights, f"mapping.mlp.fc{i}", "linear" if i == depth - 1 else "lrelu")
        dense_tensors(weights, tensors, f"mapping.mlp.fc{i}", f"mapping.layers.{i}", _RATE)
    return tuple(len(tensors[f"mapping.layers.{i}.bias"]) for i in range(depth))


def _check_input(weights: NetworkWeights, module: str) -> None:
    wanted = {"sampling_rate": FIRST, "bandwidth": BANDWIDTH}
    if any(weights.number(module, name, value) != value for name, value in wanted.items()):
        raise InputError(f"its '{module}' has other frequencies than a StyleGAN-T's, which is not read")


def _block(
    weights: NetworkWeights, tensors: dict[str, Tensor], config: StyleGANTConfig, index: int, theirs: str
) -> None:
    ours, channels = f"synthesis.blocks.{index}", config.channels[index]
    if index:
        before = config.channels[index - 1]
        _conv(weights, tensors, config, f"{theirs}.conv0", f"{ours}.up", (channels, before, FIRST << index))
    for i in range(2 * config.pairs):
        module, sizes = f"{theirs}.convs1.{i}", (channels, channels, FIRST << index)
        _conv(weights, tensors, config, module, f"{ours}.conv{i}", sizes)
        residual = i % 2 == 1
        if weights.has(f"{module}.gamma") is not residual:
            raise InputError(f"its '{module}' is not residual where a StyleGAN-T's is")
        if residual:
            _residual(weights, tensors, config, module, f"{ours}.conv{i}")
    if config.pictures or index == len(config.channels) - 1:
        _style(weights, tensors, f"{theirs}.torgb.affine", f"{ours}.to_rgb.style", channels, config.w_dim)
        gain = weights.number(f"{theirs}.torgb", "weight_gain", channels**-0.5)
        weight = weights.tensor(f"{theirs}.torgb.weight", config.image_channels, channels, 1, 1)
        tensors[f"{ours}.to_rgb.weight"] = gain * weight[:, :, 0, 0]
        tensors[f"{ours}.to_rgb.bias"] = weights.tensor(f"{theirs}.torgb.bias", config.image_channels)


def _conv(
    weights: NetworkWeights,
    tensors: dict[str, Tensor],
    config: StyleGANTConfig,
    theirs: str,
    ours: str,
    sizes: tuple[int, int, int],
) -> None:
    out_channels, in_channels, side = sizes
    check_activation(weights, theirs)
    if not weights.is_state_dict and weights.attribute(theirs, "conv_clamp", config.clamp) != config.clamp:
        raise InputError(f"its '{theirs}' is bounded otherwise than its other layers")
    _style(weights, tensors, f"{theirs}.affine", f"{ours}.style", in_channels, config.w_dim)
    tensors[f"{ours}.weight"] = weights.tensor(f"{theirs}.weight", out_channels, in_channels, 3, 3)
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", out_channels)
    if config.has_noise:
        tensors[f"{ours}.noise"] = weights.tensor(f"{theirs}.noise_const", side, side)[None, None]
        tensors[f"{ours}.noise_strength"] = weights.tensor(f"{theirs}.noise_strength")


def _residual(
    weights: NetworkWeights, tensors: dict[str, Tensor], config: StyleGANTConfig, theirs: str, ours: str
) -> None:
    channels = len(tensors[f"{ours}.bias"])
    if weights.number(f"{theirs}.norm", "eps", 1e-5) != 1e-5:
        raise InputError(f"its '{theirs}' is normalised otherwise than a StyleGAN-T's, which is not read")
    if weights.whole(f"{theirs}.norm", "num_groups", config.groups) != config.groups:
        raise InputError(f"its '{theirs}' has other groups of channels than its other layers")
    tensors[f"{ours}.norm.weight"] = weights.tensor(f"{theirs}.norm.weight", channels)
    tensors[f"{ours}.norm.bias"] = weights.tensor(f"{theirs}.norm.bias", channels)
    tensors[f"{ours}.scale"] = weights.tensor(f"{theirs}.gamma", 1, channels, 1, 1).reshape(channels)


def _style(
    weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, channels: int, w_dim: int
) -> None:
    """A style of second order; to-RGB's gain is on its weight, as the style itself is what both have."""
    dense_tensors(weights, tensors, f"{theirs}.proj", ours, 1.0)
    if tensors[f"{ours}.weight"].shape != (3 * channels, w_dim):
        raise InputError(f"its '{theirs}' does not fit its other layers")
