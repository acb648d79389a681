"""Colours of what is laid over a photo meet the photo's where both show the same."""

import numpy as np
import pytest

from stylegan_latents.invert.paste_back.fields import blur
from stylegan_latents.invert.paste_back.laid import meeting
from stylegan_latents.invert.photos.person_mask import CLASSES, SIDE, PersonMask

MIDDLE = SIDE // 2
UPPER, LOWER = np.s_[SIDE // 4, MIDDLE], np.s_[3 * SIDE // 4, MIDDLE]


def _person(hair_above: int) -> PersonMask:
    """Hair above a row, and skin below it."""
    shares = np.zeros((len(CLASSES), SIDE, SIDE), np.float32)
    shares[CLASSES.index("hair"), :hair_above] = shares[CLASSES.index("face"), hair_above:] = 1
    return PersonMask(shares)


def _cut() -> np.ndarray:
    """The left half is laid over the photo."""
    inside = np.zeros((SIDE, SIDE), np.float32)
    inside[:, :MIDDLE] = 1
    return blur(inside, 0.01)


@pytest.mark.parametrize(("level", "least", "most"), [(12, 8, 12), (100, 0, 2)])
def test_colours_meet_where_both_pictures_show_the_same(level: int, least: float, most: float) -> None:
    person = _person(0)
    error = np.full((SIDE, SIDE, 3), 12, np.float32)
    error[MIDDLE:] = level
    added = meeting(error, _cut(), person, person, person.person)
    assert added[UPPER] == pytest.approx(12, abs=4)
    assert (added[LOWER] >= least).all()
    assert (added[LOWER] <= most).all()


def test_skin_does_not_take_the_colour_that_hair_beside_it_needs() -> None:
    person = _person(MIDDLE)
    error = np.zeros((SIDE, SIDE, 3), np.float32)
    error[:MIDDLE] = -20
    added = meeting(error, _cut(), person, person, person.person)
    assert added[UPPER] == pytest.approx(-20, abs=5)
    assert np.abs(added[MIDDLE + 6, MIDDLE]).max() < 1
