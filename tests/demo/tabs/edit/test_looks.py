"""Looks and variations: what is offered, drawn and kept."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit import looks
from stylegan_latents.generator.errors import InputError
from tests.demo.visits import visiting


@pytest.fixture(name="visit")
def _visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    with visiting(tmp_path, monkeypatch) as visit:
        yield visit


def test_looks_of_the_models_directions_are_offered(visit: Visit) -> None:
    assert [title for title, _ in looks.looks_of(visit)] == ["Smiling", "Serious"]


def test_a_look_is_drawn_and_worn_as_a_step_of_the_history(visit: Visit) -> None:
    (_, smiling), (_, serious) = looks.looks_of(visit)
    paths = list(looks.draw(visit, "ann", [smiling, serious]))
    with Image.open(paths[0]) as first, Image.open(paths[1]) as second:
        assert first.tobytes() != second.tobytes()
    looks.wear(visit, "ann", smiling)
    assert visit.face("ann").history.current == {"smile": 2.0}
    assert visit.face("ann").history.can_undo


def test_an_own_look_is_kept_once(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="move a slider first"):
        looks.keep_look(visit, "ann", "Mine")
    looks.wear(visit, "ann", {"smile": 0.5})
    looks.keep_look(visit, "ann", "Mine")
    assert looks.looks_of(visit)[-1] == ("Mine", {"smile": 0.5})
    for title, words in (("Mine", "already"), ("Smiling", "already"), (" ", "name first")):
        with pytest.raises(InputError, match=words):
            looks.keep_look(visit, "ann", title)
    monkeypatch.setattr(looks, "MOST_OWN", 1)
    with pytest.raises(InputError, match="1 looks are kept"):
        looks.keep_look(visit, "ann", "Another")


def test_variations_change_the_edits_that_are_there(visit: Visit) -> None:
    visit.face("ann").history.push({"smile": 1.0})
    made = looks.variations(visit, "ann", random.Random(0))
    assert len(made) == looks.VARIATIONS
    assert len({strengths["smile"] for _, strengths in made}) > 3
    assert made == looks.variations(visit, "ann", random.Random(0))
