import math

import pytest

from stylegan_latents.editing.strengths.line_search import strength_for
from stylegan_latents.generator.errors import InputError


@pytest.mark.parametrize("target", [0.2, 0.9, -0.7, 0.5])
def test_the_strength_of_a_score_is_found_either_way(target: float) -> None:
    calls: list[float] = []

    def score(strength: float) -> float:
        calls.append(strength)
        return math.tanh(strength / 2 + 0.3)

    reached = strength_for(score, target)
    assert abs(reached.strength - 2 * (math.atanh(target) - 0.3)) <= 0.03
    assert reached.score == math.tanh(reached.strength / 2 + 0.3)
    assert reached.start == math.tanh(0.3)
    assert len(calls) <= 14
    assert len(set(calls)) == len(calls)


def test_a_score_that_is_reached_already_needs_no_step() -> None:
    assert strength_for(lambda _: 2.0, 2.0).strength == 0


def test_a_jump_ends_at_the_nearer_side() -> None:
    reached = strength_for(lambda strength: 0.0 if strength < 1.3 else 1.0, 0.8)
    assert reached.score == 1.0
    assert 1.3 <= reached.strength < 1.4


def test_what_cannot_be_reached_is_said_with_its_bounds() -> None:
    with pytest.raises(InputError, match=r"smile is 0 degrees here and ranges from 0 to 0\.5 .*\+5"):
        strength_for(lambda strength: strength / 10, 3.0, name="smile", unit="degrees")
    with pytest.raises(InputError, match=r"-5"):
        strength_for(lambda strength: strength / 10, -3.0)
    with pytest.raises(InputError, match=r"to 1 up to strength \+2"):
        strength_for(lambda strength: strength if strength < 1.5 else math.nan, 3.0)
    with pytest.raises(InputError, match="cannot be measured on this picture"):
        strength_for(lambda _: math.nan, 3.0)
    with pytest.raises(InputError, match="finite"):
        strength_for(lambda strength: strength, math.nan)
