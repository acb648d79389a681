"""All searches refuse the same settings with the same sentences."""

import math
from typing import Any

import pytest

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.inverters.noise import NoiseOptimization
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.pivotal import PivotalTuning
from tests.odd_models import odd_generator


@pytest.mark.parametrize("search", [OptimizationInverter, PivotalTuning, NoiseOptimization])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 0}, "needs at least 1 step, not 0"),
        ({"learning_rate": 0.0}, "learning rate has to be above 0"),
        ({"learning_rate": math.nan}, "learning rate has to be above 0"),
        ({"pixel_weight": -1.0}, "pixel weight has to be 0 or above"),
        ({"detail_weight": math.inf}, "detail weight has to be 0 or above"),
        ({"search_size": 0}, "divided by a power of two, not 0"),
        ({"search_size": 48}, "divided by a power of two, not 48"),
        ({"precision": "float64"}, "precision is auto, float32 or bfloat16, not float64"),
    ],
)
def test_settings_out_of_their_range(search: Any, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        search(odd_generator(), **changes)
