import numpy as np
import pytest

from stylegan_latents.editing.discovery.exclusive import (
    correlations,
    dependent_scores,
    independent_scores,
    leakage_notes,
)
from stylegan_latents.editing.discovery.scorers.colour import ColourScorer


def test_scores_that_say_the_same_are_dependent_either_way() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(2, 500))
    scores = np.stack([one, other, 3 - 2 * one, one + 0.1 * other, one + other, np.ones(500)], axis=1)
    names = ("smiling", "old", "neutral", "grinning", "both", "flat")
    alike = correlations(scores)
    assert alike[0, 2] == pytest.approx(-1)
    assert np.isnan(alike[5]).all()
    assert dependent_scores(names, alike) == {
        "smiling": ("neutral", "grinning"),
        "neutral": ("smiling", "grinning"),
        "grinning": ("smiling", "neutral"),
    }


def test_classes_of_which_a_picture_has_one_are_dependent() -> None:
    names = ("glad", "sad", "cross", "old")
    dependent = dependent_scores(names, None, [("glad", "sad", "cross")])
    assert dependent == {"glad": ("sad", "cross"), "sad": ("glad", "cross"), "cross": ("glad", "sad")}
    assert leakage_notes({"glad": dependent["glad"]}) == [
        "The leakage of 'glad' leaves out 'sad', 'cross', which depends on it."
    ]


def test_what_can_stay_while_one_changes() -> None:
    groups = (("a", "b", "c"), ("d", "e"))
    names = ("a", "b", "c", "d", "e", "x")
    assert independent_scores("b", names, groups) == ["d", "x"]
    assert independent_scores("x", names, groups) == ["a", "b", "d"]
    assert independent_scores("a", ("a", "b", "x"), groups) == ["b", "x"]  # c may change
    # Of two, each is the other's mirror: that is refused where both are asked for.
    assert independent_scores("d", names, groups) == ["a", "b", "e", "x"]
    assert independent_scores("a", names, ()) == ["b", "c", "d", "e", "x"]


def test_a_scorer_need_not_tell_of_classes() -> None:
    assert ColourScorer().exclusive == ()
