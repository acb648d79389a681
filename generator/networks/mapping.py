"""The mapping network of StyleGAN, StyleGAN2 and StyleGAN3: z, and a label where there are classes, to w.

Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks", 2019, section 2. The
equalised learning rate of training (a constant factor on each weight) is folded into the weights.
"""

from dataclasses import KW_ONLY, dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.ops.modulated_convolution import LEAK

__all__ = ["LEAK", "Linear", "Mapping", "MappingSizes", "unit", "zeros"]


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

    def __post_init__(self) -> None:
        model = type(self).__name__.removesuffix("Config")
        if not self.mapping_widths or min(self.z_dim, *self.mapping_widths) < 1:
            raise ValueError(f"a {model} has a mapping layer at least, and sizes above 0")
        if (self.label_dim > 0) != (self.label_width > 0):
            raise ValueError(f"a {model} has both label sizes or none")

    @property
    def w_dim(self) -> int:
        return self.mapping_widths[-1]


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
