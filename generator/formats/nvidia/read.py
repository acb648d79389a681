"""NVIDIA's pickles, whichever of its repositories wrote them: the PyTorch ones or the TensorFlow ones."""

from pathlib import Path

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.nvidia.tensorflow_discriminator import tensorflow_discriminator
from stylegan_latents.generator.formats.nvidia.tensorflow_network import Variables, networks_in
from stylegan_latents.generator.formats.nvidia.tensorflow_stylegan1 import read_stylegan1
from stylegan_latents.generator.formats.nvidia.tensorflow_stylegan2 import read_stylegan2
from stylegan_latents.generator.formats.nvidia.torch import NVIDIA, torch_generator
from stylegan_latents.generator.formats.nvidia.torch_discriminator import torch_discriminator
from stylegan_latents.generator.formats.safe_pickle.stand_ins import Budget
from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert
from stylegan_latents.generator.networks.alias_free import StyleGAN3Config
from stylegan_latents.generator.networks.stylegan1 import StyleGAN1Config
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.generator.networks.stylegan2_discriminator import StyleGAN2DiscriminatorConfig


def read_nvidia(path: Path) -> tuple[StyleGAN1Config | StyleGAN2Config | StyleGAN3Config, dict[str, Tensor]]:
    """Read the generator of an NVIDIA pickle, the averaged one (``G_ema``, ``Gs``) where there is one.

    Returns:
        The sizes, and tensors by the names of our own networks, with ``w_avg`` where the file has it; float32.

    Raises:
        InputError: the file is damaged, asks for what weights do not need, or holds no generator that is read; the
            message says what it seems to be.
    """
    contents = load_inert(path, stand_ins=NVIDIA)
    return (_tensorflow_generator if networks_in(contents) else torch_generator)(contents, path)


def read_nvidia_discriminator(path: Path) -> tuple[StyleGAN2DiscriminatorConfig, dict[str, Tensor]]:
    """Read the discriminator of an NVIDIA pickle.

    Returns:
        The sizes, and tensors by the names of ``generator.networks.stylegan2_discriminator``; float32.

    Raises:
        InputError: the file is damaged, asks for what weights do not need, or holds no StyleGAN2 discriminator.
    """
    contents = load_inert(path, stand_ins=NVIDIA)
    return (tensorflow_discriminator if networks_in(contents) else torch_discriminator)(contents, path)


def _tensorflow_generator(
    contents: object, path: Path
) -> tuple[StyleGAN1Config | StyleGAN2Config, dict[str, Tensor]]:
    """Read the averaged generator, the last one, of what a pickle with at least one network holds.

    Returns:
        The sizes, and tensors by the names of our own networks, with ``w_avg``; float32.

    Raises:
        InputError: the file has a network that is not understood, or no generator; the message says what it has.
    """
    networks = networks_in(contents)
    generators = [network for network in networks if "synthesis" in (network.state.get("components") or ())]
    try:
        variables = Variables((generators or networks)[-1], Budget(path.stat().st_size))
        if "synthesis/4x4/Const/StyleMod/weight" in variables:
            return read_stylegan1(variables)
        if "synthesis/4x4/Conv/mod_weight" in variables:
            return read_stylegan2(variables)
        raise InputError(f"it holds {_kind(variables)}; give a file with a StyleGAN generator (Gs)")
    except InputError as error:
        raise InputError(f"{path.name}: {str(error).rstrip('.')}.") from error


def _kind(variables: Variables) -> str:
    if "4x4/Dense/weight" in variables:
        return "a Progressive GAN"
    if any("FromRGB" in name for name in variables):
        return "a discriminator only"
    if any(name.startswith("synthesis/") for name in variables):
        return "a generator of another architecture"
    return "no generator"
