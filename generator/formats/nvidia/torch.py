"""NVIDIA's pickles of PyTorch networks: stylegan2-ada-pytorch, stylegan3, and files that others write like them.

Such a file is a pickled dict with the networks ``G``, ``D`` and ``G_ema``. Each network holds the source text of
its class, which NVIDIA's loader executes. Here the text is never looked at: a network is read as its class's name
and its attributes, and the weights are put into our own definition.

StyleGAN-XL's files are written by dill, with a discriminator of other packages. Only the generator is read:
whatever belongs to those packages becomes an object without behaviour, no class of theirs is imported, and
functions that dill stores as code are never made.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.nvidia.tensorflow_network import TENSORFLOW
from stylegan_latents.generator.formats.nvidia.torch_stylegan3 import stylegan3
from stylegan_latents.generator.formats.nvidia.torch_weights import (
    NetworkWeights,
    _affine,
    check_activation,
    mapping_tensors,
    resample_taps,
)
from stylegan_latents.generator.formats.safe_pickle.inert_torch import (
    TORCH,
    InertObject,
    Known,
    NotRead,
)
from stylegan_latents.generator.formats.safe_pickle.stand_ins import PLAIN, Budget, StandIn
from stylegan_latents.generator.formats.safe_pickle.torch_file import read_stream
from stylegan_latents.generator.networks.alias_free import StyleGAN3Config
from stylegan_latents.generator.networks.stylegan2 import MAX_BLOCKS, StyleGAN2Config

_PACKAGES = (
    "dill._dill.",
    "feature_networks.",
    "pg_modules.",
    "timm.",
    "torch.ao.nn.",
    "torch.nn.modules.",
    "torch.nn.utils.spectral_norm.",
)


class _Network(InertObject):
    """A module of the file: its class's name, and the attributes that PyTorch keeps."""


def _module(budget: Budget, meta: object) -> InertObject:
    """What ``torch_utils.persistence._reconstruct_persistent_obj`` is taken for."""
    state = meta.get("state") if isinstance(meta, dict) else None
    name = meta.get("class_name") if isinstance(meta, dict) else None
    if not isinstance(state, dict) or not isinstance(name, str):
        raise InputError("the file has a network that is not understood")
    made: InertObject = type("_Network", (_Network,), {"_budget": budget})()
    made.class_name, made.state = name[:100], state
    return made


def _nested_storage(budget: Budget, contents: object) -> object:
    """What ``torch.storage._load_from_bytes`` is taken for: the older format of torch.save, within a pickle."""
    budget.charge(1024)
    if not isinstance(contents, bytes):
        raise InputError("the file has a tensor that is not understood")
    # Its own table has no bytes to open again, so nothing nests further.
    return read_stream(io.BytesIO(contents), "a tensor inside the file", TORCH)


def _dill_array(_budget: Budget, make: object, arguments: object, state: object, *_attributes: object) -> object:
    """What ``dill._dill._create_array`` is taken for: an array made by the stand-in of numpy's function."""
    if not isinstance(make, StandIn) or not isinstance(arguments, tuple):
        raise InputError("the file has an array that is not understood")
    array: Any = make(*arguments)
    if not isinstance(array, np.ndarray):
        raise InputError("the file has an array that is not understood")
    array.__setstate__(cast(Any, state))  # numpy's own class would take less, the stand-in checks more
    return array


def _dill_type(budget: Budget, name: object) -> object:
    """What ``dill._dill._load_type`` is taken for: one of Python's own types, by its name."""
    plain = PLAIN.get(f"builtins.{name}")
    if plain is None:
        raise InputError(f"the file asks for the type {str(name)[:40]!r}, which is not needed for weights")
    return plain.bound(budget)


class _IgnoringPackages(dict[str, StandIn]):
    """A table of names in which everything of StyleGAN-XL's own and borrowed packages is an inert object."""

    def __init__(self, table: Mapping[str, StandIn]) -> None:
        super().__init__(table)
        self["dill._dill._create_array"], self["dill._dill._load_type"] = StandIn(_dill_array), StandIn(_dill_type)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and name.startswith(_PACKAGES))

    def __missing__(self, name: str) -> StandIn:
        return Known(name.rpartition(".")[2])


_NAMES: dict[str, StandIn] = {
    **TENSORFLOW,  # theirs are told from these by what they hold
    "torch.storage._load_from_bytes": StandIn(_nested_storage),
    "torch_utils.persistence._reconstruct_persistent_obj": StandIn(_module),
    **dict.fromkeys(
        ("networks.generator.Generator", "networks.discriminator.ProjectedDiscriminator"),
        NotRead("it is a StyleGAN-T, which draws a text; only generators that draw from z alone are read"),
    ),
}

NVIDIA: Mapping[str, StandIn] = _IgnoringPackages(_NAMES)
"""The names that NVIDIA's pickles use, and those that are written like them."""


