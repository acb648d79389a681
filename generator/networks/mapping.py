"""The mapping network of StyleGAN, StyleGAN2 and StyleGAN3: z, and a label where there are classes, to w.

Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks", 2019, section 2. The
equalised learning rate of training (a constant factor on each weight) is folded into the weights.
"""

import math
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.ops.modulated_convolution import LEAK
from stylegan_latents.generator.reading.headers import STRICT

__all__ = [
    "LARGEST_SIZE",
    "LEAK",
    "MOST_LAYERS",
    "Linear",
    "Mapping",
    "MappingSizes",
    "check_taps",
    "unit",
    "zeros",
]

LARGEST_SIZE = 1 << 20
"""Of any layer; a file with a larger number would demand any amount of memory."""

MOST_LAYERS, _MOST_TAPS = 256, 64


@dataclass(frozen=True)
class MappingSizes:
    """The sizes of a mapping network.

    Attributes:
        z_dim: length of z.
        mapping_widths: outputs of the layers; the last is the length of one w.
        label_dim: number of classes; 0 for a model without.
        label_width: length of the embedded label; 0 without classes.

    Raises:
        ValueError: no mapping network has these sizes.
    """

    z_dim: int
    mapping_widths: tuple[int, ...]
    _: KW_ONLY
    label_dim: int = 0
    label_width: int = 0

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        model = type(self).__name__.removesuffix("Config")
        if not 1 <= len(self.mapping_widths) <= MOST_LAYERS or min(self.z_dim, *self.mapping_widths) < 1:
            raise ValueError(f"a {model} has 1 to {MOST_LAYERS} mapping layers, and sizes above 0")
        if max(self.z_dim, *self.mapping_widths, self.label_dim, self.label_width) > LARGEST_SIZE:
            raise ValueError(f"no {model} has sizes above {LARGEST_SIZE}")
        if (self.label_dim > 0) != (self.label_width > 0):
            raise ValueError(f"a {model} has both label sizes or none")

    @property
    def w_dim(self) -> int:
        return self.mapping_widths[-1]


def check_taps(taps: tuple[float, ...], least: int = 2) -> None:
    """Refuse a filter that no network has.

    Raises:
        ValueError: it has fewer than ``least`` or more than 64 taps, or a sum that is 0 or not finite.
    """
    total = math.fsum(taps) if all(map(math.isfinite, taps)) else math.inf
    if not least <= len(taps) <= _MOST_TAPS or (taps and not 1e-9 < abs(total) < 1e9):
        raise ValueError(f"no filter of a network has these {len(taps)} taps")


class Linear(nn.Linear):
    """A fully connected layer that starts at zero: random values that a file replaces would take time."""

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


def zeros(*shape: int) -> nn.Parameter:
    """A parameter that a file fills."""
    return nn.Parameter(torch.zeros(shape))


def unit(x: Tensor) -> Tensor:
    """Each row of ``[N, C]`` scaled to a mean square of 1."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class Mapping(nn.Module):
    """z ``[N, z_dim]``, and a label ``[N, label_dim]`` where there are classes, to w ``[N, w_dim]``.

    Args:
        config: the sizes.
        joint_label: whether z and the embedded label are normalised together, as in StyleGAN and the first
            StyleGAN2, or each by itself, as since StyleGAN2-ADA.
    """

    def __init__(self, config: MappingSizes, *, joint_label: bool = False) -> None:
        super().__init__()
        self.joint_label = joint_label
        self.embed = Linear(config.label_dim, config.label_width) if config.label_dim else None
        widths = [config.z_dim + config.label_width, *config.mapping_widths]
        self.layers = nn.ModuleList(Linear(a, b) for a, b in pairwise(widths))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        if self.embed is None:
            x = unit(z)
        elif label is None:
            raise ValueError("this model has classes: give a label")
        elif self.joint_label:
            x = unit(torch.cat([z, self.embed(label.to(z.dtype))], dim=1))
        else:
            x = torch.cat([unit(z), unit(self.embed(label.to(z.dtype)))], dim=1)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), LEAK) * 2**0.5
        return x
