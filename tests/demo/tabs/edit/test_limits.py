"""Edits limited to regions, to a score, and to the same person."""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr
import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from stylegan_latents.demo.page.painting import save_mask
from stylegan_latents.demo.page.running import Done
from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit import answers, drawing, limits
from stylegan_latents.editing.directions.apply import Edit
from stylegan_latents.editing.discovery.scorers import faces
from stylegan_latents.editing.discovery.scorers.scorer import Scorer
from stylegan_latents.editing.records.drawn import DrawnEdit
from stylegan_latents.editing.regions import regions
from stylegan_latents.editing.strengths import guided
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.landmarks import Landmarks


@pytest.fixture(name="face")
def _face(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> Face:
    """With landmarks in the middle, as a random generator draws nobody."""
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)[:, None]
    points = 0.5 + 0.15 * np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    monkeypatch.setattr(regions, "face_landmarks", lambda *_: Landmarks.from_ibug(points))
    return seed_face(visit, 1)


def changed(one: str | Path, other: str | Path) -> npt.NDArray[np.bool_]:
    """Where two pictures differ."""
    with Image.open(one) as first, Image.open(other) as second:
        return (np.asarray(first.convert("RGB")) != np.asarray(second.convert("RGB"))).any(2)


def unedited(visit: Visit, face: Face) -> str:
    return drawing.finished(visit, face, {}).picture


def test_only_the_chosen_regions_change_in_picture_and_command(visit: Visit, face: Face) -> None:
    everywhere = drawing.finished(visit, face, {"pose": 3.0})
    assert changed(unedited(visit, face), everywhere.picture)[0].any()
    limits.choose_regions(visit, face.name, ["mouth", "nose"])
    result = drawing.finished(visit, face, {"pose": 3.0})
    where = changed(unedited(visit, face), result.picture)
    assert where.any()
    assert not where[:2].any()
    assert Path(result.picture).name == "seed1.pose+3.mouth.nose.png"
    assert result.command.endswith("--direction pose --strength 3 --region mouth --region nose")
    limits.choose_regions(visit, face.name, [])
    again = drawing.finished(visit, face, {"pose": 3.0})
    assert not changed(again.picture, everywhere.picture).any()
    with pytest.raises(InputError, match="no such region"):
        limits.choose_regions(visit, face.name, ["/etc/passwd"])


