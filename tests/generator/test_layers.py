"""Groups come from resolutions, and what a person types becomes rows of ws or one sentence."""

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import Layer, group_of_each_ws, parse_layers
from tests.odd_models import odd_config, odd_generator

# Two layers for a row, rows out of order, a row count that no model has.
LAYERS = (
    Layer("a", 4, 0, 3),
    Layer("b", 8, 1, 3),
    Layer("c", 16, 1, 5),
    Layer("d", 32, 2, 5),
    Layer("f", 128, 4, 7),
    Layer("e", 64, 3, 7),
)


@pytest.mark.parametrize(
    ("resolution", "group"),
    [(4, "coarse"), (8, "coarse"), (16, "middle"), (32, "middle"), (64, "fine"), (1024, "fine")],
)
def test_group_of_a_resolution(resolution: int, group: str) -> None:
    assert Layer("x", resolution, 0, 1).group == group


def test_the_first_layer_of_a_row_decides() -> None:
    assert group_of_each_ws(LAYERS, 5) == ["coarse", "coarse", "middle", "fine", "fine"]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("coarse", [0, 1]),
        ("middle", [2]),
        ("fine", [3, 4]),
        ("all", [0, 1, 2, 3, 4]),
        ("coarse,fine", [0, 1, 3, 4]),
        ("fine,coarse", [0, 1, 3, 4]),
        ("0", [0]),
        ("1-3", [1, 2, 3]),
        ("2-2", [2]),
        ("4,0-1,1", [0, 1, 4]),
        (" Coarse , 4 ", [0, 1, 4]),
        ("MIDDLE,2-3", [2, 3]),
        ("all,0", [0, 1, 2, 3, 4]),
    ],
)
def test_what_is_typed(text: str, rows: list[int]) -> None:
    assert parse_layers(text, LAYERS, 5) == rows


@pytest.mark.parametrize(
    "text", ["", ",", "corse", "1-", "-1", "1-2-3", "a-b", "1.5", "0x1", "0,", "½", "1 - 3", "0;1"]
)
def test_what_is_no_layer(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a layer: .* layers 0 to 4\)\.$"):
        parse_layers(text, LAYERS, 5)


@pytest.mark.parametrize("text", ["5", "0-5", "3-1", "99", "0,7"])
def test_what_this_model_does_not_have(text: str) -> None:
    with pytest.raises(InputError, match=r"do not exist: this model has the layers 0 to 4\.$"):
        parse_layers(text, LAYERS, 5)


def test_a_group_that_a_small_model_lacks_is_empty() -> None:
    assert parse_layers("fine", LAYERS[:3], 2) == []


def test_a_generators_groups() -> None:
    G = odd_generator()
    assert G.ws_groups == ["coarse"] * 3 + ["middle"] * 4 + ["fine"]
    assert G.rows("coarse,7") == [0, 1, 2, 7]
    assert odd_generator(odd_config(channels=(3,))).ws_groups == ["coarse", "coarse"]
