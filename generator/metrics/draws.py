"""Random codes for metrics, a batch at a time."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.generator.generator import Generator


def draw_z(G: Generator, count: int, source: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """z ``[count, z_dim]``, and labels of random classes ``[count, label_dim]`` where the model has classes."""
    z, classes = [], []
    for _ in range(count):  # one at a time, so that the batch size changes no sample
        z.append(torch.randn(G.z_dim, generator=source))
        if G.label_dim:
            classes.append(torch.randint(G.label_dim, (), generator=source))
    return torch.stack(z), F.one_hot(torch.stack(classes), G.label_dim).float() if classes else None


def draw_codes(
    G: Generator, samples: int, *, batch: int = 8, truncation: float = 1.0, seed: int = 0
) -> Iterator[Tensor]:
    """ws of random z and classes, ``[batch, num_ws, w_dim]`` at a time, ``samples`` in all."""
    source = torch.Generator().manual_seed(seed)
    for size in batch_sizes(samples, batch):
        z, label = draw_z(G, size, source)
        with torch.no_grad():
            yield G.map(z, label, truncation)


def batch_sizes(samples: int, batch: int) -> list[int]:
    """Split ``samples`` into batches; a ValueError if one of the two is below 1."""
    if samples < 1 or batch < 1:
        raise ValueError(f"a metric needs at least one sample and a batch of 1, got {samples} and {batch}")
    return [min(batch, samples - start) for start in range(0, samples, batch)]


def in_colour(images: Tensor) -> Tensor:
    """RGB images from one or three channels; a ValueError for other numbers."""
    if images.shape[1] not in (1, 3):
        raise ValueError(f"this metric takes images of 1 or 3 channels, got {images.shape[1]}")
    return images.expand(-1, 3, -1, -1)
