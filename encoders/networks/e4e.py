"""e4e's encoder: one w for the image, and for every other row a small difference from it.

Tov et al., "Designing an Encoder for StyleGAN Image Manipulation", 2021. Codes near W are easier to edit; the
differences come one after the other while it is trained (its section 4.1), so that the first w says all it can.
"""

import torch
from torch import Tensor

from stylegan_latents.encoders.config import EncoderConfig
from stylegan_latents.encoders.networks.psp import GradualStyleEncoder


class Encoder4Editing(GradualStyleEncoder):
    """Images to one w, repeated, and differences from row 1 on.

    Attributes:
        stage: how many rows have a difference: 0 gives codes of W; ``num_ws - 1``, at first, all.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.stage = config.num_ws - 1

    def set_stage(self, stage: int) -> None:
        """Let the first ``stage`` rows after row 0 have a difference.

        Raises:
            ValueError: there are not so many rows.
        """
        if not 0 <= stage < self.config.num_ws:
            raise ValueError(f"the stage is from 0 to {self.config.num_ws - 1}, got {stage}")
        self.stage = stage

    def forward(self, images: Tensor) -> Tensor:
        """``[N, input_channels, H, W]`` to ``[N, num_ws, w_dim]``."""
        answer = self.row_maker(images)
        base = answer(0)
        rows = [base + answer(row) if 0 < row <= self.stage else base for row in range(self.config.num_ws)]
        return torch.stack(rows, dim=1)
