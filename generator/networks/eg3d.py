"""EG3D: planes by a StyleGAN2, volume rendering from a camera, and super-resolution.

Chan et al., "Efficient Geometry-aware 3D Generative Adversarial Networks", 2022.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.layers import Layer
from stylegan_latents.generator.networks.camera import LABEL, Camera, matrices_of
from stylegan_latents.generator.networks.mapping import LARGEST_SIZE, Linear, check_taps
from stylegan_latents.generator.networks.mapping import Mapping as StyleGAN2Mapping
from stylegan_latents.generator.networks.stylegan2 import StyledConv, StyleGAN2Config, ToRGB
from stylegan_latents.generator.networks.stylegan2 import Synthesis as Backbone
from stylegan_latents.generator.networks.synthesis import FeatureMap, NoiseMaps, Solid, SynthesisNetwork, View
from stylegan_latents.generator.ops.fir import normalised, upsample, upsample_reference
from stylegan_latents.generator.ops.volume_rendering import (
    Decoder,
    PlaneTable,
    Rendering,
    render,
    sample_planes_reference,
)
from stylegan_latents.generator.reading.headers import STRICT

_MOST_PIXELS = 2048
_RGB = 3
_MARGIN, _LEVEL = 30 / 256, 10.0  # of the official code's meshes, the level before the softplus
_LAYERS = ("first", "second", "to_rgb")


@dataclass(frozen=True)
class SuperResolution:
    """The sizes of the super-resolution.

    Attributes:
        side: to which the rendered picture is resized first.
        channels: of each block's feature maps.
        doubles: whether each block doubles the side.
        taps, clamp, has_noise: as in ``StyleGAN2Config``.
    """

    side: int
    channels: tuple[int, ...]
    doubles: tuple[bool, ...]
    taps: tuple[float, ...] = StyleGAN2Config.taps
    clamp: float | None = None
    has_noise: bool = False

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        if not 1 <= len(self.channels) == len(self.doubles) or not min(self.channels) >= 1:
            raise ValueError("a super-resolution has blocks with sizes above 0")
        if max(self.channels) > LARGEST_SIZE or not 1 <= self.side <= self.sides[-1] <= _MOST_PIXELS:
            raise ValueError(f"no super-resolution has {max(self.channels)} channels or {self.sides[-1]} pixels")
        check_taps(self.taps)

    @property
    def sides(self) -> list[int]:
        """The side of each block's feature maps."""
        doublings = [sum(self.doubles[: i + 1]) for i in range(len(self.doubles))]
        return [self.side << min(count, 16) for count in doublings]


@dataclass(frozen=True)
class EG3DConfig:
    """The sizes of an EG3D.

    Attributes:
        backbone: the StyleGAN2 that draws the planes, one above the other in its channels.
        hidden: width of the decoder's hidden layer.
        colours: channels of the rendered picture, of which the first three are red, green and blue.
        rendering: sizes and depths of the rays.
        super_resolution: the blocks after rendering.
        distance: of the camera from the centre, where no other is given.
        fov: its field of view in degrees, where no other is given.
        pivot: the point that cameras look at.
        label_scale: factor of the camera's matrices where the mapping takes them; 0 for a mapping that does not
            depend on the camera.

    Raises:
        ValueError: no EG3D has these sizes.
    """

    backbone: StyleGAN2Config
    hidden: int
    colours: int
    rendering: Rendering
    super_resolution: SuperResolution
    distance: float
    fov: float
    pivot: tuple[float, float, float]
    label_scale: float = 1.0

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        backbone = self.backbone
        if backbone.image_channels % 3 or backbone.base_width != 4 or backbone.label_dim not in (0, LABEL):
            raise ValueError("an EG3D has three square planes, and a mapping conditioned on a camera or on nothing")
        if not 1 <= self.hidden <= LARGEST_SIZE or not _RGB <= self.colours <= LARGEST_SIZE:
            raise ValueError(f"no EG3D has a decoder of {self.hidden} and {self.colours} channels")
        if not max(map(abs, (*self.pivot, self.label_scale))) < 1e4:
            raise ValueError("no EG3D looks so far away")
        Camera(fov=self.fov, distance=self.distance)

    @property
    def z_dim(self) -> int:
        return self.backbone.z_dim

    @property
    def w_dim(self) -> int:
        return self.backbone.w_dim

    @property
    def label_dim(self) -> int:
        """Cameras are no classes."""
        return 0

    def matrices(self, camera: Camera | Tensor) -> Tensor:
        """The matrices ``[N, 25]`` of a camera; see ``SynthesisNetwork.camera_matrices``."""
        return matrices_of(camera, self.fov, self.distance, self.pivot)


