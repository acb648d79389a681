"""Hostile records, directions, parts, arrays, tables, landmarks, plans, photos and graphs, made by kind."""

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load, save

from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.nonlinear.attribute_flow import AttributeFlow
from stylegan_latents.editing.regions.parts import Parts
from stylegan_latents.invert.commands.report_table import COLUMNS
from stylegan_latents.invert.record.files import HEADER, canonical, digest
from tests.editing.nonlinear.small_flows import small_flow
from tests.hostile.harness import Case
from tests.hostile.honest import film_record
from tests.small_models import small_generator, small_record

LONG, DEEP = "9" * 5000, 100_000
# As JSON, which Python's own writer could not write.
VALUES = {
    "null": "null", "true": "true", "minus": "-1", "zero": "0", "huge": str(1 << 70), "digits": LONG,
    "float": "1" * 401,
    "infinity": "1e999", "nan": "NaN", "tiny": "1e-300", "list": "[]", "object": "{}", "text": '"x"',
    "escape": '"\\u001b[31m\\u0000\\ud800"', "names": '[["a"], {"b": 1}]', "deep": "[" * DEEP + "]" * DEEP,
    "long": '"' + "n" * 200_000 + '"',
}  # fmt: skip
_MARK = "a place for a value"


def cases(folder: Path) -> Iterator[Case]:
    """All files, written to a folder that exists."""
    kinds: tuple[Callable[[Path], Iterator[Case]], ...] = (
        _records, _directions, _parts, _flows, _containers, _arrays, _tables, _landmarks, _plans, _network_settings,
        _photos, _graphs, _pipes,
    )  # fmt: skip
    for kind in kinds:
        place = folder / kind.__name__.strip("_")
        place.mkdir()
        yield from kind(place)


def _with_value(header: Mapping[str, Any], path: tuple[Any, ...], value: str) -> str:
    """A header as JSON with another value, given as JSON, at a path of keys and indices."""
    copied = json.loads(json.dumps(header))
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = _MARK
    return json.dumps(copied, sort_keys=True).replace(json.dumps(_MARK), value)


def _safetensors(path: Path, tensors: Mapping[str, torch.Tensor], key: str, text: str) -> Path:
    path.write_bytes(save(dict(tensors), metadata={key: text}))
    return path


