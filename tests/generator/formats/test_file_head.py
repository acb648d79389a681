from pathlib import Path

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.file_head import FileHead


@pytest.mark.parametrize(
    ("first", "formats"),
    [
        (
            (128).to_bytes(8, "little") + b'{"' + bytes(200),
            "safetensors pickle",
        ),  # 128 is a pickle's first byte, too
        (b"PK\x03\x04", "torch"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "torch pickle"),
        (b"\x80\x04\x95", "pickle"),
        ((1 << 40).to_bytes(8, "little") + b"{", ""),
    ],
)
def test_first_bytes_tell_the_format(tmp_path: Path, first: bytes, formats: str) -> None:
    path = tmp_path / "weights"
    path.write_bytes(first)
    head = FileHead.of(path)
    found = {"safetensors": head.is_safetensors, "torch": head.is_torch, "pickle": head.is_pickle}
    assert [name for name, is_it in found.items() if is_it] == formats.split()


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Cannot read the encoder .*nothing: "):
        FileHead.of(tmp_path / "nothing", "the encoder")
    with pytest.raises(InputError, match="Cannot read /"):
        FileHead.of(tmp_path)
