"""Networks as dlib serialises them: the layers of its face recognition model, read without dlib.

A stream of dlib's holds integers as a byte with their length and sign and then their bytes, lowest first;
floating-point numbers as two such integers, mantissa and exponent of 2; strings as a length and bytes; and
tensors as a version, four sizes and raw float32. A network begins with the versions of all its layers, outermost
first, and goes on with the layers themselves from the image upwards, each with its own name, which says what
follows.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.reading.files import read_regular, refusing_damage

Array = npt.NDArray[np.float32]
_LARGEST = 1 << 30  # bytes of a file; the face recognition model has 22 million
_MOST_LAYERS = 2000
_LONGEST_NAME = 64
_LARGEST_EXPONENT = 900  # with any mantissa still a finite double
_LARGEST_SHAPE = 16  # of windows, their strides and padding


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer, its kind as dlib names it, and what it has learned.

    Attributes:
        kind: ``con_4``, ``affine_``, ``fc_2``, ``relu_``, ``max_pool_2``, ``avg_pool_2`` or ``add_prev_``.
        weights: of a convolution ``filters`` [out, in, height, width] and ``biases`` [out]; of an affine layer
            ``gamma`` and ``beta`` [channels]; of a fully connected one ``weights`` [in, out]; else nothing.
        shape: of a convolution and of pooling, as they come: height, width, stride down, across, padding down,
            across.
    """

    kind: str
    weights: dict[str, Array]
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Network:
    """A network for faces.

    Attributes:
        mean: red, green and blue, 0 to 255, that are taken away from pictures before a division by 256.
        side: of its pictures, in pixels.
        layers: from the image upwards.
    """

    mean: tuple[float, float, float]
    side: int
    layers: list[Layer]


def read_network(path: Path) -> Network:
    """Read a network that was trained with dlib's metric loss, without branches other than residual ones.

    Raises:
        InputError: it is no such network of dlib's, has layers of other kinds, or is cut off.
    """
    try:
        with refusing_damage(path):
            return _network(_Stream(read_regular(path, largest=_LARGEST)))
    except _NotDlibError as error:
        raise InputError(
            f"{path.name} is no network of dlib's that can be read here: {error}; fetch it again."
        ) from error


class _NotDlibError(InputError):
    """The stream holds something else than what it should."""


class _Stream:
    """Bytes that are read one after the other, never past their end."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, count: int) -> memoryview:
        if count > len(self._data) - self._at:
            raise _NotDlibError("it ends too soon")
        self._at += count
        return self._data[self._at - count : self._at]

    def integer(self) -> int:
        control = self.take(1)[0]
        length = control & 0x0F
        if control & 0x70 or not 1 <= length <= 8:
            raise _NotDlibError(f"byte {self._at - 1} begins no number")
        value = int.from_bytes(self.take(length), "little")
        return -value if control & 0x80 else value

    def number(self) -> float:
        mantissa, exponent = self.integer(), self.integer()
        if abs(exponent) > _LARGEST_EXPONENT:
            raise _NotDlibError("a number is not finite")
        return math.ldexp(mantissa, exponent)

    def flag(self) -> bool:
        value = bytes(self.take(1))
        if value not in (b"0", b"1"):
            raise _NotDlibError(f"byte {self._at - 1} is neither yes nor no")
        return value == b"1"

    def name(self, length: int | None = None) -> str:
        length = self.integer() if length is None else length
        if not 1 <= length <= _LONGEST_NAME:
            raise _NotDlibError(f"a name has {length} letters")
        letters = bytes(self.take(length))
        if not letters.isascii():
            raise _NotDlibError("a name is no ascii")
        return letters.decode("ascii")

    def version(self, known: int) -> None:
        found = self.integer()
        if found != known:
            raise _NotDlibError(f"a part is of version {found}, not {known}")

    def sizes(self) -> tuple[int, int, int, int]:
        sizes = (self.integer(), self.integer(), self.integer(), self.integer())
        if min(sizes) < 0:
            raise _NotDlibError("a size is below 0")
        return sizes

    def window(self) -> tuple[int, ...]:
        """Height, width, stride down, across, padding down, across."""
        shape = tuple(self.integer() for _ in range(6))
        if min(shape) < 0 or max(shape) > _LARGEST_SHAPE or 0 in shape[2:4]:
            raise _NotDlibError(f"a layer has windows of {shape}")
        return shape

    def tensor(self) -> Array:
        """All numbers of a tensor in a row."""
        self.version(2)
        # Multiplied without bounds, sizes cannot wrap around; more than the file holds is never allocated.
        values = np.frombuffer(self.take(4 * math.prod(self.sizes())), dtype="<f4")
        if not np.isfinite(values).all():
            raise _NotDlibError("a weight is not finite")
        return values.astype(np.float32)


def _network(stream: _Stream) -> Network:
    stream.version(1)
    if stream.name() != "loss_metric_2":
        raise _NotDlibError("its loss is another one")
    stream.number(), stream.number()  # the loss's margin and threshold
    # Layers' versions are 1 to 3, and the input layer's name, which follows, is longer.
    for _ in range(_MOST_LAYERS):
        length = stream.integer()
        if not 1 <= length <= 3:
            break
    if stream.name(length) != "input_rgb_image_sized":
        raise _NotDlibError("it does not begin with colour pictures")
    mean = (stream.number(), stream.number(), stream.number())
    side, width = stream.integer(), stream.integer()
    if not 8 <= side <= 4096 or side != width:
        raise _NotDlibError(f"its pictures are {width} x {side}")
    layers: list[Layer] = []
    while not stream.is_at_end:
        if len(layers) == _MOST_LAYERS:
            raise _NotDlibError("it has too many layers")
        kind = stream.name()
        if kind not in _KINDS:
            raise _NotDlibError(f"a layer is of the kind {printable(kind)}")
        layers.append(_KINDS[kind](stream, kind))
        _skip_state(stream, is_first=len(layers) == 1)
    return Network(mean, side, layers)


def _skip_state(stream: _Stream, *, is_first: bool) -> None:
    """What dlib keeps of a layer's last use: three flags, three tensors, and beside the input another number."""
    for _ in range(3):
        stream.flag()
    for _ in range(3):
        stream.tensor()
    if is_first:
        stream.integer()


