"""Training data of an encoder: a generator's samples, whose codes are known, and aligned images; augmentation.

An example depends on its number alone, so that a resumed training continues with the examples that would have come.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.encoders.encoder import draw_at
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_FIRST_SEED = 1 << 32  # beyond the small seeds that users choose


@dataclass(frozen=True)
class Examples:
    """Images, and their codes where these are known.

    Attributes:
        images: ``[N, 3, S, S]`` in [-1, 1].
        ws: ``[n, num_ws, w_dim]``, of the first ``n <= N`` images.
    """

    images: Tensor
    ws: Tensor


class Source(Protocol):
    """The examples of these numbers, for numbers from 0 on without end."""

    def __call__(self, numbers: range) -> Examples: ...


def labels_of(G: Generator, numbers: Iterable[int]) -> Tensor | None:
    """One-hot labels, one class after the other; None for a model without classes."""
    if not G.label_dim:
        return None
    return F.one_hot(torch.tensor([number % G.label_dim for number in numbers]), G.label_dim).float()


class GeneratorSamples:
    """Samples of the generator; an InputError if a number is out of range.

    Args:
        G: the generator.
        size: side of the images.
        seed: of the samples.
        truncation: see ``Generator.map``.
        mixing: share of samples, 0 to 1, whose rows from a random one on come from another code (style mixing,
            StyleGAN, section 3.1), as the rows of photos' codes differ.
    """

    def __init__(
        self, G: Generator, size: int, *, seed: int = 0, truncation: float = 1.0, mixing: float = 0.0
    ) -> None:
        if not 0 < truncation <= 2:
            raise InputError(f"The truncation of samples is above 0 and at most 2, not {truncation}.")
        if not 0 <= mixing <= 1:
            raise InputError(f"The share of mixed samples is from 0 to 1, not {mixing}.")
        self.G, self.size, self.seed, self.truncation, self.mixing = G, size, seed, truncation, mixing

    @torch.no_grad()
    def __call__(self, numbers: range) -> Examples:
        seeds = [_FIRST_SEED * (self.seed + 1) + number for number in numbers]
        label = labels_of(self.G, seeds)
        ws = self.G.sample(seeds, label, truncation=self.truncation)
        if self.mixing:
            others = self.G.sample([-seed for seed in seeds], label, truncation=self.truncation)
            for i, seed in enumerate(seeds):
                source = torch.Generator().manual_seed(-seed - 1)
                if self.G.num_ws > 1 and torch.rand(1, generator=source).item() < self.mixing:
                    row = int(torch.randint(1, self.G.num_ws, (1,), generator=source))
                    ws[i, row:] = others[i, row:]
        return Examples(draw_at(self.G, ws, self.size).clamp(-1, 1), ws)


class AlignedImages:
    """The images of a folder and its subfolders, shuffled anew in each round.

    Args:
        G: the generator, to whose training images they should be aligned.
        folder: of the images; an InputError if it is missing or has none.
        size: side to which they are resized; images that are not square are cropped to the centre.
        seed: of the order and the mirroring.
        mirror: whether half of them are mirrored.
    """

    def __init__(self, G: Generator, folder: Path, size: int, *, seed: int = 0, mirror: bool = True) -> None:
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.")
        self.paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
        if not self.paths:
            raise InputError(f"The folder {folder} holds no pictures ({', '.join(sorted(_SUFFIXES))}).")
        self.G, self.size, self.seed, self.mirror = G, size, seed, mirror

    def __call__(self, numbers: range) -> Examples:
        images = torch.stack([self._image(number) for number in numbers]).to(self.G.device)
        return Examples(images, self.G.w_avg.new_zeros(0, self.G.num_ws, self.G.w_dim))

    def _image(self, number: int) -> Tensor:
        epoch, position = divmod(number, len(self.paths))
        source = torch.Generator().manual_seed(self.seed * _FIRST_SEED + epoch)
        order = torch.randperm(len(self.paths), generator=source)
        mirrored = torch.rand(len(self.paths), generator=source)[position] < 0.5
        image = _read(self.paths[int(order[position])], self.size)
        return image.flip(-1) if self.mirror and mirrored else image


def _read(path: Path, size: int) -> Tensor:

    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file).convert("RGB")
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"Cannot read the picture {path}; remove it from the folder.") from error
    picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 127.5 - 1).permute(2, 0, 1)


class Mixed:
    """Examples half from each of two sources, the one with known codes first."""

    def __init__(self, samples: Source, pictures: Source) -> None:
        self.samples, self.pictures = samples, pictures

    def __call__(self, numbers: range) -> Examples:
        middle = (len(numbers) + 1) // 2
        parts = [
            source(part)
            for source, part in ((self.samples, numbers[:middle]), (self.pictures, numbers[middle:]))
            if len(part)
        ]
        return Examples(torch.cat([part.images for part in parts]), torch.cat([part.ws for part in parts]))


def degrade(images: Tensor, seed: int) -> Tensor:
    """Augment each image with random colour shifts, blur, noise and JPEG artefacts, without a gradient.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1].
        seed: of the random choices.
    """
    source = torch.Generator().manual_seed(seed)
    return torch.stack([_degraded(image, source) for image in images.detach().cpu()]).to(images.device)


def _degraded(image: Tensor, source: torch.Generator) -> Tensor:
    def draw(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*(shape or (1,)), generator=source)

    chances = torch.rand(4, generator=source)
    if chances[0] < 0.5:
        gain, shift = draw(0.85, 1.15) * draw(0.93, 1.07, 3, 1, 1), draw(-0.12, 0.12)
        image = image * gain + shift
    if chances[1] < 0.4:
        image = _blurred(image, float(draw(0.3, 1.6)))
    if chances[2] < 0.4:
        image = image + draw(0.0, 0.08) * torch.randn(image.shape, generator=source)
    image = image.clamp(-1, 1)
    if chances[3] < 0.5:
        image = _through_jpeg(image, int(draw(35, 95)))
    return image


def _blurred(image: Tensor, sigma: float) -> Tensor:
    radius = max(1, round(3 * sigma))
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma).square())
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    # One axis at a time, as a Gaussian is separable.
    padded = F.pad(image.unsqueeze(0), (radius, radius, radius, radius), mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.unsqueeze(2), groups=3), kernel.unsqueeze(3), groups=3)[0]


def _through_jpeg(image: Tensor, quality: int) -> Tensor:
    pixels = ((image + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as read:
        return torch.from_numpy(np.asarray(read, dtype=np.float32) / 127.5 - 1).permute(2, 0, 1)
