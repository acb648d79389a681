"""The restricted unpickler: arrays come through unchanged, and nothing else that a pickle can do happens."""

import builtins
import collections
import contextlib
import io
import operator
import os
import pickle
import random
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.safe_pickle import inert_numpy
from stylegan_latents.generator.formats.safe_pickle.stand_ins import PLAIN, StandIn
from stylegan_latents.generator.formats.safe_pickle.unpickler import NUMPY, load_inert

GENERATOR = np.random.default_rng(0)
ARRAYS = {
    "float32": GENERATOR.standard_normal((3, 4, 5), dtype=np.float32),
    "column-major": np.asfortranarray(GENERATOR.standard_normal((3, 4))),
    "big-endian": np.arange(6, dtype=">i4").reshape(2, 3),
    "half": np.arange(4, dtype=np.float16),
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j], dtype=np.complex64),
    "text": np.array(["left", "eye"]),
    "bytes": np.array([b"left", b"eye"]),
    "empty": np.zeros((0, 512), dtype=np.float32),
    "zero-dimensional": np.array(3.5),
}


def inert(data: bytes, **settings: Any) -> Any:
    return load_inert(io.BytesIO(data), name="weights.pkl", **settings)


def refused(data: bytes, sentence: str = r"weights\.pkl") -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        inert(data)
    assert "weights.pkl" in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_through(name: str, protocol: int) -> None:
    array = ARRAYS[name]
    read = inert(pickle.dumps({"w": [array, (array,)]}, protocol=protocol))
    for got in (read["w"][0], read["w"][1][0]):
        assert isinstance(got, np.ndarray)
        assert got.dtype == array.dtype.newbyteorder("=")  # numpy itself swaps too
        assert got.shape == array.shape
        assert np.array_equal(got, array)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_through(protocol: int) -> None:
    value = {
        "numbers": [1, -(2**70), 1.5, True, None, 2 + 3j],
        "text": "λ",
        "bytes": b"\x00\xff",
        "sets": [{1, 2}, frozenset({3})],
        "array bytes": bytearray(b"\x00\xff"),
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "scalars": [np.float32(0.1), np.int64(7), np.bool_(True)],
    }
    read = inert(pickle.dumps(value, protocol=protocol))
    assert read == value
    assert list(read["ordered"]) == ["b", "a"]
    assert type(read["scalars"][0]) is np.float32


def test_both_names_of_numpys_core() -> None:
    data = pickle.dumps(ARRAYS["float32"], protocol=2)
    old, new = b"numpy.core.multiarray", b"numpy._core.multiarray"
    assert old in data or new in data
    for spelling in (old, new):
        text = data.replace(new, old).replace(old, spelling)
        assert np.array_equal(inert(text), ARRAYS["float32"])


def test_a_file_by_python_2() -> None:
    # cPickle.dumps({'w': numpy.array([1., 2.], 'f4')}, 2) as Python 2 wrote it: the bytes are a string.
    data = (
        b"\x80\x02}q\x01U\x01wcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U\x08\x00\x00\x80?\x00\x00\x00@tbs."
    )
    assert inert(data)["w"].tolist() == [1.0, 2.0]


def test_position_is_behind_the_pickle_and_paths_work(tmp_path: Path) -> None:
    file = io.BytesIO(b"head" + pickle.dumps([1]) + pickle.dumps([2]) + b"tail")
    file.seek(4)
    assert load_inert(file) == [1]
    assert load_inert(file) == [2]
    assert file.read() == b"tail"
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([3]))
    assert load_inert(tmp_path / "a.pkl") == [3]
    with pytest.raises(InputError, match=r"Cannot read .*gone\.pkl"):
        load_inert(tmp_path / "gone.pkl")


