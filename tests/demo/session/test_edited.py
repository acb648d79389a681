"""An edit is kept as a face, other tabs take the edited code, and faces are renamed and deleted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from stylegan_latents.demo.session.edited import MOST_EDITED, delete, edited_face, in_order, keep_edit, rename
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit.drawing import finished
from stylegan_latents.demo.tabs.mix.by_layer import Share, keep_mix
from stylegan_latents.generator.errors import InputError
from tests.demo.visits import visiting


@pytest.fixture(name="visit")
def _visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    with visiting(tmp_path, monkeypatch) as visit:
        yield visit


def test_a_kept_edit_is_a_face_that_looks_as_the_edit_did(visit: Visit) -> None:
    ann = visit.face("ann")
    ann.history.push({"smile": 1.5})
    edit = finished(visit, ann, {"smile": 1.5})
    kept = keep_edit(visit, "ann")
    assert kept.name == "ann.smile+1.5"
    assert list(visit.faces) == ["ann", "bob", "cleo", "ann.smile+1.5"]
    with Image.open(edit.picture) as picture:
        assert kept.record.picture() == picture.convert("RGB")
    assert kept.record.inversion.settings["edits"] == {"smile": 1.5}
    assert not kept.history.current
    assert ann.history.current == {"smile": 1.5}


def test_an_edit_is_kept_under_a_given_name_and_nothing_is_not_kept(visit: Visit) -> None:
    with pytest.raises(InputError, match="move a slider first"):
        keep_edit(visit, "ann")
    visit.face("ann").history.push({"smile": 1})
    assert keep_edit(visit, "ann", "Happy Ann").name == "Happy_Ann"


def test_the_edit_of_a_deleted_face_is_not_taken_for_that_of_a_later_one_of_its_name(visit: Visit) -> None:
    visit.face("ann").history.push({"smile": 1.0})
    edited_face(visit, "ann")
    record = visit.face("bob").record.inversion
    delete(visit, "ann")
    later = visit.add(record, "ann")
    later.history.push({"smile": 1.0})
    assert torch.equal(edited_face(visit, "ann").record.ws, visit.face("bob").record.ws + 1)


def test_only_the_last_edited_faces_are_kept(visit: Visit) -> None:
    ann = visit.face("ann")
    made = []
    for number in range(1, MOST_EDITED + 3):
        ann.history.push({"smile": number / 10})
        made.append(edited_face(visit, "ann", drawn=False))
    assert len(visit.edited) == MOST_EDITED
    assert [face.path.exists() for face in made] == [False] * 2 + [True] * MOST_EDITED
    ann.history.push({"smile": 0.1})
    assert edited_face(visit, "ann", drawn=False).path.exists()


def test_other_tabs_take_the_edited_code(visit: Visit) -> None:
    assert edited_face(visit, "ann") is visit.face("ann")
    visit.face("ann").history.push({"smile": 1.0})
    made = edited_face(visit, "ann")
    assert edited_face(visit, "ann") is made
    assert made.before.exists()
    assert list(visit.faces) == ["ann", "bob", "cleo"]
    assert torch.equal(made.record.ws, visit.face("ann").record.ws + 1)
    mixed = keep_mix(visit, "bob", [Share("coarse", "ann", 1.0)])
    rows = visit.studio.G.rows("coarse")
    assert torch.equal(mixed.record.ws[:, rows], made.record.ws[:, rows])
    # The record that the command line names is the one that Record downloads.
    assert made.path.name in mixed.made_by
    visit.face("ann").history.undo()
    assert edited_face(visit, "ann") is visit.face("ann")


def test_a_renamed_face_keeps_its_place_its_edits_and_its_code(visit: Visit) -> None:
    visit.current = "ann"
    ann = visit.face("ann")
    ann.history.push({"smile": 1.0})
    renamed = rename(visit, "ann", "Ann of 1990")
    assert list(visit.faces) == ["Ann_of_1990", "bob", "cleo"]
    assert visit.current == "Ann_of_1990"
    assert renamed.path.name == "Ann_of_1990.inversion.safetensors"
    assert torch.equal(renamed.record.ws, ann.record.ws)
    assert renamed.history.can_undo
    with pytest.raises(InputError, match="There is a face 'bob' already"):
        rename(visit, "Ann_of_1990", "bob")
    with pytest.raises(InputError, match="Give the face a name"):
        rename(visit, "bob", " ")


def test_a_deleted_face_is_gone_with_its_file(visit: Visit) -> None:
    path = visit.face("bob").path
    delete(visit, "bob")
    assert list(visit.faces) == ["ann", "cleo"]
    assert not path.exists()
    with pytest.raises(InputError, match="no face 'bob'"):
        delete(visit, "bob")


def test_the_current_face_comes_first(visit: Visit) -> None:
    visit.current = "bob"
    assert [face.name for face in in_order(visit)] == ["bob", "ann", "cleo"]
