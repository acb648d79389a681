"""The names of a generator's layers, and their groups: coarse, middle and fine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stylegan_latents.generator.errors import InputError

Group = Literal["coarse", "middle", "fine"]
GROUPS: tuple[Group, ...] = ("coarse", "middle", "fine")


@dataclass(frozen=True)
class Layer:
    """One style input of a synthesis network.

    Attributes:
        name: unique within the network.
        resolution: side in pixels of the feature map that it modulates.
        ws_index: the row of ws that drives it.
        channels: length of its style.
        cutoff: of an alias-free network, the highest frequency in the map, in cycles per side of the image; None
            for a network whose maps use every pixel.
        fixed_group: the group of a layer that is not told by its resolution; None for others.
    """

    name: str
    resolution: int
    ws_index: int
    channels: int
    cutoff: float | None = None
    fixed_group: Group | None = None

    @property
    def group(self) -> Group:
        """Coarse up to 8 pixels, middle up to 32, fine above (StyleGAN, section 3.1).

        With a cutoff, the pixels are those that its frequencies need: two for each cycle.
        """
        if self.fixed_group is not None:
            return self.fixed_group
        pixels = self.resolution if self.cutoff is None else 2 * self.cutoff
        if pixels <= 8:
            return "coarse"
        return "middle" if pixels <= 32 else "fine"


def group_of_each_ws(layers: Sequence[Layer], num_ws: int) -> list[Group]:
    """The group of each row of ws: that of the first layer it drives."""
    groups: dict[int, Group] = {}
    for layer in layers:
        groups.setdefault(layer.ws_index, layer.group)
    return [groups[index] for index in range(num_ws)]


def parse_layers(text: str, layers: Sequence[Layer], num_ws: int) -> list[int]:
    """Rows of ws from a user's text.

    Args:
        text: groups, indices and inclusive ranges, joined by commas: ``coarse,middle``, ``0-3,7``, ``all``.
        layers: the generator's layers.
        num_ws: number of rows of ws.

    Returns:
        Row indices, ascending, without repetition.

    Raises:
        InputError: a part is neither a group nor an index of this generator.
    """
    groups = group_of_each_ws(layers, num_ws)
    chosen: set[int] = set()
    for part in (part.strip().lower() for part in text.split(",")):
        if part == "all":
            chosen.update(range(num_ws))
        elif part in GROUPS:
            chosen.update(index for index, group in enumerate(groups) if group == part)
        else:
            first, dash, last = part.partition("-")
            if not first.isdecimal() or (dash and not last.isdecimal()):
                raise InputError(
                    f"'{part}' is not a layer: give coarse, middle, fine, all, or indices such as 0-3,7 "
                    f"(this model has the layers 0 to {num_ws - 1})."
                )
            start, end = int(first), int(last) if dash else int(first)
            if start > end or end >= num_ws:
                raise InputError(f"Layers {part} do not exist: this model has the layers 0 to {num_ws - 1}.")
            chosen.update(range(start, end + 1))
    return sorted(chosen)


Box = tuple[float, float, float, float]
"""Left, top, right, bottom of a rectangle, as fractions of the image's side."""
