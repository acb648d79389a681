import math

import pytest
import torch

from stylegan_latents.editing.directions.apply import apply_edits, edit_name, edited_styles, pair, spread
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.search.span import Span
from tests.small_models import small_generator


def _direction(name: str, seed: int, layers: str = "all") -> Direction:
    vector = torch.randn(1, 8, generator=torch.Generator().manual_seed(seed))
    return Direction(name, "small-w", vector, scale=0.5, layers=layers)


def test_edits_add_up_in_any_order() -> None:
    ws = torch.randn(2, 6, 8)
    before = ws.clone()
    edits = [(_direction("a", 1), 2.0), (_direction("b", 2), -1.0)]
    moved = apply_edits(ws, edits)
    torch.testing.assert_close(moved, ws + edits[0][0].vector - 0.5 * edits[1][0].vector)
    torch.testing.assert_close(moved, apply_edits(ws, edits[::-1]))
    assert torch.equal(ws, before)


def test_only_chosen_rows_move_and_raw_takes_the_vector_as_it_is() -> None:
    ws, direction = torch.randn(1, 6, 8), _direction("a", 1)
    moved = apply_edits(ws, [(direction, 3.0)], rows=[0, 2], raw=True)
    expected = ws.clone()
    expected[:, [0, 2]] += 3 * direction.vector
    torch.testing.assert_close(moved, expected)


def test_a_strength_of_zero_changes_nothing() -> None:
    ws = torch.randn(1, 6, 8)
    assert torch.equal(apply_edits(ws, [(_direction("a", 1), 0.0)]), ws)


def test_an_edit_within_a_span_moves_in_it_and_not_at_all_without_strength() -> None:
    G = small_generator(latent_space="small-w")
    span, direction = Span(G.sample([1, 2, 3, 4])), _direction("a", 1).bind(G)
    inside, outside = G.sample([1]), G.sample([9])
    styles = edited_styles(G, inside, [(direction, 3.0)], span=span)
    expected = G.styles(span.project(inside + 1.5 * direction.vector))
    for found, wanted in zip(styles, expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)
    unmoved = edited_styles(G, outside, [(direction, 0.0)], span=span)
    assert all(torch.equal(found, wanted) for found, wanted in zip(unmoved, G.styles(outside), strict=True))


def test_a_direction_of_stylespace_within_a_span_is_refused() -> None:
    G = small_generator(latent_space="small-w")
    count = sum(layer.channels for layer in G.layers)
    direction = Direction("s", "small-w", torch.ones(1, count), scale=1.0, layers="all", space="s").bind(G)
    with pytest.raises(InputError, match="StyleSpace know no person's span"):
        edited_styles(G, G.sample([1]), [(direction, 1.0)], span=Span(G.sample([1, 2, 3])))


@pytest.mark.parametrize("strength", [math.nan, math.inf, -math.inf, 1e300])
def test_strengths_that_lead_nowhere_are_refused(strength: float) -> None:
    with pytest.raises(InputError, match=r"finite number|overflows"):
        apply_edits(torch.zeros(1, 6, 8), [(_direction("a", 1), strength)])


def test_directions_pair_with_strengths_by_position() -> None:
    assert pair(["pose", "smile"], [2.0, -1.0]) == [("pose", 2.0), ("smile", -1.0)]
    with pytest.raises(InputError, match="2 directions came with 1 strength"):
        pair(["pose", "smile"], [2.0])
    with pytest.raises(InputError, match="edit directions"):
        pair([], [])
    with pytest.raises(InputError, match="finite"):
        pair(["pose"], [math.nan])


def test_a_range_has_both_its_ends() -> None:
    assert spread(-3, 3, 7) == [-3, -2, -1, 0, 1, 2, 3]
    assert spread(1, -1, 2) == [1, -1]
    for low, high, steps in ((math.nan, 1, 3), (0, math.inf, 3), (1, 1, 3), (0, 1, 1)):
        with pytest.raises(InputError):
            spread(low, high, steps)


def test_names_are_clear_and_safe_on_every_file_system() -> None:
    assert edit_name([("pose", 2.0), ("smile", -1.5)]) == "pose+2.smile-1.5"
    assert edit_name([("pose", 2.0)], layers="0-3,7", raw=True) == "pose+2.0-3,7.raw"
    assert edit_name([('a/b\\c:d*"', 1.0)]) == "a_b_c_d_+1"
    long = edit_name([("direction", 0.123456)] * 40)
    assert len(long) < 200
    assert long.endswith("40-edits")
