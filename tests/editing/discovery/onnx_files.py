"""ONNX files of one or two operations, written by hand, as the onnx package is not needed for anything else."""

from pathlib import Path


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _value_info(name: str, dims: tuple[int | str, ...], element: int) -> bytes:
    shape = b"".join(_field(1, _field(1, dim) if isinstance(dim, int) else _field(2, dim)) for dim in dims)
    tensor = _field(1, element) + _field(2, shape)
    return _field(1, name) + _field(2, _field(1, tensor))


def mean_of_channels(path: Path, *dims: int | str, element: int = 1) -> Path:
    """A network that gives each channel's mean over the picture (channels first) or each row's (last)."""
    pool = _field(1, "x") + _field(2, "pooled") + _field(3, "pool") + _field(4, "GlobalAveragePool")
    flat = _field(1, "pooled") + _field(2, "y") + _field(3, "flat") + _field(4, "Flatten")
    graph = (
        _field(1, pool)
        + _field(1, flat)
        + _field(2, "graph")
        + _field(11, _value_info("x", dims, element))
        + _field(12, _value_info("y", ("n", "c"), element))
    )
    path.write_bytes(_field(1, 8) + _field(8, _field(2, 13)) + _field(7, graph))
    return path
