"""Our own format of encoders: a safetensors file with the weights, and the sizes and the model in its header."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import torch
from annotated_types import Interval, Len
from safetensors.torch import save

from stylegan_latents.encoders.config import EncoderConfig
from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path, printable
from stylegan_latents.generator.reading.budget import bounded_tensors
from stylegan_latents.generator.reading.files import refusing_damage
from stylegan_latents.generator.reading.headers import OPEN, validated_value
from stylegan_latents.generator.reading.tensor_file import TensorFile

_KEY, _KIND, _FORMAT = "stylegan-latents", "encoder", 1
_Text = Annotated[str, Len(0, 1000)]


@dataclass(frozen=True)
class EncoderHeader:
    """What an encoder's file says of it.

    Attributes:
        config: the sizes of its network.
        name: of the encoder.
        model, fingerprint, latent_space: of its generator.
        iterations: passes of a ReStyle; 1 for any other.
        stage: how many rows have their difference, of a training of e4e that ended early; None for all.
    """

    config: EncoderConfig
    name: _Text
    model: _Text
    fingerprint: _Text
    latent_space: _Text
    iterations: Annotated[int, Interval(ge=1, le=100)]
    stage: Annotated[int, Interval(ge=0, le=64)] | None

    __pydantic_config__ = OPEN


def save_encoder(encoder: Encoder, path: Path, *, half: bool = False, overwrite: bool = False) -> None:
    """Write an encoder.

    Args:
        encoder: what to write.
        path: ends with .safetensors.
        half: round the weights to half precision, for a file of half the size.
        overwrite: whether an existing file may be replaced.

    Raises:
        InputError: ``path`` has another ending, exists and may not be replaced, or cannot be written.
    """
    if path.suffix != ".safetensors":
        raise InputError(f"Cannot write {path}: give a name that ends with .safetensors.")
    header = {
        "kind": _KIND,
        "format": _FORMAT,
        "config": asdict(encoder.config),
        "name": encoder.name,
        "model": encoder.model,
        "fingerprint": encoder.fingerprint,
        "latent_space": encoder.latent_space,
        "iterations": encoder.iterations,
        "stage": getattr(encoder.network, "stage", None),
    }
    tensors = {
        name: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in encoder.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(save(tensors, metadata={_KEY: json.dumps(header)}))


def read_encoder(path: Path) -> Encoder:
    """Read what ``save_encoder`` wrote, in float32, on the CPU.

    Raises:
        InputError: the file is no encoder of ours, or is damaged.
    """
    with TensorFile.open(path, "the encoder") as file:
        header = _header(file, path)
        config = header.config
        tensors = {name: file.tensor(name).float() for name in file.shapes}
        codes = file.shapes.get("ws_avg")
    if codes != (config.num_ws, config.w_dim):
        raise InputError(f"{printable(path.name)} is damaged: its mean code does not fit its header.")
    about = {"name": header.name, "model": header.model, "fingerprint": header.fingerprint}
    size = sum(4 * value.numel() for value in tensors.values())
    with refusing_damage(path, "is damaged: its weights do not fit its header"):
        with torch.random.fork_rng(devices=[]), bounded_tensors(path.name, size):
            encoder = Encoder(
                config,
                tensors["ws_avg"],
                **about,
                latent_space=header.latent_space,
                iterations=header.iterations,
            )
        fill(encoder, tensors)
        if header.stage is not None:  # its training ended before every row had its difference
            encoder.network.set_stage(header.stage)  # type: ignore[operator]
    return encoder


def read_header(path: Path) -> EncoderHeader:
    """Read the header of an encoder's file, without its weights.

    Raises:
        InputError: the file is no encoder of ours, or is damaged.
    """
    with TensorFile.open(path, "the encoder") as file:
        return _header(file, path)


def _header(file: TensorFile, path: Path) -> EncoderHeader:
    header = file.json_header(_KEY)
    if not isinstance(header, dict) or header.get("kind") != _KIND:
        raise InputError(f"{path} holds no encoder; give a file that `stylegan-latents train` wrote.")
    if header.get("format") != _FORMAT:
        raise InputError(f"{path} was written by a later version of stylegan-latents; update this one.")
    return validated_value(EncoderHeader, header, path.name)


def fill(encoder: Encoder, tensors: dict[str, torch.Tensor]) -> None:
    """Load all weights of an encoder, and no others; batch counters may be missing.

    Raises:
        ValueError: a tensor is missing, or there is one too many.
        RuntimeError: a tensor has another shape.
    """
    missing, unexpected = encoder.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"missing: {', '.join(missing[:3])}; unknown: {', '.join(unexpected[:3])}")
