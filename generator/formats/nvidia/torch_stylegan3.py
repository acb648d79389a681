"""StyleGAN3's generator, and StyleGAN-XL's of the same layers, by the names of NVIDIA's PyTorch repository.

Sizes come from the attributes of the file's layers, or for a state dict from their names and the paper's rules. The
filters are computed from the sizes, and have to be the ones that the file holds.
"""

import re
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.nvidia.torch_weights import dense_tensors, fourier_tensors, mapping_tensors
from stylegan_latents.generator.networks.alias_free import StyleGAN3Config, design
from stylegan_latents.generator.ops.filtered_leaky_relu import Resampling

_MAX_LAYERS = 65


def stylegan3(weights: NetworkWeights) -> tuple[StyleGAN3Config, dict[str, Tensor]]:
    """Sizes and tensors by the names of ``Synthesis`` and its mapping network.

    Raises:
        InputError: something is missing, or does not fit.
    """
    tensors = mapping_tensors(weights)
    if weights.has("mapping.embed_proj.weight"):
        _classes(weights, tensors)
    names = _layer_names(weights)
    config = (_designed if weights.is_state_dict else _sizes)(weights, tensors, names)
    _input(weights, tensors, config)
    for i, name in enumerate(names):
        _layer(weights, tensors, f"synthesis.{name}", i, config)
    weights.check_all_read(r"mapping\.w_avg|(.*\.)?num_batches_tracked")
    pictured = {"img_resolution": config.resolution, "img_channels": config.channels[-1]}
    weights.check_sizes("", z_dim=config.z_dim, c_dim=config.label_dim, w_dim=config.w_dim, **pictured)
    weights.check_sizes("synthesis", w_dim=config.w_dim, num_ws=config.depth + 2, **pictured)
    return config, tensors


def _classes(weights: NetworkWeights, tensors: dict[str, Tensor]) -> None:
    """StyleGAN-XL's classes (Sauer et al., 2022): an embedding of each, projected, and the mean w of each.

    What comes before the unit length is the same for every image of a class, so it is one table.
    """
    means = weights.tensor("mapping.w_avg", 0, len(tensors["mapping.layers.0.bias"]))
    embedding = weights.tensor("mapping.embed.weight", 0, 0)
    if len(embedding) < len(means) or weights.attribute("mapping.embed_proj", "activation", "lrelu") != "lrelu":
        raise InputError("its classes do not fit its embedding")
    projection: dict[str, Tensor] = {}
    dense_tensors(weights, projection, "mapping.embed_proj", "embed", 1.0)
    if projection["embed.weight"].shape[1] != embedding.shape[1]:
        raise InputError("its classes do not fit its embedding")
    table = F.linear(embedding[: len(means)], projection["embed.weight"], projection["embed.bias"])
    tensors["mapping.embed.weight"] = (F.leaky_relu(table, 0.2) * 2**0.5).T.contiguous()
    tensors["mapping.embed.bias"] = torch.zeros(table.shape[1])
    tensors["class_w_avg"], tensors["w_avg"] = means, means.mean(dim=0)


def _layer_names(weights: NetworkWeights) -> list[str]:
    found = {name.split(".")[1] for name in weights.tensors if re.match(r"synthesis\.L\d+_\d+_\d+\.weight$", name)}
    ordered = sorted(found, key=lambda name: int(name[1:].split("_")[0]))
    names = weights.attribute("synthesis", "layer_names", ordered)
    if not isinstance(names, list | tuple) or not 2 <= len(names) <= _MAX_LAYERS:
        raise InputError("its generator does not say which layers it has")
    for name in names:
        if not isinstance(name, str) or not weights.has(f"synthesis.{name}.weight"):
            raise InputError(f"its generator lacks the layer '{str(name)[:40]}'")
    return [str(name) for name in names]


