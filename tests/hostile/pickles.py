"""Pickles that would run code, fill the memory or take hours, alone and in both files of ``torch.save``."""

import io
import pickle
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from tests.encoders.small_encoders import public_contents
from tests.hostile.harness import Case
from tests.hostile.honest import DATA, HONEST, honest_files
from tests.hostile.mutations import with_member

_PRIME = (1 << 61) - 1  # all its multiples have the hash 0
_READERS = ("generator", "discriminator", "encoder", "pickle", "lpips")


def _called(name: str, *arguments: object) -> bytes:
    """The opcodes that call a function of this full name."""
    module, _, function = name.rpartition(".")
    values = b"".join(pickle.dumps(value, 2)[2:-1] for value in arguments)
    return f"c{module}\n{function}\n(".encode() + values + b"tR"


def _stream(opcodes: bytes, protocol: int = 2) -> bytes:
    return b"\x80" + bytes([protocol]) + opcodes + b"."


def _archived(data: bytes) -> bytes:
    """A file of ``torch.save`` that holds a pickle."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/byteorder", b"little")
        archive.writestr("archive/version", b"3\n")
    return target.getvalue()


def _before_archives(data: bytes) -> bytes:
    """A file of ``torch.save`` before version 1.6 that holds a pickle."""
    stream = io.BytesIO()
    torch.save({}, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue().replace(pickle.dumps({}, 2), data, 1)


def code(folder: Path, marker: Path) -> Iterator[Case]:
    """Pickles that write ``marker``, start a program or connect, if anything that they name is called."""
    text, shell = f"open({str(marker)!r}, 'w').close()", f"touch {marker}"
    payloads = {
        "os.system": _called("os.system", shell),
        "posix.system": _called("posix.system", shell),
        "subprocess": _called("subprocess.Popen", ["touch", str(marker)]),
        "exec": _called("builtins.exec", text),
        "eval": _called("builtins.eval", text),
        "exec-2": _called("__builtin__.execfile", str(marker)),
        "open": _called("builtins.open", str(marker), "w"),
        "io.open": _called("io.open", str(marker), "w"),
        "path": _called("pathlib.Path.write_text", str(marker), ""),
        "numpy": _called("numpy.savetxt", str(marker), [1.0]),
        "memmap": _called("numpy.memmap", str(marker), "uint8", "w+", 0, [1]),
        "torch": _called("torch.save", 1, str(marker)),
        "torch.load": _called("torch.load", str(marker)),
        "hub": _called("torch.hub.load", "owner/name", "model"),
        "socket": _called("socket.create_connection", ["127.0.0.1", 9]),
        "urllib": _called("urllib.request.urlopen", "http://127.0.0.1:9/"),
        "web": _called("webbrowser.open", "http://127.0.0.1:9/"),
        "run": _called("runpy.run_path", str(marker)),
        "pickle": _called("pickle.loads", _stream(_called("os.system", shell))),
        "storage": _called(
            "torch.storage._load_from_bytes", _before_archives(_stream(_called("os.system", shell)))
        ),
        "partial": b"cfunctools\npartial\n(cos\nsystem\n" + pickle.dumps(shell, 2)[2:-1] + b"tR)R",
        "getattr": _called("builtins.getattr", "", "format"),
        "import": _called("importlib.import_module", "antigravity"),
        "build": b"ccollections\nOrderedDict\n)R}(" + pickle.dumps("__class__", 2)[2:-1] + b"cos\nsystem\nub",
        "reduce": _called("copyreg._reconstructor", "os", "system", shell),
        "signal": _called("os.kill", 0, 9),
        "abort": _called("os.abort"),
        "exit": _called("sys.exit", 3),
        "ctypes": _called("ctypes.CDLL", "libc.so.6"),
        "instance": b"(" + pickle.dumps(shell, 2)[2:-1] + b"ios\nsystem\n",
        "extension": b"\x82\x01",
    }
    for name, opcodes in payloads.items():
        data = _stream(opcodes)
        for reader in _READERS:
            path = folder / f"code-{name}-{reader}.pkl"
            path.write_bytes(data)
            yield Case(reader, path)
        for kind, wrapped in (("archive", _archived(data)), ("stream", _before_archives(data))):
            path = folder / f"code-{name}-{kind}.pt"
            path.write_bytes(wrapped)
            yield from (Case(reader, path) for reader in ("generator", "encoder"))


def _array(shape: bytes, kind: bytes = b"f4", data: bytes = b"abcd") -> bytes:
    """The opcodes of a numpy array with these opcodes for its shape."""
    make = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R"
    dtype = b"cnumpy\ndtype\n" + pickle.dumps(kind.decode(), 2)[2:-1] + b"\x89\x88\x87R"
    dtype += b"(K\x03" + pickle.dumps("<", 2)[2:-1] + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    return make + b"(K\x01" + shape + dtype + b"\x89" + pickle.dumps(data, 3)[2:-1] + b"tb"


def _long(value: int) -> bytes:
    data = pickle.encode_long(value)
    return b"\x8a" + bytes([len(data)]) + data


def bombs(folder: Path, count: int = 200_000, size: int = 8 << 20) -> Iterator[Case]:
    """Pickles that make far more of themselves than they hold.

    Args:
        folder: for the files.
        count: of what costs the square of it.
        size: in bytes, of what costs a multiple of it.
    """
    opcodes = {
        "sets": b"(" + b"\x8f" * size + b"l",
        "dicts": b"(" + b"}" * size + b"l",
        "lists": b"(" + b"]" * size + b"l",
        "memo": b")" + b"\x94" * size,
        "marks": b"(" * size,
        "nothings": b"(" + b"N" * size + b"t",
        "one-hash": b"\x8f(" + b"".join(_long(k * _PRIME) for k in range(count)) + b"\x90",
        "one-hash-tuples": b"}(" + b"".join(_long(k * _PRIME)[:] + b"\x85N" for k in range(count)) + b"u",
        "one-hash-complex": b"c__builtin__\nset\n](" + b"".join(
            b"c__builtin__\ncomplex\nG" + struct.pack(">d", -1000003.0 * k) + b"G" + struct.pack(">d", k) + b"\x86R"
            for k in range(count // 4)
        ) + b"e\x85R",
        "digits": b"I" + b"9" * 5000 + b"\n",
        "long-digits": b"L" + b"9" * 5000 + b"L\n",
        "long": b"\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20),
        "deep-lists": b"]" * 100_000 + b"a" * 99_999,
        "deep-tuples": b")" + b"\x85" * 100_000,
        "laughs": b"N" + b"2\x86" * 60,
        "laughs-keys": b"}(N" + b"2\x86" * 25 + b"Nu",
        "memo-index": b"Nr\xff\xff\xff\x7f",
        "bytes": b"\x8e" + struct.pack("<Q", 1 << 62) + b"a",
        "text": b"\x8d" + struct.pack("<Q", 1 << 62) + b"a",
        "frame": b"\x95" + struct.pack("<Q", 1 << 62) + b"N",
        "itself": b"]q\0h\0a",
        "floats": b"F" + b"9" * 5000 + b"\n",
        "array-shape": _array(_long(1 << 40) + b"\x85"),
        "array-below": _array(_long(-4) + b"\x85"),
        "array-huge": _array(_long(1 << 70) + b"\x85"),
        "array-objects": _array(b"K\x01\x85", b"O"),
        "array-flags": _array(b"K\x01\x85", b"V99999999"),
        "array-dimensions": _array(b"(" + b"K\x01" * 5000 + b"t"),
    }  # fmt: skip
    for name, body in opcodes.items():
        data = _stream(body, 4)
        for reader, kind in (("pickle", "pkl"), ("generator", "pkl"), ("encoder", "pt")):
            path = folder / f"bomb-{name}-{reader}.{kind}"
            path.write_bytes(data if kind == "pkl" else _archived(data))
            yield Case(reader, path)


def archives(folder: Path) -> Iterator[Case]:
    """Zip archives that torch.save does not write."""
    whole = (DATA / "stylegan2" / "rosinality.pt").read_bytes()

    def zipped(method: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", method) as archive:
            for name, contents in members.items():
                archive.writestr(name.replace("__", "/").replace("_pkl", ".pkl"), contents)
        return target.getvalue()

    some, plain = _stream(b"}"), _archived(_stream(b"}"))
    central, local = plain.rindex(b"PK\x01\x02"), plain.index(b"PK\x03\x04")

    def patched(data: bytes, place: int, raw: bytes) -> bytes:
        return data[:place] + raw + data[place + len(raw) :]

    files = {
        "no-pickle": zipped(archive__version=b"3"),
        "two-pickles": zipped(a__data_pkl=some, b__data_pkl=some),
        "deflated": zipped(zipfile.ZIP_DEFLATED, a__data_pkl=bytes(100_000_000)),
        "lzma": zipped(zipfile.ZIP_LZMA, a__data_pkl=some),
        "bzip2": zipped(zipfile.ZIP_BZIP2, a__data_pkl=some),
        "big-endian": zipped(a__data_pkl=some, a__byteorder=b"big"),
        "no-end": whole[:-40],
        "no-beginning": whole[200:],
        "behind": bytes(1000) + whole,
        "comment": whole + bytes(70_000),
        "encrypted": patched(patched(plain, central + 8, b"\1\0"), local + 6, b"\1\0"),
        "unknown": patched(patched(plain, central + 10, b"\x63\0"), local + 8, b"\x63\0"),
        "claims": patched(plain, central + 20, struct.pack("<II", 6_000_000_000 % (1 << 32), 0xFFFFFFFE)),
        "offset": patched(plain, central + 42, struct.pack("<I", 0xFFFFFFF0)),
        "names": zipped(**{"..__..__data_pkl": some}),
        "many": zipped(a__data_pkl=some, **{f"a__{k}": b"" for k in range(20_000)}),
        "empty": zipped(),
        "wrong-tensor": with_member(whole, "data/0", b"abc"),
        "no-tensor": with_member(whole, "data/0", b""),
    }
    for name, data in files.items():
        path = folder / f"archive-{name}.pt"
        path.write_bytes(data)
        yield from (Case(reader, path) for reader in ("generator", "encoder", "encoder contents", "discriminator"))


def settings(folder: Path) -> Iterator[Case]:
    """Public encoders whose settings, mean or tensors are not what they should be."""
    values: list[Any] = [0, -1, 10**9, 1 << 34, 10**40, float("nan"), "1e9", None, [1], {"a": 1}, True, b"raw"]
    for stem in ("psp", "psp-w", "restyle-e4e"):
        contents = public_contents(stem)
        opts = dict(vars(contents["opts"]) if hasattr(contents["opts"], "__dict__") else contents["opts"])
        made = [
            {**contents, "opts": {**opts, name: value}}
            for name in (
                "n_iters_per_batch",
                "stylegan_size",
                "output_size",
                "encoder_type",
                "start_from_latent_avg",
            )
            for value in values
        ]
        made += [{**contents, "latent_avg": value} for value in (*values, torch.ones(3), torch.ones(0))]
        made += [{**contents, "state_dict": value} for value in values]
        for number, changed in enumerate(made):
            path = folder / f"settings-{stem}-{number}.pt"
            torch.save(changed, path)
            yield Case("encoder", path)


def cut(folder: Path, places: int = 6) -> Iterator[Case]:
    """Every honest file, cut at several places."""
    for reader in HONEST:
        for path in honest_files(reader, folder):
            data = path.read_bytes()
            for place in range(places):
                target = folder / f"cut-{place}-{reader.replace(' ', '-')}-{path.name}"
                target.write_bytes(data[: len(data) * place // places + place % 2])
                yield Case(reader, target)
