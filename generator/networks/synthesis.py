"""The base class of every architecture's synthesis network."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from stylegan_latents.generator.layers import Box, Layer
from stylegan_latents.generator.networks.camera import Camera

_FLAT = "only a three-dimensional model, an EG3D or StyleNeRF, has a camera"

Noise = Literal["const", "random", "none"] | Sequence[Tensor]
"""The maps stored with the model, new random ones, none, or one ``[1 or N, 1, H, W]`` for each layer with noise."""

NoiseMaps = Sequence[Tensor | None]
"""One map ``[1 or N, 1, H, W]`` for each of ``noise_constants``, or None for no noise there."""


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """The last feature map of one resolution.

    Attributes:
        resolution: samples along a side of the image.
        size: samples along a side of the map, which may extend beyond the image, equally on every side.
        module: the layer whose output it is.
    """

    resolution: int
    size: int
    module: nn.Module


@dataclass(frozen=True)
class Part:
    """A part of a code that can be exchanged without the rest of it.

    Attributes:
        rows: first row of ws, and end.
        columns: first column of these rows, and end.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True, eq=False)
class View:
    """What a camera sees of a three-dimensional model.

    Attributes:
        image: float32 ``[N, image_channels, size, size]``, as ``forward`` gives it.
        raw: the rendered picture, before super-resolution, ``[N, image_channels, side, side]``.
        depth: along the ray of each of its pixels, in the model's units, ``[N, 1, side, side]``.
    """

    image: Tensor
    raw: Tensor
    depth: Tensor


@dataclass(frozen=True, eq=False)
class Solid:
    """What a three-dimensional model has in space, for one code.

    Attributes:
        look: points ``[P, 3]`` to densities ``[P]``, of any sign, and colours ``[P, 3]`` from 0 to 1.
        box: side of the cube around the origin in which the head is, in the model's units.
        margin: share of that side, at each border, which holds background instead of the head.
        level: a density that the head's surface has.
    """

    look: Callable[[Tensor], tuple[Tensor, Tensor]]
    box: float
    margin: float
    level: float


