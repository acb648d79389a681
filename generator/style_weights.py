"""The matrices that turn a code into styles, of any generator."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator


def style_weights(G: "Generator") -> "list[Tensor]":
    """The derivative of each style by the row of ws that drives it, float32 ``[channels, w_dim]`` for each layer.

    A StyleGAN's styles are affine in w, so that this is the weight of each affine layer, and exactly: going
    back from one channel multiplies the weight with ones and zeros only. No network has to name its layers.
    """
    import torch

    # Copy i of the code is asked for channel i, so that one way back gives a whole matrix.
    most = max(layer.channels for layer in G.layers)
    weights = []
    with torch.enable_grad():
        ws = G.w_avg.expand(most, G.num_ws, -1).clone().requires_grad_(True)
        for style, layer in zip(G.styles(ws), G.layers, strict=True):
            (slope,) = torch.autograd.grad(style.diagonal().sum(), ws, retain_graph=True)
            weights.append(slope[: layer.channels, layer.ws_index].clone())
    return weights
