"""Encoders that see an image as one vector, and give one w for it or all rows.

They are the baselines of pSp's paper (section 4.4); HyperStyle and others start from the first.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.encoders.config import EncoderConfig
from stylegan_latents.encoders.networks.backbone import Backbone
from stylegan_latents.encoders.networks.heads import EqualizedLinear

_POOLED_SIDE = 7


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