class SynthesisNetwork(ABC, nn.Module):
    """A synthesis network: ws to styles, styles to an image.

    Attributes:
        config: the dataclass of the network's sizes.
        resolution: height of the image in pixels.
        w_dim, num_ws: length of a row of ws, and the number of rows.
        image_channels: 3 for colour, 1 for grey.
        layers: every style input, in the order of the styles.
        dtype: the precision of the feature maps.
        camera: of a three-dimensional model, where pictures are drawn from if no other is given; None for others.
        can_save_memory: whether there is a way to draw with little memory.
        saves_memory: whether it is taken: feature maps are not kept for the gradient but computed again, and the
            modules of the finest ones in ``feature_maps`` see them in parts.
    """

    config: Any
    resolution: int
    w_dim: int
    num_ws: int
    image_channels: int
    layers: tuple[Layer, ...]
    dtype: torch.dtype = torch.float32
    camera: Camera | None = None
    can_save_memory: ClassVar[bool] = False
    saves_memory: bool = False

    @property
    def width(self) -> int:
        """The width of the image in pixels: the resolution, unless the network draws no squares."""
        return self.resolution

    @property
    def code_parts(self) -> dict[str, Part]:
        """By name, the parts of a code that can be exchanged apart; empty for a network without."""
        return {}

    @abstractmethod
    def styles(self, ws: Tensor) -> list[Tensor]:
        """ws ``[N, num_ws, w_dim]`` to one style ``[N, channels]`` for each of ``layers``."""

    @abstractmethod
    def feature_maps(self) -> list[FeatureMap]:
        """The output of the last layer of each resolution, coarsest first."""

    def set_precision(self, dtype: torch.dtype) -> None:
        """Choose the precision of the feature maps, in place; styles and images stay float32."""
        self.dtype = dtype

    @abstractmethod
    def forward(
        self, styles: Sequence[Tensor], noise: NoiseMaps, *, size: int | None = None, reference: bool = False
    ) -> Tensor:
        """Styles to an image.

        Args:
            styles: as ``styles`` gives them.
            noise: see ``NoiseMaps``.
            size: height of the image, the resolution divided by a power of two; below the resolution, the image is
                the area average of the full one.
            reference: run the plain operations instead of the fast ones.

        Returns:
            float32 ``[N, image_channels, size, size]`` (of a network that draws no squares: the width in
            proportion), about -1 to 1, not clamped.
        """

    def noise_constants(self) -> list[Tensor]:
        """The noise maps stored with the network, ``[1, 1, H, W]`` each, coarsest first; empty without noise."""
        return []

    def noise_strengths(self) -> list[Tensor]:
        """The standard deviation of each layer's random noise, ``[]`` each; empty without noise."""
        return []

    def check_size(self, size: int) -> None:
        """Raise ValueError unless ``size`` is the resolution divided by a power of two."""
        if size < 1 or self.resolution % size or (self.resolution // size).bit_count() != 1:
            raise ValueError(f"size has to be {self.resolution} divided by a power of two, got {size}")

    def noise_maps(self, noise: Noise, seed: int, count: int) -> NoiseMaps:
        """The noise maps for ``forward`` of ``count`` images; for the arguments see ``Generator.synthesize``.

        Raises:
            ValueError: the maps have other shapes, or ``noise`` is another word.
        """
        constants = self.noise_constants()
        if noise == "const":
            return constants
        if noise == "none":
            return [None] * len(constants)
        if noise == "random":
            source = torch.Generator().manual_seed(seed)
            drawn = [torch.randn(constant.shape, generator=source) for constant in constants]
            strengths = self.noise_strengths()
            return [strength * map.to(strength.device) for strength, map in zip(strengths, drawn, strict=True)]
        maps = [map for map in noise if isinstance(map, Tensor)]
        wanted = [constant.shape[1:] for constant in constants]
        if len(maps) != len(noise) or [map.shape[1:] for map in maps] != wanted:
            raise ValueError("noise has to be 'const', 'random', 'none', or a map for each of noise_constants()")
        if any(len(map) not in (1, count) for map in maps):
            raise ValueError(f"a noise map needs the shape [1 or {count}, 1, H, W]")
        return maps

    def sketch(self, styles: Sequence[Tensor], *, size: int, focus: Box | None = None) -> Tensor:
        """Styles to an approximate image, in less time than ``forward`` where the architecture allows it.

        Args:
            styles, size: see ``forward``.
            focus: the part of the image that needs full detail; None for all of it.
        """
        del focus
        image: Tensor = self(styles, self.noise_constants(), size=size)
        return image

    def move(self, styles: Sequence[Tensor], translate: Tensor, rotate: Tensor) -> list[Tensor]:  # noqa: ARG002
        """The styles of the same image, rotated about its centre and then translated.

        Args:
            styles: as ``styles`` gives them.
            translate: ``[1 or N, 2]``, to the right and down, in sides of the image.
            rotate: ``[1 or N]``, counter-clockwise, in degrees.

        Raises:
            ValueError: the architecture is not StyleGAN3.
        """
        raise ValueError("only a StyleGAN3 can translate and rotate its image: move the picture itself")

    def camera_matrices(self, camera: Camera | Tensor) -> Tensor:  # noqa: ARG002
        """The matrices ``[N, 25]`` of a camera; see ``networks.camera.camera_matrices``.

        Args:
            camera: one camera; or yaw, pitch and roll in degrees of several, ``[N, 3]``, differentiably.

        Raises:
            ValueError: the model is not three-dimensional.
        """
        raise ValueError(_FLAT)

    def view(
        self,
        styles: Sequence[Tensor],  # noqa: ARG002
        noise: NoiseMaps,  # noqa: ARG002
        camera: Tensor,  # noqa: ARG002
        *,
        size: int | None = None,  # noqa: ARG002
        reference: bool = False,  # noqa: ARG002
    ) -> View:
        """Styles to what a camera sees.

        Args:
            styles, noise, size, reference: as for ``forward``.
            camera: ``[1 or N, 25]``; see ``camera_matrices``.

        Raises:
            ValueError: the model is not three-dimensional.
        """
        raise ValueError(_FLAT)

    def solid(self, styles: Sequence[Tensor], noise: NoiseMaps) -> Solid:  # noqa: ARG002
        """The densities and colours in space of one code.

        Args:
            styles, noise: as for ``forward``.

        Raises:
            ValueError: the model is not three-dimensional.
        """
        raise ValueError(_FLAT)
