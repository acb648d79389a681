"""LPIPS, the perceptual distance in losses and metrics, and resizing of images for it."""

from collections.abc import Sequence
from typing import Literal, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.errors import InputError

Trunk = Literal["alex", "vgg"]
LEAST_SIDE = 64
"""Pixels; the trunks' strides leave nothing of a picture much smaller than this."""

# For each convolution: kernel, stride, padding; "pool" between; "tap" where features are compared.
_ALEX: tuple[tuple[int, int, int] | str, ...] = (
    (11, 4, 2), "tap", "pool", (5, 1, 2), "tap", "pool", (3, 1, 1), "tap", (3, 1, 1), "tap", (3, 1, 1), "tap",
)  # fmt: skip
_VGG: tuple[tuple[int, int, int] | str, ...] = (
    (3, 1, 1), (3, 1, 1), "tap", "pool", (3, 1, 1), (3, 1, 1), "tap", "pool",
    (3, 1, 1), (3, 1, 1), (3, 1, 1), "tap", "pool", (3, 1, 1), (3, 1, 1), (3, 1, 1), "tap", "pool",
    (3, 1, 1), (3, 1, 1), (3, 1, 1), "tap",
)  # fmt: skip
_PLANS = {"alex": (_ALEX, (3, 2)), "vgg": (_VGG, (2, 2))}


