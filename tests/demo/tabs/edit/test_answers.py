"""What a slider's move shows at once, and what it leads to when it rests."""

import asyncio
from dataclasses import replace

import gradio as gr
import pytest
from PIL import Image, ImageChops

from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit import answers as edit_answers


@pytest.fixture(name="face")
def _face(visit: Visit) -> Face:
    return seed_face(visit, 1)


def differ(one: str, other: str) -> bool:
    with Image.open(one) as first, Image.open(other) as second:
        return ImageChops.difference(first, second).getbbox() is not None


def move(visit: Visit, face: Face, direction: str, strength: float) -> tuple[str, str]:
    number = list(visit.all_directions).index(direction)
    pair: tuple[str, str] = edit_answers.move(visit, face.name, "Face", strength, number=number)
    return pair


def test_a_move_is_shown_with_the_moves_before_it(visit: Visit, face: Face) -> None:
    _, pose = move(visit, face, "pose", 3.0)
    _, both = move(visit, face, "age", -3.0)
    _, age = move(visit, face, "pose", 0.0)
    assert differ(pose, both)
    assert differ(both, age)
    assert face.history.moving == {"age": -3.0}
    assert not face.history.can_undo


def test_a_slider_that_has_no_direction_and_a_whole_photo_wait(visit: Visit, face: Face) -> None:
    assert edit_answers.move(visit, face.name, "Face", 1.0, number=len(visit.all_directions)) == gr.skip()
    assert edit_answers.move(visit, face.name, "Whole photo", 1.0, number=0) == gr.skip()
    assert list(face.history.moving.values()) == [1.0]  # drawn when it rests


def test_only_the_last_move_rests(visit: Visit, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edit_answers, "_REST_SECONDS", 0.05)

    async def moves() -> list[object]:
        move(visit, face, "pose", 1.0)
        first = asyncio.create_task(edit_answers.wait_for_rest(visit))
        await asyncio.sleep(0)
        move(visit, face, "pose", 2.0)
        return [await first, await edit_answers.wait_for_rest(visit)]

    assert asyncio.run(moves()) == [gr.skip(), visit.moves]
    values = [2.0 if name == "pose" else 0.0 for name in visit.all_directions]
    edit_answers.draw(visit, face.name, "Face", *values)
    assert asyncio.run(edit_answers.wait_for_rest(visit)) == gr.skip()  # it is drawn already


def test_a_picture_of_older_strengths_does_not_end_the_newer_moves_wait(
    visit: Visit, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edit_answers, "_REST_SECONDS", 0.0)
    move(visit, face, "pose", 1.0)
    move(visit, face, "pose", 2.0)
    older = [1.0 if name == "pose" else 0.0 for name in visit.all_directions]
    edit_answers.draw(visit, face.name, "Face", *older)
    assert asyncio.run(edit_answers.wait_for_rest(visit)) == visit.moves


def test_what_was_undone_meanwhile_is_not_drawn_and_no_step(visit: Visit, face: Face) -> None:
    face.history.push({"pose": 1.0})
    move(visit, face, "pose", 2.0)
    at = visit.moves
    edit_answers.undo(visit, face.name)
    late = [2.0 if name == "pose" else 0.0 for name in visit.all_directions]
    assert edit_answers.draw_at_rest(visit, face.name, "Face", at, *late) == gr.skip()
    assert face.history.current == {"pose": 1.0}  # the slider's move is what was undone
    assert face.history.can_redo


def test_a_search_that_diverged_is_told(visit: Visit, face: Face) -> None:
    record = face.record.inversion
    metrics = {"lpips_alex": [0.1], "identity": [0.2]}
    found = visit.add(replace(record, metrics=metrics), "me")
    settings = {**record.settings, "diverged_at_step": 7}
    broken = visit.add(replace(record, metrics=metrics, settings=settings), "me")
    assert "diverged" not in edit_answers.about(found)
    assert "LPIPS 0.100" in edit_answers.about(broken)
    assert "did not end well" in edit_answers.about(broken)
    assert "diverged at step 7" in edit_answers.about(broken)


def test_a_kept_edit_is_the_face_of_every_tab(visit: Visit, face: Face) -> None:
    face.history.push({"smile": 1.0})
    edit_answers.keep_edit(visit, face.name, receivers=["edit", "mix"])
    kept = list(visit.faces)[-1]
    assert kept != face.name
    assert visit.sent["edit"] == visit.sent["mix"] == visit.current == kept