class Reduced:
    """Pickles as a call of anything."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __reduce__(self) -> Any:
        return self.parts


class Plain:
    """An ordinary class with state."""

    def __init__(self) -> None:
        self.value = 1


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Reduced(os.system, ("echo hacked > hacked",)), r"(posix|nt)\.system"),
        (Reduced(subprocess.Popen, (["sh"],)), r"(subprocess|commands)\.Popen"),
        (Reduced(builtins.eval, ("1+1",)), r"(builtins|__builtin__)\.eval"),
        (Reduced(builtins.exec, ("x=1",)), r"(builtins|__builtin__)\.exec"),
        (Reduced(builtins.getattr, (1, "real")), r"(builtins|__builtin__)\.getattr"),
        (Reduced(operator.attrgetter, ("system",)), r"operator\.attrgetter"),
        (Reduced(__import__, ("os",)), r"(builtins|__builtin__)\.__import__"),
        (Reduced(np.load, ("file",)), r"numpy.*\.load"),
        (Reduced(pickle.Unpickler, (io.BytesIO,)), r"pickle\.Unpickler"),
        (Plain(), r"Plain|_reconstructor"),
        ([{"deep": (Reduced(set, ([Reduced(os.getcwd, ())],)),)}], r"(posix|nt)\.getcwd"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_is_not_allowed_is_named(
    value: object, named: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(pickle.dumps(value, protocol=protocol), f"asks for '.*({named})'")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["dtype.__class__", "ndarray.__reduce__", "core.multiarray", "dtype\x00"])
def test_attribute_chains_are_no_way_around(name: str) -> None:
    text = name.encode()
    stack_global = b"\x80\x04\x8c\x05numpy\x8c" + bytes([len(text)]) + text + b"\x93."
    refused(stack_global, "asks for 'numpy")


START = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
FLOAT = (
    b"cnumpy\ndtype\nX\x02\x00\x00\x00f4K\x00K\x01\x87R"
    b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)


def array_pickle(shape: bytes, contents: bytes, kind: bytes = FLOAT) -> bytes:
    """An array's pickle whose parts are chosen freely, as opcodes."""
    return b"\x80\x03" + START + b"(K\x01" + shape + kind + b"\x89" + contents + b"tb."


def test_the_parts_make_an_array() -> None:
    assert inert(array_pickle(b"K\x01\x85", b"C\x04\x00\x00\x80?")).tolist() == [1.0]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (array_pickle(b"\x8a\x06\x00\x00\x00\x00\x00\x01\x85", b"C\x04\x00\x00\x80?"), "impossible shape"),
        (array_pickle(b"J\xff\xff\xff\x7f\x85", b"C\x04\x00\x00\x80?"), "of shape .* but 4 bytes"),
        (array_pickle(b"J\xff\xff\xff\xff\x85", b"C\x04\x00\x00\x80?"), "impossible shape"),
        (array_pickle(b"(" + b"K\x01" * 40 + b"t", b"C\x04\x00\x00\x80?"), "not understood"),
        (array_pickle(b"K\x01\x85", b"C\x03\x00\x00\x80"), "of shape .* but 3 bytes"),
        (array_pickle(b"K\x01\x85", b"]K\x01a"), "array of Python objects"),
        (array_pickle(b"K\x01\x85", b"C\x04\x00\x00\x80?", kind=b"N"), "not understood"),
        (pickle.dumps(np.array([{}], dtype=object), protocol=3), "type 'O8', which is not read"),
        (pickle.dumps(np.zeros(2, dtype="f4,i4"), protocol=3), "type 'V8', which is not read"),
        (pickle.dumps(np.zeros(2, dtype="M8[s]"), protocol=3), "type 'M8', which is not read"),
        (b"\x80\x03" + FLOAT[: FLOAT.index(b"(K\x03")] + b"K\x03\x85b.", "type that is not understood"),
        (b"\x80\x03cnumpy\nndarray\nK\x04\x85R.", "may only name"),
        (b"\x80\x03cnumpy\ndtype\n}X\x01\x00\x00\x00aK\x01sb.", "changes a function"),
        (b"\x80\x03cnumpy\ndtype\nN}X\x06\x00\x00\x00_buildK\x01s\x86b.", "changes a function"),
        (b"\x80\x03cnumpy\nndarray\n)\x81.", "damaged"),
        (b"\x80\x03" + START + b"}X\x01\x00\x00\x00aK\x01sb.", "not understood"),
        (b"\x80\x03]}X\x01\x00\x00\x00aK\x01sb.", "damaged"),
        (b"\x80\x03}NX\x01\x00\x00\x00a}\x86b.", "damaged"),
        (b"\x80\x03X\x04\x00\x00\x00pathQ.", "refers to data outside"),
        (b"Ppath\n.", "refers to data outside"),
        (b"\x80\x02\x82\x01.", "extension code"),
        (b"\x80\x05\x97.", "out-of-band buffer"),
    ],
)
def test_abuse_of_what_is_allowed(data: bytes, sentence: str) -> None:
    refused(data, sentence)


def test_a_second_state_for_an_array() -> None:
    state = b"(K\x01K\x01\x85" + FLOAT + b"\x89C\x04\x00\x00\x80?tb"
    assert inert(b"\x80\x03" + START + state + b".").tolist() == [1.0]
    refused(b"\x80\x03" + START + state + state + b".", "not understood")


