"""Our own format: one safetensors file with the weights, and the architecture's sizes in its header."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from generator.errors import InputError
from generator.files import atomic_path
from generator.generator import Generator
from generator.networks.mobile import Mapping, MobileConfig, Synthesis

_KEY = "stylegan-latents"


def build_mobile(
    config: MobileConfig, tensors: dict[str, Tensor], *, name: str, latent_space: str | None = None
) -> Generator:
    """A generator from a MobileStyleGAN's sizes and tensors, ``w_avg`` among them or else averaged here."""
    # Not on the meta device: drawing weights there makes PyTorch import its compiler, which takes seconds.
    with torch.random.fork_rng(devices=[]):
        mapping, synthesis = Mapping(config), Synthesis(config)
    tensors = dict(tensors)
    w_avg = tensors.pop("w_avg", None)
    for prefix, network in (("mapping.", mapping), ("synthesis.", synthesis)):
        part = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        network.load_state_dict(part, assign=True)
    if w_avg is None:
        w_avg = average_w(mapping, config.z_dim)
    if w_avg.shape != (config.w_dim,):
        raise ValueError(f"w_avg needs the shape [{config.w_dim}], got {tuple(w_avg.shape)}")
    return Generator(mapping, synthesis, w_avg, name=name, latent_space=latent_space, z_dim=config.z_dim)


@torch.no_grad()
def average_w(mapping: torch.nn.Module, z_dim: int, samples: int = 100_000, seed: int = 0) -> Tensor:
    """The mean of ``samples`` w, ``[w_dim]``, for a file that does not hold it."""
    z = torch.randn(samples, z_dim, generator=torch.Generator().manual_seed(seed))
    return torch.stack([mapping(part).double().mean(0) for part in z.chunk(20)]).mean(0).float()


def save_native(generator: Generator, path: Path, *, overwrite: bool = False) -> None:
    """Write a generator; :func:`read_native` gives back the same images, name, space and fingerprint.

    Raises:
        ValueError: the generator was moved to a lower precision, which rounded its weights.
        InputError: ``path`` exists and may not be replaced, or cannot be written.
    """
    synthesis = generator.synthesis
    if not isinstance(synthesis, Synthesis):
        raise TypeError(f"cannot save a {type(synthesis).__name__}")
    if generator.dtype != torch.float32:
        raise ValueError(f"save the generator in float32: its weights are rounded to {generator.dtype}")
    header = {
        "architecture": "mobile",
        "config": asdict(synthesis.config),
        "name": generator.name,
        "latent_space": generator.latent_space,
    }
    tensors = {key: value.detach().cpu().contiguous() for key, value in generator.state_dict().items()}
    with atomic_path(path, overwrite=overwrite) as temporary:
        save_file(tensors, temporary, metadata={_KEY: json.dumps(header)})


def read_native(path: Path) -> Generator:
    """Read what :func:`save_native` wrote.

    Raises:
        InputError: the file is no generator of ours, or is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a safetensors file: {error}.") from error
    if not isinstance(header, dict) or header.get("architecture") != "mobile":
        raise InputError(f"{path} holds no generator that stylegan-latents wrote.")
    try:
        sizes = header["config"]
        config = MobileConfig(**{**sizes, "channels": tuple(sizes["channels"])})
        return build_mobile(config, tensors, name=header["name"], latent_space=header["latent_space"])
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} is damaged: its weights do not fit its header.") from error
