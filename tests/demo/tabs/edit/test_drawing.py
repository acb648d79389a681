"""Previews, full pictures and command lines of edits."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit import drawing
from stylegan_latents.editing.records.pasted import LOST_FACE
from stylegan_latents.generator.errors import InputError


def test_a_preview_is_half_as_large_and_follows_the_slider(visit: Visit) -> None:
    face = seed_face(visit, 1)
    before, same = drawing.preview(visit, face, {"pose": 0.0})
    _, moved = drawing.preview(visit, face, {"pose": 3.0})
    assert Image.open(before).size == Image.open(moved).size == (16, 16)
    assert Path(same).read_bytes() != Path(moved).read_bytes()


def test_the_full_picture_is_what_edit_writes(visit: Visit) -> None:
    face = seed_face(visit, 1)
    result = drawing.finished(visit, face, {"pose": 2.0, "smile": 0.0})
    edited = face.record.edited([(visit.studio.directions["pose"], 2.0)]).picture
    assert Image.open(result.picture).tobytes() == edited.tobytes()
    assert Path(result.picture).name == "seed1.pose+2.png"
    assert result.command.splitlines()[-1] == "edit seed1.inversion.safetensors --direction pose --strength 2"
    assert result.command.splitlines()[0].startswith("edit sample --seeds 1 ")


def test_unknown_directions_and_missing_photos_are_told(visit: Visit) -> None:
    face = seed_face(visit, 1)
    with pytest.raises(InputError, match="no direction 'wings'"):
        drawing.preview(visit, face, {"wings": 1.0})
    for view in ("Photo", "Whole photo"):
        with pytest.raises(InputError, match="has no photo"):
            drawing.finished(visit, face, {"pose": 1.0}, view)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("--region face keeps it", "“Only a part of the picture”"),
        (LOST_FACE, "No face is found in the edited picture"),
    ],
)
def test_what_pasting_back_tells_is_in_the_pages_words(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, sentence: str, words: str
) -> None:
    def pasted(_record: object, photo: Image.Image, _drawn: object, tell: Callable[[str], None]) -> Image.Image:
        tell(sentence)
        return photo

    face = seed_face(visit, 1)
    face = replace(face, photo=Path(visit.files.store(face.record.picture(), "photo")))
    monkeypatch.setattr(drawing, "pasted", pasted)
    warning = drawing.finished(visit, face, {"pose": 1.0}, "Whole photo").warning
    assert words in warning
    assert "--" not in warning
    assert not drawing.finished(visit, face, {"pose": 1.0}).warning


def test_without_an_edit_there_is_no_edit_to_type(visit: Visit) -> None:
    assert drawing.commands(visit, seed_face(visit, 1), {}).splitlines() == [
        "edit sample --seeds 1 --truncation 0.7 --records",
        "mv seed0001.inversion.safetensors seed1.inversion.safetensors",
    ]


def test_the_command_line_is_quoted(visit: Visit) -> None:
    face = seed_face(visit, 1)
    words = shlex.split(drawing.commands(visit, face, {"age": -1.5}, whole=True).splitlines()[-1])
    assert words[2:] == ["--direction", "age", "--strength", "-1.5", "--paste-back"]


def test_a_download_is_named_after_every_edit(visit: Visit) -> None:
    edits = {"pose": 1.0, "smile": 2.0, "age": -1.5, "gender": 0.5}
    result = drawing.finished(visit, seed_face(visit, 1), edits)
    assert Path(result.picture).name == "seed1.pose+1.smile+2.age-1.5.gender+0.5.png"
