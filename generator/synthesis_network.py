"""What every architecture's synthesis network offers."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from stylegan_latents.generator.layers import Layer


class SynthesisNetwork(Protocol):
    """What a synthesis network has to offer to stand behind ``Generator``."""

    resolution: int
    w_dim: int
    num_ws: int
    image_channels: int
    layers: tuple[Layer, ...]

    def styles(self, ws: Tensor) -> list[Tensor]: ...

    def noise_constants(self) -> list[Tensor]: ...

    def noise_strengths(self) -> list[Tensor]: ...

    def set_precision(self, dtype: torch.dtype) -> None: ...

    def __call__(
        self,
        styles: Sequence[Tensor],
        noise: Sequence[Tensor | None],
        *,
        size: int | None = ...,
        reference: bool = ...,
    ) -> Tensor: ...