def _designed(weights: NetworkWeights, tensors: dict[str, Tensor], names: list[str]) -> StyleGAN3Config:
    """The sizes of a state dict: those in its layers' names (``L0_36_512``), with the paper's cutoffs."""
    sizes = tuple(int(name.split("_")[1]) for name in names)
    label_width, label_dim = tensors["mapping.embed.weight"].shape if "mapping.embed.weight" in tensors else (0, 0)
    depth = sum(name.startswith("mapping.layers.") and name.endswith(".bias") for name in tensors)
    modules = [f"synthesis.{name}" for name in names]
    try:
        config = design(
            resolution=sizes[-1],
            z_dim=tensors["mapping.layers.0.weight"].shape[1] - label_width,
            mapping_widths=tuple(len(tensors[f"mapping.layers.{i}.bias"]) for i in range(depth)),
            label_dim=label_dim,
            label_width=label_width,
            depth=len(names) - 1,
            radial=any(
                weights.has(f"{module}.down_filter") and len(weights.shape(f"{module}.down_filter")) == 2
                for module in modules
            ),
            kernel=weights.shape(f"{modules[0]}.weight")[-1],
        )
        channels = tuple(weights.shape(f"{module}.bias")[0] for module in modules)
        return replace(config, sizes=sizes, channels=channels)
    except (ValueError, IndexError, OverflowError) as error:
        raise InputError(f"its sizes do not fit one another: {error}") from error


