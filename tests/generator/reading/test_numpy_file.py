import zipfile
from pathlib import Path

import numpy as np
import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.numpy_file import PickledObjectsError, read_numpy

LARGEST = 1 << 20


@pytest.mark.parametrize(
    "array", [np.arange(6.0).reshape(2, 3), np.ones((3, 2), "<f2", order="F"), np.zeros((0, 4))]
)
def test_arrays_are_read_as_they_were_written(
    tmp_path: Path, array: "np.ndarray[object, np.dtype[np.float64]]"
) -> None:
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "b.npz", one=array, two=np.arange(3))
    found = {
        "": read_numpy(tmp_path / "a.npy", largest=LARGEST)[""],
        **read_numpy(tmp_path / "b.npz", largest=LARGEST),
    }
    assert list(found) == ["", "one", "two"]
    for name in ("", "one"):
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_the_contents_tell_the_kind_not_the_name(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    assert read_numpy(tmp_path / "a.npz", largest=LARGEST)[""].tolist() == [0, 1, 2]


@pytest.mark.slow
def test_what_a_header_declares_is_checked_before_it_is_allocated(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3.0))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content.replace(b"(3,), }" + b" " * 10, b"(3000000000,), }" + b" " * 1))
    with pytest.raises(InputError, match=r"a\.npy declares an array of 24,000,000,000 bytes"):
        read_numpy(tmp_path / "a.npy", largest=LARGEST)
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", bytes(400 << 20))
    with pytest.raises(InputError, match=r"b\.npz declares data of 419 MB"):
        read_numpy(tmp_path / "b.npz", largest=1 << 40)


def test_objects_are_told_apart(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(PickledObjectsError):
        read_numpy(tmp_path / "a.npy", largest=LARGEST)
