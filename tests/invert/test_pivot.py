"""What the first part of a method in two hands on: its steps, whether it was ended, and codes without weights."""

import pytest
import torch

from generator.errors import InputError
from invert.inversion import Inversion
from invert.noise import NoiseOptimization
from invert.optimize import OptimizationInverter, Progress
from invert.pivot import check_untuned, counted_through, stopped_early
from invert.pivotal import PivotalTuning
from tests.invert.small_search import own_images, small_search  # noqa: F401
from tests.odd_models import odd_generator

pytestmark = pytest.mark.usefixtures("small_search")


def test_a_parts_steps_are_told_as_the_wholes() -> None:
    told: list[Progress] = []
    tell = counted_through(told.append, 3, 8)
    assert tell is not None
    images = torch.zeros(1, 3, 4, 4)
    tell(Progress(2, 5, 0.5, images))
    assert [(one.step, one.steps, one.loss) for one in told] == [(5, 8, 0.5)]
    assert told[0].images is images
    assert counted_through(None, 3, 8) is None


@pytest.mark.parametrize("ended", [{}, {"stopped_at_step": 2}, {"diverged_at_step": 2}])
def test_only_ctrl_c_ends_the_whole(ended: dict[str, int]) -> None:
    G = odd_generator()
    ws = G.w_avg.expand(1, G.num_ws, -1)
    record = Inversion(ws, G.name, G.fingerprint, G.latent_space, "optimize", {"steps": 3, **ended})
    assert stopped_early(record) == {name: value for name, value in ended.items() if name == "stopped_at_step"}


def test_a_pivot_that_is_tuned_already_is_refused() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    search = OptimizationInverter(G, steps=1, precision="float32")
    check_untuned(search.invert(images))
    tuned = PivotalTuning(G, search, steps=1, precision="float32")
    with pytest.raises(InputError, match="pivotal, which tunes weights"):
        PivotalTuning(G, tuned, steps=1, precision="float32").invert(images)
    with pytest.raises(InputError, match="pivotal, which tunes weights"):
        NoiseOptimization(G, tuned, steps=1, precision="float32").invert(images)
