"""pSp's encoder: a row of ws from each head, and for each head the map whose detail it draws.

Richardson et al., "Encoding in Style: a StyleGAN Encoder for Image-to-Image Translation", 2021.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.encoders.config import EncoderConfig
from stylegan_latents.encoders.networks.backbone import Backbone
from stylegan_latents.encoders.networks.heads import Map2Style


class GradualStyleEncoder(nn.Module):
    """Images to what is to be added to the mean code: a head for each row, over a feature pyramid.

    With ``config.pyramid`` false every head looks at the last map, the simpler network that ReStyle uses.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        widths, side = config.widths, config.input_shape[1] // 16
        self.backbone = Backbone(config.backbone, config.input_channels, widths, config.depths)
        self.heads = nn.ModuleList()
        for row in range(config.num_ws):
            self.heads.append(Map2Style(widths[-1], config.w_dim, side << self._level(row)))
        if config.pyramid:
            self.middle_lateral = nn.Conv2d(widths[-2], widths[-1], 1)
            self.fine_lateral = nn.Conv2d(widths[-3], widths[-1], 1)

    def _level(self, row: int) -> int:
        """How often the row's map is twice as large as the last one."""
        if not self.config.pyramid:
            return 0
        return (row >= self.config.first_middle_row) + (row >= self.config.first_fine_row)

    def row_maker(self, images: Tensor) -> Callable[[int], Tensor]:
        """Look at images; what is returned gives the head's answer ``[N, w_dim]`` for a row of ws.

        Maps of the pyramid are made when a row asks for them first.
        """
        fine, middle, coarse = self.backbone(images)
        levels = [coarse]

        def answer(row: int) -> Tensor:
            while len(levels) <= self._level(row):
                lateral, finer = (self.middle_lateral, middle) if len(levels) == 1 else (self.fine_lateral, fine)
                larger = F.interpolate(levels[-1], size=finer.shape[2:], mode="bilinear", align_corners=True)
                levels.append(larger + lateral(finer))
            made: Tensor = self.heads[row](levels[self._level(row)])
            return made

        return answer

    def forward(self, images: Tensor) -> Tensor:
        """``[N, input_channels, H, W]`` to ``[N, num_ws, w_dim]``."""
        answer = self.row_maker(images)
        return torch.stack([answer(row) for row in range(self.config.num_ws)], dim=1)
