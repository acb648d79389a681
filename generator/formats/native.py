"""Our own format: one safetensors file with the weights, and the architecture's sizes in its header."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import torch
from annotated_types import Len
from safetensors.torch import save
from torch import Tensor, nn

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path, printable
from stylegan_latents.generator.formats.text_codes import with_texts, without_texts
from stylegan_latents.generator.generator import Generator, fingerprint
from stylegan_latents.generator.networks import eg3d, mobile, stylegan1, stylegan2, stylegan3, stylegan_t, stylenerf
from stylegan_latents.generator.networks.alias_free import StyleGAN3Config
from stylegan_latents.generator.networks.eg3d import EG3DConfig
from stylegan_latents.generator.networks.mapping import Mapping
from stylegan_latents.generator.networks.mobile import MobileConfig
from stylegan_latents.generator.networks.stylegan1 import StyleGAN1Config
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.generator.networks.stylegan_t import StyleGANTConfig
from stylegan_latents.generator.networks.stylenerf import StyleNeRFConfig
from stylegan_latents.generator.networks.synthesis import SynthesisNetwork
from stylegan_latents.generator.reading.budget import bounded_tensors
from stylegan_latents.generator.reading.files import UNFITTING, refusing_damage
from stylegan_latents.generator.reading.headers import OPEN, validated_value
from stylegan_latents.generator.reading.tensor_file import TensorFile

_KEY = "stylegan-latents"
# For the mean of W, with 100,000 samples of StyleGAN2's mapping network twice over.
_MOST_PRODUCTS, _MOST_NUMBERS = 500_000_000_000, 120_000_000


Config = (
    EG3DConfig
    | MobileConfig
    | StyleGAN1Config
    | StyleGAN2Config
    | StyleGAN3Config
    | StyleGANTConfig
    | StyleNeRFConfig
)
"""The sizes of any architecture."""


class Architecture(NamedTuple):
    """What a generator of one architecture is built from: its sizes, and the two networks that take them."""

    config: type[Any]
    mapping: Callable[[Any], nn.Module]
    synthesis: Callable[[Any], SynthesisNetwork]


ARCHITECTURES = {
    "eg3d": Architecture(EG3DConfig, eg3d.Mapping, eg3d.Synthesis),
    "mobile": Architecture(MobileConfig, mobile.Mapping, mobile.Synthesis),
    "stylegan1": Architecture(StyleGAN1Config, partial(Mapping, joint_label=True), stylegan1.Synthesis),
    "stylegan2": Architecture(
        StyleGAN2Config, lambda config: Mapping(config, joint_label=config.joint_label), stylegan2.Synthesis
    ),
    "stylegan3": Architecture(StyleGAN3Config, stylegan3.Mapping, stylegan3.Synthesis),
    "stylegan-t": Architecture(StyleGANTConfig, stylegan_t.Mapping, stylegan_t.Synthesis),
    "stylenerf": Architecture(StyleNeRFConfig, Mapping, stylenerf.Synthesis),
}
"""Every architecture, by the name that a file's header has for it."""


@dataclass(frozen=True)
class _Header:
    architecture: str
    config: dict[str, Any]
    name: Annotated[str, Len(0, 1000)]
    latent_space: Annotated[str, Len(0, 1000)]

    __pydantic_config__ = OPEN


