"""Safetensors files of networks whose headers, sizes and tensors are not what they should be."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

from tests.hostile.harness import Case
from tests.hostile.honest import honest_files
from tests.hostile.mutations import header_of, with_header

KEY = "stylegan-latents"
RAW = ("1" + "0" * 5000, "1e400", "1" + "0" * 400 + ".0", "[" * 100_000 + "]" * 100_000, "NaN", "-Infinity")
"""JSON that no writer of JSON makes."""

_VALUES: list[Any] = [
    -1, 0, 3, 60_000, 10**6, 1 << 34, 10**40, 0.5, 1e-300, "8", None, True, [], {}, [[1]], [0], [1] * 40_000,
    [1] * 300, ["8"], [1e30], {"a": 1}, *(f"@{place}" for place in range(len(RAW))),
]  # fmt: skip
_WITH_HEADERS = {
    "generator": ("mobile", "two", "three", "solid", "field"),
    "encoder": ("plain", "e4e"),
    "training": ("training",),
}


def _rewritten(data: bytes, ours: dict[str, Any]) -> bytes:
    """A file with another header of ours, in which ``@n`` stands for the nth of ``RAW``."""
    text = json.dumps(ours)
    for place, raw in enumerate(RAW):
        text = text.replace(f'"@{place}"', raw)
    header = header_of(data)
    return with_header(data, {**header, "__metadata__": {**header["__metadata__"], KEY: text}})


def values(folder: Path) -> Iterator[Case]:
    """Every value of a header in the place of which something else stands."""
    for reader, stems in _WITH_HEADERS.items():
        for path in honest_files(reader, folder):
            if path.stem not in stems or path.suffix != ".safetensors":
                continue
            data = path.read_bytes()
            ours = json.loads(header_of(data)["__metadata__"][KEY])
            places = [("",), *((key,) for key in ours), *(("config", key) for key in ours.get("config", {}))]
            for place in places:
                for number, value in enumerate(_VALUES):
                    changed = json.loads(json.dumps(ours))
                    (changed["config"] if len(place) > 1 else changed)[place[-1]] = value
                    target = folder / f"{path.stem}-{'-'.join(place)}-{number}.safetensors"
                    target.write_bytes(_rewritten(data, changed if place[-1] else value))
                    yield Case(reader, target)


def containers(folder: Path) -> Iterator[Case]:
    """Files whose outer header lies about its length, or about where tensors are."""
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    headers: list[Any] = [
        {}, [], None, 5, "a", {"a": 5}, {"a": []}, {"a": {}}, {"": entry}, {"a": {**entry, "dtype": "F99"}},
        {"a": {**entry, "dtype": ["F32"]}}, {"a": {**entry, "dtype": None}}, {"a": {**entry, "shape": [-2]}},
        {"a": {**entry, "shape": [1 << 62, 4]}}, {"a": {**entry, "shape": ["2"]}}, {"a": {**entry, "shape": {}}},
        {"a": {**entry, "shape": [1] * 5000}}, {"a": {**entry, "data_offsets": [8, 0]}},
        {"a": {**entry, "data_offsets": [0, 1 << 62]}}, {"a": {**entry, "data_offsets": [-8, 0]}},
        {"a": {**entry, "data_offsets": [0]}}, {"a": {**entry, "data_offsets": None}}, {"a": entry, "b": entry},
        {"a": {**entry, "data_offsets": [4, 12]}}, {"a": entry, "__metadata__": 5}, {"__metadata__": {KEY: 5}},
        {"a": entry, "__metadata__": {KEY: "null"}}, {"a": entry, "__metadata__": {KEY: "[" * 100_000}},
        {"a": entry, "__metadata__": {KEY: '{"kind": "encoder", "format": 1}'}},
        {"a": entry, "__metadata__": {KEY: '{"kind": "training", "format": 1, "steps_done": 1e400}'}},
        b"{" * 100_000, b'{"a":' * 100_000, b"\xff" * 50, b"{}" + b" " * 50, b"[" + b"[]," * 900_000 + b"[]]",
        b'{"a": ' + b"9" * 5000 + b"}", b'{"a": NaN}', b'{"__metadata__": {"' + b"\\ud800" * 9 + b'": "a"}}',
    ]  # fmt: skip
    for number, header in enumerate(headers):
        data = with_header(struct.pack("<Q", 0) + bytes(8), header)
        for reader in ("generator", "encoder", "training", "discriminator", "latent space"):
            path = folder / f"container-{number}-{reader.replace(' ', '-')}.safetensors"
            path.write_bytes(data)
            yield Case(reader, path)
    for number, length in enumerate((0, 1, 1 << 20, 1 << 40, (1 << 64) - 1)):
        path = folder / f"length-{number}.safetensors"
        path.write_bytes(struct.pack("<Q", length) + b'{"a": {}}')
        yield from (Case(reader, path) for reader in ("generator", "encoder", "training"))


def tensors(folder: Path) -> Iterator[Case]:
    """Whole files with a tensor too many, too few, of another shape or of another type."""
    changes = {
        "transposed": lambda t: t.transpose(0, -1).contiguous() if t.ndim > 1 else t,
        "shorter": lambda t: t[:-1].clone(),
        "empty": lambda t: t[:0].clone(),
        "longer": lambda t: torch.cat([t, t]),
        "whole": lambda t: t.to(torch.int64),
        "half": lambda t: t.half(),
        "double": lambda t: t.double(),
        "complex": lambda t: t.to(torch.complex64),
        "flags": lambda t: t > 0,
        "deeper": lambda t: t.reshape(*t.shape, *[1] * 9),
        "nan": lambda t: t * float("nan"),
    }
    for reader in ("generator", "encoder"):
        for path in [path for path in honest_files(reader, folder) if path.suffix == ".safetensors"]:
            metadata = header_of(path.read_bytes()).get("__metadata__")
            whole = load(path.read_bytes())
            names = sorted(name for name in whole if whole[name].ndim)
            for number, (what, change) in enumerate(changes.items()):
                for name in names[number % 7 :: 23]:
                    target = folder / f"{path.stem}-{what}-{name}.safetensors"
                    target.write_bytes(save({**whole, name: change(whole[name])}, metadata))
                    yield Case(reader, target)
            fewer, more = dict(whole), {**whole, "synthesis.blocks.99.weight": torch.ones(3)}
            del fewer[names[0]]
            for what, content in (("fewer", fewer), ("more", more), ("none", {})):
                target = folder / f"{path.stem}-{what}.safetensors"
                target.write_bytes(save(content, metadata))
                yield Case(reader, target)
