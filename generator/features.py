"""The inside of a synthesis network: its feature maps, and the matrices that turn a code into styles."""

from typing import NoReturn

import torch
from torch import Tensor, nn

from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.networks.synthesis import FeatureMap

__all__ = ["FeatureMap", "feature_maps", "features", "style_weights"]


class _ReachedError(Exception):
    """Ends a synthesis once the feature map is computed."""


def feature_maps(G: Generator) -> tuple[FeatureMap, ...]:
    """The feature maps of a generator, coarsest first, one for each resolution."""
    return tuple(G.synthesis.feature_maps())


def features(G: Generator, ws: Tensor, feature_map: FeatureMap, noise: Noise = "const") -> Tensor:
    """ws ``[N, num_ws, w_dim]`` to one of ``feature_maps(G)``, ``[N, channels, size, size]``; differentiable in ws.

    Raises:
        ValueError: the feature map belongs to another generator.
    """
    found: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> NoReturn:
        found.append(output)
        raise _ReachedError

    handle = feature_map.module.register_forward_hook(keep)
    try:
        G.synthesize(ws, noise)
    except _ReachedError:
        return found[0]
    finally:
        handle.remove()
    raise ValueError("the feature map belongs to another generator")


def style_weights(G: Generator) -> list[Tensor]:
    """The derivative of each style by its row of ws, float32 ``[channels, w_dim]`` for each layer.

    Styles are affine in w, so this is each affine layer's weight, exactly; taking it from gradients works for every
    architecture.
    """
    # Copy i of the code gives the gradient of channel i, so that one backward pass gives a whole matrix.
    most = max(layer.channels for layer in G.layers)
    weights = []
    with torch.enable_grad():
        ws = G.w_avg.expand(most, G.num_ws, -1).clone().requires_grad_(True)
        for style, layer in zip(G.styles(ws), G.layers, strict=True):
            (slope,) = torch.autograd.grad(style.diagonal().sum(), ws, retain_graph=True)
            weights.append(slope[: layer.channels, layer.ws_index].clone())
    return weights