def torch_generator(contents: object, path: Path) -> tuple[StyleGAN2Config | StyleGAN3Config, dict[str, Tensor]]:
    """Read the generator, the averaged one (``G_ema``) where there is one, of what an NVIDIA pickle holds.

    Args:
        contents: what ``load_inert`` gave.
        path: the file's.

    Returns:
        The sizes, and tensors by the names of ``Synthesis`` (``synthesis.``) and ``Mapping`` (``mapping.``) in
        ``generator.networks.stylegan2`` or ``generator.networks.stylegan3``, with ``w_avg``; float32.

    Raises:
        InputError: the file is damaged, asks for what weights do not need, or holds no such generator; the
            message says what it seems to be.
    """
    network = contents
    if isinstance(contents, dict):
        network = next(
            (contents[key] for key in ("G_ema", "G") if isinstance(contents.get(key), InertObject)), None
        )
        if network is None and "D" in contents:
            raise InputError(f"{path.name} holds a discriminator only; give a file with a generator (G_ema).")
    if not isinstance(network, InertObject):
        raise InputError(f"{path.name} is a pickle, but none of a network: {_contents(contents)}.")
    try:
        weights = NetworkWeights(network, Budget(path.stat().st_size))
        return stylegan3(weights) if weights.has("synthesis.input.freqs") else _stylegan2(weights, path.name)
    except InputError as error:
        message = str(error)
        raise InputError(message if message.startswith(path.name) else f"{path.name}: {message}.") from error


def _contents(tree: object) -> str:
    if isinstance(tree, dict):
        return f"it has the entries {', '.join(str(key)[:40] for key in list(tree)[:6]) or '(none)'}"
    return f"it holds a {type(tree).__name__}"


def _stylegan2(weights: NetworkWeights, file: str) -> tuple[StyleGAN2Config, dict[str, Tensor]]:
    if not weights.has("synthesis.b4.const"):
        kind = "a discriminator" if weights.has("b4.out.weight") else f"the network {weights.class_name!r}"
        raise InputError(f"{file} holds {kind}, not a StyleGAN2 generator; give a file with a generator (G_ema).")
    sides = [4]
    while f"synthesis.b{2 * sides[-1]}.conv1.weight" in weights.tensors:
        sides.append(2 * sides[-1])
        if len(sides) > MAX_BLOCKS:
            raise InputError(f"{file} has more than {sides[-2]} pixels, which is not read.")
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
    )
    return config, tensors


def _block(
    weights: NetworkWeights, tensors: dict[str, Tensor], side: int, index: int, before: int, w_dim: int
) -> int:
    """Take over one resolution's tensors; returns its number of channels."""
    theirs, ours = f"synthesis.b{side}", f"synthesis.blocks.{index}"
    channels = weights.tensor(f"{theirs}.conv1.bias", 0).shape[0]
    if index == 0:
        tensors[f"{ours}.constant"] = weights.tensor(f"{theirs}.const", channels, 4, 4).unsqueeze(0)
    else:
        _conv(weights, tensors, f"{theirs}.conv0", f"{ours}.up", (channels, before, side, w_dim))
    _conv(weights, tensors, f"{theirs}.conv1", f"{ours}.conv", (channels, channels, side, w_dim))
    if weights.has(f"{theirs}.torgb.weight"):
        _affine(weights, tensors, f"{theirs}.torgb.affine", f"{ours}.to_rgb.style", channels, w_dim)
        gain = weights.number(f"{theirs}.torgb", "weight_gain", channels**-0.5)
        weight = weights.tensor(f"{theirs}.torgb.weight", 0, channels, 1, 1)
        tensors[f"{ours}.to_rgb.weight"] = gain * weight[:, :, 0, 0]
        tensors[f"{ours}.to_rgb.bias"] = weights.tensor(f"{theirs}.torgb.bias", len(weight))
    if weights.has(f"{theirs}.skip.weight"):
        gain = weights.number(f"{theirs}.skip", "weight_gain", before**-0.5)
        tensors[f"{ours}.skip"] = gain * weights.tensor(f"{theirs}.skip.weight", channels, before, 1, 1)
    return channels


def _conv(
    weights: NetworkWeights, tensors: dict[str, Tensor], theirs: str, ours: str, sizes: tuple[int, int, int, int]
) -> None:
    out_channels, in_channels, side, w_dim = sizes
    check_activation(weights, theirs)
    _affine(weights, tensors, f"{theirs}.affine", f"{ours}.style", in_channels, w_dim)
    tensors[f"{ours}.weight"] = weights.tensor(f"{theirs}.weight", out_channels, in_channels, 3, 3)
    tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.bias", out_channels)
    if weights.has(f"{theirs}.noise_const"):
        tensors[f"{ours}.noise"] = weights.tensor(f"{theirs}.noise_const", side, side)[None, None]
        tensors[f"{ours}.noise_strength"] = weights.tensor(f"{theirs}.noise_strength")
