"""Changes of files at random that keep what encloses them whole, so that they reach what readers do inside."""

import io
import json
import random
import struct
import zipfile
from typing import Any

NUMBERS = [0, 1, -1, 2, 64, 255, 256, 65_536, 1 << 31, 1 << 34, (1 << 63) - 1, 10**40, 0.5, -0.0, 1e-300, 1e300]
VALUES: list[Any] = [*NUMBERS, None, True, "", "a", "\0", [], {}, [[]], [0] * 300, {"a": {}}]


def mutated(data: bytes, source: random.Random) -> bytes:
    """A file with one to four changes: in its header's JSON, in an archive's pickle, or anywhere in its bytes."""
    for _ in range(source.randint(1, 4)):
        kind = source.random()
        try:
            if kind < 0.5 and data[8:9] == b"{":
                data = _in_header(data, source)
            elif kind < 0.5 and data[:1] in (b"{", b"["):
                data = json.dumps(changed(json.loads(data), source)).encode()
            elif kind < 0.7 and data.startswith(b"PK"):
                data = _in_archive(data, source)
            else:
                data = _in_bytes(data, source)
        except Exception:  # what is damaged already has no header or archive to change
            data = _in_bytes(data, source)
    return data


def changed(value: Any, source: random.Random) -> Any:
    """JSON with one of its values replaced, removed, or doubled."""
    if isinstance(value, dict) and value and source.random() < 0.85:
        key = source.choice(list(value))
        rest = {name: inner for name, inner in value.items() if name != key}
        chance = source.random()
        if chance < 0.1:
            return rest
        return {**value, key + "x" if chance < 0.2 else key: changed(value[key], source)}
    if isinstance(value, list) and value and source.random() < 0.85:
        place = source.randrange(len(value))
        chance = source.random()
        if chance < 0.2:
            return value[:place] + value[place + 1 :]
        return [*value[:place], changed(value[place], source), *value[place + (chance > 0.3) :]]
    if isinstance(value, str) and value.startswith("{") and source.random() < 0.9:
        return json.dumps(changed(json.loads(value), source))
    return source.choice(VALUES)


def with_header(data: bytes, header: Any) -> bytes:
    """A safetensors file with another header."""
    length = struct.unpack("<Q", data[:8])[0]
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def header_of(data: bytes) -> Any:
    """The header of a safetensors file."""
    return json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])


def with_member(data: bytes, suffix: str, contents: bytes) -> bytes:
    """A zip archive whose member of this ending has other contents."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, contents if info.filename.endswith(suffix) else old.read(info))
    return target.getvalue()


def member_of(data: bytes, suffix: str) -> bytes:
    """The contents of an archive's member of this ending."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith(suffix)))


def _in_header(data: bytes, source: random.Random) -> bytes:
    return with_header(data, changed(header_of(data), source))


def _in_archive(data: bytes, source: random.Random) -> bytes:
    return with_member(data, "data.pkl", _in_bytes(member_of(data, "data.pkl"), source))


def _in_bytes(data: bytes, source: random.Random) -> bytes:
    if not data:
        return source.randbytes(8)
    place, chance = source.randrange(len(data)), source.random()
    if chance < 0.15:  # most of what decides lies at the beginning
        place = source.randrange(min(len(data), 200))
    if chance < 0.55:
        return data[:place] + bytes([source.randrange(256)]) + data[place + 1 :]
    if chance < 0.65:
        return data[:place]
    other = source.randrange(len(data))
    part = data[other : other + source.randint(1, 60)]
    if chance < 0.8:
        return data[:place] + part + data[place:]
    if chance < 0.9:
        return data[:place] + part + data[place + len(part) :]
    return data[:place] + data[place + source.randint(1, 30) :]
