"""Small StyleGAN2 files, made by the official code from random weights, and what that code computes with them.

``tests/data/README.md`` says how they came about. The text that NVIDIA's pickles hold in the place of source code
ends the process when it is executed.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mapping import Mapping
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config, Synthesis

FOLDER = Path(__file__).parents[1] / "data" / "stylegan2"
NVIDIA = ("skip-conditional", "resnet-grey", "orig-four-channels", "stylegan3-repository")


def nvidia_pickle(name: str = NVIDIA[0]) -> Path:
    return FOLDER / f"{name}.pkl"


def rosinality_checkpoint() -> Path:
    return FOLDER / "rosinality.pt"


def expected(name: str) -> dict[str, Tensor]:
    """The official code's results: z, label, ws, ws_plus, image, gradient and others."""
    return load_file(FOLDER / f"{name}.expected.safetensors")


def check_parity(G: Generator, wanted: dict[str, Tensor], *, reference: bool = False) -> None:
    """Compare everything that the official code computed."""
    label = wanted.get("label")
    _close(G.map(wanted["z"], label), wanted["ws"])
    _close(G.map(wanted["z"], label, truncation=0.7, truncation_cutoff=_cutoff(wanted)), wanted["ws_truncated"])
    ws = wanted["ws_plus"].requires_grad_()
    if "styles" in wanted:
        _close(torch.cat(G.styles(ws), dim=1), wanted["styles"])
    image = G.synthesize(ws, reference=reference)
    _close(image, wanted["image"])
    if "image_without_noise" in wanted:
        _close(G.synthesize(ws, noise="none", reference=reference), wanted["image_without_noise"])
    (gradient,) = torch.autograd.grad((image * wanted["probe"]).sum(), ws)
    _close(gradient, wanted["gradient"])


def _cutoff(wanted: dict[str, Tensor]) -> int | None:
    return 2 if "styles" in wanted else None


def _close(value: Tensor, wanted: Tensor) -> None:
    assert value.shape == wanted.shape
    assert float((value - wanted).detach().abs().max()) <= 2e-5 * float(wanted.detach().abs().max())


def random_stylegan2(config: StyleGAN2Config, seed: int = 0) -> Generator:
    """A generator with random weights, noise strengths among them."""
    source = torch.Generator().manual_seed(seed)
    mapping, synthesis = Mapping(config), Synthesis(config)
    with torch.no_grad():
        for parameter in [*mapping.parameters(), *synthesis.parameters()]:
            fan_in = max(parameter[0].numel(), 1) if parameter.ndim == 2 else 1
            parameter.copy_(torch.randn(parameter.shape, generator=source) * fan_in**-0.5)
    return Generator(
        mapping,
        synthesis,
        torch.zeros(config.w_dim),
        name="random",
        z_dim=config.z_dim,
        label_dim=config.label_dim,
    )
