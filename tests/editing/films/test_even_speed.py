import pytest
import torch
from torch import Tensor

from stylegan_latents.editing.films import trajectories as interpolation
from stylegan_latents.editing.films.even_speed import EvenSpeed, even_speed
from stylegan_latents.editing.films.trajectories import frame_times
from stylegan_latents.generator.errors import InputError
from tests.small_models import small_generator

G = small_generator()


def _squares(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).square().mean(dim=(1, 2, 3))


def test_a_way_of_uneven_speed_becomes_even() -> None:
    straight = interpolation.linear(G.sample([0, 1]))

    def trajectory(times: Tensor) -> Tensor:
        return straight(times**3)

    def unevenness(times: Tensor) -> float:
        images = G.synthesize(trajectory(times))
        steps = _squares(images[1:], images[:-1]).sqrt()
        return float(steps.std() / steps.mean())

    seen: list[int] = []
    speed = even_speed(G, trajectory, points=33, distance=_squares, on_point=lambda: seen.append(1))
    times = frame_times(12)
    assert len(seen) == 33
    assert unevenness(speed(times)) < 0.2 * unevenness(times)
    paced = speed(times)
    assert torch.allclose(paced[[0, -1]], times[[0, -1]], atol=1e-9)
    assert (paced.diff() > 0).all()


def test_shares_are_known_at_keys() -> None:
    times = torch.linspace(0, 1, 5, dtype=torch.float64)
    speed = EvenSpeed(times, torch.tensor([1.0, 1.0, 3.0, 3.0], dtype=torch.float64))
    assert torch.allclose(speed.shares_at(3), torch.tensor([0, 0.25, 1], dtype=torch.float64), atol=0.01)
    assert torch.allclose(speed(speed.shares_at(3)), torch.tensor([0, 0.5, 1], dtype=torch.float64))
    for keys in (1, 4):
        with pytest.raises(ValueError, match="do not lie on"):
            speed.shares_at(keys)


def test_a_standstill_is_passed_quickly() -> None:
    times = torch.tensor([0, 0.25, 0.75, 1], dtype=torch.float64)
    speed = EvenSpeed(times, torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64))
    paced = speed(frame_times(101))
    assert int(((paced > 0.26) & (paced < 0.74)).sum()) <= 2


def test_a_way_that_changes_nothing_has_no_pace() -> None:
    with pytest.raises(InputError, match="look the same"):
        even_speed(G, interpolation.still(G.sample([0])), points=3, distance=_squares)
    with pytest.raises(ValueError, match="one length"):
        EvenSpeed(torch.zeros(3), torch.ones(3))
