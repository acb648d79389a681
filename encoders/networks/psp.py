"""pSp's encoder, e4e's, and the baselines of pSp's paper.

pSp (Richardson et al., "Encoding in Style: a StyleGAN Encoder for Image-to-Image Translation", 2021): a row of ws
from each head, and for each head the map whose detail it draws. Its baselines (section 4.4) see an image as one
vector; HyperStyle and others start from the first.

e4e (Tov et al., "Designing an Encoder for StyleGAN Image Manipulation", 2021): one w for the image, and for every
other row a small difference from it. Codes near W are easier to edit; the differences come one after the other
while it is trained (section 4.1), so that the first w says all it can.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.encoders.config import EncoderConfig
from stylegan_latents.encoders.networks.backbone import Backbone, EqualizedLinear, Map2Style

_POOLED_SIDE = 7


class GradualStyleEncoder(nn.Module):
    """Images to the difference of their codes from the mean code: a head for each row, over a feature pyramid.

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
        """Run the backbone; the function returned gives the head's output ``[N, w_dim]`` for a row of ws.

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


class SingleEncoder(nn.Module):
    """The mean of the last map, and a linear layer: the same w for all rows."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.backbone, config.input_channels, config.widths, config.depths)
        self.linear = EqualizedLinear(config.widths[-1], config.w_dim)

    def forward(self, images: Tensor) -> Tensor:
        """``[N, input_channels, H, W]`` to ``[N, num_ws, w_dim]`` with equal rows."""
        w: Tensor = self.linear(self.backbone(images)[2].mean(dim=(2, 3)))
        return w.unsqueeze(1).repeat(1, self.config.num_ws, 1)


class FlatEncoder(nn.Module):
    """The last map, made smaller and flat, and two linear layers to all rows at once."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.widths[-1]
        self.backbone = Backbone(config.backbone, config.input_channels, config.widths, config.depths)
        self.norm = nn.BatchNorm2d(channels)
        self.inner = nn.Linear(channels * _POOLED_SIDE**2, config.w_dim)
        self.linear = EqualizedLinear(config.w_dim, config.w_dim * config.num_ws)

    def forward(self, images: Tensor) -> Tensor:
        """``[N, input_channels, H, W]`` to ``[N, num_ws, w_dim]``."""
        pooled = F.adaptive_avg_pool2d(self.norm(self.backbone(images)[2]), _POOLED_SIDE)
        rows: Tensor = self.linear(self.inner(pooled.flatten(1)))
        return rows.reshape(-1, self.config.num_ws, self.config.w_dim)
