"""Writing checkpoints that rosinality/stylegan2-pytorch and the tools built on it load."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.formats.native import build
from stylegan_latents.generator.formats.rosinality import MAPPING_RATE
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config, Synthesis
from stylegan_latents.generator.ops.fir import normalised

# The repository's table of channels: the coarsest blocks', then each wider one's times the channel multiplier.
_COARSE, _FINE = (512, 512, 512, 512), (256, 128, 64, 32, 16)


def save_rosinality(generator: Generator, path: Path, *, any_widths: bool = False, overwrite: bool = False) -> str:
    """Write a StyleGAN2 as ``g_ema`` and ``latent_avg``, with equal pictures in that code.

    Args:
        generator: of the skip architecture, in float32.
        path: the checkpoint, ``.pt``.
        any_widths: write networks of other widths, too, for copies of that code with another table of channels.
        overwrite: whether an existing file may be replaced.

    Returns:
        How that code makes the network, such as ``Generator(1024, 512, 8, channel_multiplier=2)``.

    Raises:
        InputError: that code cannot express the network (one sentence says why), or ``path`` exists and may not be
            replaced, or cannot be written.
    """
    synthesis = generator.synthesis
    if not isinstance(synthesis, Synthesis):
        raise InputError(f"'{generator.name}' is no StyleGAN2, and rosinality's code has no other network.")
    config = synthesis.config
    multiplier = _check(generator, config, any_widths)
    state = {key: value.detach().float().cpu() for key, value in generator.state_dict().items()}
    if config.clamp is not None:
        _check_clamp(generator, config, state)
    contents = {"g_ema": _translate(config, state), "latent_avg": state["w_avg"].clone()}
    with atomic_path(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        torch.save(contents, file)
    arguments = f"{config.resolution}, {config.w_dim}, {len(config.mapping_widths)}"
    return f"Generator({arguments}, channel_multiplier={multiplier})"


def _check(generator: Generator, config: StyleGAN2Config, any_widths: bool) -> int:
    """The channel multiplier of a network that the code can express."""
    name = f"'{generator.name}'"
    if generator.dtype != torch.float32:
        raise ValueError(f"save the generator in float32: its weights are rounded to {generator.dtype}")
    if config.label_dim:
        raise InputError(f"{name} has classes, which rosinality's code does not have.")
    if config.architecture != "skip" or len(config.channels) < 2:
        raise InputError(f"{name} has the architecture '{config.architecture}'; rosinality's code has 'skip' only.")
    if config.base_width != 4:
        raise InputError(f"{name} draws no squares, which rosinality's code does.")
    if config.image_channels != 3:
        raise InputError(f"{name} makes images of {config.image_channels} channels; rosinality's code makes 3.")
    if not config.has_noise or len(config.taps) != 4:
        raise InputError(f"{name} has no noise, or a filter of other than 4 taps, as rosinality's code needs it.")
    if set(config.mapping_widths) != {config.z_dim}:
        raise InputError(f"{name} has z and w of different lengths; in rosinality's code they are one length.")
    finest = len(config.channels) - len(_COARSE)
    multiplier = config.channels[len(_COARSE)] // _FINE[0] if finest > 0 else 2
    table = (*_COARSE, *(multiplier * width for width in _FINE))[: len(config.channels)]
    if not any_widths and (multiplier < 1 or config.channels != table):
        raise InputError(
            f"{name} has {', '.join(map(str, config.channels))} channels, which rosinality's table does not have; "
            "--any-widths writes them all the same, for a copy of that code with such a table."
        )
    return max(1, multiplier)


@torch.no_grad()
def _check_clamp(generator: Generator, config: StyleGAN2Config, state: dict[str, Tensor]) -> None:
    """Refuse a network whose pictures depend on its clamps: the code has none."""
    free = build(replace(config, clamp=None), state, name=generator.name).to(generator.device)
    for seed in range(4):
        ws = generator.sample([seed])
        wanted = generator.synthesize(ws)
        if float((free.synthesize(ws) - wanted).abs().max()) > 1e-5 * float(wanted.abs().max()):
            raise InputError(
                f"'{generator.name}' clamps its feature maps at {config.clamp:g} and its pictures depend on that; "
                "rosinality's code has no clamps."
            )


def _translate(config: StyleGAN2Config, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our tensors under that code's names and scales: it stores weights before the equalised learning rate."""
    theirs: dict[str, Tensor] = {}
    for i in range(len(config.mapping_widths)):
        weight = state[f"mapping.layers.{i}.weight"]
        theirs[f"style.{i + 1}.weight"] = weight / (MAPPING_RATE * weight.shape[1] ** -0.5)
        theirs[f"style.{i + 1}.bias"] = state[f"mapping.layers.{i}.bias"] / MAPPING_RATE
    theirs["input.input"] = state["synthesis.blocks.0.constant"]
    taps = torch.tensor(normalised(config.taps), dtype=torch.float64)
    kernel = (4 * torch.outer(taps, taps)).float()
    for i in range(len(config.channels)):
        ours = f"synthesis.blocks.{i}"
        if i:
            up = f"convs.{2 * i - 2}"
            _conv(theirs, state, f"{ours}.up", up, 2 * i - 1)
            theirs[f"{up}.conv.blur.kernel"] = kernel.clone()
        _conv(theirs, state, f"{ours}.conv", f"convs.{2 * i - 1}" if i else "conv1", 2 * i)
        to_rgb = f"to_rgbs.{i - 1}" if i else "to_rgb1"
        if i:
            theirs[f"{to_rgb}.upsample.kernel"] = kernel.clone()
        weight = state[f"{ours}.to_rgb.weight"]
        theirs[f"{to_rgb}.conv.weight"] = (weight * weight.shape[1] ** 0.5)[None, :, :, None, None]
        theirs[f"{to_rgb}.bias"] = state[f"{ours}.to_rgb.bias"].reshape(1, -1, 1, 1)
        _modulation(theirs, state, f"{ours}.to_rgb", to_rgb)
    # Tensors of their own: torch.save writes the whole memory that a view is part of.
    return {key: value.contiguous().clone() for key, value in theirs.items()}


def _conv(theirs: dict[str, Tensor], state: dict[str, Tensor], ours: str, name: str, layer: int) -> None:
    weight = state[f"{ours}.weight"]
    theirs[f"{name}.conv.weight"] = (weight * (9 * weight.shape[1]) ** 0.5).unsqueeze(0)
    theirs[f"{name}.activate.bias"] = state[f"{ours}.bias"]
    theirs[f"{name}.noise.weight"] = state[f"{ours}.noise_strength"].reshape(1)
    theirs[f"noises.noise_{layer}"] = state[f"{ours}.noise"]
    _modulation(theirs, state, ours, name)


def _modulation(theirs: dict[str, Tensor], state: dict[str, Tensor], ours: str, name: str) -> None:
    weight = state[f"{ours}.style.weight"]
    theirs[f"{name}.conv.modulation.weight"] = weight * weight.shape[1] ** 0.5
    theirs[f"{name}.conv.modulation.bias"] = state[f"{ours}.style.bias"]
