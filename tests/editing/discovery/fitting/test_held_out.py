import numpy as np
import pytest

from stylegan_latents.editing.discovery.fitting.held_out import HeldOut
from stylegan_latents.editing.discovery.scorers.scorer import Attribute
from stylegan_latents.generator.errors import InputError
from tests.editing.discovery.finders.test_interfacegan import W_DIM, PlantedGenerator, PlantedScorer

TALL = Attribute("tall", "taller", "shorter", "all")
DEVIATIONS = np.array([2.0, 1.0, 0.5])


class Linear(PlantedScorer):
    """`tall` is 4 times a number of the coarse rows, which `noise` does not see."""

    def score(self, images):
        w = images[:, 0].double().numpy()
        return np.stack([4 * w[:, 0, 0], w[:, 0, 0] + w[:, 2, 1], w[:, 4, 5]], axis=1)


@pytest.fixture
def held_out():
    return HeldOut(PlantedGenerator(), Linear(), DEVIATIONS, codes=6, exact=True)


def _step(length):
    step = np.zeros((3, W_DIM))
    step[0, 0] = length
    return step


def test_gains_are_of_one_step_in_deviations(held_out):
    assert np.allclose(held_out.gains(TALL, _step(0.3)), [0.3 * 4 / 2, 0.3, 0], atol=1e-5)


@pytest.mark.parametrize("length", [0.1, 1.0, 30.0])
def test_a_step_of_any_length_is_scaled_to_one_deviation(held_out, length):
    direction = held_out.scaled(TALL, _step(length))
    assert direction.scale * direction.vector[0, 0] == pytest.approx(0.5, abs=1e-4)


def test_codes_are_drawn_once_and_others_for_another_count(held_out):
    ws, scores = held_out.codes(7, 3)
    assert held_out.codes(7, 3)[0] is ws
    more, _ = held_out.codes(7, 5)
    assert more.shape[0] == 5
    assert (more[:3] == ws).all()
    assert scores.shape == (3, 3)


def test_a_step_that_changes_nothing_is_refused(held_out):
    step = np.zeros((3, W_DIM))
    step[2, 5] = 1.0
    with pytest.raises(InputError, match="changes its score by"):
        held_out.scaled(TALL, step)
