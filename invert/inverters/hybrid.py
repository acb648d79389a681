"""Finds the code of an image by a search that an encoder begins: near from the first step, so short and mild.

Zhu et al., "In-Domain GAN Inversion for Real Image Editing", 2020, begin and regularise a search with an encoder.
Here the encoder's start is enough: from it a search of few steps ends at half the distance from W's mean that one
from the mean does, where edits work best.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import Precision
from stylegan_latents.invert.inverters.base import Progress, Space
from stylegan_latents.invert.inverters.encode import EncoderInverter
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.record.inversion import JSON, Inversion
from stylegan_latents.invert.search.loss import Resemblance, area_resize, check_images, check_mask

if TYPE_CHECKING:
    from stylegan_latents.encoders.encoder import Encoder
    from stylegan_latents.encoders.restyle import ReStyle

_STEPS = {"w": 50, "w+": 95}


class HybridInverter(OptimizationInverter):
    """Asks an encoder for the codes of images, and searches on from there.

    Args:
        G: the generator; it is left as it is.
        encoder: what ``EncoderInverter`` takes; None for the one that comes with this package.
        space: as for ``OptimizationInverter``; in W the search begins with the mean of the
            encoder's rows.
        steps: of Adam; None for 50 in W, 95 in W+.
        learning_rate: in standard deviations of W.
        pixel_weight, detail_weight, grid_weight, centre_weight, identity_weight, prior_weight, start_weight,
            search_size, seed, precision: as for the search.

    Attributes:
        encoder, sha256: the encoder's name, and that of its file where it came from one.

    Raises:
        InputError: this package has no encoder for the generator and none is given, the encoder belongs to another
            generator, or a setting is out of its range.
    """

    method = "hybrid"
    # From so near, a mean of five gradients ends nearer to the image and to W's mean than the usual one of ten.
    momentum = 0.8

    def __init__(
        self,
        G: Generator,
        encoder: "str | Path | Encoder | ReStyle | None" = None,
        space: Space = "w+",
        *,
        steps: int | None = None,
        learning_rate: float = 0.22,
        pixel_weight: float = 1.0,
        detail_weight: float = 1.0,
        grid_weight: float = 100.0,
        centre_weight: float = 0.2,
        identity_weight: float = 0.02,
        prior_weight: float = 0.0,
        start_weight: float = 0.0,
        search_size: int = 256,
        seed: int = 0,
        precision: Precision = "auto",
    ) -> None:
        super().__init__(
            G,
            space,
            steps=_STEPS.get(space) if steps is None else steps,
            learning_rate=learning_rate,
            pixel_weight=pixel_weight,
            detail_weight=detail_weight,
            grid_weight=grid_weight,
            centre_weight=centre_weight,
            identity_weight=identity_weight,
            prior_weight=prior_weight,
            start_weight=start_weight,
            search_size=search_size,
            seed=seed,
            precision=precision,
        )
        self._encoding = EncoderInverter(G, encoder)
        self.encoder, self.sha256 = self._encoding.encoder, self._encoding.sha256
        self.w_steps = self.steps if space == "w" else 0

    def invert(
        self,
        images: Tensor,
        *,
        on_step: Callable[[Progress], None] | None = None,
        keep_partial: bool = False,
        mask: Tensor | None = None,
        resemblance: Resemblance | None = None,
        start: Tensor | None = None,
    ) -> Inversion:
        """Encode images, then search their codes, all at once; they don't influence one another.

        Args:
            images, on_step, keep_partial, resemblance: as for the search.
            mask: ``[1 or N, 1, H, W]``, 1 where images are compared, 0 where the generator fills in; there the
                encoder sees the mean picture at first, and then what it made of that.
            start: codes to begin with in place of the encoder's.

        Returns:
            The record, as the search's.

        Raises:
            InputError: as the search, and where the encoder's codes are not finite.
        """
        check_images(images)
        if start is None:
            start = self._encoded(images, mask)
        return super().invert(
            images,
            on_step=on_step,
            keep_partial=keep_partial,
            mask=mask,
            resemblance=resemblance,
            start=start,
        )

    @torch.no_grad()
    def _encoded(self, images: Tensor, mask: Tensor | None) -> Tensor:
        if mask is None:
            return self._encoding.invert(images).ws
        check_mask(mask, images)
        ws = self.G.w_avg.expand(1, self.G.num_ws, -1)
        for _ in range(2):
            filling = area_resize(as_colour(self.G.synthesize(ws)).clamp(-1, 1), images.shape[-1])
            ws = self._encoding.invert(torch.lerp(filling, images.to(filling), mask.to(filling))).ws
        return ws

    def settings(self) -> dict[str, JSON]:
        """Every setting, as records tell it."""
        return super().settings() | {"encoder": self.encoder, "sha256": self.sha256}
