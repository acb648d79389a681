"""Small StyleGAN-T files, made by the official code from random weights, and random ones made here.

``tests/data/README.md`` says how the files came about.
"""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from stylegan_latents.generator.formats.native import build
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan_t import Mapping, StyleGANTConfig, Synthesis

FOLDER = Path(__file__).parents[2] / "data" / "stylegan_t"
PICKLES = ("unconditional", "texts", "one-picture-grey")
CONFIG = StyleGANTConfig(z_dim=4, mapping_widths=(6, 5), channels=(8, 6, 4), pairs=1, groups=2)
TEXTS = replace(CONFIG, text_dim=7)


def stylegan_t_pickle(name: str = PICKLES[0]) -> Path:
    return FOLDER / f"{name}.pkl"


def expected(name: str) -> dict[str, Tensor]:
    """The official code's results: those of the StyleGAN2 files, ``image_moved``, and the codes of the texts."""
    return load_file(FOLDER / f"{name}.expected.safetensors")


def random_stylegan_t(config: StyleGANTConfig = CONFIG, texts: int = 0, seed: int = 0) -> Generator:
    """A generator with random weights, noise strengths and scales of residual layers, and with random texts."""
    source = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}
    for prefix, network in (("mapping.", Mapping(config)), ("synthesis.", Synthesis(config))):
        for name, tensor in network.state_dict().items():
            drawn = torch.randn(tensor.shape, generator=source)
            if name.endswith(("norm.weight", "style.bias")):
                drawn = 1 + 0.2 * drawn
            elif tensor.ndim == 2 and not name.endswith("frequencies"):
                drawn *= tensor.shape[1] ** -0.5
            elif name.endswith(("bias", "scale", "strength")):
                drawn *= 0.3
            tensors[prefix + name] = torch.eye(3) if name.endswith("transform") else drawn
    tensors.pop("mapping.texts", None)
    tensors["w_avg"] = 0.1 * torch.randn(config.x_dim, generator=source)
    codes = torch.nn.functional.normalize(torch.randn(texts, config.text_dim or 1, generator=source), dim=1)
    return build(config, tensors, name="random", texts=codes if texts else None)
