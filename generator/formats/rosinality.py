"""Checkpoints of rosinality/stylegan2-pytorch, and the encoders' files with such a generator inside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.safe_pickle.inert_torch import StoredTensor, fits
from stylegan_latents.generator.formats.safe_pickle.stand_ins import Budget
from stylegan_latents.generator.formats.safe_pickle.torch_file import open_torch_file
from stylegan_latents.generator.networks.stylegan2 import MAX_BLOCKS, StyleGAN2Config

MAPPING_RATE = 0.01  # the factor on the mapping network's learning rate: the repository's, never written to files
_DIFFUSION = ("model.diffusion_model.", "first_stage_model.", "down_blocks.", "unet.", "transformer_blocks.")


def read_rosinality(path: Path) -> tuple[StyleGAN2Config, dict[str, Tensor]]:
    """Read the averaged generator (``g_ema``) of a ``.pt`` file, or an encoder checkpoint's ``decoder.``.

    Returns:
        The sizes, and tensors by the names of our own networks, ``w_avg`` among them where the file has the mean
        w (``latent_avg``).

    Raises:
        InputError: the file is damaged, asks for what weights do not need, or holds no such generator; the message
            says what it seems to be.
    """
    try:
        with open_torch_file(path) as contents:
            return _stylegan2(_Checkpoint(contents, path.name, Budget(path.stat().st_size)))
    except InputError as error:
        message = str(error)
        raise InputError(message if message.startswith(path.name) else f"{path.name}: {message}.") from error
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.") from error


class _Checkpoint:
    """The generator's tensors in a checkpoint, by the repository's names, and the mean w."""

    def __init__(self, contents: object, file: str, budget: Budget) -> None:
        self._budget = budget  # many tensors can be the same bytes of the file
        self._tensors = _generator_tensors(contents, file)
        self.file = file
        mean = contents.get("latent_avg") if isinstance(contents, dict) else None
        self.mean = mean if isinstance(mean, StoredTensor) else None

    def has(self, name: str) -> bool:
        return name in self._tensors

    def tensor(self, name: str, *shape: int) -> Tensor:
        """A tensor of the checkpoint, which must have the shape (0: any length)."""
        stored = self._tensors.get(name)
        if stored is None:
            raise InputError(f"{self.file} is incomplete: its generator lacks '{name}'.")
        given = stored.shape
        if not fits(given, shape):
            raise InputError(f"{self.file}: '{name}' has the shape {given}, which does not fit a StyleGAN2.")
        self._budget.charge(stored.size)
        return stored.read()


def _generator_tensors(contents: object, file: str) -> Mapping[str, StoredTensor]:
    if not isinstance(contents, dict):
        raise InputError(
            f"{file} is a PyTorch file with a {type(contents).__name__}, not a generator's checkpoint."
        )
    candidates: list[Any] = [contents.get("g_ema"), contents.get("g"), contents.get("state_dict"), contents]
    for candidate in candidates:
        if isinstance(candidate, dict):
            named = {key: value for key, value in candidate.items() if isinstance(key, str)}
            for prefix in ("", "module.", "decoder."):
                if isinstance(named.get(f"{prefix}conv1.conv.modulation.weight"), StoredTensor):
                    chosen = {
                        key.removeprefix(prefix): value for key, value in named.items() if key.startswith(prefix)
                    }
                    return {key: value for key, value in chosen.items() if isinstance(value, StoredTensor)}
    raise InputError(f"{file} holds {_kind(contents)}, not a StyleGAN2 generator.")


def _kind(contents: dict[Any, Any]) -> str:
    """What a checkpoint without a generator seems to be."""
    inner = contents.get("state_dict")
    names = [str(key) for key in (inner if isinstance(inner, dict) else contents)]
    if any(name.startswith(_DIFFUSION) for name in names):
        return "a diffusion model"
    critic = contents.get("d")
    if any(name.startswith("final_linear.") for name in [*names, *(critic if isinstance(critic, dict) else ())]):
        return "a discriminator only"
    if any(name.startswith(("encoder.", "input_layer.", "body.")) for name in names):
        return "an encoder without its generator"
    return f"a PyTorch checkpoint with the entries {', '.join(name[:40] for name in names[:6]) or '(none)'}"


def _stylegan2(file: _Checkpoint) -> tuple[StyleGAN2Config, dict[str, Tensor]]:
    tensors: dict[str, Tensor] = {}
    depth = 0
    while file.has(f"style.{depth + 1}.weight"):
        weight = file.tensor(f"style.{depth + 1}.weight", 0, 0)
        tensors[f"mapping.layers.{depth}.weight"] = weight * (MAPPING_RATE * weight.shape[1] ** -0.5)
        bias = file.tensor(f"style.{depth + 1}.bias", len(weight))
        tensors[f"mapping.layers.{depth}.bias"] = bias * MAPPING_RATE
        depth += 1
    if depth == 0:
        raise InputError(f"{file.file} is incomplete: its generator has no mapping network (style).")
    widths = tuple(len(tensors[f"mapping.layers.{i}.bias"]) for i in range(depth))
    constant = file.tensor("input.input", 1, 0, 4, 4)
    tensors["synthesis.blocks.0.constant"] = constant
    channels = [constant.shape[1]]
    _conv(file, tensors, "conv1", "synthesis.blocks.0.conv", 0, channels[0], widths[-1])
    _to_rgb(file, tensors, "to_rgb1", "synthesis.blocks.0.to_rgb", channels[0], widths[-1])
    while file.has(f"convs.{2 * len(channels) - 2}.conv.weight"):
        i = len(channels)
        if i == MAX_BLOCKS:
            raise InputError(f"{file.file} has more than {4 << (i - 1)} pixels, which is not read.")
        ours = f"synthesis.blocks.{i}"
        _conv(file, tensors, f"convs.{2 * i - 2}", f"{ours}.up", 2 * i - 1, channels[-1], widths[-1])
        channels.append(len(tensors[f"{ours}.up.bias"]))
        _conv(file, tensors, f"convs.{2 * i - 1}", f"{ours}.conv", 2 * i, channels[-1], widths[-1])
        _to_rgb(file, tensors, f"to_rgbs.{i - 1}", f"{ours}.to_rgb", channels[-1], widths[-1])
    if file.mean is not None:
        # Encoders keep it once for each row of ws.
        mean = file.mean.read()
        tensors["w_avg"] = mean.reshape(-1, widths[-1])[0] if mean.numel() % widths[-1] == 0 else mean
    config = StyleGAN2Config(
        z_dim=tensors["mapping.layers.0.weight"].shape[1],
        mapping_widths=widths,
        channels=tuple(channels),
        image_channels=len(tensors["synthesis.blocks.0.to_rgb.bias"]),
        taps=_taps(file),
    )
    return config, tensors


def _conv(
    file: _Checkpoint, tensors: dict[str, Tensor], theirs: str, ours: str, layer: int, in_channels: int, w_dim: int
) -> None:
    weight = file.tensor(f"{theirs}.conv.weight", 1, 0, in_channels, 3, 3)[0]
    tensors[f"{ours}.weight"] = weight * (9 * in_channels) ** -0.5
    tensors[f"{ours}.bias"] = file.tensor(f"{theirs}.activate.bias", len(weight))
    _style(file, tensors, theirs, ours, in_channels, w_dim)
    tensors[f"{ours}.noise_strength"] = file.tensor(f"{theirs}.noise.weight", 1)[0]
    side = 4 << (layer + 1) // 2
    if file.has(f"noises.noise_{layer}"):
        tensors[f"{ours}.noise"] = file.tensor(f"noises.noise_{layer}", 1, 1, side, side)
    else:  # files of the repository's first months have no maps
        tensors[f"{ours}.noise"] = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(layer))


def _to_rgb(
    file: _Checkpoint, tensors: dict[str, Tensor], theirs: str, ours: str, channels: int, w_dim: int
) -> None:
    weight = file.tensor(f"{theirs}.conv.weight", 1, 0, channels, 1, 1)[0, :, :, 0, 0]
    tensors[f"{ours}.weight"] = weight * channels**-0.5
    tensors[f"{ours}.bias"] = file.tensor(f"{theirs}.bias", 1, len(weight), 1, 1).reshape(-1)
    _style(file, tensors, theirs, ours, channels, w_dim)


def _style(
    file: _Checkpoint, tensors: dict[str, Tensor], theirs: str, ours: str, channels: int, w_dim: int
) -> None:
    weight = file.tensor(f"{theirs}.conv.modulation.weight", channels, w_dim)
    tensors[f"{ours}.style.weight"] = weight * w_dim**-0.5
    tensors[f"{ours}.style.bias"] = file.tensor(f"{theirs}.conv.modulation.bias", channels)


def _taps(file: _Checkpoint) -> tuple[float, ...]:
    name = "convs.0.conv.blur.kernel"
    if not file.has(name):
        return StyleGAN2Config.taps
    return tuple(file.tensor(name, 0, 0).sum(dim=0).double().tolist())