def _sizes(weights: NetworkWeights, tensors: dict[str, Tensor], names: list[str]) -> StyleGAN3Config:
    modules = [f"synthesis.{name}" for name in names]
    embed = tensors.get("mapping.embed.weight")
    label_width, label_dim = (0, 0) if embed is None else embed.shape
    depth = sum(name.startswith("mapping.layers.") and name.endswith(".bias") for name in tensors)
    inner = modules[:-1]
    critical = sum(weights.attribute(module, "is_critically_sampled", False) is True for module in inner)
    flags = [weights.attribute(module, "down_radial", False) is True for module in inner]
    ups = [(weights.whole(module, "up_taps", 1), weights.whole(module, "up_factor", 1)) for module in inner]
    downs = [(weights.whole(module, "down_taps", 1), weights.whole(module, "down_factor", 1)) for module in inner]
    ratios = {taps // factor for taps, factor in ups + downs if factor > 1} or {6}
    rates = [_rate(weights, module, "out") for module in modules]
    before = [_rate(weights, module, "in") for module in modules]
    high = [_rate(weights, module, "tmp") for module in inner]
    denser = {h // max(pair) for h, pair in zip(high, zip(before, rates, strict=False), strict=False)}
    clamps = {weights.attribute(module, "conv_clamp", None) for module in modules}
    if len(ratios) > 1 or len(denser) > 1 or len(clamps) > 1:
        raise InputError("its layers do not agree on the length of their filters, or on their bounds")
    (clamp,) = clamps
    try:
        config = StyleGAN3Config(
            z_dim=tensors["mapping.layers.0.weight"].shape[1] - label_width,
            mapping_widths=tuple(len(tensors[f"mapping.layers.{i}.bias"]) for i in range(depth)),
            channels=tuple(weights.shape(f"{module}.bias")[0] for module in modules),
            sizes=tuple(_side(weights, module, "out_size") for module in modules),
            rates=tuple(rates),
            cutoffs=tuple(weights.number(module, "out_cutoff", 0) for module in modules),
            half_widths=tuple(weights.number(module, "out_half_width", 0) for module in modules),
            label_dim=label_dim,
            label_width=label_width,
            critical=critical,
            kernel=weights.shape(f"{modules[0]}.weight")[-1],
            filter_size=ratios.pop(),
            oversampling=denser.pop(),
            radial=any(flags),
            clamp=None if clamp is None else weights.number(modules[0], "conv_clamp", 0),
            output_scale=weights.number("synthesis", "output_scale", 0.25),
        )
    except (ValueError, IndexError) as error:
        raise InputError(f"its sizes do not fit one another: {error}") from error
    # A layer's own sizes have to continue those of the layer before.
    sources = [_side(weights, module, "in_size") for module in modules]
    first = (config.rates[0], config.sizes[0])
    wanted = [first, *zip(config.rates[:-1], config.sizes[:-1], strict=True)]
    if list(zip(before, sources, strict=True)) != wanted:
        raise InputError("its layers do not follow one another")
    if flags != [config.radial and i < config.depth - critical for i in range(config.depth)]:
        raise InputError("its radial filters are in places that no StyleGAN3 has")
    return config


def _rate(weights: NetworkWeights, module: str, which: str) -> int:
    return weights.whole(module, f"{which}_sampling_rate", 0)


def _side(weights: NetworkWeights, module: str, name: str) -> int:
    value = weights.attribute(module, name, None)
    try:
        width, height = (int(side) for side in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise InputError(f"its {module}.{name} is no size") from error
    if width != height:
        raise InputError("its images are not square, which is not read")
    return width


def _input(weights: NetworkWeights, tensors: dict[str, Tensor], config: StyleGAN3Config) -> None:
    theirs, channels = "synthesis.input", config.channels[0]
    if not weights.is_state_dict:
        side, rate = _side(weights, theirs, "size"), weights.whole(theirs, "sampling_rate", 0)
        if (side, rate) != (config.sizes[0], config.rates[0]):
            raise InputError("its input does not fit its first layer")
        if abs(weights.number(theirs, "bandwidth", 0) - config.cutoffs[0]) > 1e-6 * config.cutoffs[0]:
            raise InputError("its input has other frequencies than its first layer")
    fourier_tensors(weights, tensors, theirs, channels, config.w_dim)


def _layer(
    weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, index: int, config: StyleGAN3Config
) -> None:
    ours, to_rgb = f"synthesis.convs.{index}", index == config.depth
    before, channels = config.channels[max(index - 1, 0)], config.channels[index]
    kernel = 1 if to_rgb else config.kernel
    if weights.attribute(theirs, "is_torgb", to_rgb) is not to_rgb:
        raise InputError(f"its '{theirs}' is not where a picture is made")
    dense_tensors(weights, tensors, f"{theirs}.affine", f"{ours}.style", 1.0)
    if tensors[f"{ours}.style.weight"].shape != (before, config.w_dim):
        raise InputError(f"its '{theirs}' does not fit its other layers")
    weight = weights.tensor(f"{theirs}.weight", channels, before, kernel, kernel)
    tensors[f"{ours}.weight"] = weight * before**-0.5 if to_rgb else weight
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", channels)
    tensors[f"{ours}.magnitude"] = weights.tensor(f"{theirs}.magnitude_ema")
    if not float(tensors[f"{ours}.magnitude"]) > 0:
        raise InputError(f"its '{theirs}' has a magnitude that is not above 0")
    _check_filters(weights, theirs, config.resampling(index))


def _check_filters(weights: NetworkWeights, theirs: str, made: Resampling) -> None:
    """The filters that the sizes give have to be the file's."""
    for name, taps in (("up_filter", made.up_taps), ("down_filter", made.down_taps)):
        if not weights.has(f"{theirs}.{name}"):
            if taps == (1.0,):
                continue
            raise InputError(f"its '{theirs}' lacks its filter")
        wanted = torch.tensor(taps)
        stored = weights.tensor(f"{theirs}.{name}", *wanted.shape)
        if not torch.allclose(stored, wanted, rtol=1e-4, atol=1e-6):
            raise InputError(f"its '{theirs}.{name}' is not the filter of its sizes, which is not read")
    padding = weights.attribute(theirs, "padding", None)
    if isinstance(padding, list | tuple) and tuple(padding) != made.padding * 2:
        raise InputError(f"its '{theirs}' has other margins than its sizes give")
