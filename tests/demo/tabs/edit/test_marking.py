"""A photo without a face: the panel asks for eyes and mouth, and four clicks make a face that can be searched."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit import intake, marking, searching
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.identity import Identity
from tests.demo.session.test_photos import drawn_face, upload
from tests.invert.small_search import small_search

__all__ = ["small_search"]
CLICKS = ((500, 300), (700, 300), (540, 560), (660, 560))


def click(visit: Visit, x: int, y: int) -> tuple[Any, ...]:
    return marking.click(visit, gr.SelectData(None, {"index": [x, y], "value": None}))


def begin(studio: Studio, visit: Visit, folder: Path) -> tuple[Any, ...]:
    with pytest.raises(InputError, match=r"No face was found in drawing\.png"):
        intake.receive(visit, upload(studio, drawn_face(folder)), True)
    return intake.after_failure(visit)


@pytest.mark.slow
def test_each_click_asks_for_the_next_and_the_fourth_lets_the_search_begin(
    studio: Studio, visit: Visit, tmp_path: Path
) -> None:
    _, _, start, said, panel, picture = begin(studio, visit, tmp_path)
    assert not start.interactive
    assert panel.visible
    assert Path(picture).exists()
    prompts = [said]
    for x, y in CLICKS:
        found, number, start, said, _, picture = click(visit, x, y)
        prompts.append(said)
    for prompt, words in zip(
        prompts, ("left eye", "right eye", "left corner", "right corner", "The face is marked"), strict=True
    ):
        assert words in prompt
    assert start.interactive
    assert found.visible
    assert number == 0


@pytest.mark.slow
def test_a_click_that_the_page_cannot_have_sent_is_refused(studio: Studio, visit: Visit, tmp_path: Path) -> None:
    begin(studio, visit, tmp_path)
    for index in (None, 3, [1], [1, "2"], [1, float("nan")], [True, 1], {"x": 1}):
        with pytest.raises(InputError, match="This request was not made by the page"):
            marking.click(visit, gr.SelectData(None, {"index": index, "value": None}))
        assert visit.marking is not None
        assert not visit.marking.marks


@pytest.mark.slow
def test_clicks_are_undone_and_cleared(studio: Studio, visit: Visit, tmp_path: Path) -> None:
    begin(studio, visit, tmp_path)
    for x, y in CLICKS:
        click(visit, x, y)
    _, _, start, said, *_ = marking.undo(visit)
    assert not start.interactive
    assert "right corner" in said
    assert "left eye" in marking.clear(visit)[3]
    assert "left eye" in marking.undo(visit)[3]
    *_, panel, picture = intake.forget(visit)
    assert not panel.visible
    assert picture is None


@pytest.mark.slow
@pytest.mark.usefixtures("small_search")
def test_a_marked_face_is_searched_and_its_record_says_that_it_was_marked(
    studio: Studio, visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Identity, "__call__", lambda _self, _image: None)
    begin(studio, visit, tmp_path)
    for x, y in CLICKS:
        click(visit, x, y)
    assert visit.photo is not None
    face = list(searching.search(visit, visit.photo, 0))[-1]
    assert isinstance(face, Face)
    record = face.record.inversion
    assert record.settings["landmarks"] == [visit.photo.landmarks[0].to_dict()]
    assert record.alignments[0] is not None
    assert record.alignments[0].method == "ffhq"


@pytest.mark.slow
def test_a_photo_that_cannot_be_read_leaves_nothing_to_mark(studio: Studio, visit: Visit, tmp_path: Path) -> None:
    begin(studio, visit, tmp_path)
    (tmp_path / "bad.png").write_text("no picture")
    with pytest.raises(InputError, match="is not a picture"):
        intake.receive(visit, upload(studio, tmp_path / "bad.png"), True)
    _, _, start, said, panel, _ = intake.after_failure(visit)
    assert not start.interactive
    assert not panel.visible
    assert "bad.png is not a picture" in said
