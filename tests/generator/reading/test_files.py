"""Only regular files are opened, and whatever a reader stumbles over is one sentence."""

import os
import socket
from pathlib import Path

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.files import (
    DamagedFileError,
    check_regular,
    open_regular,
    read_exactly,
    read_regular,
    refusing_damage,
)


def test_a_regular_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    assert read_regular(tmp_path / "a.bin") == b"abc"
    assert check_regular(tmp_path / "a.bin").st_size == 3


def test_a_named_pipe_a_socket_a_device_and_a_folder_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for path, kind in (
            (tmp_path / "pipe", "a named pipe"),
            (tmp_path / "socket", "a socket"),
            (Path("/dev/zero"), "a device"),
            (tmp_path, "a folder"),
        ):
            with pytest.raises(InputError, match=f"Cannot read the record .*: it is {kind}"):
                open_regular(path, "the record")


def test_a_missing_file_a_name_with_nul_and_a_file_above_the_bound_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        open_regular(tmp_path / "none")
    with pytest.raises(InputError, match="Cannot read"):
        open_regular("a\0b")
    (tmp_path / "a.bin").write_bytes(b"abc")
    with pytest.raises(InputError, match=r"a\.bin has 3 bytes, more than the 2"):
        read_regular(tmp_path / "a.bin", largest=2)


def test_a_file_that_is_cut_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(1 << 20))
    with open_regular(path) as file:
        read_exactly(file, 10, path.name)
        os.truncate(path, 100)
        with pytest.raises(DamagedFileError, match=r"a\.bin is cut short"):
            read_exactly(file, (1 << 20) - 10, path.name)


@pytest.mark.parametrize("error", [KeyError("a"), OverflowError(), RecursionError(), MemoryError(), TypeError("b")])
def test_any_exception_becomes_a_sentence_with_the_printable_name(tmp_path: Path, error: Exception) -> None:
    with (
        pytest.raises(DamagedFileError, match=r"^a\\x1b\.bin (is damaged|needs more memory)"),
        refusing_damage(tmp_path / "a\x1b.bin"),
    ):
        raise error


def test_a_sentence_passes_the_boundary_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^Give another\.$"), refusing_damage(tmp_path / "a"):
        raise InputError("Give another.")
