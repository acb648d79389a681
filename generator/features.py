"""The inside of a synthesis network: feature maps, the weights of the styles, and where each style acts."""

from collections.abc import Callable, Sequence
from typing import NoReturn

import torch
from torch import Tensor, nn

from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.networks.synthesis import FeatureMap

__all__ = ["FeatureMap", "effects_in_places", "feature_maps", "features", "style_weights"]


class _ReachedError(Exception):
    """Ends a synthesis once the feature map is computed."""


def feature_maps(G: Generator) -> tuple[FeatureMap, ...]:
    """The feature maps of a generator, coarsest first, one for each resolution."""
    return tuple(G.synthesis.feature_maps())


def features(
    G: Generator, codes: Tensor | Sequence[Tensor], feature_map: FeatureMap, noise: Noise = "const"
) -> Tensor:
    """ws ``[N, num_ws, w_dim]``, or their styles, to one of ``feature_maps(G)``, ``[N, channels, size, size]``;
    differentiable in the codes.

    Raises:
        ValueError: the feature map belongs to another generator.
    """
    found: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> NoReturn:
        found.append(output)
        raise _ReachedError

    handle = feature_map.module.register_forward_hook(keep)
    try:
        if isinstance(codes, Tensor):
            G.synthesize(codes, noise)
        else:
            G.synthesize_styles(codes, noise)
    except _ReachedError:
        return found[0]
    finally:
        handle.remove()
    raise ValueError("the feature map belongs to another generator")


def style_weights(G: Generator) -> list[Tensor]:
    """The derivative of each style by its row of ws, float32 ``[channels, w_dim]`` for each layer.

    Styles are affine in w, so this is each affine layer's weight, exactly; those of a StyleGAN-T are of second
    order, and this is their slope at the mean w. Taking it from gradients works for every architecture.
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


def effects_in_places(
    G: Generator,
    ws: Tensor,
    places: Tensor,
    *,
    probes: int,
    size: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """The squared change of the pixels in each place for a small step of each style channel, over the step squared
    (Wu, Lischinski & Shechtman, "StyleSpace Analysis: Disentangled Controls for StyleGAN Image Generation", 2021,
    section 4), for all channels at once.

    All channels' changes come from a few gradients of the picture under random signs, whose squares are the
    pixels' sum on average.

    Args:
        G: any generator.
        ws: codes to look at, ``[N, num_ws, w_dim]``; a handful is enough.
        places: masks ``[N, K, size, size]`` in [0, 1].
        probes: random signs for each code and place.
        size: side of the pictures.
        seed: of the signs.
        progress: called with the number of codes done and in all.

    Returns:
        float32 ``[K, channels of all layers]``, the sum over the codes.
    """
    source = torch.Generator().manual_seed(seed)
    total = torch.zeros(places.shape[1], sum(layer.channels for layer in G.layers), device=ws.device)
    for index in range(len(ws)):
        styles = [style.detach().requires_grad_(True) for style in G.styles(ws[index : index + 1])]
        with torch.enable_grad():
            picture = G.synthesize_styles(styles, size=size)
            for number, place in enumerate(places[index]):
                for _ in range(probes):
                    signs = torch.randint(2, picture.shape, generator=source).to(picture) * 2 - 1
                    # The square root, as gradients are squared and the mask counts once.
                    probe = (picture * signs * place.sqrt()).sum()
                    slopes = torch.autograd.grad(probe, styles, retain_graph=True)
                    total[number] += torch.cat(slopes, dim=1)[0].square() / probes
        if progress is not None:
            progress(index + 1, len(ws))
    return total
