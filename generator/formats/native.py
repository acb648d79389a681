"""Our own format: one safetensors file with the weights, and the architecture's sizes in its header."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path, utf8_path
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks import mobile, stylegan1, stylegan2, stylegan3
from stylegan_latents.generator.networks.alias_free import StyleGAN3Config
from stylegan_latents.generator.networks.mapping import Mapping
from stylegan_latents.generator.networks.mobile import MobileConfig
from stylegan_latents.generator.networks.stylegan1 import StyleGAN1Config
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config

_KEY = "stylegan-latents"


def build_mobile(
    config: MobileConfig, tensors: dict[str, Tensor], *, name: str, latent_space: str | None = None
) -> Generator:
    """A generator from a MobileStyleGAN's sizes and tensors, ``w_avg`` among them or else averaged here."""
    # Not on the meta device: drawing weights there makes PyTorch import its compiler, which takes seconds.
    with torch.random.fork_rng(devices=[]):
        mapping, synthesis = mobile.Mapping(config), mobile.Synthesis(config)
    return _filled(mapping, synthesis, tensors, name, latent_space, config.z_dim, config.w_dim, 0)


def build_stylegan2(
    config: StyleGAN2Config, tensors: dict[str, Tensor], *, name: str, latent_space: str | None = None
) -> Generator:
    """A generator from a StyleGAN2's sizes and tensors, ``w_avg`` among them or else averaged here.

    Raises:
        RuntimeError, ValueError: the tensors do not fit the sizes.
    """
    mapping, synthesis = Mapping(config, joint_label=config.joint_label), stylegan2.Synthesis(config)
    return _filled(mapping, synthesis, tensors, name, latent_space, config.z_dim, config.w_dim, config.label_dim)


def build_stylegan1(
    config: StyleGAN1Config, tensors: dict[str, Tensor], *, name: str, latent_space: str | None = None
) -> Generator:
    """A generator from a StyleGAN's sizes and tensors, ``w_avg`` among them or else averaged here.

    Raises:
        RuntimeError, ValueError: the tensors do not fit the sizes.
    """
    mapping, synthesis = Mapping(config, joint_label=True), stylegan1.Synthesis(config)
    return _filled(mapping, synthesis, tensors, name, latent_space, config.z_dim, config.w_dim, config.label_dim)


def build_stylegan3(
    config: StyleGAN3Config, tensors: dict[str, Tensor], *, name: str, latent_space: str | None = None
) -> Generator:
    """A generator from a StyleGAN3's sizes and tensors, ``w_avg`` among them or else averaged here.

    Raises:
        RuntimeError, ValueError: the tensors do not fit the sizes.
    """
    mapping, synthesis = stylegan3.Mapping(config), stylegan3.Synthesis(config)
    return _filled(mapping, synthesis, tensors, name, latent_space, config.z_dim, config.w_dim, config.label_dim)


Config = StyleGAN1Config | StyleGAN2Config | StyleGAN3Config
"""The sizes of the architectures that files hold."""


def build(config: Config, tensors: dict[str, Tensor], *, name: str) -> Generator:
    """A generator of the architecture that the sizes belong to.

    Raises:
        RuntimeError, ValueError: the tensors do not fit the sizes.
    """
    if isinstance(config, StyleGAN1Config):
        return build_stylegan1(config, tensors, name=name)
    if isinstance(config, StyleGAN3Config):
        return build_stylegan3(config, tensors, name=name)
    return build_stylegan2(config, tensors, name=name)


def _filled(
    mapping: nn.Module,
    synthesis: nn.Module,
    tensors: dict[str, Tensor],
    name: str,
    latent_space: str | None,
    z_dim: int,
    w_dim: int,
    label_dim: int,
) -> Generator:
    tensors = dict(tensors)
    w_avg, class_w_avg = tensors.pop("w_avg", None), tensors.pop("class_w_avg", None)
    for prefix, network in (("mapping.", mapping), ("synthesis.", synthesis)):
        part = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        network.load_state_dict(part, assign=True)
    if w_avg is None:
        w_avg = average_w(mapping, z_dim, label_dim)
    if w_avg.shape != (w_dim,):
        raise ValueError(f"w_avg needs the shape [{w_dim}], got {tuple(w_avg.shape)}")
    if class_w_avg is not None and class_w_avg.shape != (label_dim, w_dim):
        raise ValueError(f"class_w_avg needs the shape [{label_dim}, {w_dim}], got {tuple(class_w_avg.shape)}")
    return Generator(
        mapping,
        synthesis,
        w_avg,
        name=name,
        latent_space=latent_space,
        z_dim=z_dim,
        label_dim=label_dim,
        class_w_avg=class_w_avg,
    )


