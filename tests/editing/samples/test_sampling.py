import pytest

from stylegan_latents.editing.samples.sampling import parse_seeds
from stylegan_latents.generator.errors import InputError


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0-3", [0, 1, 2, 3]), ("7", [7]), ("3, 7,9-11", [3, 7, 9, 10, 11]), ("5,1,5,0-1", [5, 1, 0])],
)
def test_seeds(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'' is no seed"),
        ("-3", "'-3' is no seed"),
        ("1-", "'1-' is no seed"),
        ("0-1-2", "'0-1-2' is no seed"),
        ("1.5", "'1.5' is no seed"),
        ("5-1", "smaller number first"),
        (str(2**63), "below 2"),
        ("0-99999999999", "more than 100000 seeds"),
        ("0-99999,200000-200001", "more than 100000 seeds"),
    ],
)
def test_what_are_no_seeds(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        parse_seeds(text)
