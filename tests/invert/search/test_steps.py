"""All searches refuse the same settings with the same sentences."""

import inspect
import math
from typing import Any

import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.follow import Follower, FollowSettings
from stylegan_latents.invert.inverters.base import SearchSettings
from stylegan_latents.invert.inverters.noise import NoiseOptimization, NoiseSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.pivotal import PivotalTuning
from stylegan_latents.invert.inverters.tuning import TuningSettings
from stylegan_latents.invert.search.loss import Comparison, loss_weights
from stylegan_latents.invert.search.steps import BestSoFar
from tests.odd_models import odd_generator


@pytest.mark.parametrize(
    ("search", "settings"),
    [
        (OptimizationInverter, SearchSettings),
        (PivotalTuning, TuningSettings),
        (NoiseOptimization, NoiseSettings),
        (Follower, FollowSettings),
    ],
)
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 0}, "needs at least 1 step, not 0"),
        ({"learning_rate": 0.0}, "learning rate has to be above 0"),
        ({"learning_rate": math.nan}, "learning rate has to be above 0"),
        ({"pixel_weight": -1.0}, "pixel weight has to be 0 or above"),
        ({"pixel_weight": math.inf}, "pixel weight has to be 0 or above"),
        ({"search_size": 0}, "divided by a power of two, not 0"),
        ({"search_size": 48}, "divided by a power of two, not 48"),
        ({"precision": "float64"}, "precision is auto, float32 or bfloat16, not float64"),
    ],
)
def test_settings_out_of_their_range(search: Any, settings: Any, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        search(odd_generator(), settings=settings(**changes))


def test_the_lowest_losses_are_kept_and_what_is_not_finite_is_noted() -> None:
    best = BestSoFar(4, torch.device("cpu"))
    rows = [[3.0, 3.0, math.nan, 1.0], [2.0, math.inf, math.nan, math.nan], [4.0, math.nan, math.nan, 0.5]]
    better = [best.update(torch.tensor(row), step).tolist() for step, row in enumerate(rows)]
    assert better == [[True, True, False, True], [True, False, False, False], [False, False, False, True]]
    assert best.loss.tolist() == [2.0, 3.0, math.inf, 0.5]
    assert best.diverged() == {1: 1, 2: 0}  # the last came back
    assert best.diverged(10) == {1: 11, 2: 10}


def test_every_term_of_the_loss_has_its_weight_among_the_settings_of_a_search() -> None:
    terms = {name for name in inspect.signature(Comparison).parameters if name.endswith("_weight")}
    assert terms - {"lpips_weight"} <= set(loss_weights(SearchSettings()))
