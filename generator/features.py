"""Feature maps from inside of a synthesis network, without drawing the rest of the image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from torch import Tensor, nn

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator, Noise


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """The last feature map of one resolution.

    Attributes:
        resolution: samples along a side of the image.
        size: samples along a side of the map, which may reach beyond the image, as far on every side.
        module: what gives it.
    """

    resolution: int
    size: int
    module: nn.Module


class _ReachedError(Exception):
    """Ends a synthesis whose feature map is there."""


def feature_maps(G: "Generator") -> tuple[FeatureMap, ...]:
    """The feature maps of a generator, coarsest first, one for each resolution."""
    maps: Sequence[FeatureMap] = G.synthesis.feature_maps()  # type: ignore[operator]
    return tuple(maps)


def features(G: "Generator", ws: Tensor, wanted: FeatureMap, noise: "Noise" = "const") -> Tensor:
    """ws to a feature map, ``[N, channels, size, size]``; gradients reach ws.

    Args:
        G: the generator.
        ws: ``[N, num_ws, w_dim]``.
        wanted: one of its ``feature_maps``.
        noise: as for ``Generator.synthesize``.
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