class Mapping(StyleGAN2Mapping):
    """z, and the camera that the face is likely to be seen from, to w; the front, where no camera is given."""

    front: Tensor

    def __init__(self, config: EG3DConfig) -> None:
        super().__init__(config.backbone)
        self.label_scale = config.label_scale
        self.register_buffer("front", config.matrices(Camera()), persistent=False)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        if self.embed is None:
            return super().forward(z)
        camera = (self.front if label is None else label).expand(len(z), -1)
        return super().forward(z, self.label_scale * camera)


class _Decoder(nn.Module):
    """Features to density and colours, as ``volume_rendering.Decoder``."""

    def __init__(self, features: int, hidden: int, colours: int) -> None:
        super().__init__()
        self.hidden = Linear(features, hidden)
        self.out = Linear(hidden, 1 + colours)

    def bound(self) -> Decoder:
        """The decoder with its present weights, also when it runs again for the gradient.

        A caller may have put others in the place of the module's own for the forward pass alone.
        """
        first, last = (self.hidden.weight, self.hidden.bias), (self.out.weight, self.out.bias)

        def decode(features: Tensor) -> tuple[Tensor, Tensor]:
            out = F.linear(_softplus(F.linear(features, *first)), *last)
            # A little beyond 0 and 1, as in Mip-NeRF, so that black and white can be reached.
            return out[..., 0], torch.sigmoid(out[..., 1:]) * 1.002 - 0.001

        return decode


def _softplus(x: Tensor) -> Tensor:
    """``F.softplus``, four times as fast without gradients, as the logarithm of 1 + x takes most of its time."""
    if torch.is_grad_enabled():
        return F.softplus(x)
    return torch.maximum(x.clamp_max(30).exp_().add_(1).log_(), x)


class _Block(nn.Module):
    """Two convolutions, the first of which may double the side, and an image that is added."""

    def __init__(self, config: StyleGAN2Config, before: int, channels: int, side: int, *, doubles: bool) -> None:
        super().__init__()
        self.side, self.doubles, self.taps = side, doubles, normalised(config.taps)
        self.first = StyledConv(config, before, channels, (side, side), self.taps if doubles else None, 1.0)
        self.second = StyledConv(config, channels, channels, (side, side), None, 1.0)
        self.to_rgb = ToRGB(config, channels)

    def forward(
        self, x: Tensor, image: Tensor, styles: Iterator[Tensor], noise: Iterator[Tensor | None], *, reference: bool
    ) -> tuple[Tensor, Tensor]:
        x = self.first(x, next(styles), next(noise, None), reference=reference)
        x = self.second(x, next(styles), next(noise, None), reference=reference)
        if self.doubles:
            image = (upsample_reference if reference else upsample)(image, self.taps)
        return x, image + self.to_rgb(x, next(styles))


