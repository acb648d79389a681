"""Makes clean pictures look like photos: an encoder that has seen samples alone stumbles over a camera's traces."""

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F


def degrade(images: Tensor, seed: int) -> Tensor:
    """Colour, blur, noise and JPEG at random strengths, each image its own.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1].
        seed: of everything that is random.

    Returns:
        ``[N, 3, H, W]`` in [-1, 1], on the same device, without a gradient.
    """
    source = torch.Generator().manual_seed(seed)
    return torch.stack([_one(image, source) for image in images.detach().cpu()]).to(images.device)


def _one(image: Tensor, source: torch.Generator) -> Tensor:
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
    # One side at a time: a Gaussian is the product of two.
    padded = F.pad(image.unsqueeze(0), (radius, radius, radius, radius), mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.unsqueeze(2), groups=3), kernel.unsqueeze(3), groups=3)[0]


def _through_jpeg(image: Tensor, quality: int) -> Tensor:
    pixels = ((image + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as read:
        return torch.from_numpy(np.asarray(read, dtype=np.float32) / 127.5 - 1).permute(2, 0, 1)
