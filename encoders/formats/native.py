"""Our own format of encoders: a safetensors file with the weights, and the sizes and the model in its header."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from stylegan_latents.encoders.config import EncoderConfig
from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path, utf8_path

_KEY, _KIND, _FORMAT = "stylegan-latents", "encoder", 1


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
    header = read_header(path)
    try:
        with utf8_path(path) as name, safe_open(name, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a safetensors file: {error}.") from error
    try:
        sizes: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in header["config"].items()
        }
        about = {key: str(header[key]) for key in ("name", "model", "fingerprint", "latent_space")}
        tensors = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
        with torch.random.fork_rng(devices=[]):
            encoder = Encoder(
                EncoderConfig(**sizes), tensors["ws_avg"], **about, iterations=int(header["iterations"])
            )
        fill(encoder, tensors)
        if header["stage"] is not None:  # its training ended before every row had its difference
            encoder.network.set_stage(int(header["stage"]))  # type: ignore[operator]
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise InputError(f"{path} is damaged: its weights do not fit its header.") from error
    return encoder


def read_header(path: Path) -> dict[str, Any]:
    """Read the header of an encoder's file, without its weights.

    Raises:
        InputError: the file is no encoder of ours, or is damaged.
    """
    try:
        with utf8_path(path) as name, safe_open(name, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a safetensors file: {error}.") from error
    if not isinstance(header, dict) or header.get("kind") != _KIND:
        raise InputError(f"{path} holds no encoder; give a file that `stylegan-latents train` wrote.")
    if header.get("format") != _FORMAT:
        raise InputError(f"{path} was written by a later version of stylegan-latents; update this one.")
    return header


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