class Synthesis(SynthesisNetwork):
    """ws to styles to planes to the picture.

    The rows of ws are the backbone's; all layers of the super-resolution take the last one.
    """

    config: EG3DConfig
    camera: Camera

    def __init__(self, config: EG3DConfig) -> None:
        super().__init__()
        self.config, self.camera = config, Camera()
        self.w_dim, self.image_channels = config.w_dim, _RGB
        self.backbone = Backbone(config.backbone)
        self.decoder = _Decoder(config.backbone.image_channels // 3, config.hidden, config.colours)
        finish = config.super_resolution
        self.resolution = finish.sides[-1]
        self.num_ws = self.backbone.num_ws
        own = replace(
            config.backbone, image_channels=_RGB, taps=finish.taps, clamp=finish.clamp, has_noise=finish.has_noise
        )
        widths = pairwise((config.colours, *finish.channels))
        self.blocks = nn.ModuleList(
            _Block(own, before, after, side, doubles=doubles)
            for (before, after), side, doubles in zip(widths, finish.sides, finish.doubles, strict=True)
        )
        self.layers = (*self.backbone.layers, *self._finishing_layers())
        self._kept: tuple[list[Tensor], Tensor] | None = None

    def _blocks(self) -> list[_Block]:
        return cast(list[_Block], list(self.blocks))

    def _finishing_layers(self) -> Iterator[Layer]:
        for i, block in enumerate(self._blocks()):
            for name in _LAYERS:
                channels = getattr(block, name).style.out_features
                yield Layer(f"super{i}.{name}", block.side, self.num_ws - 1, channels)

    def _convs(self) -> list[StyledConv]:
        noisy = self.config.super_resolution.has_noise
        return [conv for block in self._blocks() for conv in (block.first, block.second)] if noisy else []

    def noise_constants(self) -> list[Tensor]:
        own = [conv.noise * conv.noise_strength for conv in self._convs()]
        return [*self.backbone.noise_constants(), *own]

    def noise_strengths(self) -> list[Tensor]:
        return [*self.backbone.noise_strengths(), *(conv.noise_strength.abs() for conv in self._convs())]

    def set_precision(self, dtype: torch.dtype) -> None:
        """Choose the precision of the backbone's and the super-resolution's feature maps; rendering is float32."""
        self.dtype, self._kept = dtype, None
        self.backbone.set_precision(dtype)

    def feature_maps(self) -> list[FeatureMap]:
        """Those of the super-resolution, as the backbone's lie on planes, not in the picture."""
        blocks = {block.side: block for block in self._blocks()}
        return [FeatureMap(side, side, block.second) for side, block in blocks.items()]

    def styles(self, ws: Tensor) -> list[Tensor]:
        own = [getattr(block, name).style(ws[:, -1]) for block in self._blocks() for name in _LAYERS]
        return [*self.backbone.styles(ws), *own]

    def camera_matrices(self, camera: Camera | Tensor) -> Tensor:
        return self.config.matrices(camera)

    def forward(
        self, styles: Sequence[Tensor], noise: NoiseMaps, *, size: int | None = None, reference: bool = False
    ) -> Tensor:
        matrices = self.camera_matrices(self.camera).to(styles[0].device)
        return self.view(styles, noise, matrices, size=size, reference=reference).image

    def planes(self, styles: Sequence[Tensor], noise: NoiseMaps, *, reference: bool = False) -> Tensor:
        """The planes, float32 ``[N, 3, C, S, S]``; those of the last code are kept for further views of it.

        Args:
            styles, noise, reference: as for ``forward``.
        """
        count = len(self.backbone.layers)
        maps = noise[: len(self.backbone.noise_constants())]
        if reference or torch.is_grad_enabled() or torch.compiler.is_compiling():
            return self._draw_planes(styles[:count], maps, reference=reference)
        # The weights count, too: they may have been tuned since.
        sums = torch.stack([one.sum() for one in self.backbone.parameters()])
        inputs = [*styles[:count], *(sums.new_zeros(1) if one is None else one for one in maps), sums]
        kept = self._kept
        if kept is None or kept[1].device != sums.device or not all(map(torch.equal, kept[0], inputs)):
            kept = (inputs, self._draw_planes(styles[:count], maps, reference=False))
            self._kept = kept
        return kept[1]

    def __getstate__(self) -> dict[str, object]:
        """Without the planes that are kept, which a copy may never need."""
        return {**self.__dict__, "_kept": None}

    def _draw_planes(self, styles: Sequence[Tensor], noise: NoiseMaps, *, reference: bool) -> Tensor:
        planes: Tensor = self.backbone(styles, noise, reference=reference)
        return planes.reshape(len(planes), 3, -1, *planes.shape[2:])

    def solid(self, styles: Sequence[Tensor], noise: NoiseMaps) -> Solid:
        planes, rendering, decode = self.planes(styles, noise), self.config.rendering, self.decoder.bound()
        sample = PlaneTable(planes, rendering) if planes.device.type == "cpu" else None

        def look(points: Tensor) -> tuple[Tensor, Tensor]:
            points = points.unsqueeze(0)
            taken = sample_planes_reference(planes, points, rendering) if sample is None else sample(points)
            density, colours = decode(taken)
            return density[0], colours[0, :, :_RGB]

        return Solid(look, rendering.box, _MARGIN, _LEVEL)

    def view(
        self,
        styles: Sequence[Tensor],
        noise: NoiseMaps,
        camera: Tensor,
        *,
        size: int | None = None,
        reference: bool = False,
    ) -> View:
        planes = self.planes(styles, noise, reference=reference)
        camera = camera.expand(len(planes), -1)
        colours, depth = render(planes, self.decoder.bound(), camera, self.config.rendering, reference=reference)
        x, side = colours, self.config.super_resolution.side
        if x.shape[-1] != side:
            x = F.interpolate(x, (side, side), mode="bilinear", align_corners=False, antialias=True)
        image = x[:, :_RGB]
        layout = torch.contiguous_format if reference else torch.channels_last
        x = x.to(self.dtype).contiguous(memory_format=layout)
        style, maps = iter(styles[len(self.backbone.layers) :]), iter(noise[len(noise) - len(self._convs()) :])
        for block in self._blocks():
            x, image = block(x, image, style, maps, reference=reference)
        if size is not None and size != self.resolution:
            image = F.avg_pool2d(image, self.resolution // size)
        return View(image, colours[:, :_RGB], depth)
