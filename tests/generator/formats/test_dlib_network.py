"""dlib's networks are read as they were written; anything else is said, and costs neither memory nor time."""

from pathlib import Path

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.dlib_network import read_network
from tests.dlib_networks import integer, name, small_network


def test_what_was_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "net.dat").write_bytes(small_network(side=39))
    network = read_network(tmp_path / "net.dat")
    assert network.mean == (122.5, 117.0, 104.25)
    assert network.side == 39
    convolutions = [layer for layer in network.layers if layer.kind == "con_4"]
    assert [one.weights["filters"].shape for one in convolutions[:2]] == [(4, 3, 7, 7), (4, 4, 3, 3)]
    assert [one.shape[2] for one in convolutions] == [2, 1, 1, 1, 1, 2, 1, 1, 1]
    assert network.layers[-1].weights["weights"].shape == (6, 5)


def _largest_tensor(data: bytes) -> bytes:
    """A tensor that claims more numbers than there are in the world."""
    at = data.index(name("con_4")) + len(name("con_4"))
    return data[: at + 2] + 4 * (b"\x08" + b"\xff" * 8) + data[at + 10 :]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: data[:-3], "ends too soon"),
        (lambda data: data[: len(data) // 2], "ends too soon"),
        (lambda _: b"", "ends too soon"),
        (lambda _: b"<!DOCTYPE html>", "begins no number"),
        (lambda data: data.replace(b"metric", b"mmodal"), "its loss is another one"),
        (lambda data: data.replace(b"relu_", b"elu__", 1), "of the kind elu__"),
        (lambda data: data.replace(name("con_4") + integer(2), name("con_4") + integer(1), 1), "of version 1"),
        (_largest_tensor, "ends too soon"),
        (lambda data: data + b"\x01", "ends too soon"),
        (lambda data: data.replace(b"input_rgb_image_sized", b"input_rgb_image_\xff\xff\xff\xff\xff"), "ascii"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, spoil, says: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "net.dat").write_bytes(spoil(small_network()))
    with pytest.raises(InputError, match=says):
        read_network(tmp_path / "net.dat")
    with pytest.raises(InputError, match="Cannot read"):
        read_network(tmp_path / "missing.dat")
