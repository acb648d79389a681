"""The sizes of a StyleGAN3: each layer's sampling rate, cutoff frequency and filters.

Karras et al., "Alias-Free Generative Adversarial Networks", 2021, section 3.2 and appendix C.1.
"""

import math
from dataclasses import dataclass
from functools import cached_property

from stylegan_latents.generator.networks.mapping import LARGEST_SIZE, MappingSizes
from stylegan_latents.generator.ops.filtered_leaky_relu import Resampling
from stylegan_latents.generator.ops.lowpass import Grid, Taps, lowpass, radial_lowpass

# A file with larger numbers would demand any amount of memory.
_MAX_DEPTH = 64  # layers
_MAX_RESOLUTION, _MAX_MARGIN = 2048, 256
_MAX_FACTOR = 32  # up or down within one layer; published models have at most 4
_MAX_FILTER = 32  # taps for each pixel; published models have 6
_MAX_TAPS = 256  # of a filter; published models have 24


@dataclass(frozen=True)
class StyleGAN3Config(MappingSizes):
    """The sizes of a StyleGAN3.

    ``channels``, ``sizes``, ``rates``, ``cutoffs`` and ``half_widths`` have one entry for the output of each layer,
    to-RGB's last. The first entries are also the input's: layer 0 keeps its rate.

    Attributes:
        channels: of the feature maps; the last is the image's, 3 for colour.
        sizes: sides of the feature maps in pixels, including margins outside the image.
        rates: pixels along a side of the image.
        cutoffs: the highest frequency kept, in cycles per side of the image.
        half_widths: half the filters' transition band above the cutoff.
        critical: number of critically sampled layers before to-RGB.
        kernel: side of the convolutions: 3, or 1 in configuration R.
        filter_size: taps of a filter for each pixel at the lower rate.
        oversampling: rate of a layer's non-linearity over the higher rate of its two maps.
        radial: whether the down-sampling filters, except those of critically sampled layers, are radial, as in
            configuration R.
        clamp: bound on the magnitude of every layer's output before its down-sampling filter; None for none.
        output_scale: factor on the image.
    """

    channels: tuple[int, ...]
    sizes: tuple[int, ...]
    rates: tuple[int, ...]
    cutoffs: tuple[float, ...]
    half_widths: tuple[float, ...]
    critical: int = 2
    kernel: int = 3
    filter_size: int = 6
    oversampling: int = 2
    radial: bool = False
    clamp: float | None = 256.0
    output_scale: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        whole = (*self.channels, *self.sizes, *self.rates, self.kernel, self.filter_size, self.oversampling)
        if min(whole) < 1 or not 1 <= self.depth <= _MAX_DEPTH or self.kernel % 2 == 0:
            raise ValueError(f"a StyleGAN3 has sizes above 0, odd kernels and 2 to {_MAX_DEPTH + 1} layers")
        lists = (self.sizes, self.rates, self.cutoffs, self.half_widths)
        if {len(values) for values in lists} != {len(self.channels)} or not 0 <= self.critical <= self.depth:
            raise ValueError("a StyleGAN3 has one size, rate, cutoff and half-width for each layer")
        if max(self.rates) > _MAX_RESOLUTION or max(self.sizes) > _MAX_RESOLUTION + 2 * _MAX_MARGIN:
            raise ValueError(f"a StyleGAN3 of more than {_MAX_RESOLUTION} pixels is not read")
        if self.filter_size > _MAX_FILTER or self.oversampling > 8 or self.kernel > 15:
            raise ValueError("no StyleGAN3 has filters of that length")
        if max(whole) > LARGEST_SIZE:
            raise ValueError(f"no StyleGAN3 has sizes above {LARGEST_SIZE}")
        numbers = (*self.cutoffs, *self.half_widths, self.output_scale, self.clamp or 1.0)
        if not all(0 < number < math.inf for number in numbers):
            raise ValueError("a StyleGAN3 has cutoffs, widths and factors above 0")
        for i in range(self.depth + 1):
            self.resampling(i)

    @property
    def depth(self) -> int:
        """The number of layers before to-RGB."""
        return len(self.channels) - 1

    @property
    def resolution(self) -> int:
        return self.sizes[-1]

    def resampling(self, index: int) -> Resampling:
        """The resampling of layer ``index``, from the previous layer's rate to its own.

        Raises:
            ValueError: its rates or sizes do not fit those of the previous layer.
        """
        return self._resamplings[index]

    @cached_property
    def _resamplings(self) -> tuple[Resampling, ...]:
        return tuple(self._resampling(index) for index in range(self.depth + 1))

    def _resampling(self, index: int) -> Resampling:
        before, to_rgb = max(index - 1, 0), index == self.depth
        rate = max(self.rates[before], self.rates[index]) * (1 if to_rgb else self.oversampling)
        up, down = rate // self.rates[before], rate // self.rates[index]
        if up * self.rates[before] != rate or down * self.rates[index] != rate:
            raise ValueError("a StyleGAN3's rates are whole multiples of one another")
        if max(up, down) > _MAX_FACTOR or self.filter_size * max(up, down) > _MAX_TAPS:
            raise ValueError(f"no StyleGAN3 changes its rate by more than {_MAX_FACTOR} in one layer")
        kernel = 1 if to_rgb else self.kernel
        up_taps: Taps = (1.0,)
        down_taps: Taps | Grid = (1.0,)
        if up > 1 and not to_rgb:
            up_taps = lowpass(self.filter_size * up, self.cutoffs[before], 2 * self.half_widths[before], rate)
        if down > 1 and not to_rgb:
            radial = self.radial and index < self.depth - self.critical
            design_filter = radial_lowpass if radial else lowpass
            down_taps = design_filter(
                self.filter_size * down, self.cutoffs[index], 2 * self.half_widths[index], rate
            )
        # The pixels of both maps are centred on the image (appendix C.3): pad what is missing on both sides.
        total = (self.sizes[index] - 1) * down + 1 - (self.sizes[before] + kernel - 1) * up
        total += len(up_taps) + len(down_taps) - 2
        first = (total + up) // 2
        made = Resampling(up, down, up_taps, down_taps, (first, total - first))
        if made.high_size(self.sizes[before] + kernel - 1) < len(down_taps):
            raise ValueError("a StyleGAN3's feature maps are larger than its filters")
        return made


