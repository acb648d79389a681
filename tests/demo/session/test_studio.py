"""A browser finds its visit again, and nobody else does; who is here is told."""

import time
from pathlib import Path

import pytest

from stylegan_latents.demo.page.returning import tokens_of
from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.studio import Studio
from tests.demo.small_studio import small_studio


def test_a_new_session_of_the_browser_finds_its_faces_and_their_history(studio: Studio) -> None:
    visit = studio.enter("old")
    face = seed_face(visit, 3)
    face.history.push({"smile": 1.0})
    visit.current = face.name
    before = visit.version
    studio.enter("new")
    assert studio.find_again("new", [visit.token]) is visit
    assert studio.enter("new") is visit
    assert visit.version > before
    assert visit.sent == {"edit": face.name}
    assert visit.face("seed3").history.can_undo
    # The old page's late farewell does not end it.
    studio.leave("old")
    assert visit.left is None


def test_nobody_finds_a_visit_without_its_secret(studio: Studio) -> None:
    visit = studio.enter("old")
    seed_face(visit, 3)
    new = studio.enter("new")
    for guess in ("", "0", visit.token[:-1], visit.token + "0", visit.files.folder.name, "old", "é"):
        assert studio.find_again("new", [guess, guess]) is new
    assert not new.faces


def test_a_visit_of_another_user_is_not_found(studio: Studio) -> None:
    visit = studio.enter("old", user="ann")
    seed_face(visit, 3)
    new = studio.enter("new", user="bob")
    assert studio.find_again("new", [visit.token]) is new
    studio.enter("newer", user="ann")
    assert studio.find_again("newer", [visit.token]) is visit


def test_a_visit_that_is_open_in_another_tab_stays_there(studio: Studio) -> None:
    visit = studio.enter("open")
    seed_face(visit, 3)
    new = studio.enter("new")
    assert studio.find_again("new", ["", visit.token]) is new
    studio.leave("open")
    empty = studio.enter("empty")
    studio.leave("empty")
    assert studio.find_again("new", ["", empty.token, visit.token]) is visit


def test_a_visit_that_ended_or_was_forgotten_is_not_found(studio: Studio) -> None:
    visit = studio.enter("old")
    face = seed_face(visit, 3)
    studio.forget(visit)
    assert visit.closed
    assert not face.path.exists()
    new = studio.enter("new")
    assert studio.find_again("new", [visit.token]) is new


def test_a_visit_with_faces_is_kept_longer_than_an_empty_one(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, full = studio.enter("empty"), studio.enter("full")
    seed_face(full, 3)
    now = time.monotonic()
    empty.left = full.left = now
    monkeypatch.setattr(time, "monotonic", lambda: now + 3500)
    studio.sweep()
    assert (empty.closed, full.closed) == (True, False)
    monkeypatch.setattr(time, "monotonic", lambda: now + 3700)
    studio.sweep()
    assert full.closed


def test_those_who_left_make_room_first(tmp_path: Path) -> None:
    studio = small_studio(tmp_path, most_visits=2)
    present, gone = studio.enter("present"), studio.enter("gone")
    studio.leave("gone")
    studio.enter("third")
    assert (present.closed, gone.closed) == (False, True)
    studio.close()


def test_few_secrets_are_looked_for() -> None:
    assert tokens_of(None) == [""]
    assert tokens_of(" a b") == ["", "a", "b"]
    assert len(tokens_of("a " * 5000)) == 8


def test_the_line_on_the_terminal_tells_who_is_here_and_at_work(studio: Studio) -> None:
    ann = studio.enter("a", user="ann")
    studio.enter("b", "10.0.0.2")
    studio.leave("b")
    seed_face(ann, 3)
    with studio.searches.enter(ann.client):
        assert studio.summary() == "1 here, 1 faces; 1 at work (ann), 0 waiting"
