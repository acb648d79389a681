"""dlib's face recognition network in PyTorch, differentiable: a face to a descriptor of 128 values.

A residual network of 29 convolutions (King 2017, after He et al. 2016, "Deep Residual Learning for Image
Recognition"), trained to map faces of one person to within a distance of 0.6 and others beyond. It is in the public
domain. A test checks that it equals dlib's own.
"""

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.dlib_network import Layer, Network, read_network
from stylegan_latents.generator.perceptual import convolutions_in_precision


class FaceRecognition(nn.Module):
    """Maps faces to descriptors, whose Euclidean distance is below 0.6 for the same person.

    Args:
        network: as ``read_network`` returns it; an InputError unless it is dlib's for face recognition.

    Attributes:
        side: of its input, in pixels.
    """

    mean: Tensor
    head: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.side = network.side
        self.register_buffer("mean", torch.tensor(network.mean).reshape(1, 3, 1, 1))
        kinds = [layer.kind for layer in network.layers]
        learned = [layer for layer in network.layers if layer.weights]
        *pairs, last = learned
        if kinds[-1:] != ["fc_2"] or len(pairs) % 4 != 2 or {one.kind for one in pairs[::2]} != {"con_4"}:
            raise InputError("This network of dlib's is not that for face recognition.")
        for number in range(len(pairs) // 2):
            weight, bias = _folded(*pairs[2 * number : 2 * number + 2])
            self.register_buffer(f"conv{number}_weight", weight)
            self.register_buffer(f"conv{number}_bias", bias)
        self.strides = [(one.shape[2], one.shape[4]) for one in pairs[::2]]
        self.register_buffer("head", torch.from_numpy(last.weights["weights"]))
        try:
            self(torch.zeros(1, 3, self.side, self.side))
        except RuntimeError as error:
            raise InputError("The layers of this network of dlib's do not fit one another.") from error

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """With the published weights, fetched once, or those of a dlib file."""
        from stylegan_latents.generator.weights import zoo

        return cls(read_network(zoo.fetch("dlib-face-recognition") if path is None else path))

    def forward(self, faces: Tensor) -> Tensor:
        """Faces ``[N, 3, side, side]`` in [-1, 1], as dlib crops them, to descriptors, float32 ``[N, 128]``."""
        x = ((faces.float() + 1) * 127.5 - self.mean) / 256
        x = x.to(self.conv0_weight.dtype).contiguous(memory_format=torch.channels_last)
        x = F.max_pool2d(F.relu(self._convolve(x, 0), inplace=True), 3, 2)
        for first in range(1, len(self.strides), 2):
            new = self._convolve(F.relu(self._convolve(x, first), inplace=True), first + 1)
            if self.strides[first][0] > 1:
                x = F.avg_pool2d(x, 2)
            x = F.relu(_added(new, x), inplace=True)
        return x.mean(dim=(2, 3), dtype=torch.float32) @ self.head

    def _convolve(self, x: Tensor, number: int) -> Tensor:
        weight, bias = getattr(self, f"conv{number}_weight"), getattr(self, f"conv{number}_bias")
        stride, padding = self.strides[number]
        return F.conv2d(x, weight, bias.to(x.dtype), stride=stride, padding=padding)

    def in_precision(self, dtype: torch.dtype) -> Self:
        """Compute the convolutions in ``dtype``, in place."""
        return convolutions_in_precision(self, dtype)

    conv0_weight: Tensor


def _folded(convolution: Layer, affine: Layer) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution that includes the affine layer after it."""
    filters, biases = (torch.from_numpy(convolution.weights[name]) for name in ("filters", "biases"))
    if affine.kind != "affine_" or affine.weights["gamma"].shape != biases.shape:
        raise InputError("This network of dlib's is not that for face recognition.")
    gamma, beta = (torch.from_numpy(affine.weights[name]) for name in ("gamma", "beta"))
    return filters * gamma.reshape(-1, 1, 1, 1), biases * gamma + beta


def _added(one: Tensor, two: Tensor) -> Tensor:
    """The sum as dlib takes it: the smaller one is padded with zeros to the right, below and in new channels."""
    if one.shape == two.shape:
        return one + two
    channels, rows, columns = (max(a, b) for a, b in zip(one.shape[1:], two.shape[1:], strict=True))

    def padded(x: Tensor) -> Tensor:
        return F.pad(x, (0, columns - x.shape[3], 0, rows - x.shape[2], 0, channels - x.shape[1]))

    return padded(one) + padded(two)


def face_chips(images: Tensor, corners: Tensor, side: int) -> Tensor:
    """Crop a square, at any angle, from each image.

    As in dlib, images are averaged by halves until the square's pixels are less than two of theirs apart, so that
    bilinear sampling skips no pixel.

    Args:
        images: ``[N, 3, H, H]`` in [-1, 1].
        corners: ``[N, 3, 2]``, x and y of the centres of the square's pixels at its top left, top right and bottom
            left, as fractions of the image's side.
        side: of the squares, in pixels.

    Returns:
        ``[N, 3, side, side]``, black outside the image.
    """
    step = float((corners[:, 1] - corners[:, 0]).norm(dim=1).max()) * images.shape[-1] / (side - 1)
    while step >= 2 and images.shape[-1] % 2 == 0:
        images, step = F.avg_pool2d(images, 2), step / 2
    across = torch.linspace(0, 1, side, device=images.device).reshape(1, 1, side, 1)
    down = across.reshape(1, side, 1, 1)
    begin, right, below = corners.to(images.device, torch.float32)[:, :, None, None].unbind(dim=1)
    positions = begin + across * (right - begin) + down * (below - begin)
    # grid_sample gives 0 outside an image, so black is moved to 0.
    grid = (2 * positions - 1).to(images.dtype)
    return F.grid_sample(images + 1, grid, mode="bilinear", padding_mode="zeros", align_corners=False) - 1


MEAN_CORNERS = ((0.158, 0.259), (0.844, 0.259), (0.158, 0.945))
"""The corners of dlib's crop in FFHQ-aligned images, as ``face_chips`` takes them: means over portraits.

Those of single faces are within 0.02 of these.
"""


class FaceDistance(nn.Module):
    """The squared Euclidean distance of two aligned faces' descriptors: below 0.36 for the same person.

    Without a ``network``, dlib's is fetched once; an InputError if that is not possible.
    """

    corners: Tensor

    def __init__(self, network: FaceRecognition | None = None) -> None:
        super().__init__()
        self.network = FaceRecognition.load() if network is None else network
        self.register_buffer("corners", torch.tensor([MEAN_CORNERS]))

    def features(self, images: Tensor) -> Tensor:
        """FFHQ-aligned images ``[N, 3, H, H]`` in [-1, 1] to descriptors ``[N, 128]``."""
        corners = self.corners.expand(len(images), -1, -1)
        descriptors: Tensor = self.network(face_chips(images, corners, self.network.side))
        return descriptors

    def forward(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """The distance ``[N]`` of images ``[N, 3, H, H]`` in [-1, 1]."""
        with torch.no_grad():
            wanted = self.features(theirs)
        return (self.features(ours) - wanted).square().sum(dim=1)
