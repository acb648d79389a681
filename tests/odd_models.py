"""Random generators of sizes that no known model has, with noise and biases that show; made in milliseconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mobile import Mapping, MobileConfig, Synthesis
from stylegan_latents.invert.search.loss import LPIPS

ODD = MobileConfig(z_dim=7, w_dim=10, mapping_depth=3, channels=(12, 8, 20, 16))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers of this seed within the block, and the old state after it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def odd_generator(
    config: MobileConfig = ODD, *, seed: int = 0, name: str = "odd", latent_space: str | None = None
) -> Generator:
    """64 pixels and 8 rows of 10 values, unless ``config`` says otherwise."""
    with seeded(seed):
        mapping, synthesis = Mapping(config), Synthesis(config)
        _enliven(mapping, synthesis)
        w_avg = 0.1 * torch.randn(config.w_dim)
    return Generator(mapping, synthesis, w_avg, name=name, latent_space=latent_space, z_dim=config.z_dim)


@torch.no_grad()
def _enliven(mapping: Mapping, synthesis: Synthesis) -> None:
    """Weights by which z moves the image as in a trained network: w of unit size, styles near 1, contrast."""
    for layer in mapping.layers:
        layer.weight.normal_(std=layer.in_features**-0.5)
    for name, parameter in synthesis.named_parameters():
        if name.endswith("style.weight"):
            parameter.normal_(std=0.7 * parameter.shape[1] ** -0.5)
        elif name.endswith("style.bias"):
            parameter.normal_(mean=1, std=0.2)
        elif name.endswith(("noise", "bias")):
            parameter.normal_(std=0.1)
    synthesis.to_rgb.weight.mul_(4)


def odd_config(**changes: object) -> MobileConfig:
    """``ODD`` with other sizes."""
    return replace(ODD, **changes)  # type: ignore[arg-type]


ODD_SIZES = {
    "odd": ODD,
    "one block": odd_config(channels=(4, 5)),
    "no block": odd_config(channels=(3,)),
    "grey": odd_config(channels=(8, 8, 6), image_channels=1),
    "with opacity": odd_config(channels=(8, 12), image_channels=4, mapping_depth=1),
}


def tiny_lpips(seed: int = 0, widths: tuple[int, ...] = (3, 12, 16, 16, 12, 12)) -> LPIPS:
    """LPIPS's AlexNet with random weights and a few channels: a distance too, and needs no download."""
    kernels = (11, 5, 3, 3, 3)
    tensors: dict[str, Tensor] = {}
    with seeded(seed):
        for i, kernel in enumerate(kernels):
            fan_in = widths[i] * kernel**2
            tensors[f"conv{i}.weight"] = torch.randn(widths[i + 1], widths[i], kernel, kernel) * (2 / fan_in) ** 0.5
            tensors[f"conv{i}.bias"] = 0.1 * torch.rand(widths[i + 1])
            tensors[f"head{i}.weight"] = torch.rand(widths[i + 1]) / widths[i + 1]
    return LPIPS("alex", tensors)
