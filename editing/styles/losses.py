"""What a style's tuning compares beside LPIPS: structure, and the texture and identity of other faces.

The texture loss is that of Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", 2016.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from stylegan_latents.encoders.face_recognition import FaceDistance
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import LPIPS, area_resize
from stylegan_latents.invert.faces.find import landmarks_of_crop
from stylegan_latents.invert.photos.files import to_picture

_STRUCTURE_SIDE = 32


class OtherFaces:
    """The loss of a tuned generator's picture of a random face, beside the untuned one's.

    Args:
        pictures: ``[N, 3, H, H]`` in [-1, 1], the style pictures at the side of comparison.
        lpips: whose trunk, VGG, has the texture's features.
        texture_weight: of the distance between Gram matrices, see ``gram_distance``.
        identity_weight: of the squared distance between descriptors of dlib's face recognition; 0 loads no network.
        grey: compare the texture of brightness alone.

    Raises:
        InputError: the face recognition network cannot be fetched.
    """

    def __init__(
        self, pictures: Tensor, lpips: LPIPS, *, texture_weight: float, identity_weight: float, grey: bool = False
    ) -> None:
        self._lpips, self._grey = lpips, grey
        self.texture_weight, self.identity_weight = texture_weight, identity_weight
        self._identity: FaceDistance | None = None
        if identity_weight:
            self._identity = FaceDistance().to(pictures.device)
            self._identity.network.in_precision(lpips.conv0_weight.dtype)
        with torch.no_grad():
            self._grams = [self._texture(one[None]) for one in pictures]

    def loss(self, drawn: Tensor, plain: Tensor, number: int) -> Tensor:
        """The weighted sum of texture and identity loss.

        Args:
            drawn: ``[1, 3, H, H]`` in [-1, 1], by the tuned generator.
            plain: the same code's picture by the untuned one.
            number: of the style picture.
        """
        loss = drawn.new_zeros(())
        if self.texture_weight:
            loss = loss + self.texture_weight * gram_distance(self._texture(drawn), self._grams[number])
        if self._identity is not None:
            loss = loss + self.identity_weight * self._identity(drawn, plain).mean()
        return loss

    def _texture(self, images: Tensor) -> list[Tensor]:
        shown = brightness(images).expand_as(images) if self._grey else images
        return gram_matrices(self._lpips.activations(shown))


def gram_matrices(activations: Sequence[Tensor]) -> list[Tensor]:
    """The Gram matrix ``[N, C, C]`` of each tap's activations ``[N, C, h, w]``, by the number of pixels."""
    flat = [one.float().flatten(2) for one in activations]
    return [one @ one.transpose(1, 2) / one.shape[2] for one in flat]


def gram_distance(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> Tensor:
    """The mean over the taps of the squared distance of Gram matrices, by the second's square."""
    parts = [(a - b).square().sum() / b.square().sum() for a, b in zip(ours, theirs, strict=True)]
    return torch.stack(parts).mean()


def draws_faces(G: Generator) -> bool:
    """Whether a generator's mean code is a face, as it is for models of aligned faces."""
    with torch.inference_mode():
        mean = G.synthesize(G.w_avg.expand(1, G.num_ws, G.w_dim))
    return landmarks_of_crop(to_picture(mean)[0]) is not None


def brightness(images: Tensor) -> Tensor:
    """Luma ``[N, 1, H, W]`` of RGB, by the weights of BT.601."""
    return (images * images.new_tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def structure(images: Tensor) -> Tensor:
    """Where an image is bright and dark, ``[N, 1, 32, 32]``: its brightness without mean and contrast."""
    small = area_resize(brightness(images), min(_STRUCTURE_SIDE, images.shape[-1]))
    centred = small - small.mean(dim=(2, 3), keepdim=True)
    spread: Tensor = centred.square().mean(dim=(2, 3), keepdim=True).sqrt()
    return centred / (spread + 1e-3)
