"""Networks in dlib's serialisation, as small as one likes, with the layers of its face recognition network."""

import math

import numpy as np

from stylegan_latents.generator.formats.dlib_network import Network, _network, _Stream

_LEVELS = ((4, 1, 2), (6, 2, 2))  # channels, the first block's stride, blocks


def integer(value: int) -> bytes:
    length = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([length | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(length, "little")


def number(value: float) -> bytes:
    mantissa, exponent = math.frexp(value)
    return integer(int(mantissa * 2**24)) + integer(exponent - 24)


def name(text: str) -> bytes:
    return integer(len(text)) + text.encode()


def tensor(values: np.ndarray) -> bytes:
    sizes = (values.size, 1, 1, 1) if values.size else (0, 0, 0, 0)
    return integers(2, *sizes) + values.astype("<f4").tobytes()


def integers(*values: int) -> bytes:
    return b"".join(map(integer, values))


def _alias(*shape: int) -> bytes:
    return integers(1, *shape)


_NOTHING = tensor(np.zeros(0))
_STATE = b"110" + 3 * _NOTHING
_RATES = number(1.0) * 2 + number(1.0) + number(0.0)


def _convolution(random: np.random.Generator, inputs: int, outputs: int, side: int, stride: int) -> bytes:
    count = outputs * inputs * side * side
    weights = np.concatenate([random.normal(0, math.sqrt(1 / (inputs * side * side)), count), np.zeros(outputs)])
    padding = side // 2 if stride == 1 else 0
    shape = integers(outputs, side, side, stride, stride, padding, padding)
    return (
        name("con_4") + tensor(weights) + shape + _alias(outputs, inputs, side, side) + _alias(1, outputs, 1, 1)
        + _RATES
    )  # fmt: skip


def _affine(random: np.random.Generator, channels: int) -> bytes:
    weights = np.concatenate([random.uniform(0.5, 1.5, channels), random.normal(0, 0.1, channels)])
    return name("affine_") + tensor(weights) + 2 * _alias(1, channels, 1, 1) + integer(0)


def small_network(seed: int = 0, side: int = 39) -> bytes:
    """The bytes of a network of random weights for faces of ``side`` pixels, to 5 numbers."""
    random = np.random.default_rng(seed)
    channels = _LEVELS[0][0]
    layers = [_convolution(random, 3, channels, 7, 2), _affine(random, channels), name("relu_")]
    layers.append(name("max_pool_2") + integers(3, 3, 2, 2, 0, 0))
    for outputs, first_stride, blocks in _LEVELS:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            layers += [_convolution(random, channels, outputs, 3, stride), _affine(random, outputs), name("relu_")]
            layers += [_convolution(random, outputs, outputs, 3, 1), _affine(random, outputs)]
            if stride > 1:
                layers.append(name("avg_pool_2") + integers(2, 2, 2, 2, 0, 0))
            layers += [name("add_prev_"), name("relu_")]
            channels = outputs
    layers.append(name("avg_pool_2") + integers(0, 0, 1, 1, 0, 0))
    head = tensor(random.normal(0, 1, 5 * channels))
    layers.append(
        name("fc_2") + integers(5, channels) + head + _alias(channels, 5, 1, 1) + _alias(0, 0, 0, 0) + integer(1)
        + _RATES
    )  # fmt: skip
    colours = number(122.5) + number(117.0) + number(104.25)
    begin = integer(1) + name("loss_metric_2") + number(0.04) + number(0.6) + integers(*[2] * 30, 3)
    begin += name("input_rgb_image_sized") + colours + integers(side, side)
    states = [_STATE + integer(1)] + [_STATE] * (len(layers) - 1)
    return begin + b"".join(layer + state for layer, state in zip(layers, states, strict=True))


def parsed(data: bytes) -> Network:
    """The network in these bytes."""
    return _network(_Stream(data))


__all__ = ["integer", "name", "number", "parsed", "small_network", "tensor"]
