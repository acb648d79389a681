"""What is inside of a synthesis network: its feature maps, and the matrices that turn a code into styles."""

from typing import NoReturn

import torch
from torch import Tensor, nn

from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.networks.synthesis import FeatureMap

__all__ = ["FeatureMap", "feature_maps", "features", "style_weights"]


class _ReachedError(Exception):
    """Ends a synthesis whose feature map is there."""


def feature_maps(G: Generator) -> tuple[FeatureMap, ...]:
    """The feature maps of a generator, coarsest first, one for each resolution."""
    return tuple(G.synthesis.feature_maps())


def features(G: Generator, ws: Tensor, wanted: FeatureMap, noise: Noise = "const") -> Tensor:
    """ws to a feature map, ``[N, channels, size, size]``; gradients reach ws.

    Args:
        G: the generator.
        ws: ``[N, num_ws, w_dim]``.
        wanted: one of its ``feature_maps``.
        noise: as for ``Generator.synthesize``.

    Raises:
        ValueError: the feature map belongs to another generator.
    """
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> NoReturn:
        seen.append(output)
        raise _ReachedError

    handle = wanted.module.register_forward_hook(keep)
    try:
        G.synthesize(ws, noise)
    except _ReachedError:
        return seen[0]
    finally:
        handle.remove()
    raise ValueError("the feature map belongs to another generator")


def style_weights(G: Generator) -> list[Tensor]:
    """The derivative of each style by the row of ws that drives it, float32 ``[channels, w_dim]`` for each layer.

    A StyleGAN's styles are affine in w, so that this is the weight of each affine layer, and exactly: going
    back from one channel multiplies the weight with ones and zeros only. No network has to name its layers.
    """
    # Copy i of the code is asked for channel i, so that one way back gives a whole matrix.
    most = max(layer.channels for layer in G.layers)
    weights = []
    with torch.enable_grad():
        ws = G.w_avg.expand(most, G.num_ws, -1).clone().requires_grad_(True)
        for style, layer in zip(G.styles(ws), G.layers, strict=True):
            (slope,) = torch.autograd.grad(style.diagonal().sum(), ws, retain_graph=True)
            weights.append(slope[: layer.channels, layer.ws_index].clone())
    return weights
