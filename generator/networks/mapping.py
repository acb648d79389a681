"""The mapping network of StyleGAN and StyleGAN2: z, and a label where there are classes, to w.

Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks", 2019, section 2. The
equalised learning rate of training (a constant factor on each weight) is folded into the weights.
"""

from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAK = 0.2


class MappingSizes(Protocol):
    """The sizes that define a mapping network.

    Attributes:
        z_dim: length of z.
        mapping_widths: outputs of the layers; the last is the length of one w.
        label_dim: number of classes; 0 for a model without.
        label_width: length of the embedded label; 0 without classes.
    """

    @property
    def z_dim(self) -> int: ...

    @property
    def mapping_widths(self) -> tuple[int, ...]: ...

    @property
    def label_dim(self) -> int: ...

    @property
    def label_width(self) -> int: ...


class Linear(nn.Linear):
    """A fully connected layer that starts at zero: drawing values that a file replaces takes time."""

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


def unit(x: Tensor) -> Tensor:
    """Each row of ``[N, C]`` scaled to a mean square of 1."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class Mapping(nn.Module):
    """z ``[N, z_dim]``, and a label ``[N, label_dim]`` where there are classes, to w ``[N, w_dim]``.

    Args:
        config: the sizes.
        joint_label: whether z and the embedded label are brought to unit size together, as in StyleGAN and the
            first StyleGAN2, or each by itself, as since StyleGAN2-ADA.
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
