import math

from stylegan_latents.editing.strengths.guided import largest_step


def test_the_whole_edit_is_kept_where_it_may_be() -> None:
    calls: list[float] = []
    step = largest_step(lambda part: calls.append(part) or 0.4, 0.45)  # type: ignore[func-returns-value]
    assert (step.part, step.distance) == (1.0, 0.4)
    assert calls == [1.0]


def test_the_largest_part_under_the_bound_is_found() -> None:
    step = largest_step(lambda part: 0.8 * part, 0.45)
    assert 0.45 / 0.8 - 1 / 128 <= step.part <= 0.45 / 0.8
    assert step.distance <= 0.45


def test_of_two_parts_under_the_bound_the_larger() -> None:
    # Under the bound below 0.2, and again around 0.75.
    step = largest_step(lambda part: 0.3 if part < 0.2 or 0.7 < part < 0.8 else 0.9, 0.45)
    assert 0.75 <= step.part < 0.8


def test_a_face_that_is_lost_is_beyond_the_bound() -> None:
    assert largest_step(lambda part: math.nan if part > 0.3 else part, 0.5).part <= 0.3
    assert largest_step(lambda _: 1.0, 0.5).part == 0
