import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.arrays import read_arrays


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("touched"),)  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_kind_is_read_as_float32() -> None:
    np.save("a.npy", np.arange(3.0)[None])
    np.savez("a.npz", one=np.arange(3), two=np.ones((2, 2), np.float16))
    torch.save(torch.arange(3.0, dtype=torch.float64), "tensor.pt")
    torch.save({"comp": torch.nn.Parameter(torch.ones(2)), "ckpt": "some.pt"}, "dict.pt")
    torch.save(torch.ones(2), "old.pt", _use_new_zipfile_serialization=False)
    assert read_arrays(Path("a.npy"))[""].tolist() == [[0, 1, 2]]
    assert {name: value.dtype for name, value in read_arrays(Path("a.npz")).items()} == {
        "one": torch.float32,
        "two": torch.float32,
    }
    assert read_arrays(Path("tensor.pt"))[""].tolist() == [0, 1, 2]
    assert list(read_arrays(Path("dict.pt"))) == ["comp"]
    assert read_arrays(Path("old.pt"))[""].tolist() == [1, 1]


def _write(name: str) -> None:
    if name == "objects.npy":
        np.save(name, np.array([_Evil()], dtype=object), allow_pickle=True)
    elif name == "objects.npz":
        np.savez(name, a=np.array([{}], dtype=object))
    elif name == "pickle.npy":
        Path(name).write_bytes(pickle.dumps(_Evil()))
    elif name == "evil.pt":
        torch.save({"comp": _Evil()}, name)
    elif name == "cut.npy":
        np.save(name, np.ones(100))
        Path(name).write_bytes(Path(name).read_bytes()[:-10])
    elif name == "cut.npz":
        np.savez(name, a=np.ones(100))
        Path(name).write_bytes(Path(name).read_bytes()[:-10])
    elif name == "cut.pt":
        torch.save(torch.ones(100), name)
        Path(name).write_bytes(Path(name).read_bytes()[:-100])
    elif name == "words.npy":
        np.save(name, np.array(["a", "b"]))
    elif name == "none.pt":
        torch.save({"ckpt": "a"}, name)
    elif name == "page.npy" or name == "page.npz":
        Path(name).write_text("<!DOCTYPE html><html></html>")
    elif name == "empty.npz":
        Path(name).write_bytes(b"")
    elif name == "bomb.npz":
        header = b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (400000000,), }"
        with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
            member.write(header.ljust(127) + b"\n")
            for _ in range(400):
                member.write(bytes(1_000_000))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "missing.npy", "objects.npy", "objects.npz", "pickle.npy", "evil.pt", "cut.npy", "cut.npz", "cut.pt",
        "words.npy", "none.pt", "page.npy", "page.npz", "empty.npz", "bomb.npz",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_in_a_sentence_and_nothing_runs(name: str) -> None:
    _write(name)
    with pytest.raises(InputError, match=name) as refusal:
        read_arrays(Path(name))
    assert not Path("touched").exists()
    said = str(refusal.value)
    assert ("could run any program" in said) == (name in ("objects.npy", "objects.npz", "pickle.npy"))
    assert ("a web page" in said) == name.startswith("page.")
