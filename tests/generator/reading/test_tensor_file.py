"""Safetensors files are read as their own library reads them, and refused where they are wrong."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.tensor_file import TensorFile


def written(path: Path, header: Any, data: bytes = b"", *, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
)
def test_every_type_is_read_as_it_was_written(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {
        "a": torch.arange(12).reshape(3, 4).to(dtype),
        "b": torch.ones((), dtype=dtype),
        "c": torch.zeros(0, 3),
    }
    save_file(tensors, tmp_path / "a.safetensors", metadata={"key": "text"})
    with TensorFile.open(tmp_path / "a.safetensors") as file:
        assert file.metadata == {"key": "text"}
        assert file.shapes["a"] == (3, 4)
        read = file.tensors()
    assert all(
        torch.equal(read[name], value) and read[name].dtype == value.dtype for name, value in tensors.items()
    )


def entry(shape: Any = (2,), offsets: Any = (0, 8), dtype: Any = "F32") -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


@pytest.mark.parametrize(
    "header",
    [
        entry(shape=[3]),
        entry(shape=[-2]),
        entry(shape=["2"]),
        entry(shape=[1 << 60]),
        entry(shape=[1] * 40 + [2]),
        entry(shape=2),
        entry(offsets=[0]),
        entry(offsets=[8, 0]),
        entry(offsets=[4, 12]),
        entry(offsets=[0, 8, 16]),
        entry(offsets=None),
        entry(dtype="F5"),
        entry(dtype=["F32"]),
        {"a": 5},
        {"a": None, "__metadata__": {}},
        {**entry(), "__metadata__": {"key": 5}},
        {**entry(), "__metadata__": []},
        {**entry(), "b": entry()["a"]},
        [],
        {},
        b"{" * 100_000,
        b"\xff\xfe{}",
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_header_that_does_not_fit_the_file_is_refused(tmp_path: Path, header: Any) -> None:
    path = written(tmp_path / "a.safetensors", header, bytes(8))
    with pytest.raises(InputError, match=r"a\.safetensors"), TensorFile.open(path):
        pass


@pytest.mark.parametrize("length", [0, 7, 1 << 20, (1 << 64) - 1])
def test_a_header_longer_than_the_file_is_refused(tmp_path: Path, length: int) -> None:
    path = written(tmp_path / "a.safetensors", entry(), bytes(8), length=length)
    with pytest.raises(InputError), TensorFile.open(path):
        pass


def test_a_file_that_is_cut_after_it_was_opened_is_an_error_and_no_signal(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(1 << 20)}, path)
    with TensorFile.open(path) as file:
        os.truncate(path, 4096)
        with pytest.raises(InputError, match="cut short"):
            file.tensor("a")