def test_stand_ins_cannot_be_changed_by_one_file_for_the_next() -> None:
    before = {name: stand_in._build for name, stand_in in NUMPY.items()}
    for name in NUMPY:
        module, _, attribute = name.rpartition(".")
        head = b"\x80\x03c" + f"{module}\n{attribute}\n".encode()
        refused(head + b"N}X\x06\x00\x00\x00_buildNs\x86b.", "changes a function")
    assert {name: stand_in._build for name, stand_in in NUMPY.items()} == before


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 50) + b"abc.",  # a huge declared length
        b"\x80\x04\x96" + struct.pack("<Q", 1 << 62) + b"abc.",
        b"\x80\x03B" + struct.pack("<I", 0xFFFFFFFF) + b"abc.",
        b"\x80\x03Nr" + struct.pack("<I", 0xFFFFFFF0) + b".",  # a huge memo index
        b"Np99999999999999\n.",
        b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b"N.",  # a huge frame
        b"\x80\x03\x8b" + struct.pack("<i", 0x7FFFFFFF) + b"\x01.",
    ],
)
def test_declared_sizes_take_no_memory(data: bytes) -> None:
    refused(data)


def test_one_constant_used_many_times() -> None:
    size = 1 << 20
    one = START + b"(K\x01J" + struct.pack("<i", size // 4) + b"\x85" + FLOAT + b"\x89h\x01tb"
    blob = b"\x80\x03B" + struct.pack("<I", size) + bytes(size) + b"q\x010("
    assert len(inert(blob + one * 10 + b"t.")) == 10
    refused(blob + one * 100 + b"t.", "builds far more data than it holds")


def test_deep_nesting() -> None:
    assert inert(b"\x80\x02)" + b"\x85" * 200 + b".")
    refused(b"\x80\x02)" + b"\x85" * 1_000_000 + b".", "nests its values too deeply")
    refused(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".", "nests its values too deeply")
    # As a key of a dict, which would be hashed.
    refused(b"\x80\x02})" + b"\x85" * 1_000_000 + b"Ns.", "nests its values too deeply")


def test_a_tuple_that_takes_for_ever_to_hash() -> None:
    refused(b"\x80\x02})" + b"2\x86" * 100 + b"Ns.", "nests its values too deeply")


def test_a_list_in_itself() -> None:
    read = inert(b"\x80\x02]q\x00h\x00a.")
    assert read[0] is read


def test_every_truncation_is_refused() -> None:
    data = pickle.dumps({"w": ARRAYS["half"], "b": [1.5, "text", b"x", (2, {3})]}, protocol=4)
    assert inert(data)
    for length in range(len(data)):
        refused(data[:length])


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_damaged_bytes_never_do_anything_else(protocol: int) -> None:
    data = pickle.dumps({"w": ARRAYS["half"], "b": [1.5, "text", b"x", (2, {3})]}, protocol=protocol)
    damage = random.Random(protocol)
    for _ in range(1500):
        text = bytearray(data)
        for _ in range(damage.randint(1, 4)):
            text[damage.randrange(len(text))] = damage.randrange(256)
        with contextlib.suppress(InputError):  # anything else fails the test
            inert(bytes(text))


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html><html></html>", b"PK\x03\x04", b"\x89PNG\r\n", b".", b"N"])
def test_no_pickle_at_all(data: bytes) -> None:
    refused(data, "truncated or no pickle")


def test_a_format_adds_its_own_names() -> None:
    data = pickle.dumps(Plain(), protocol=2)
    full = f"{Plain.__module__}.Plain"
    refused(data, "asks for")
    called = []

    def build(_budget: object, *arguments: object) -> dict[str, object]:
        called.append(arguments)
        return {}

    table = {**NUMPY, full: StandIn(build), "copy_reg._reconstructor": StandIn(build)}
    with pytest.raises(InputError, match="damaged"):
        inert(data, stand_ins=table)  # NEWOBJ needs a real class: a stand-in is none
    assert inert(b"\x80\x02c" + full.replace(".Plain", "\nPlain").encode() + b"\n)R.", stand_ins=table) == {}
    assert called == [()]
    refused_by_less = pickle.dumps(ARRAYS["half"])
    with pytest.raises(InputError, match="asks for 'numpy"):
        inert(refused_by_less, stand_ins=PLAIN)


def test_references_outside_are_answered_by_the_caller_only() -> None:
    data = b"\x80\x02X\x03\x00\x00\x00keyQ."
    assert inert(data, persistent=lambda key: f"<{key}>") == "<key>"
    refused(data, "refers to data outside")


def test_no_source_file_uses_the_unrestricted_functions() -> None:
    root = Path(inert_numpy.__file__).parents[2]
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for forbidden in ("pickle.load" + "(", "pickle.loads" + "(", "weights_only=" + "False"):
            assert forbidden not in text, path
