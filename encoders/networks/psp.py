"""pSp's encoder, e4e's, and the baselines of pSp's paper.

pSp (Richardson et al., "Encoding in Style: a StyleGAN Encoder for Image-to-Image Translation", 2021): each head
gives a row of ws from the map with the row's level of detail. Its baselines (section 4.4) pool an image to one
vector; HyperStyle and others start from the first.

e4e (Tov et al., "Designing an Encoder for StyleGAN Image Manipulation", 2021): one w for the image, and a small
difference from it for every other row. Codes near W are easier to edit; the differences are introduced one after
the other during training (section 4.1), so that w carries as much as it can.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.encoders.config import EncoderConfig
from stylegan_latents.encoders.networks.backbone import Backbone, EqualizedLinear, Map2Style

_POOLED_SIDE = 7


class GradualStyleEncoder(nn.Module):
    """Images to the differences of their codes from the mean code: a head for each row, on a feature pyramid.

    With ``config.pyramid`` false every head takes the last map, as in ReStyle.
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
        """The row's level in the pyramid, 0 for the last map; each level has twice the side."""
        if not self.config.pyramid:
            return 0
        return (row >= self.config.first_middle_row) + (row >= self.config.first_fine_row)

    def row_maker(self, images: Tensor) -> Callable[[int], Tensor]:
        """Run the backbone; the returned function gives the head's output ``[N, w_dim]`` for a row of ws."""
        fine, middle, coarse = self.backbone(images)
        levels = [coarse]

        def head_output(row: int) -> Tensor:
            while len(levels) <= self._level(row):
                lateral, finer = (self.middle_lateral, middle) if len(levels) == 1 else (self.fine_lateral, fine)
                larger = F.interpolate(levels[-1], size=finer.shape[2:], mode="bilinear", align_corners=True)
                levels.append(larger + lateral(finer))
            made: Tensor = self.heads[row](levels[self._level(row)])
            return made

        return head_output

    def forward(self, images: Tensor) -> Tensor:
        """``[N, input_channels, H, W]`` to ``[N, num_ws, w_dim]``."""
        head_output = self.row_maker(images)
        return torch.stack([head_output(row) for row in range(self.config.num_ws)], dim=1)


class Encoder4Editing(GradualStyleEncoder):
    """Images to one w, repeated, and differences from row 1 on.

    Attributes:
        stage: number of rows with a difference: 0 gives codes of W; initially all, ``num_ws - 1``.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.stage = config.num_ws - 1

    def set_stage(self, stage: int) -> None:
        """Give the first ``stage`` rows after row 0 a difference; a ValueError if there are fewer rows."""
        if not 0 <= stage < self.config.num_ws:
            raise ValueError(f"the stage is from 0 to {self.config.num_ws - 1}, got {stage}")
        self.stage = stage

    def forward(self, images: Tensor) -> Tensor:
        """``[N, input_channels, H, W]`` to ``[N, num_ws, w_dim]``."""
        head_output = self.row_maker(images)
        base = head_output(0)
        rows = [base + head_output(row) if 0 < row <= self.stage else base for row in range(self.config.num_ws)]
        return torch.stack(rows, dim=1)


class SingleEncoder(nn.Module):
    """The last map's mean and a linear layer: the same w for all rows."""

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
    """The last map, pooled and flattened, and two linear layers to all rows at once."""

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