def _signed(text: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """The header with the checksum that its reader computes, where it can be read at all."""
    try:
        header = json.loads(text)
        return canonical({**header, "sha256": digest(header, tensors)})
    except (ValueError, TypeError, RecursionError):
        return text


def _records(folder: Path) -> Iterator[Case]:
    header, tensors = film_record()
    places: list[tuple[Any, ...]] = [(key,) for key in header]
    places += [("footage", key) for key in header["footage"]] + [("footage", "source", "path")]
    places += [("alignments", 0, key) for key in header["alignments"][0]] + [("alignments", 1), ("sources",)]
    places += [("metrics", "lpips_alex"), ("alignments", 0, "quad", 0), ("settings", "diverged_at_step")]
    for place in places:
        for name, value in VALUES.items():
            if place[0] in ("kind", "format", "version") and name not in ("deep", "digits", "object"):
                continue
            text = _signed(_with_value(header, place, value), tensors)
            label = "-".join(map(str, place))
            yield Case("record", _safetensors(folder / f"{label}-{name}.safetensors", tensors, HEADER, text))
    changed = {
        "whole": torch.ones(2, 6, 8, dtype=torch.int64), "complex": torch.ones(2, 6, 8, dtype=torch.complex64),
        "none": torch.ones(0, 6, 8), "scalar": torch.ones(()), "infinite": torch.full((2, 6, 8), torch.inf),
        "many": torch.ones(3, 6, 8), "flat": torch.ones(96), "half": torch.ones(2, 6, 8).half(),
    }  # fmt: skip
    for name, ws in changed.items():
        other = {**tensors, "ws": ws}
        text = _signed(json.dumps(header), other)
        yield Case("record", _safetensors(folder / f"ws-{name}.safetensors", other, HEADER, text))
    without = {name: tensor for name, tensor in tensors.items() if name != "ws"}
    text = _signed(json.dumps(header), without)
    yield Case("record", _safetensors(folder / "without.safetensors", without, HEADER, text))
    yield Case("film record", _safetensors(folder / "film.safetensors", tensors, HEADER, "[" * DEEP))
    big = {"ws": torch.ones(4000, 512, 8)}
    text = _signed(json.dumps({**header, "footage": None, "alignments": [], "metrics": {}}), big)
    yield Case("record", _safetensors(folder / "cut.safetensors", big, HEADER, text), cut_after=0.01)


def _directions(folder: Path) -> Iterator[Case]:
    direction = Direction("smile", "small", torch.ones(1, 8), 1.0, provenance={"positive": "a smile"})
    key, header, tensors = _saved(direction, folder / "plain.safetensors")
    for place in header:
        for name, value in VALUES.items():
            path = folder / f"{place}-{name}.safetensors"
            yield Case("direction", _safetensors(path, tensors, key, _with_value(header, (place,), value)))
    for name, vector in {
        "whole": torch.ones(1, 8).long(), "none": torch.ones(0, 8), "zero": torch.zeros(1, 8),
        "infinite": torch.full((1, 8), torch.nan), "scalar": torch.ones(()), "complex": torch.ones(1, 8) * 1j,
    }.items():  # fmt: skip
        path = folder / f"vector-{name}.safetensors"
        yield Case("direction", _safetensors(path, {"vector": vector}, key, json.dumps(header)))


def _parts(folder: Path) -> Iterator[Case]:
    parts = Parts(("eyes", "hair"), torch.ones(4, 3), torch.tensor([0, 1, 0, 1]), torch.ones(2, 5), "m", "f")
    key, header, tensors = _saved(parts, folder / "plain.safetensors")
    for place in header:
        for name, value in VALUES.items():
            path = folder / f"{place}-{name}.safetensors"
            yield Case("parts", _safetensors(path, tensors, key, _with_value(header, (place,), value)))
    for name, change in {
        "owners": {"owners": torch.tensor([0, 9, 0, 1], dtype=torch.uint8)},
        "types": {"owners": torch.tensor([0.0, torch.nan, 0, 1])},
        "nothing": {"owners": torch.ones(0, dtype=torch.uint8), "centres": torch.ones(0, 3).half()},
        "shapes": {"shares": torch.ones(2).half()}, "scalar": {"centres": torch.ones(()).half()},
        "nan": {"shares": torch.full((2, 5), torch.nan).half()},
    }.items():  # fmt: skip
        yield Case(
            "parts", _safetensors(folder / f"{name}.safetensors", {**tensors, **change}, key, json.dumps(header))
        )


def _flows(folder: Path) -> Iterator[Case]:
    key, header, tensors = _saved(small_flow(), folder / "plain.safetensors")
    attributes = [("attributes", 0, place) for place in header["attributes"][0]]
    for place in [*((name,) for name in header), *attributes]:
        for name, value in VALUES.items():
            path = folder / f"{'-'.join(map(str, place))}-{name}.safetensors"
            yield Case("flow", _safetensors(path, tensors, key, _with_value(header, place, value)))
    first = "network.velocities.0.layers.0.linear.weight"
    for name, change in {
        "scalar": {first: torch.ones(())}, "flat": {first: torch.ones(48)}, "wide": {first: torch.ones(6, 900)},
        "whole": {first: torch.ones(6, 8).long()}, "nan": {first: torch.full((6, 8), torch.nan)},
        "whitening": {"whitening.axes": torch.ones(8)}, "still": {"whitening.deviations": torch.zeros(8)},
    }.items():  # fmt: skip
        path = folder / f"{name}.safetensors"
        yield Case("flow", _safetensors(path, {**tensors, **change}, key, json.dumps(header)))


def _saved(
    one: Direction | Parts | AttributeFlow, path: Path
) -> tuple[str, dict[str, Any], dict[str, torch.Tensor]]:
    """Key and content of the header, and the tensors, of what ``save`` writes."""
    one.save(path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    ((key, text),) = header["__metadata__"].items()
    return key, json.loads(text), load(content)


def _containers(folder: Path) -> Iterator[Case]:
    """What is wrong with the safetensors file itself."""
    small_record(small_generator()).save(folder / "plain.inversion.safetensors")
    content = (folder / "plain.inversion.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    data = b"\0" * 64
    entry = '{"ws": {"dtype": %s, "shape": %s, "data_offsets": %s}, "__metadata__": {"stylegan-latents": "{}"}}'
    headers = {
        "type": entry % ('"F99"', "[1, 4, 4]", "[0, 64]"), "negative": entry % ('"F32"', "[-1, 4, -4]", "[0, 64]"),
        "huge": entry % ('"F32"', "[1099511627776, 4]", "[0, 17592186044416]"),
        "digits": entry % ('"F32"', f"[{LONG}]", "[0, 64]"), "reversed": entry % ('"F32"', "[16]", "[64, 0]"),
        "text": entry % ('"F32"', '["16"]', "[0, 64]"), "deep": entry % ('"F32"', "[" * DEEP, "[0, 64]"),
        "lists": entry % ("[[]]", "[16]", "[0, 64]"), "list": "[1, 2]", "none": "",
        "metadata": '{"__metadata__": [1]}',
        "many": json.dumps({f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(90000)}),
    }  # fmt: skip
    files = {name: struct.pack("<Q", len(text)) + text.encode() + data for name, text in headers.items()}
    files |= {
        "empty": b"", "short": content[:5], "length": b"\xff" * 8 + content[8:], "cut": content[:-10],
        "header-cut": content[: length // 2], "more": content + b"\0" * 100, "pickle": b"\x80\x04N.",
        "page": b"<!DOCTYPE html><title>Sign in</title>" * 20, "zip": b"PK\x03\x04" + content,
    }  # fmt: skip
    for name, written in files.items():
        path = folder / f"{name}.safetensors"
        path.write_bytes(written)
        yield from (
            Case(reader, path)
            for reader in ("record", "film record", "direction", "parts", "flow", "mapper", "pose with style")
        )


def _npy(shape: str, descr: str = "'<f4'", data: bytes = b"\0" * 64, order: str = "False") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x02\0" + struct.pack("<I", len(text) + 1) + text + b"\n" + data


def _zip(content: bytes, **change: Any) -> bytes:
    """An archive of one array; ``flags`` and ``method`` are written over those of its headers."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", change.get("compression", zipfile.ZIP_STORED)) as archive:
        archive.writestr(change.get("name", "w.npy"), content)
    made = bytearray(file.getvalue())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = made.find(mark) + flags
        made[at : at + 2] = struct.pack("<H", change.get("flags", int.from_bytes(made[at : at + 2], "little")))
        method = change.get("method", int.from_bytes(made[at + 2 : at + 4], "little"))
        made[at + 2 : at + 4] = struct.pack("<H", method)
    return bytes(made)


def _arrays(folder: Path) -> Iterator[Case]:
    plain = _npy("(1, 8)", data=b"\0\0\x80\x3f" * 8)
    npy = {
        "huge": _npy("(1099511627776, 8)"), "negative": _npy("(-1, 8)"), "digits": _npy(f"({LONG},)"),
        "texts": _npy("('a', 8)"), "call": _npy("(print(1), 8)"), "list": _npy("[1, 8]"), "axes": _npy("(1,) * 99"),
        "deep": _npy("(" * 5000 + ")" * 5000), "many": _npy("(" + "1," * 70 + ")"), "type": _npy("(1, 8)", "'q'*9"),
        "objects": _npy("(1,)", "'|O'", b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."),
        "fields": _npy("(1,)", "[('a', '<f4', (1099511627776,))]"), "dates": _npy("(4,)", "'<M8[s]'"),
        "texts2": _npy("(2,)", "'<U8'"), "void": _npy("(2,)", "'V2147483647'"), "nested": _npy("(2,)", "[" * 200),
        "scalar": _npy("()"), "none": _npy("(0, 8)"), "fortran": _npy("(4, 4)", order="True"), "cut": plain[:-8],
        "version": b"\x93NUMPY\x09\x09" + plain[8:], "long": b"\x93NUMPY\x02\0\xff\xff\xff\xff",
        "magic": b"\x93NUMPY",
        "floats": _npy("(2, 8)", "'<f8'", struct.pack("<d", 1e308) * 16), "bools": _npy("(8, 8)", "'?'"),
    }  # fmt: skip
    bomb = b"\0" * (64 << 20)
    npz = {
        "npy-inside": plain, "encrypted": _zip(plain, flags=1), "method": _zip(plain, method=99),
        "lzma": _zip(plain, method=14), "bzip2": _zip(plain, method=12), "shrunk": _zip(plain, method=1),
        "bomb": _zip(_npy("(1, 16777216)", data=bomb), compression=zipfile.ZIP_DEFLATED),
        "claims": _claims(_zip(plain, compression=zipfile.ZIP_DEFLATED)), "member": _zip(_npy("(1000000000, 8)")),
        "name": _zip(plain, name="../../w.npy"), "other": _zip(b"text", name="w.txt"), "cut": _zip(plain)[:-30],
        "longer": _zip(plain + b"more"), "objects": _zip(npy["objects"]), "no end": b"PK\x05\x06" + b"\xff" * 18,
        "directory": _zip(plain) + b"PK\x05\x06" + b"\0" * 8 + b"\xff" * 8 + b"\0\0",
    }  # fmt: skip
    pickles = {
        "empty": b"", "calls": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.", "page": b"<html>" * 99,
        "deep": b"\x80\x04" + b"(" * DEEP + b"t" * DEEP + b".", "lists": b"\x80\x04]" + b"\x94]" * 50_000 + b".",
        "digits": b"I" + LONG.encode() * 20 + b"\n.", "archive": _zip(plain),
    }  # fmt: skip
    for suffix, files in ((".npy", npy), (".npz", npz), (".pt", pickles)):
        for name, content in files.items():
            path = folder / f"{name}{suffix}"
            path.write_bytes(content)
            readers = ("codes", "text codes", "published direction", "texture lookup")
            yield from (Case(reader, path) for reader in readers)
    path = folder / "cut-while-read.npy"
    path.write_bytes(_npy("(1, 16777216)", data=bomb))
    yield Case("codes", path, cut_after=0.005)


def _claims(archive: bytes) -> bytes:
    """Sizes of 4 GB in the headers of a small member."""
    made = bytearray(archive)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = made.find(mark) + at
        made[start : start + 4] = b"\xf0\xff\xff\xff"
    return bytes(made)


def _tables(folder: Path) -> Iterator[Case]:
    line = "seed,smile\n"
    report = ",".join(COLUMNS) + "\n"
    csvs = {
        "empty": "", "nothing": line, "digits": f"{line}{LONG},{LONG}\n", "quote": f'{line}1,"' + "x" * 200_000,
        "nul": f"{line}1\0,2\n", "wide": f"{line}1{',' * 99_999}\n", "header": "a," * 99_999 + "\n" + "1\n" * 999,
        "twice": "seed,seed,smile\n1,1,2\n", "words": f"{line}one,two\n", "infinite": f"{line}1,inf\n-1,nan\n",
        "lines": line + "1,2\n" * 1_500_000, "commas": line + "," * 5_000_000, "returns": line + "\r" * 5_000_000,
        "report": report + "x," * (len(COLUMNS) - 1) + "x\n", "numbers": report + f"{LONG}," * (len(COLUMNS) - 1),
        "median": report + "(median)" + "," * (len(COLUMNS) - 1) + "\n",
    }  # fmt: skip
    for name, text in csvs.items():
        path = folder / f"{name}.csv"
        path.write_text(text, encoding="utf-8", newline="")
        yield from (Case(reader, path) for reader in ("scores", "report"))
    for name, content in {
        "latin": b"seed,\xff\n1,2\n",
        "wide": "seed,a\n1,2\n".encode("utf-16"),
        "nul": bytes(9999),
    }.items():
        path = folder / f"bytes-{name}.csv"
        path.write_bytes(content)
        yield from (Case(reader, path) for reader in ("scores", "report"))
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        return
    tables = {
        "plain": pa.table({name: ["1"] for name in COLUMNS}),
        "columns": pa.table({f"c{i}": [1] for i in range(12_000)}),
        "nulls": pa.table({"photo": pa.nulls(20_000_000, pa.string())}), "none": pa.table({}),
        "nested": pa.table({"photo": [[[{"a": 1}]]]}), "zeros": pa.table({"photo": np.zeros(20_000_000)}),
    }  # fmt: skip
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        parquet.write_table(table, path, compression="zstd")
        yield Case("report", path)
        content = path.read_bytes()
        for cut, written in {
            "cut": content[:-9],
            "start": content[: len(content) // 2],
            "zeros": bytes(64) + content,
        }.items():
            other = folder / f"{name}-{cut}.parquet"
            other.write_bytes(written)
            yield Case("report", other)


def _landmarks(folder: Path) -> Iterator[Case]:
    face = {"left_eye": [310, 402], "right_eye": [455, 398], "mouth_left": [330, 560], "mouth_right": [440, 556]}
    for name, value in VALUES.items():
        for label, text in {
            "whole": value, "eye": _with_value(face, ("left_eye",), value),
            "x": _with_value(face, ("left_eye", 0), value),
            "faces": f"[{json.dumps(face)}, {value}]",
            "name": f'{{{value if value[0] == chr(34) else chr(34) * 2}: 1}}',
        }.items():  # fmt: skip
            path = folder / f"{label}-{name}.json"
            path.write_text(text, encoding="utf-8")
            yield Case("landmarks", path)
    points = "n_points: 68\n{{\n{}\n}}\n"
    for name, text in {
        "few": points.format("1 2"), "words": points.format("a b\n" * 68), "nan": points.format("nan inf\n" * 68),
        "digits": points.format(f"{LONG} {LONG}\n" * 68), "open": "n_points: 68 {",
        "spaces": "version: 1 " + " \n" * 200_000,
        "count": "n_points: 999999\n{\n}\n",
    }.items():  # fmt: skip
        path = folder / f"{name}.pts"
        path.write_text(text)
        yield Case("landmarks", path)
    for name, content in {
        "huge": _npy("(1099511627776, 68, 2)"), "objects": _npy("(1,)", "'|O'"),
        "nan": _npy("(5, 2)", data=b"\xff" * 40),
        "texts": _npy("(5, 2)", "'<U1'", b"\0" * 40), "many": _npy("(50000, 5, 2)", data=bytes(2_000_000)),
    }.items():  # fmt: skip
        path = folder / f"{name}.npy"
        path.write_bytes(content)
        yield Case("landmarks", path)


def _plans(folder: Path) -> Iterator[Case]:
    corners = [[0, 0], [0, 9], [9, 9], [9, 0]]
    plan = {
        "key": {"film": "a"},
        "times": [0.0],
        "frames": [0],
        "quads": [corners],
        "seen": [True],
        "scenes": [[0, 1]],
    }
    for place in plan:
        for name, value in VALUES.items():
            path = folder / f"{place}-{name}" / "plan.json"
            path.parent.mkdir()
            path.write_text(_with_value(plan, (place,), value), encoding="utf-8")
            yield Case("film plan", path)


def _network_settings(folder: Path) -> Iterator[Case]:
    settings = {
        "size": {"height": 8, "width": 8}, "crop_pct": 0.9, "resample": 2, "rescale_factor": 0.1,
        "image_mean": [0, 0, 0],
        "image_std": [1, 1, 1], "id2label": {"0": "a", "1": "b"}, "outputs": "logits", "do_center_crop": True,
    }  # fmt: skip
    for place in settings:
        for name, value in VALUES.items():
            path = folder / f"{place}-{name}.json"
            path.write_text(_with_value(settings, (place,), value), encoding="utf-8")
            yield Case("network settings", path)


def _png(width: int, height: int, depth: int, colour: int, data: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def _photos(folder: Path) -> Iterator[Case]:
    files = {
        "large-16.png": _png(20_000, 9_950, 16, 0), "large-alpha.png": _png(20_000, 9_950, 8, 6),
        "too-large.png": _png(100_000, 100_000, 8, 2), "overflow.png": _png(2**31 - 1, 2**31 - 1, 8, 2),
        "none.png": _png(0, 0, 8, 2), "thin.png": _png(199_000_000, 1, 8, 2), "depth.png": _png(64, 64, 3, 2),
        "no-data.png": _png(64, 64, 8, 2), "more.png": _png(64, 64, 8, 2, bytes(10_000_000)),
        "pfm.ppm": b"P6 20000 9950 65535\n", "digits.ppm": b"P6 " + LONG.encode() + b" 9\n255\n", "empty.jpg": b"",
        "header.jpg": b"\xff\xd8\xff\xe0", "page.jpg": b"<html>" * 50,
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n" * 9,
        "tiff.tif": b"II*\0\x08\0\0\0\xff\xff" + b"\1" * 4000, "loop.tif": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    }  # fmt: skip
    picture = Image.effect_noise((64, 64), 50).convert("RGB")
    file = io.BytesIO()
    picture.convert("I").save(file, "TIFF")
    files["tall.tif"] = file.getvalue().replace(
        struct.pack("<HHII", 257, 4, 1, 64), struct.pack("<HHII", 257, 4, 1, 1 << 20)
    )
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"):
        file = io.BytesIO()
        picture.save(file, kind)
        whole = file.getvalue()
        half, middle = len(whole) // 2, bytearray(whole)
        middle[half : half + 40] = b"\xff" * 40
        start = bytearray(whole)
        start[12:30] = b"\xff" * 18
        files |= {f"cut.{kind.lower()}": whole[:half], f"hole.{kind.lower()}": bytes(middle)}
        files |= {f"start.{kind.lower()}": bytes(start)}
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content)
        yield from (Case(reader, path) for reader in ("photo", "mask", "iuv map"))


def _graphs(folder: Path) -> Iterator[Case]:
    def graph(layers: str, edges: str) -> str:
        return f"<net><layers>{layers}</layers><edges>{edges}</edges></net>"

    def edge(source: object, target: object) -> str:
        return f'<edge from-layer="{source}" from-port="0" to-layer="{target}" to-port="0"/>'

    def constant(shape: str, size: str, offset: str = "0", kind: str = "f32") -> str:
        data = f'<data shape="{shape}" offset="{offset}" size="{size}" element_type="{kind}"/>'
        return f'<layer id="c" name="c" type="Const">{data}</layer>'

    product, shape = '<layer id="p" name="p" type="MatMul"/>', '<layer id="s" name="s" type="Reshape"/>'
    texts = {
        "circle": graph(product + shape, edge("s", "p") + edge("s", "s")), "none": "", "empty": "<net/>",
        "self": graph(product, edge("p", "p")), "missing": graph(product, edge("x", "p")),
        "huge": graph(product + constant("1099511627776", "4398046511104"), edge("c", "p")),
        "digits": graph(product + constant(LONG, LONG), edge("c", "p")),
        "negative": graph(product + constant("-4", "-16", "-64"), edge("c", "p")),
        "type": graph(product + constant("4", "16", kind="u1"), edge("c", "p")),
        "port": graph(product, '<edge from-layer="p" to-layer="p" to-port="x"/>'),
        "attributes": graph("<layer/>", "<edge/>"),
        "many": graph("".join(f'<layer id="{i}" name="{i}" type="MatMul"/>' for i in range(50_000)), ""),
        "often": graph("".join(constant("16", "64").replace('"c"', f'"c{i}"') for i in range(5_000)), ""),
        "deep": "<a>" * 50_000, "entities": '<!DOCTYPE a [<!ENTITY b "' + "b" * 999 + '">'
        + "".join(f'<!ENTITY b{i} "{f"&b{i - 1};" * 9 if i else "&b;" * 9}">' for i in range(9)) + "]><a>&b8;</a>",
        "external": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    }  # fmt: skip
    for name, text in texts.items():
        place = folder / name
        place.mkdir()
        for network in ("MappingNetwork", "SynthesisNetwork"):
            (place / f"{network}.xml").write_text(text)
            (place / f"{network}.bin").write_bytes(bytes(64))
        yield Case("openvino", place)


def _pipes(folder: Path) -> Iterator[Case]:
    """Named pipes without a writer, and folders, where files are expected."""
    names = {
        "record": "a.safetensors", "film record": "a.safetensors", "direction": "a.safetensors", "codes": "a.npz",
        "published direction": "a.npy", "parts": "a.safetensors", "scores": "a.csv", "report": "a.csv",
        "landmarks": "a.json", "film plan": "plan.json", "network settings": "a.json", "photo": "a.png",
        "mask": "a.png", "flow": "a.pt", "mapper": "a.pt", "pose with style": "a.pt",
        "coordinate completion": "a.pt", "texture lookup": "a.npy", "iuv map": "a.png",
    }  # fmt: skip
    for reader, name in names.items():
        for kind, make in (("pipe", os.mkfifo), ("folder", os.mkdir)):
            path = folder / f"{reader}-{kind}" / name
            path.parent.mkdir()
            make(path)
            yield Case(reader, path)
    graph = folder / "graph"
    graph.mkdir()
    for suffix in (".xml", ".bin"):
        os.mkfifo(graph / f"MappingNetwork{suffix}")
    yield Case("openvino", graph)
    half = folder / "half"
    half.mkdir()
    (half / "MappingNetwork.xml").write_text("<net/>")
    os.mkfifo(half / "MappingNetwork.bin")
    yield Case("openvino", half)
