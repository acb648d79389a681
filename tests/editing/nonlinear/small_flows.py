"""A random flow of two attributes for the small generator's codes."""

import torch

from stylegan_latents.editing.nonlinear.attribute_flow import AttributeFlow, FlowAttribute
from stylegan_latents.editing.nonlinear.flow_network import FlowNetwork
from stylegan_latents.generator.statistics import WStatistics

ATTRIBUTES = (
    FlowAttribute("lightness", 0.0, 100.0, 50.0, 20.0, 40.0, "coarse", score="lightness"),
    FlowAttribute("redness", -1.0, 1.0, 0.0, 0.5, 0.1, score="redness"),
)


def small_flow(*, width: int = 8, latent_space: str = "small-w", scorer: str = "colour") -> AttributeFlow:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = FlowNetwork(width, len(ATTRIBUTES), (6,)).eval().requires_grad_(False)
    whitening = WStatistics(torch.ones(width), torch.eye(width).flip(0), torch.full((width,), 0.5))
    return AttributeFlow("small.safetensors", network, ATTRIBUTES, latent_space, scorer, whitening, {"samples": 3})
