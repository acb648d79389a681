"""What a file is, is read from its contents."""

from pathlib import Path

import pytest

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from tests.generator.stylegan2_files import nvidia_pickle
from tests.small_models import small_generator


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (b"<!DOCTYPE html><html><head>Quota exceeded", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
        (b"", "empty"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"hello", "of no format"),
        (b"\x80", "truncated"),
        (b"\x80\x02", "truncated"),
        (b"PK\x03\x04", "cut short"),
    ],
)
def test_what_a_file_seems_to_be_is_said(tmp_path: Path, contents: bytes, sentence: str) -> None:
    path = tmp_path / "ffhq.pkl"
    path.write_bytes(contents)
    with pytest.raises(InputError, match=sentence) as caught:
        generator.load(path)
    assert str(caught.value).count("\n") == 0


def test_the_name_of_a_file_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(nvidia_pickle().read_bytes())
    assert generator.load(path).resolution == 16


def test_our_own_file_may_begin_like_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "ours.safetensors"
    for length in range(0, 264, 8):  # the first byte is that of the header's length
        generator.save(small_generator(name="n" * length), path, overwrite=True)
        if path.read_bytes()[0] == 0x80:
            break
    assert path.read_bytes()[0] == 0x80
    assert generator.load(path).resolution == 32