def _alias(stream: _Stream) -> tuple[int, int, int, int]:
    """The shape of a part of a layer's weights."""
    stream.version(1)
    return stream.sizes()


def _parts(params: Array, **shapes: tuple[int, int, int, int]) -> dict[str, Array]:
    if sum(math.prod(shape) for shape in shapes.values()) != params.size:
        raise _NotDlibError("a layer has more or fewer weights than its parts")
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])[:-1]
    parts = zip(shapes.items(), np.split(params, ends), strict=True)
    return {name: part.reshape(shape) for (name, shape), part in parts}


def _convolution(stream: _Stream, kind: str) -> Layer:
    params = stream.tensor()
    stream.integer()  # the number of filters; their shape says it, too
    shape = stream.window()
    parts = _parts(params, filters=_alias(stream), biases=_alias(stream))
    for _ in range(4):
        stream.number()  # learning rates and decays
    return Layer(kind, {"filters": parts["filters"], "biases": parts["biases"].reshape(-1)}, shape)


def _affine(stream: _Stream, kind: str) -> Layer:
    parts = _parts(stream.tensor(), gamma=_alias(stream), beta=_alias(stream))
    stream.integer()  # whether it follows a convolution; its sizes say so, too
    return Layer(kind, {name: part.reshape(-1) for name, part in parts.items()})


def _fully_connected(stream: _Stream, kind: str) -> Layer:
    outputs, inputs = stream.integer(), stream.integer()
    parts = _parts(stream.tensor(), weights=_alias(stream), biases=_alias(stream))
    stream.integer()  # whether there are biases
    for _ in range(4):
        stream.number()
    if parts["weights"].size != inputs * outputs or parts["biases"].size:
        raise _NotDlibError("its last layer has other weights")
    return Layer(kind, {"weights": parts["weights"].reshape(inputs, outputs)})


def _pooling(stream: _Stream, kind: str) -> Layer:
    return Layer(kind, {}, stream.window())


def _plain(_stream: _Stream, kind: str) -> Layer:
    return Layer(kind, {})


_KINDS: dict[str, Callable[[_Stream, str], Layer]] = {
    "con_4": _convolution,
    "affine_": _affine,
    "fc_2": _fully_connected,
    "max_pool_2": _pooling,
    "avg_pool_2": _pooling,
    "relu_": _plain,
    "add_prev_": _plain,
}
