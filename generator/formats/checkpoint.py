"""Checkpoints of all repositories: opens the file, finds the network that is meant, and has it read by its names.

One search serves every layout: NVIDIA's pickles, ``torch.save`` of networks or state dicts, safetensors; under any
key or prefix (``g_ema``, ``params_ema``, ``generator.``, ``module.``), in lists and tuples, inside encoders' files.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.formats.file_head import FileHead
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.nvidia.tensorflow_discriminator import tensorflow_discriminator
from stylegan_latents.generator.formats.nvidia.tensorflow_network import Variables, networks_in
from stylegan_latents.generator.formats.nvidia.tensorflow_stylegan1 import read_stylegan1
from stylegan_latents.generator.formats.nvidia.tensorflow_stylegan2 import read_stylegan2
from stylegan_latents.generator.formats.nvidia.torch_discriminator import torch_discriminator
from stylegan_latents.generator.formats.nvidia.torch_eg3d import eg3d
from stylegan_latents.generator.formats.nvidia.torch_stylegan2 import stylegan2
from stylegan_latents.generator.formats.nvidia.torch_stylegan3 import stylegan3
from stylegan_latents.generator.formats.nvidia.torch_stylegan_t import stylegan_t
from stylegan_latents.generator.formats.nvidia.torch_text_encoder import SIGN, text_encoder
from stylegan_latents.generator.formats.rosinality import rosinality
from stylegan_latents.generator.formats.safe_pickle.checkpoint_names import CHECKPOINT
from stylegan_latents.generator.formats.safe_pickle.inert_torch import InertObject, StoredTensor, tensors_of
from stylegan_latents.generator.formats.safe_pickle.torch_file import open_torch_file
from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert
from stylegan_latents.generator.formats.stylenerf import stylenerf
from stylegan_latents.generator.networks.alias_free import StyleGAN3Config
from stylegan_latents.generator.networks.eg3d import EG3DConfig
from stylegan_latents.generator.networks.stylegan1 import StyleGAN1Config
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.generator.networks.stylegan2_discriminator import StyleGAN2DiscriminatorConfig
from stylegan_latents.generator.networks.stylegan_t import StyleGANTConfig
from stylegan_latents.generator.networks.stylenerf import StyleNeRFConfig
from stylegan_latents.generator.networks.text_encoder import TextEncoderConfig
from stylegan_latents.generator.reading.budget import Budget
from stylegan_latents.generator.reading.files import refusing_damage
from stylegan_latents.generator.reading.tensor_file import TensorFile

Config = EG3DConfig | StyleGAN1Config | StyleGAN2Config | StyleGAN3Config | StyleGANTConfig | StyleNeRFConfig

_GENERATORS: dict[str, Callable[[NetworkWeights], tuple[Config, dict[str, Tensor]]]] = {
    "backbone.synthesis.b4.const": eg3d,
    "synthesis.fg_nerf.fc_in.weight": stylenerf,
    "synthesis.input.freqs": stylegan3,
    "synthesis.b8.input.freqs": stylegan_t,
    "synthesis.b4.const": stylegan2,
    "conv1.conv.modulation.weight": rosinality,
}
"""A tensor that only generators of one kind have, and what reads them."""

_DISCRIMINATOR = "b4.out.weight"
_MEANS = ("latent_avg", "mean_latent", "w_avg", "dlatent_avg")
_AVERAGED = re.compile(r"(^|[^a-z])(ema|gs)([^a-z]|$)")
_DIFFUSION = re.compile(r"(model\.diffusion_model|first_stage_model|down_blocks|unet|transformer_blocks)\.")
_MOST_NODES, _DEEPEST = 2_000, 4


class _Found(NamedTuple):
    """A network that was found: the tensors it lies among, the prefix of its own, and the one it was known by."""

    weights: NetworkWeights
    prefix: str
    sign: str


@contextmanager
def open_checkpoint(path: Path) -> Iterator[object]:
    """Give what a pickle, a file of ``torch.save`` or a safetensors file holds, readable inside the block.

    Raises:
        InputError: the file cannot be read, is damaged, or asks for what weights do not need; begins with its name.
    """
    try:
        head = FileHead.of(path)
        with refusing_damage(path):
            if head.is_safetensors:
                with TensorFile.open(path) as file:
                    yield tensors_of(file)
            elif head.is_torch:
                with open_torch_file(path, CHECKPOINT) as contents:
                    yield contents
            else:
                yield load_inert(path, stand_ins=CHECKPOINT)
    except InputError as error:
        message = str(error)
        if not message.startswith((path.name, printable(path.name), "Cannot read")):
            message = f"{path.name}: {message.rstrip('.')}."
        raise InputError(printable(message)) from error  # it may quote names in the file


def read_checkpoint(path: Path) -> tuple[Config, dict[str, Tensor]]:
    """Read the generator of a checkpoint: the averaged one (``G_ema``, ``Gs``, ``g_ema``) where there is one.

    Returns:
        The sizes, and tensors by the names of our own networks, with ``w_avg`` where the file has it; float32.

    Raises:
        InputError: the file is damaged, asks for what weights do not need, or holds no generator that is read; the
            message says what it seems to be.
    """
    with open_checkpoint(path) as contents:
        budget = Budget(path.stat().st_size)
        if networks_in(contents):
            return _tensorflow_generator(contents, budget)
        found = _best(contents, budget, _GENERATORS)
        if found is None:
            raise InputError(f"{path.name} holds {_kind(contents, budget)}; give a file with a generator (G_ema).")
        return _GENERATORS[found.sign](found.weights.part(found.prefix))


def read_discriminator(path: Path) -> tuple[StyleGAN2DiscriminatorConfig, dict[str, Tensor]]:
    """Read the discriminator of a checkpoint of NVIDIA's repositories.

    Returns:
        The sizes, and tensors by the names of ``generator.networks.stylegan2_discriminator``; float32.

    Raises:
        InputError: the file is damaged, asks for what weights do not need, or holds no StyleGAN2 discriminator.
    """
    with open_checkpoint(path) as contents:
        if networks_in(contents):
            return tensorflow_discriminator(contents, path)
        budget = Budget(path.stat().st_size)
        found = _best(contents, budget, {_DISCRIMINATOR})
        if found is None:
            raise InputError(f"it holds no discriminator (D) but {_kind(contents, budget)}; give a file with one")
        return torch_discriminator(found.weights.part(found.prefix))


def text_encoder_of(path: Path) -> tuple[TextEncoderConfig, dict[str, Tensor]]:
    """Read the text encoder of a StyleGAN-T's snapshot, which it was trained with.

    Returns:
        The sizes, and tensors by the names of ``generator.networks.text_encoder``; float32.

    Raises:
        InputError: the file is damaged, asks for what weights do not need, or holds no such encoder.
    """
    lacking = "it has no text encoder for --text; a StyleGAN-T without one takes --text-codes alone"
    with open_network(path, SIGN, lacking) as weights:
        return text_encoder(weights)


@contextmanager
def open_network(path: Path, sign: str, lacking: str) -> Iterator[NetworkWeights]:
    """Give the network of a PyTorch checkpoint, the averaged one of several, readable inside the block.

    Args:
        path: the file.
        sign: a tensor that only networks of its kind have.
        lacking: what the message says of a file without one.

    Raises:
        InputError: the file is damaged, asks for what weights do not need, or holds no such network.
    """
    with open_checkpoint(path) as contents:
        found = None if networks_in(contents) else _best(contents, Budget(path.stat().st_size), {sign})
        if found is None:
            raise InputError(lacking)
        yield found.weights.part(found.prefix)


def _networks(contents: object, budget: Budget) -> Iterator[tuple[str, NetworkWeights]]:
    """Every module and dict of tensors within, with its place in the file and the mean w beside it."""
    queue: list[tuple[object, str, StoredTensor | None]] = [(contents, "", None)]
    seen: set[int] = set()  # a file can share its parts, so that looking at them again would have no end
    for count, (node, place, mean) in enumerate(queue):
        if count == _MOST_NODES:
            return
        if id(node) in seen:
            continue
        seen.add(id(node))
        inner = node.state if isinstance(node, InertObject) else node
        if isinstance(inner, dict):
            mean = next((inner[name] for name in _MEANS if isinstance(inner.get(name), StoredTensor)), mean)
            is_module = isinstance(node, InertObject) and isinstance(inner.get("_modules"), dict)
            if is_module and isinstance(node, InertObject):
                yield place, NetworkWeights(node, budget, mean)
                continue
            yield place, NetworkWeights(inner, budget, mean)
        # The last network of a list is the averaged one.
        parts = list(inner.items()) if isinstance(inner, dict) else []
        parts += [("", value) for value in reversed(inner)] if isinstance(inner, list | tuple) else []
        if place.count("/") < _DEEPEST:
            queue += [
                (value, f"{place}{str(name)[:100]}/", mean)
                for name, value in parts[:_MOST_NODES]
                if isinstance(value, dict | list | tuple | InertObject)
            ]


def _best(contents: object, budget: Budget, signs: Mapping[str, Any] | set[str]) -> _Found | None:
    """The network with one of these tensors: the first averaged one, or the first of all."""
    first: _Found | None = None
    for place, weights in _networks(contents, budget):
        for name in weights.tensors:
            for sign in signs:
                if name != sign and not name.endswith(f".{sign}"):
                    continue
                found = _Found(weights, name.removesuffix(sign), sign)
                if _AVERAGED.search(f"{place}{found.prefix}".lower()):
                    return found
                first = first or found
    return first


def _kind(contents: object, budget: Budget) -> str:
    """What a checkpoint without the network that is wanted seems to be."""
    networks = list(_networks(contents, budget))
    names = [name for _, weights in networks for name in weights.tensors]
    if any(_DIFFUSION.match(name) for name in names):
        return "a diffusion model"
    has_critic = isinstance(contents, dict) and ("D" in contents or "d" in contents)
    if has_critic or any(re.search(r"(^|\.)(final_linear\.|b4\.out\.weight$)", name) for name in names):
        return "a discriminator only"
    if any(name.startswith(("encoder.", "input_layer.", "body.")) for name in names):
        return "an encoder without its generator"
    classes = [weights.class_name for _, weights in networks if weights.class_name]
    if classes:
        return f"the network {classes[0][:60]!r}"
    if isinstance(contents, dict):
        return f"a checkpoint with the entries {', '.join(str(key)[:40] for key in [*contents][:6]) or '(none)'}"
    return f"a {type(contents).__name__}"


def _tensorflow_generator(
    contents: object, budget: Budget
) -> tuple[StyleGAN1Config | StyleGAN2Config, dict[str, Tensor]]:
    """Read the averaged generator, the last one, of a TensorFlow pickle."""
    networks = networks_in(contents)
    generators = [network for network in networks if "synthesis" in (network.state.get("components") or ())]
    variables = Variables((generators or networks)[-1], budget)
    if "synthesis/4x4/Const/StyleMod/weight" in variables:
        return read_stylegan1(variables)
    if "synthesis/4x4/Conv/mod_weight" in variables:
        return read_stylegan2(variables)
    kind = "no generator"
    if "4x4/Dense/weight" in variables:
        kind = "a Progressive GAN"
    elif any("FromRGB" in name for name in variables):
        kind = "a discriminator only"
    elif any(name.startswith("synthesis/") for name in variables):
        kind = "a generator of another architecture"
    raise InputError(f"it holds {kind}; give a file with a StyleGAN generator (Gs)")