@torch.no_grad()
def average_w(mapping: nn.Module, z_dim: int, label_dim: int = 0, samples: int = 100_000, seed: int = 0) -> Tensor:
    """The mean of ``samples`` w, ``[w_dim]``, over all classes, for a file that does not hold it."""
    source = torch.Generator().manual_seed(seed)
    z = torch.randn(samples, z_dim, generator=source)
    if not label_dim:
        return torch.stack([mapping(part).double().mean(0) for part in z.chunk(20)]).mean(0).float()
    labels = nn.functional.one_hot(torch.randint(label_dim, (samples,), generator=source), label_dim).float()
    parts = zip(z.chunk(20), labels.chunk(20), strict=True)
    return torch.stack([mapping(part, label).double().mean(0) for part, label in parts]).mean(0).float()


def save_native(generator: Generator, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a generator; ``read_native`` gives back the same images, name, space and fingerprint.

    Args:
        generator: in float32.
        path: a name that ends with ``.safetensors``.
        overwrite: whether an existing file may be replaced.

    Raises:
        ValueError: the generator was moved to a lower precision, which rounded its weights.
        InputError: ``path`` ends otherwise, exists and may not be replaced, or cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".safetensors":
        raise InputError(
            f"Cannot write {path}: give a name that ends with .safetensors; "
            "`python -m generator.convert` makes a .pt for other programs from that."
        )
    synthesis = generator.synthesis
    if isinstance(synthesis, mobile.Synthesis):
        architecture = "mobile"
    elif isinstance(synthesis, stylegan1.Synthesis):
        architecture = "stylegan1"
    elif isinstance(synthesis, stylegan2.Synthesis):
        architecture = "stylegan2"
    elif isinstance(synthesis, stylegan3.Synthesis):
        architecture = "stylegan3"
    else:
        raise TypeError(f"cannot save a {type(synthesis).__name__}")
    if generator.dtype != torch.float32:
        raise ValueError(f"save the generator in float32: its weights are rounded to {generator.dtype}")
    header = {
        "architecture": architecture,
        "config": asdict(synthesis.config),
        "name": generator.name,
        "latent_space": generator.latent_space,
    }
    tensors = {key: value.detach().cpu().contiguous() for key, value in generator.state_dict().items()}
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(save(tensors, metadata={_KEY: json.dumps(header)}))


def read_native(path: Path) -> Generator:
    """Read what ``save_native`` wrote.

    Raises:
        InputError: the file is no generator of ours, or is damaged.
    """
    try:
        with utf8_path(path) as name, safe_open(name, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            names = list(file.keys())
            tensors = {key: file.get_tensor(key) for key in names} if isinstance(header, dict) else {}
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a safetensors file: {error}.") from error
    known = ("mobile", "stylegan1", "stylegan2", "stylegan3")
    if not isinstance(header, dict) or header.get("architecture") not in known:
        raise InputError(f"{path} holds {_kind(names)}no generator that stylegan-latents wrote.")
    try:
        # JSON knows lists only.
        sizes: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in header["config"].items()
        }
        about = {"name": header["name"], "latent_space": header["latent_space"]}
        if header["architecture"] == "mobile":
            return build_mobile(MobileConfig(**sizes), tensors, **about)
        if header["architecture"] == "stylegan1":
            return build_stylegan1(StyleGAN1Config(**sizes), tensors, **about)
        if header["architecture"] == "stylegan3":
            return build_stylegan3(StyleGAN3Config(**sizes), tensors, **about)
        return build_stylegan2(StyleGAN2Config(**sizes), tensors, **about)
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise InputError(f"{path} is damaged: its weights do not fit its header.") from error


def _kind(names: list[str]) -> str:
    diffusion = ("model.diffusion_model.", "down_blocks.", "unet.", "transformer_blocks.", "lora_")
    return "what seems to be a diffusion model, " if any(name.startswith(diffusion) for name in names) else ""
