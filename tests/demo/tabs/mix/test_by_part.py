"""Single parts of one face given to another: what the tab Mix does beside the mixing of layers."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.mix.by_part import PartRequest, available, draw_with_parts
from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.regions import parts as parts_catalogue
from stylegan_latents.editing.regions import regions
from stylegan_latents.editing.regions.parts import Parts
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.invert.faces.landmarks import Landmarks
from tests.demo.visits import visiting


@pytest.fixture(name="visit")
def _visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """A visit with a model that has parts, and faces wherever they are looked for."""
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))  # which may hold parts of the small model
    with visiting(tmp_path, monkeypatch) as visit:
        G = visit.studio.G
        channels = sum(layer.channels for layer in G.layers)
        shares = torch.zeros(2, channels)
        shares[0, ::2], shares[1, 1::2] = 1.0, 1.0
        found = Parts(("eyes", "hair"), torch.eye(2), torch.arange(2), shares, G.name, G.fingerprint)
        monkeypatch.setattr(parts_catalogue, "_shipped", lambda: {G.fingerprint: found})
        yield visit


def values(picture: Image.Image) -> npt.NDArray[np.int64]:
    return np.asarray(picture).astype(np.int64)


def run_command(visit: Visit, command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Image.Image:
    """The picture that the command line of the page writes, beside the records."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    save_native(visit.studio.G, folder / "small.safetensors")
    for name in visit.faces:
        visit.faces[name].record.inversion.save(f"{name}.inversion.safetensors")
    words = shlex.split(command)[1:]
    assert main([*words, "--model", "small.safetensors", "--device", "cpu", "--out", "made.png"]) == 0
    return Image.open("made.png")


def test_a_part_is_given_as_the_command_does_it(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, none = draw_with_parts(visit, "ann", PartRequest("part", ("eyes",), "", 1.0), full=True)
    assert none == ""
    wish = PartRequest("part", ("eyes", "hair"), "bob", 0.5)
    picture, command = draw_with_parts(visit, "ann", wish, full=True)
    assert command == (
        "edit mix ann.inversion.safetensors bob.inversion.safetensors --part eyes --part hair --by channels "
        "--strength 0.5"
    )
    assert (values(picture) != values(own)).any()
    made = run_command(visit, command, tmp_path / "elsewhere", monkeypatch)
    assert abs(values(made) - values(picture)).max() <= 1
    preview, _ = draw_with_parts(visit, "ann", wish)
    assert preview.width == visit.studio.preview_size < picture.width


def test_a_region_is_given_as_the_command_does_it(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A random generator draws nobody; these are the landmarks of a face in the middle.
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)[:, None]
    points = 0.5 + 0.25 * np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    monkeypatch.setattr(regions, "face_landmarks", lambda *_: Landmarks.from_ibug(points))
    own, _ = draw_with_parts(visit, "ann", PartRequest("region", (), "bob", 1.0), full=True)
    wish = PartRequest("region", ("mouth",), "bob", 1.0)
    picture, command = draw_with_parts(visit, "ann", wish, full=True)
    assert command == "edit mix ann.inversion.safetensors bob.inversion.safetensors --region mouth"
    difference = abs(values(picture) - values(own)).sum(axis=2)
    assert difference.any()
    assert not difference[0].any()  # away from the mouth all stays as it is
    made = run_command(visit, command, tmp_path / "elsewhere", monkeypatch)
    assert abs(values(made) - values(picture)).max() <= 1
    small, _ = draw_with_parts(visit, "ann", wish)
    before, _ = draw_with_parts(visit, "ann", PartRequest("region", (), "bob", 1.0))
    assert small.width == before.width == visit.studio.preview_size
    difference = abs(values(small) - values(before)).sum(axis=2)
    assert difference.any()
    assert not difference[0].any()


def test_what_cannot_be_given_is_said(visit: Visit) -> None:
    with pytest.raises(InputError, match="no face 'dora'"):
        draw_with_parts(visit, "ann", PartRequest("part", ("eyes",), "dora", 1.0))
    with pytest.raises(InputError, match="has no part 'wings'"):
        draw_with_parts(visit, "ann", PartRequest("part", ("wings",), "bob", 1.0))
    with pytest.raises(InputError, match="No face was found"):
        draw_with_parts(visit, "ann", PartRequest("region", ("eyes",), "bob", 1.0))


def test_only_stored_parts_are_offered(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    assert available(visit.studio.G) == {"part": ("eyes", "hair"), "region": regions.REGIONS}
    monkeypatch.setattr(parts_catalogue, "_shipped", dict)
    assert list(available(visit.studio.G)) == ["region"]
