"""StyleNeRF: radiance fields by modulated layers, rendered from a camera, and up-sampled by modulated layers.

Gu et al., "StyleNeRF: A Style-based 3D-Aware Generator for High-resolution Image Synthesis", 2022. The equalised
learning rate of training (a constant factor on each weight) is folded into all weights but the demodulated ones.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.layers import Layer
from stylegan_latents.generator.networks.camera import Camera, matrices_of
from stylegan_latents.generator.networks.mapping import LARGEST_SIZE, MappingSizes, check_taps
from stylegan_latents.generator.networks.stylenerf_layers import (
    RGB,
    UPSAMPLINGS,
    Background,
    Block,
    Doubling,
    FieldSizes,
    Foreground,
    Upsampling,
)
from stylegan_latents.generator.networks.synthesis import FeatureMap, NoiseMaps, Part, Solid, SynthesisNetwork, View
from stylegan_latents.generator.ops.fir import normalised
from stylegan_latents.generator.ops.radiance_field import VIEW_AXES, Marching, march

_MOST_BLOCKS, _MOST_PIXELS = 8, 2048
_OPACITY = 10.0  # of a side of the box, at the surface


@dataclass(frozen=True)
class StyleNeRFConfig(MappingSizes):
    """The sizes of a StyleNeRF.

    Attributes:
        channels: of the feature maps, coarsest first; block ``i`` draws ``marching.side << (i + 1)`` pixels.
        foreground, background: the radiance fields.
        background_dim: length of the random numbers that the background depends on.
        features: channels of the rendered map, beside red, green and blue.
        marching: the rays.
        distance, fov: of the camera where no other is given; the field of view is in degrees.
        upsampling, clamp: see ``Doubling``.
        taps: of the filter after up-sampling, at any scale.

    Raises:
        ValueError: no StyleNeRF has these sizes.
    """

    channels: tuple[int, ...]
    _: KW_ONLY
    foreground: FieldSizes
    background: FieldSizes
    background_dim: int
    features: int
    marching: Marching
    distance: float = 1.0
    fov: float = 12.0
    upsampling: Upsampling = "neighbours"
    taps: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)
    clamp: float | None = 256.0

    def __post_init__(self) -> None:
        super().__post_init__()
        # The layers that double the side have a quarter of the channels inside.
        if not 1 <= len(self.channels) <= _MOST_BLOCKS or min(self.channels) < 4 or self.resolution > _MOST_PIXELS:
            raise ValueError(f"a StyleNeRF has blocks of 4 channels and more, and at most {_MOST_PIXELS} pixels")
        if max(*self.channels, self.features, self.background_dim) > LARGEST_SIZE or self.features < 1:
            raise ValueError(f"no StyleNeRF has sizes of 0, or above {LARGEST_SIZE}")
        if self.background_dim < 1 or self.label_dim or self.upsampling not in UPSAMPLINGS:
            raise ValueError("a StyleNeRF has random backgrounds, no classes, and a published way of up-sampling")
        if self.marching.grid not in (0, self.resolution):
            raise ValueError("a StyleNeRF's rays lie on the picture's own pixels")
        check_taps(self.taps)
        Camera(fov=self.fov, distance=self.distance)

    @property
    def resolution(self) -> int:
        return self.marching.side << len(self.channels)


class Synthesis(SynthesisNetwork):
    """ws to styles to what a camera sees of two radiance fields, up-sampled.

    Rows of ws: one for each hidden layer of the foreground, one for its density, one for its features; then one for
    each convolution and one for the last to-RGB. Any other to-RGB shares the row of the convolution after it. The
    background does not depend on ws, but on random numbers, which are the one noise map
    ``[1, 1, 1, background_dim]``; the constant one is zero, their mean.
    """

    config: StyleNeRFConfig
    camera: Camera
    background_code: Tensor

    def __init__(self, config: StyleNeRFConfig) -> None:
        super().__init__()
        self.config, self.camera = config, Camera()
        self.w_dim, self.image_channels, self.resolution = config.w_dim, RGB, config.resolution
        self.foreground = Foreground(config.foreground, config.w_dim, config.features)
        self.background = Background(config.background, config.background_dim, config.features)
        sizes = Doubling(config.upsampling, normalised(config.taps), config.clamp)
        widths = pairwise((config.features, *config.channels))
        self.blocks = nn.ModuleList(Block(config.w_dim, before, after, sizes) for before, after in widths)
        self.register_buffer("background_code", torch.zeros(1, 1, 1, config.background_dim), persistent=False)
        self.layers = tuple(self._named_layers())
        self.num_ws = 1 + self.layers[-1].ws_index

    def _blocks(self) -> list[Block]:
        return cast(list[Block], list(self.blocks))

    def _named_layers(self) -> list[Layer]:
        """Rows that make the geometry count as coarse, that of the rendered features as middle."""
        side, depth = self.config.marching.side, self.config.foreground.depth
        names = [*(f"field.hidden{i}" for i in range(depth)), "field.density", "field.features"]
        found = [
            Layer(name, side, row, one.weight.shape[1], fixed_group="middle" if row > depth else "coarse")
            for row, (name, one) in enumerate(zip(names, self.foreground.layers(), strict=True))
        ]
        for i, block in enumerate(self._blocks()):
            row = depth + 2 + 2 * i
            for at, name in enumerate(("up", "conv", "to_rgb")):
                pixels = side << (i + 1)
                found.append(Layer(f"block{pixels}.{name}", pixels, row + at, block.layers()[at].weight.shape[1]))
        return found

    @property
    def code_parts(self) -> dict[str, Part]:
        """``geometry``, which alone decides densities, and ``appearance``."""
        first = self.config.foreground.depth + 1
        return {
            "geometry": Part(rows=(0, first), columns=(0, self.w_dim)),
            "appearance": Part(rows=(first, self.num_ws), columns=(0, self.w_dim)),
        }

    def noise_constants(self) -> list[Tensor]:
        return [self.background_code]

    def noise_strengths(self) -> list[Tensor]:
        return [torch.ones((), device=self.background_code.device)]

    def feature_maps(self) -> list[FeatureMap]:
        side = self.config.marching.side
        return [FeatureMap(s := side << (i + 1), s, block.conv) for i, block in enumerate(self._blocks())]

    def styles(self, ws: Tensor) -> list[Tensor]:
        layers = [*self.foreground.layers(), *(one for block in self._blocks() for one in block.layers())]
        return [one.style(ws[:, layer.ws_index]) for one, layer in zip(layers, self.layers, strict=True)]

    def camera_matrices(self, camera: Camera | Tensor) -> Tensor:
        return matrices_of(camera, self.config.fov, self.config.distance)

    def forward(
        self, styles: Sequence[Tensor], noise: NoiseMaps, *, size: int | None = None, reference: bool = False
    ) -> Tensor:
        matrices = self.camera_matrices(self.camera).to(styles[0].device)
        return self.view(styles, noise, matrices, size=size, reference=reference).image

    def view(
        self,
        styles: Sequence[Tensor],
        noise: NoiseMaps,
        camera: Tensor,
        *,
        size: int | None = None,
        reference: bool = False,
    ) -> View:
        count, marching = self.config.foreground.depth + 2, self.config.marching
        n = len(styles[0])
        code = self.background_code if noise[0] is None else noise[0]
        code = code.reshape(len(code), -1).expand(n, -1)

        def front(points: Tensor) -> tuple[Tensor, Tensor]:
            density, x = self.foreground.look(points, styles[:count])
            return density, self.foreground.project(x, styles[count - 1]) if reference else x

        def back(points: Tensor) -> tuple[Tensor, Tensor]:
            density, x = self.background.look(points, code)
            return density, self.background.project(x) if reference else x

        (seen, total), (behind, rest), depth = march(
            front, back, camera.expand(n, -1), marching, self.config.distance
        )
        if not reference:
            # Projection is linear, so a ray's sum is projected instead of each sample.
            seen = self.foreground.project(seen, styles[count - 1], total.unsqueeze(2))
            behind = self.background.project(behind, rest.unsqueeze(2))
        x = (seen + behind).transpose(1, 2).reshape(n, -1, marching.side, marching.side)
        raw = image = x[:, :RGB]
        layout = torch.contiguous_format if reference else torch.channels_last
        x = x[:, RGB:].to(self.dtype).contiguous(memory_format=layout)
        for i, block in enumerate(self._blocks()):
            x, image = block(x, image, styles[count + 3 * i : count + 3 * i + 3], reference=reference)
        if size is not None and size != self.resolution:
            image = F.avg_pool2d(image, self.resolution // size)
        return View(image, raw, depth.reshape(n, 1, marching.side, marching.side))

    def solid(self, styles: Sequence[Tensor], noise: NoiseMaps) -> Solid:  # noqa: ARG002
        count, box = self.config.foreground.depth + 2, self.config.marching.far - self.config.marching.near

        def look(points: Tensor) -> tuple[Tensor, Tensor]:
            density, x = self.foreground.look(points[None][..., VIEW_AXES], styles[:count])
            return density[0], 0.5 + 0.5 * self.foreground.project(x, styles[count - 1])[0, :, :RGB]

        return Solid(look, box, 0.0, _OPACITY / box)