def test_a_preview_changes_only_the_regions_too(visit: Visit, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    white = DrawnEdit(Image.new("RGB", (16, 16), "white"), ((), ()))
    monkeypatch.setattr(type(face.preview), "edited", lambda *_, **__: white)
    limits.choose_regions(visit, face.name, ["face"])
    _, after = drawing.preview(visit, face, {"pose": 3.0})
    with Image.open(after) as opened:
        level = np.asarray(opened.convert("L"))
    assert level[8, 8] > 200
    assert level[:2].max() < 150


def test_a_painted_part_alone_changes_and_is_a_file_for_the_command(visit: Visit, face: Face) -> None:
    layer = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    layer.paste((255, 0, 255, 255), (10, 10, 14, 14))
    ticked, button = limits.use_painted(visit, face.name, {"layers": [layer]})
    assert ticked == []
    assert button.visible
    result = drawing.finished(visit, face, {"pose": 3.0})
    where = changed(unedited(visit, face), result.picture)
    assert where[20:28, 20:28].any()
    assert not where[:16].any()
    assert result.command.endswith("--region seed1.mask.png")
    assert limits.of_face(visit, face.name)[0] == []
    with pytest.raises(InputError, match="Nothing is painted"):
        limits.use_painted(visit, face.name, {"layers": [Image.new("RGBA", (16, 16))]})


def test_a_painted_part_lasts_however_many_masks_follow(visit: Visit, face: Face) -> None:
    layer = Image.new("RGBA", (16, 16), (255, 0, 255, 255))
    limits.use_painted(visit, face.name, {"layers": [layer]})
    for _ in range(8):
        save_mask(visit, layer.getchannel("A"))
    assert Path(face.regions.chosen[0]).exists()


def test_a_mask_that_is_made_late_is_not_taken_for_the_regions_chosen_since(
    visit: Visit, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits.choose_regions(visit, face.name, ["mouth"])
    made = regions.region_masks

    def late(names: Sequence[str], *args: object, **named: object) -> object:
        mask = made(names, *args, **named)  # type: ignore[arg-type]
        if "mouth" in names:
            limits.choose_regions(visit, face.name, ["hair"])
        return mask

    monkeypatch.setattr(regions, "region_masks", late)
    drawing.preview(visit, face, {"pose": 3.0})
    drawing.preview(visit, face, {"pose": 3.0})
    before = Image.open(face.before).convert("RGB")
    assert (face.regions.masks[("hair",)] == made(["hair"], [before], name=face.name)).all()


def test_each_face_has_its_own_regions(visit: Visit, face: Face) -> None:
    limits.choose_regions(visit, face.name, ["hair"])
    other = seed_face(visit, 2)
    assert limits.of_face(visit, face.name)[0] == ["hair"]
    assert limits.of_face(visit, other.name)[0] == []
    assert limits.of_face(visit, None)[0] == []


class _Redness(Scorer):
    """In the place of the scores of faces: the red level."""

    names, version = ("pose",), "redness-1"

    def score(self, images: torch.Tensor) -> npt.NDArray[np.float64]:
        return np.asarray(images[:, :1].mean((2, 3)).double().numpy())


def measured(visit: Visit, face: Face, what: str, score: float | None, keep: float = 0.0) -> limits.Measured:
    *_, done = limits.measure(visit, face.name, what, score, keep)
    assert isinstance(done, Done)
    return done.result


def test_the_sliders_are_set_to_reach_a_score_beside_the_other_edits(
    visit: Visit, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faces, "FaceScorer", _Redness)
    face.history.push({"age": 1.0, "pose": -3.0})

    def red(_record: object, edits: Sequence[Edit], *, size: int, **_: object) -> DrawnEdit:
        strengths = {direction.name: strength for direction, strength in edits}
        level = 100 + 20 * strengths.get("pose", 0) + 10 * strengths.get("age", 0)
        return DrawnEdit(Image.new("RGB", (size, size), (round(level), 0, 0)), ((), ()))

    with monkeypatch.context() as patched:
        patched.setattr(type(face.record), "edited", red)
        found = measured(visit, face, "pose", 160 / 127.5 - 1)
    assert found.strengths == {"age": 1.0, "pose": 2.5}
    assert found.words == "Pose went from -0.137 to 0.255; the target was 0.255."
    assert answers.take_strengths(visit, face.name, found.strengths) == visit.moves
    _, *values = answers.show_edits(visit, face.name)
    assert dict(zip(visit.all_directions, values, strict=False))["pose"] == found.strengths["pose"]
    assert face.history.can_undo
    drawn = answers.draw(visit, face.name, "Face", *values)
    assert drawn[3].endswith("--direction age --strength 1 --direction pose --strength 2.5")
    _, *values = answers.show_edits(visit, seed_face(visit, 2).name)
    assert not any(values), "those of the face that was chosen meanwhile"
    assert answers.show_edits(visit, None) == gr.skip()


def test_as_much_of_the_edit_is_taken_back_as_keeps_the_person(
    visit: Visit, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_draw: object, edits: Sequence[Edit], bound: float) -> tuple[list[Edit], guided.Step]:
        assert bound == 0.35
        return [(direction, strength * 0.45) for direction, strength in edits], guided.Step(0.45, 0.3)

    monkeypatch.setattr(guided, "keep_identity", half)
    face.history.push({"age": 3.0, "pose": -3.0})
    found = measured(visit, face, "", None, 0.35)
    assert found.strengths == {"age": 1.3, "pose": -1.3}  # on a slider, and not beyond what keeps the person
    assert found.words == "45% of the edit keeps the person."


@pytest.mark.parametrize(
    ("what", "score", "keep", "words"),
    [
        ("", None, 0.0, "Choose a score to reach"),
        ("", None, 0.5, "no edit yet"),
        ("wings", 1.0, 0.0, "no such direction"),
        ("pose", None, 0.0, "Give the value"),
        ("pose", 200.0, 0.0, "runs from -90 to 90 degrees"),
    ],
)
def test_what_cannot_be_measured_is_told(
    visit: Visit, face: Face, what: str, score: float | None, keep: float, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        list(limits.measure(visit, face.name, what, score, keep))


def test_a_slider_takes_steps_and_has_an_end() -> None:
    assert [limits.on_slider(one, inwards=False) for one in (1.26, -1.26, 4.7)] == [1.3, -1.3, 4.0]
    assert [limits.on_slider(one, inwards=True) for one in (1.29, -1.29, 0.3, 0.04)] == [1.2, -1.2, 0.3, 0.0]


def test_the_regions_of_local_edits_that_are_pasted_back_are_those_of_the_command_line(
    visit: Visit, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def own(scores: Sequence[str], _draw: object, _joins: object) -> tuple[str, str]:
        asked.append(list(scores))
        return "face", "image"

    monkeypatch.setattr(drawing, "own_region", own)
    monkeypatch.setattr(drawing, "pasted", lambda _record, _photo, drawn, _tell: drawn.picture)
    monkeypatch.setattr(type(face.record), "alignment", lambda _self: None)
    photo = visit.files.new_path("photo", ".png")
    Image.new("RGB", (32, 32)).save(photo)
    pasted = visit.add(face.record.inversion, "pasted", photo=photo)
    result = drawing.finished(visit, pasted, {"smile": 2.0}, "Whole photo")
    assert asked == [["smile"]]
    assert Path(result.picture).name == "pasted.smile+2.face.pasted.png"
    assert result.command.endswith("--direction smile --strength 2 --paste-back")
    assert isinstance(limits.of_face(visit, "pasted")[1], gr.DownloadButton)
