"""Maps rows of one StyleGAN's codes to another's by the resolutions that they drive."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator


def stylegan2_resolutions(rows: int) -> list[int]:
    """The resolution that each row of a StyleGAN1's or 2's code drives, by their number (18 for 1024 pixels).

    In StyleGAN2 the first row drives one convolution, and the last the to-RGB of the last block. InputError for a
    number that no such model has.
    """
    if rows < 2 or rows % 2 or rows > 20:
        raise InputError(f"it has {rows} rows, and no StyleGAN2 has codes of {rows}")
    last = 4 << (rows // 2 - 1)
    return [4, *(8 << i for i in range(rows // 2 - 1) for _ in range(2)), last]


def resolutions_of(G: "Generator") -> list[int]:
    """The resolution that each row of ws drives.

    A row of StyleGAN2 drives a block's to-RGB and the next block's first convolution; the convolution counts.
    """
    highest = [0] * G.num_ws
    for layer in G.layers:
        highest[layer.ws_index] = max(highest[layer.ws_index], layer.resolution)
    return highest


def sources_of_rows(source: Sequence[int], target: Sequence[int]) -> list[list[int]]:
    """For each target row, the source rows that it stands for.

    Rows of one resolution are matched in order; the target's last stands for all remaining, and the source's last
    is repeated where the target has more. A resolution that the source lacks takes the rows of the nearest.
    """
    found = []
    for row, resolution in enumerate(target):
        nearest = min(set(source), key=lambda other: (abs(other.bit_length() - resolution.bit_length()), other))
        here = [index for index, other in enumerate(source) if other == nearest]
        beside = [index for index, other in enumerate(target) if other == resolution]
        position = beside.index(row)
        if nearest != resolution:
            found.append(here)
        elif position == len(beside) - 1 and len(here) > len(beside):
            found.append(here[position:])
        else:
            found.append([here[min(position, len(here) - 1)]])
    return found


def map_vectors(vector: "Tensor", G: "Generator") -> "Tensor":
    """Vectors ``[rows, w_dim]`` of a StyleGAN2 as ``[num_ws, w_dim]`` of ``G``; rows that merge are averaged."""
    import torch

    sources = sources_of_rows(stylegan2_resolutions(len(vector)), resolutions_of(G))
    return torch.stack([vector[rows].mean(dim=0) for rows in sources])


def map_rows(chosen: Sequence[int], rows: int, G: "Generator") -> list[int]:
    """Rows chosen from a StyleGAN2's ``rows`` as rows of ``G``."""
    sources = sources_of_rows(stylegan2_resolutions(rows), resolutions_of(G))
    return [row for row, parts in enumerate(sources) if set(parts) & set(chosen)]
