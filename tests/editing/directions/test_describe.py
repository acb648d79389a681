import torch

from stylegan_latents.editing.directions.describe import describe
from stylegan_latents.editing.directions.direction import Direction


def _direction(**provenance: object) -> Direction:
    return Direction("smile", "w", torch.ones(1, 8), 1.0, "coarse,middle", provenance)  # type: ignore[arg-type]


def test_a_listing_tells_what_is_known() -> None:
    text = describe(
        _direction(
            positive="smiles more",
            finder="InterFaceGAN",
            held_out_accuracy=0.934,
            score="smile",
            moved={"smile": 1.0, "age": -0.31, "pose": 0.02, "gender": 0.12},
        )
    )
    assert "+1: smiles more\n" in text
    assert "layers coarse,middle" in text
    assert "accuracy 0.93" in text
    assert "also moves age -0.31, gender +0.12" in text
    assert "pose" not in text


def test_units_are_those_that_a_person_knows() -> None:
    known = {"positive": "older", "negative": "younger", "score": "age", "moved": {"age": 0.75}}
    text = describe(_direction(**known, score_deviations={"age": 13.4}), details=False)
    assert text == "smile        -3 to 3   +1: older, by about 10 years; -1: younger"
    assert "years" not in describe(_direction(**known, score_deviations={"age": "many"}))


def test_a_file_that_tells_nothing_or_nonsense_is_listed_all_the_same() -> None:
    assert describe(_direction()).startswith("smile")
    assert describe(_direction(held_out_accuracy="high", moved=[1, 2], finder=None)).count("\n") == 0
    assert "no other score" in describe(_direction(moved={"age": 0.01}))
