"""Hybrid inversion: a short search that starts from an encoder's code.

Zhu et al., "In-Domain GAN Inversion for Real Image Editing", 2020, start and regularise a search with an encoder.
Here the start is enough: a search of few steps from it ends at half the distance from W's mean that one from the
mean reaches, where edits work best.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import torch
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.invert.inverters.base import Inverter, SearchSettings
from stylegan_latents.invert.inverters.encode import EncoderInverter
from stylegan_latents.invert.inverters.optimize import OptimizationInverter, search_settings
from stylegan_latents.invert.inverters.options import InverterOptions, Space
from stylegan_latents.invert.search.loss import check_mask, resize_height

if TYPE_CHECKING:
    from stylegan_latents.encoders.encoder import Encoder
    from stylegan_latents.encoders.restyle import ReStyle


class HybridInverter(OptimizationInverter):
    """Searches from an encoder's codes.

    Args:
        G: the generator, which is not changed.
        encoder: an encoder or its file; None for the one that comes with this package.
        settings: of the search; by default 40 steps in W and 54 in W+. In W the search
            starts from the mean of the encoder's rows; in W+ no step is in W.

    Attributes:
        encoder, sha256: as in ``EncoderInverter``.

    Raises:
        InputError: there is no encoder for the generator, or a setting does not fit the generator.
    """

    method: ClassVar[str] = "hybrid"
    own_steps: ClassVar[Mapping[Space, int]] = {"w": 40, "w+": 54}
    # The fewer the steps, the shorter they and their memory are; a larger weight of the identity and a few exact
    # pictures at the end gain most.
    instant: ClassVar[Mapping[str, float]] = {
        "sketch_fraction": 0.4, "learning_rate": 0.2, "momentum": 0.3, "identity_weight": 0.035,
    }  # fmt: skip

    def __init__(
        self,
        G: Generator,
        encoder: "str | Path | Encoder | ReStyle | None" = None,
        settings: SearchSettings | None = None,
    ) -> None:
        super().__init__(G, settings)
        self._encoding = EncoderInverter(G, encoder)
        self.encoder, self.sha256 = self._encoding.encoder, self._encoding.sha256
        self.w_steps = self.steps if self.search.space == "w" else 0

    @classmethod
    def from_options(cls, G: Generator, options: InverterOptions, pivot: Inverter | None = None) -> Self:  # noqa: ARG003
        return cls(G, options.encoder, search_settings(options, cls.instant))

    @torch.no_grad()
    def own_start(self, images: Tensor, mask: Tensor | None) -> Tensor:
        """The encoder's codes. What a mask hides is filled with the mean picture, then with the first code's."""
        if mask is None:
            return self._encoding.invert(images).ws
        check_mask(mask, images)
        ws = self.G.w_avg.expand(1, self.G.num_ws, -1)
        for _ in range(2):
            filling = resize_height(as_colour(self.G.synthesize(ws)).clamp(-1, 1), images.shape[-2])
            found = self._encoding.invert(torch.lerp(filling, images.to(filling), mask.to(filling)))
            ws = found.ws.to(self.G.device)
        return ws

    def settings(self) -> dict[str, JSON]:
        return super().settings() | self._encoding.encoder_settings()