def build(
    config: Config,
    tensors: dict[str, Tensor],
    *,
    name: str,
    latent_space: str | None = None,
    texts: Tensor | None = None,
) -> Generator:
    """Make a generator from its sizes and tensors; the class of ``config`` is the architecture.

    Args:
        config: the sizes.
        tensors: by name, under ``mapping.`` and ``synthesis.``; ``w_avg`` ``[w_dim]`` (computed if missing), and
            ``class_w_avg`` ``[label_dim, w_dim]`` if known.
        name: what messages and records call the model.
        latent_space: see ``Generator``.
        texts: of a StyleGAN-T; see ``with_texts``.

    Raises:
        RuntimeError, ValueError: the tensors do not fit the sizes.
        InputError: the sizes need far more tensors than there are, or the model lacks texts or draws none.
    """
    config, tensors = with_texts(config, tensors, texts, name)
    parts = next(parts for parts in ARCHITECTURES.values() if isinstance(config, parts.config))
    # Weights in half precision are those of an export; every network computes with float32 masters.
    tensors = {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
    if isinstance(config, StyleGANTConfig) and config.text_dim and latent_space is None:
        latent_space = f"weights-{fingerprint(without_texts(tensors).items())[:16]}"
    size = sum(4 * value.numel() for value in tensors.values())
    # Not on the meta device: drawing weights there makes PyTorch import its compiler, which takes seconds.
    with torch.random.fork_rng(devices=[]), bounded_tensors(name, size):
        mapping, synthesis = parts.mapping(config), parts.synthesis(config)
    w_avg, class_w_avg = tensors.pop("w_avg", None), tensors.pop("class_w_avg", None)
    for prefix, network in (("mapping.", mapping), ("synthesis.", synthesis)):
        names = [key for key in tensors if key.startswith(prefix)]
        network.load_state_dict({key.removeprefix(prefix): tensors.pop(key) for key in names}, assign=True)
    if tensors:
        raise ValueError(f"unknown tensors: {', '.join(sorted(tensors)[:3])}")
    z_dim, w_dim, label_dim = config.z_dim, config.w_dim, config.label_dim
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
    weights = sum(parameter.numel() for parameter in mapping.parameters())
    wide = max(z_dim, label_dim, *(max(parameter.shape, default=1) for parameter in mapping.parameters()))
    # For networks of any published size, all samples; for larger ones as many as take as long, and as much memory.
    samples = max(min(samples, _MOST_PRODUCTS // max(weights, 1), _MOST_NUMBERS // wide), 32)
    source = torch.Generator().manual_seed(seed)
    z = torch.randn(samples, z_dim, generator=source)
    if not label_dim:
        return torch.stack([mapping(part).double().mean(0) for part in z.chunk(20)]).mean(0).float()
    classes = torch.randint(label_dim, (samples,), generator=source)
    parts = (
        (part, nn.functional.one_hot(chosen, label_dim).float())
        for part, chosen in zip(z.chunk(20), classes.chunk(20), strict=True)
    )
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
            "`stylegan-latents convert` makes a .pt for other programs from that."
        )
    config = generator.synthesis.config
    architecture = next((key for key, parts in ARCHITECTURES.items() if type(config) is parts.config), None)
    if architecture is None:
        raise TypeError(f"cannot save a {type(generator.synthesis).__name__}")
    if generator.dtype != torch.float32:
        raise ValueError(f"save the generator in float32: its weights are rounded to {generator.dtype}")
    header = {
        "architecture": architecture,
        "config": asdict(config),
        "name": generator.name,
        "latent_space": generator.latent_space,
    }
    tensors = {key: value.detach().cpu().contiguous() for key, value in generator.state_dict().items()}
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(save(tensors, metadata={_KEY: json.dumps(header)}))


def is_native(path: Path) -> bool:
    """Whether a safetensors file says that stylegan-latents wrote it; True for a damaged one."""
    try:
        with TensorFile.open(path) as file:
            return _KEY in file.metadata
    except InputError:
        return True


def read_native(path: Path, texts: Tensor | None = None) -> Generator:
    """Read what ``save_native`` wrote.

    Args:
        path: the file.
        texts: of a StyleGAN-T, instead of those in the file; see ``with_texts``.

    Raises:
        InputError: the file is no generator of ours, is damaged, or draws no texts.
    """
    with TensorFile.open(path) as file:
        header = file.json_header(_KEY)
        architecture = ARCHITECTURES.get(str(header.get("architecture"))) if isinstance(header, dict) else None
        if architecture is None:
            holds = _kind([*file.shapes])
            raise InputError(f"{printable(path)} holds {holds}no generator that stylegan-latents wrote.")
        about = validated_value(_Header, header, path.name)
        config = validated_value(architecture.config, about.config, path.name)
        tensors = file.tensors()
    with refusing_damage(path, UNFITTING):
        return build(config, tensors, name=about.name, latent_space=about.latent_space, texts=texts)


def _kind(names: list[str]) -> str:
    diffusion = ("model.diffusion_model.", "down_blocks.", "unet.", "transformer_blocks.", "lora_")
    return "what seems to be a diffusion model, " if any(name.startswith(diffusion) for name in names) else ""