def design(
    *,
    resolution: int,
    z_dim: int,
    mapping_widths: tuple[int, ...],
    image_channels: int = 3,
    label_dim: int = 0,
    label_width: int = 0,
    channel_base: int = 32768,
    channel_max: int = 512,
    depth: int = 14,
    critical: int = 2,
    first_cutoff: float = 2.0,
    first_stopband: float = 2**2.1,
    last_stopband: float = 2**0.3,
    margin: int = 10,
    radial: bool = False,
    kernel: int = 3,
) -> StyleGAN3Config:
    """The sizes of a network by the paper's rules: cutoffs and stopbands rise geometrically.

    Args:
        resolution: side of the image.
        channel_base: channels times twice the cutoff; ``channel_max`` bounds them.
        depth: layers before to-RGB, the last ``critical`` of which keep all that their rate can hold.
        first_cutoff, first_stopband: of layer 0, in cycles for each side of the image.
        last_stopband: of the last layers, as a multiple of their cutoff.
        margin: pixels outside of the image on each side of a feature map.
        radial, kernel: True and 1 for configuration R, with twice the channels; False and 3 for T.

    Raises:
        ValueError: no network has these sizes.
    """
    if resolution < 4 or not 0 <= critical < depth:
        raise ValueError("a StyleGAN3 has 4 pixels at least, and more layers than critically sampled ones")
    rising = [min(i / (depth - critical), 1.0) for i in range(depth + 1)]
    cutoffs = [first_cutoff * (resolution / 2 / first_cutoff) ** part for part in rising]
    stopbands = [first_stopband * (last_stopband * resolution / 2 / first_stopband) ** part for part in rising]
    rates = [2 ** math.ceil(math.log2(min(2 * stopband, resolution))) for stopband in stopbands]
    return StyleGAN3Config(
        z_dim=z_dim,
        mapping_widths=mapping_widths,
        channels=(*(round(min(channel_base / 2 / cutoff, channel_max)) for cutoff in cutoffs[:-1]), image_channels),
        sizes=(*(rate + 2 * margin for rate in rates[:-2]), resolution, resolution),
        rates=tuple(rates),
        cutoffs=tuple(cutoffs),
        half_widths=tuple(max(s, r / 2) - c for s, r, c in zip(stopbands, rates, cutoffs, strict=True)),
        label_dim=label_dim,
        label_width=label_width,
        critical=critical,
        kernel=kernel,
        radial=radial,
    )
