"""The sizes of an encoder, stored in its file beside the weights."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, get_args

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.headers import STRICT

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

Architecture = Literal["psp", "e4e", "single", "flat", "plain", "perceptual"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)

_PLAIN_WIDTHS = (32, 64, 128, 192, 256, 256)
_PERCEPTUAL_WIDTHS = (96, 512)
_WIDTHS = {"plain": _PLAIN_WIDTHS, "perceptual": _PERCEPTUAL_WIDTHS}


@dataclass(frozen=True)
class EncoderConfig:
    """The sizes of an encoder's network.

    Attributes:
        architecture: ``psp`` (a head for each row of ws), ``e4e`` (a head for one w, and one for each other row's
            difference from it), ``single`` (one w), ``flat`` (all rows from one pooled vector), ``plain`` (a stack
            of convolutions) or ``perceptual`` (LPIPS's trunk, and one code for each group of rows).
        num_ws, w_dim: shape of the codes.
        backbone: ``irse`` (improved residual blocks with squeeze and excitation) or ``resnet`` (ResNet's basic
            blocks); unused by ``plain`` and ``perceptual``.
        pyramid: whether the heads of middle and fine rows take finer maps; otherwise all take the last map.
        input_channels: 3, or 6 for ReStyle: the image, and the image of the last code.
        input_shape: height and width of the input, the image's central part of that aspect ratio.
        widths: channels of the stem and of the four stages; of ``plain``, of each convolution; of ``perceptual``,
            of its reduced maps, and the length of its inner vector.
        depths: blocks of each stage.
        first_middle_row, first_fine_row: where the middle and the fine rows begin.
    """

    architecture: Architecture
    num_ws: int
    w_dim: int
    backbone: Literal["irse", "resnet"] = "irse"
    pyramid: bool = True
    input_channels: int = 3
    input_shape: tuple[int, int] = (256, 256)
    widths: tuple[int, ...] = (64, 64, 128, 256, 512)
    depths: tuple[int, ...] = (3, 4, 14, 3)
    first_middle_row: int = 3
    first_fine_row: int = 7

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise InputError(f"The architecture is one of {', '.join(ARCHITECTURES)}, not {self.architecture}.")
        if self.input_channels not in (3, 6):
            raise InputError(f"An encoder takes 3 or 6 channels, not {self.input_channels}.")
        if self.architecture == "perceptual" and (self.input_channels != 3 or len(self.widths) != 2):
            raise InputError("A perceptual encoder takes 3 channels, is no ReStyle, and has two widths.")
        height, width = self.input_shape
        if width < 32 or width.bit_count() != 1 or not 16 <= height <= width:
            raise InputError(
                f"An encoder's input is 32, 64, 128, 256 ... pixels wide, and no higher, not {width} x {height}."
            )
        sizes = (self.num_ws, self.w_dim, *self.widths, *self.depths)
        if not self.widths or min(sizes) < 1 or self.num_ws > 64 or max(sizes) > 1 << 14:
            raise InputError("An encoder's sizes have to be above 0, and below those of any known one.")
        if width > 2048 or len(self.widths) > 64 or sum(self.depths) > 1024:
            raise InputError("An encoder's input and layers have to be within those of any known one.")

    @property
    def is_restyle(self) -> bool:
        """Whether the network corrects a code, given the code's image."""
        return self.input_channels == 6

    @classmethod
    def for_generator(
        cls,
        G: "Generator",
        architecture: Architecture = "plain",
        *,
        restyle: bool = False,
        input_size: int = 256,
        widths: tuple[int, ...] | None = None,
        depths: tuple[int, ...] | None = None,
    ) -> Self:
        """The sizes for a generator, whose rows are coarse up to 8 pixels, middle up to 32, fine above.

        Args:
            G: the generator.
            architecture: see the class.
            restyle: whether it refines its own result. A ReStyle takes all rows from the last map (section 4 of its
                paper).
            input_size: side of the input.
            widths, depths: other sizes than the published ones.
        """
        groups: dict[int, str] = {}
        for layer in sorted(G.layers, key=lambda layer: (layer.cutoff or 0, layer.resolution)):
            groups[layer.ws_index] = layer.group  # the row's finest layer is the last one here
        coarse = sum(group == "coarse" for group in groups.values())
        middle = sum(group == "middle" for group in groups.values())
        return cls(
            architecture=architecture,
            num_ws=G.num_ws,
            w_dim=G.w_dim,
            pyramid=architecture in ("psp", "e4e") and not restyle,
            input_channels=6 if restyle else 3,
            input_shape=(input_size, input_size),
            widths=widths or _WIDTHS.get(architecture, cls.widths),
            depths=depths or cls.depths,
            first_middle_row=max(coarse, 1),
            first_fine_row=max(coarse, 1) + middle,
        )