class LPIPS(nn.Module):
    """Learned perceptual image patch similarity, version 0.1 (Zhang et al. 2018).

    Equal to the package ``lpips``, as a test checks; here a target's features are computed once, in any precision.

    Args:
        trunk: ``alex`` or ``vgg``: two different measures, not comparable with each other.
        tensors: ``conv{i}.weight``, ``conv{i}.bias`` and ``head{i}.weight`` ``[C]`` of each tap.
    """

    shift: Tensor
    spread: Tensor
    conv0_weight: Tensor

    def __init__(self, trunk: Trunk, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self.trunk = trunk
        self.plan, self.pool = _PLANS[trunk]
        for name, tensor in tensors.items():
            self.register_buffer(name.replace(".", "_"), tensor.float())
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).reshape(1, 3, 1, 1))
        self.register_buffer("spread", torch.tensor([0.458, 0.448, 0.450]).reshape(1, 3, 1, 1))

    @classmethod
    def load(cls, trunk: Trunk = "alex") -> Self:
        """With the published weights, fetched once."""
        from safetensors.torch import load_file

        from stylegan_latents.generator.weights import zoo

        return cls(trunk, load_file(zoo.fetch(f"lpips-{trunk}")))

    def features(self, images: Tensor) -> list[Tensor]:
        """The features whose squared difference, averaged over pixels and summed over taps, is the distance.

        ``images`` are ``[N, 3, H, W]`` in [-1, 1], at least 32 pixels a side. The features ``[N, C, h, w]`` are in
        float32, or the trunk's precision if that is lower.
        """
        taps = []
        for i, x in enumerate(self.activations(images)):
            norm = x.square().sum(dim=1, keepdim=True, dtype=torch.float32).sqrt() + 1e-10
            head = getattr(self, f"head{i}_weight").clamp_min(0).sqrt()
            taps.append(x * norm.reciprocal().to(x.dtype) * head.reshape(1, -1, 1, 1).to(x.dtype))
        return taps

    def activations(self, images: Tensor) -> list[Tensor]:
        """The trunk's activations ``[N, C, h, w]`` at each tap, after the ReLU, in its own precision."""
        x = ((images - self.shift) / self.spread).to(self.conv0_weight.dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        taps: list[Tensor] = []
        conv = 0
        for part in self.plan:
            if part == "tap":
                taps.append(x)
            elif part == "pool":
                x = F.max_pool2d(x, *self.pool)
            elif not isinstance(part, str):
                weight, bias = getattr(self, f"conv{conv}_weight"), getattr(self, f"conv{conv}_bias")
                _, stride, padding = part
                convolve = strided_convolution if stride > 1 else F.conv2d
                x = F.relu(convolve(x, weight, bias.to(x.dtype), stride=stride, padding=padding), inplace=True)
                conv += 1
        return taps

    def distance(self, ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> Tensor:
        """The distance ``[N]`` of two images from their ``features``."""
        parts = [
            (a - b).square().sum(dim=1, dtype=torch.float32).mean(dim=(1, 2))
            for a, b in zip(ours, theirs, strict=True)
        ]
        return torch.stack(parts).sum(dim=0)

    def forward(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """The distance ``[N]`` of images ``[N, 3, H, W]`` in [-1, 1]."""
        return self.distance(self.features(ours), self.features(theirs))

    def in_precision(self, dtype: torch.dtype) -> Self:
        """Compute the convolutions in ``dtype``, in place."""
        return convolutions_in_precision(self, dtype)


Module = TypeVar("Module", bound=nn.Module)


def convolutions_in_precision(network: Module, dtype: torch.dtype) -> Module:
    """Cast a network's buffers ``conv{i}_weight`` to ``dtype``, channels-last, in place."""
    for name, buffer in network.named_buffers():
        if name.startswith("conv") and name.endswith("weight"):
            buffer.data = buffer.data.to(dtype).contiguous(memory_format=torch.channels_last)
    return network


def area_resize(images: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Shrink ``[N, C, H, W]`` by averaging, or enlarge bilinearly, to squares of ``size`` or to (height, width)."""
    height, width = (size, size) if isinstance(size, int) else size
    if images.shape[-2:] == (height, width):
        return images
    if images.shape[-1] >= width and images.shape[-2] >= height:
        return F.adaptive_avg_pool2d(images, (height, width))
    return F.interpolate(images, size=(height, width), mode="bilinear", antialias=True, align_corners=False)


def resize_height(images: Tensor, height: int) -> Tensor:
    """``area_resize`` of ``[N, C, H, W]`` to this height, in proportion."""
    return area_resize(images, (height, max(1, round(height * images.shape[-1] / images.shape[-2]))))


def as_colour(images: Tensor) -> Tensor:
    """RGB from a generator's one to four channels, on white where the second or fourth says that it is transparent.

    Transparent photos are read on white too. Opacity goes from -1, none, to 1.

    Raises:
        InputError: the images have another number of channels.
    """
    if not 1 <= images.shape[1] <= 4:
        raise InputError(
            f"The model makes images of {images.shape[1]} channels; only those of 1 to 4 are pictures."
        )
    colour = images[:, :1].expand(-1, 3, -1, -1) if images.shape[1] < 3 else images[:, :3]
    if images.shape[1] % 2:
        return colour
    return torch.lerp(torch.ones_like(colour), colour, images[:, -1:].add(1).div(2).clamp(0, 1))


def strided_convolution(x: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
    """``conv2d``, faster, on blocks of ``stride`` (2 or more) by ``stride`` pixels laid out as channels.

    With three channels and a large kernel, the gradient of the images takes a third of the time: a kernel of 11
    pixels and stride 4 becomes one of 3 blocks. ``x`` is at least as large as the kernel when padded.
    """
    outputs, channels, kernel, _ = weight.shape
    blocks = -(-kernel // stride)
    # Sides that hold as many blocks as the kernel's positions need.
    down, across = (((side + 2 * padding - kernel) // stride + blocks) * stride for side in x.shape[2:])
    x = F.pad(x, (padding, across - x.shape[3] - padding, padding, down - x.shape[2] - padding))
    x = F.pixel_unshuffle(x, stride).contiguous(memory_format=torch.channels_last)
    more = blocks * stride - kernel
    split = F.pad(weight, (0, more, 0, more)).reshape(outputs, channels, blocks, stride, blocks, stride)
    by_block = split.permute(0, 1, 3, 5, 2, 4).reshape(outputs, channels * stride**2, blocks, blocks)
    return F.conv2d(x, by_block.contiguous(memory_format=torch.channels_last), bias)
