import math

import torch

from stylegan_latents.invert.record.divergence import diverged_images, settings_of_image, told_of
from stylegan_latents.invert.search.best_so_far import BestSoFar


def test_the_lowest_losses_are_kept_and_what_is_not_finite_is_noted() -> None:
    best = BestSoFar(4, torch.device("cpu"))
    rows = [[3.0, 3.0, math.nan, 1.0], [2.0, math.inf, math.nan, math.nan], [4.0, math.nan, math.nan, 0.5]]
    better = [best.see(torch.tensor(row), step).tolist() for step, row in enumerate(rows)]
    assert better == [[True, True, False, True], [True, False, False, False], [False, False, False, True]]
    assert best.loss.tolist() == [2.0, 3.0, math.inf, 0.5]
    assert best.diverged() == {1: 1, 2: 0}  # the last came back
    assert best.diverged(10) == {1: 11, 2: 10}


def test_records_tell_it_of_one_image_as_a_number_and_of_several_as_a_list() -> None:
    assert told_of({}, 3) == {}
    assert told_of({0: 5}, 1) == {"diverged_at_step": 5}
    several = told_of({1: 5}, 3)
    assert several == {"diverged_at_step": [None, 5, None]}
    assert diverged_images(several, 3) == {1: 5}
    assert diverged_images({"diverged_at_step": 2}, 2) == {0: 2, 1: 2}  # as records were written before
    assert diverged_images({"steps": 3}, 2) == {}
    settings = {"steps": 3, **several}
    assert settings_of_image(settings, 0, 3) == {"steps": 3}
    assert settings_of_image(settings, 1, 3) == {"steps": 3, "diverged_at_step": 5}
