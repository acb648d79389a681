from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.directions.apply import Edit
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.scorers.scorer import Scorer
from stylegan_latents.editing.strengths.guided import (
    check_bound,
    guide,
    guided_name,
    keep_identity,
    parse_target,
    reach_targets,
)
from stylegan_latents.generator.errors import InputError


class _Levels(Scorer):
    """Scores a picture by its red and its green level, in 0 to 1."""

    names, version = ("red", "green"), "levels-1"

    def score(self, images: torch.Tensor) -> npt.NDArray[np.float64]:
        return np.asarray(images[:, :2].mean((2, 3)).add(1).div(2).double().numpy())


def _direction(name: str, **provenance: str) -> Direction:
    return Direction(name, "small-w", torch.ones(1, 8), 1.0, provenance=provenance)


RED, GREEN = _direction("r", score="red"), _direction("green")
OTHER = _direction("other")


def _draw(edits: Sequence[Edit], size: int) -> Image.Image:
    """Red grows with ``r`` and a little with ``green``; green grows with ``green`` alone; ``other`` adds red."""
    total = {direction.name: strength for direction, strength in edits}
    red = 100 + 20 * total.get("r", 0) + 5 * total.get("green", 0) + 10 * total.get("other", 0)
    green = 100 + 20 * total.get("green", 0)
    return Image.new("RGB", (size, size), (round(red), round(green), 0))


def test_two_targets_are_reached_together_beside_other_edits() -> None:
    edits, reached = reach_targets(_draw, [(OTHER, 2.0)], [(RED, 0.6), (GREEN, 0.5)], _Levels())
    scores = _Levels().score(
        torch.tensor(np.asarray(_draw([(OTHER, 2.0), *edits], 4))).permute(2, 0, 1)[None] / 127.5 - 1
    )
    assert np.allclose(scores, [[0.6, 0.5]], atol=0.01)
    assert [direction.name for direction, _ in edits] == ["r", "green"]
    assert abs(reached[1].score - 0.5) < 0.01


def test_a_score_can_stay_as_it_was_before_the_other_edits() -> None:
    (edit,), (reached,) = reach_targets(_draw, [(OTHER, 2.0)], [(RED, None)], _Levels())
    assert edit[1] == pytest.approx(-1.0, abs=0.05)
    assert reached.score == pytest.approx(100 / 255, abs=0.01)


def test_what_cannot_be_measured_has_no_target() -> None:
    with pytest.raises(InputError, match=r"does not measure what 'other' changes.*red, green"):
        reach_targets(_draw, [], [(OTHER, 0.5)], _Levels())


def test_without_aims_edits_stay_as_they_are() -> None:
    assert guide(_draw, [(OTHER, 2.0)], [], None) == [(OTHER, 2.0)]


def test_no_face_has_no_identity() -> None:
    with pytest.raises(InputError, match="no identity can be kept"):
        keep_identity(_draw, [(OTHER, 2.0)], 0.45)


def test_targets_and_bounds_as_typed() -> None:
    assert parse_target("pose=-15") == ("pose", -15.0)
    assert parse_target("eyes-open=same") == ("eyes-open", None)
    assert parse_target("my=file.safetensors=1") == ("my=file.safetensors", 1.0)
    for text in ("pose", "pose=", "=1", "pose=much", "pose=nan"):
        with pytest.raises(InputError, match="is no target"):
            parse_target(text)
    check_bound(None)
    for bound in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="above 0"):
            check_bound(bound)


def test_a_name_says_what_decided() -> None:
    name = guided_name("pose+2", [("smile", 0.8), ("dir/mine.safetensors", 1)], 0.45, ["mouth", "x/mask.png"])
    assert name == "pose+2.smile-to-0.8.mine-to-1.same0.45.mouth.mask"
    assert guided_name("age-2", [("eyes-open", None)], None, []) == "age-2.eyes-open-same"
    assert guided_name("", [("smile", 0.8)], None, []) == "smile-to-0.8"
