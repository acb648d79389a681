import math

import pytest
import torch
from torch import Tensor

from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.films import trajectories as interpolation
from stylegan_latents.editing.films.trajectories import Trajectory, ease, frame_times
from stylegan_latents.generator.errors import InputError
from tests.small_models import small_generator

G = small_generator(latent_space="small-w")
KEYS = G.sample([0, 1, 2])
Z = torch.stack([torch.randn(8, generator=torch.Generator().manual_seed(seed)) for seed in range(3)])


def _times(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("through", [interpolation.linear, interpolation.spline])
@pytest.mark.parametrize("loop", [False, True])
def test_ways_pass_through_their_keys(through: "type[Trajectory]", loop: bool) -> None:
    trajectory = through(KEYS, loop=loop)
    places = _times(0, 1 / 3, 2 / 3) if loop else _times(0, 0.5, 1)
    assert torch.allclose(trajectory(places), KEYS, atol=1e-5)
    if loop:
        assert torch.allclose(trajectory(_times(1)), KEYS[:1], atol=1e-5)
    assert trajectory(places).dtype == torch.float32


def test_the_linear_way_is_straight() -> None:
    trajectory = interpolation.linear(KEYS)
    assert torch.allclose(trajectory(_times(0.125)), 0.75 * KEYS[:1] + 0.25 * KEYS[1:2], atol=1e-6)


@pytest.mark.parametrize(("curve", "bends"), [(interpolation.linear, True), (interpolation.spline, False)])
def test_only_the_spline_has_no_corner(curve: "type[Trajectory]", bends: bool) -> None:
    trajectory, step = curve(KEYS, loop=True), 1e-3
    third = 1 / 3
    before, at, after = trajectory(_times(third - step, third, third + step)).double()
    turned = ((after - at) - (at - before)).norm() / (after - at).norm()
    assert (float(turned) > 0.1) == bends


def test_slerp_keeps_the_length_and_turns_evenly() -> None:
    unit = torch.nn.functional.normalize(Z, dim=1)
    seen: list[Tensor] = []

    class Mapped:
        device = torch.device("cpu")

        def map(self, z: Tensor, label: None, truncation: float) -> Tensor:
            assert label is None
            assert truncation == 0.5
            seen.append(z)
            return z[:, None]

    interpolation.slerp(Mapped(), unit[:2], truncation=0.5)(_times(0, 0.25, 0.5, 0.75, 1))  # type: ignore[arg-type]
    (points,) = seen
    assert torch.allclose(points.norm(dim=1), torch.ones(5), atol=1e-5)
    steps = (points[1:] * points[:-1]).sum(1).clamp(-1, 1).acos()
    assert torch.allclose(steps, steps.mean().expand(4), atol=1e-4)
    assert torch.allclose(points[[0, 4]], unit[:2], atol=1e-5)


@pytest.mark.parametrize("second", [1.0, -1.0])
def test_slerp_of_equal_and_of_opposite_codes_is_finite(second: float) -> None:
    ws = interpolation.slerp(G, torch.stack([Z[0], second * Z[0]]))(frame_times(5))
    assert torch.isfinite(ws).all()
    assert torch.allclose(ws[:1], G.map(Z[:1]), atol=1e-5)


def test_only_the_chosen_rows_move() -> None:
    rows = G.rows("coarse")
    others = [row for row in range(G.num_ws) if row not in rows]
    ws = interpolation.only_rows(interpolation.linear(KEYS), rows, KEYS[:1])(frame_times(5))
    assert torch.equal(ws[:, others], KEYS[:1, others].expand(5, -1, -1))
    assert torch.allclose(ws[-1, rows], KEYS[2, rows], atol=1e-6)


def test_a_direction_is_swept_from_end_to_end() -> None:
    direction = Direction("d", "small-w", torch.ones(1, 8), 2.0).bind(G)
    ws = interpolation.sweep(interpolation.still(KEYS[:1]), direction, (-1, 3), rows=[0])(_times(0, 0.5, 1))
    assert torch.allclose(ws[:, 0] - KEYS[0, 0], torch.tensor([[-2.0], [2.0], [6.0]]).expand(-1, 8), atol=1e-5)
    assert torch.equal(ws[:, 1:], KEYS[:1, 1:].expand(3, -1, -1))


def test_truncation_is_swept_from_the_mean() -> None:
    mean = torch.full((8,), 3.0)
    ws = interpolation.sweep_truncation(interpolation.still(KEYS[:1]), mean, (0, 1))(_times(0, 0.5, 1))
    assert torch.equal(ws[0], mean.expand(G.num_ws, -1))
    assert torch.allclose(ws[1], (KEYS[0] + mean) / 2, atol=1e-6)
    assert torch.allclose(ws[2], KEYS[0], atol=1e-6)


def test_frame_times() -> None:
    assert frame_times(3).tolist() == [0, 0.5, 1]
    assert frame_times(4, loop=True).tolist() == [0, 0.25, 0.5, 0.75]
    assert frame_times(4, ping_pong=True).tolist() == [0, 0.5, 1, 0.5]
    odd = frame_times(5, ping_pong=True).tolist()
    assert len(odd) == 5
    assert max(odd) == 1
    assert odd.count(0) == 1


def test_smooth_motion_rests_at_each_key() -> None:
    times = torch.linspace(0, 1, 101, dtype=torch.float64)
    eased = ease(times, "smooth", 2)
    assert torch.allclose(eased[[0, 50, 100]], _times(0, 0.5, 1))
    speed = eased.diff()
    assert (speed > -1e-12).all()
    assert max(speed[[0, 49, 50, 99]]) < 0.1 * float(speed.max())
    assert torch.equal(ease(times, "linear", 2), times)


def test_films_and_ways_that_cannot_be() -> None:
    for frames in (1, 0, -5, interpolation.LONGEST + 1):
        with pytest.raises(InputError, match="frames"):
            frame_times(frames)
    with pytest.raises(InputError, match="choose one"):
        frame_times(9, loop=True, ping_pong=True)
    for through in (interpolation.linear, interpolation.spline):
        with pytest.raises(InputError, match="two key frames"):
            through(KEYS[:1])
    with pytest.raises(InputError, match="two key frames"):
        interpolation.slerp(G, Z[:1])
    for ends in ((1.0, 1.0), (math.nan, 1.0), (0.0, math.inf)):
        with pytest.raises(InputError, match="--range"):
            interpolation.check_ends(ends, "--range")
