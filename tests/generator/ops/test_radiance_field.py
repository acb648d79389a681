import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.networks.camera import Camera, matrices_of
from stylegan_latents.generator.ops.radiance_field import Marching, encode_positions, march

SMALL = Marching(side=6, near=0.8, far=1.2, samples=24, background_samples=4, background_start=0.5)


def _nothing(points: Tensor) -> tuple[Tensor, Tensor]:
    return points[..., 0] * 0 - 1, points[..., :1] * 0 + 7


def _camera(camera: Camera | None = None) -> Tensor:
    return matrices_of(camera or Camera(), 12.0, 1.0)


def test_positions_are_encoded_as_sines_then_cosines_of_each_frequency() -> None:
    found = encode_positions(torch.tensor([[0.25, 0.5]]), 2)
    root = math.sqrt(0.5)
    wanted = torch.tensor([[root, 1.0, root, 0.0, 1.0, 0.0, 0.0, -1.0]])
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)


def test_a_surface_lies_where_it_is_and_hides_the_background() -> None:
    def wall(points: Tensor) -> tuple[Tensor, Tensor]:  # dense behind the middle, as seen from the front
        return torch.where(points[..., 0] < 0, 1000.0, -1.0), points[..., :1] * 0 + 3

    (seen, total), (behind, rest), depth = march(wall, _nothing, _camera(), SMALL, 1.0)
    torch.testing.assert_close(depth, torch.ones_like(depth), rtol=0, atol=0.02)
    torch.testing.assert_close(seen, torch.full_like(seen, 3.0), rtol=1e-3, atol=0)
    torch.testing.assert_close(total, torch.ones_like(total), rtol=1e-3, atol=0)
    assert float(behind.abs().max()) < 1e-2
    assert float(rest.max()) < 1e-2


def test_where_nothing_is_there_is_the_background_at_the_largest_depth() -> None:
    (seen, total), (behind, rest), depth = march(_nothing, _nothing, _camera(), SMALL, 1.0)
    assert float(total.max()) == float(seen.abs().max()) == 0
    torch.testing.assert_close(behind, torch.full_like(behind, 7.0))
    torch.testing.assert_close(rest, torch.ones_like(rest))
    assert (depth >= SMALL.far).all()


def test_the_background_is_asked_for_directions_and_inverse_distances() -> None:
    asked = []

    def background(points: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(points.reshape(36, 4, 4))
        return _nothing(points)

    march(_nothing, background, _camera(), SMALL, 1.0)
    directions, inverse = asked[0][..., :3], asked[0][..., 3]
    torch.testing.assert_close(directions.norm(dim=2), torch.ones(36, 4))
    torch.testing.assert_close(inverse[0], torch.tensor([0.5, 1 / 3, 1 / 6, 0.0]))
    # At the first, twice the radius away, the direction from the origin is that of a point on the ray.
    camera, first = torch.tensor([1.0, 0.0, 0.0]), 2 * directions[:, 0]
    rays = torch.nn.functional.normalize(first - camera, dim=1)
    assert float(rays[:, 0].max()) < -math.cos(math.radians(9))
    # At infinity it is the ray's own direction.
    torch.testing.assert_close(directions[:, 3], rays, rtol=0, atol=1e-5)


def test_rays_lie_on_the_grid_of_the_pictures_pixels() -> None:
    line = replace(SMALL, side=4, grid=16).line(torch.device("cpu"))
    torch.testing.assert_close(line, torch.tensor([0.0, 4 / 15, 8 / 15, 12 / 15]))
    middles = replace(SMALL, side=4).line(torch.device("cpu"))
    torch.testing.assert_close(middles, torch.tensor([0.125, 0.375, 0.625, 0.875]))


@pytest.mark.parametrize(
    "change",
    [
        {"side": 0},
        {"side": 1 << 20},
        {"samples": 2},
        {"background_samples": 0},
        {"samples": 100_000},
        {"near": 0.0},
        {"far": 0.5},
        {"far": float("nan")},
        {"background_start": 0.0},
        {"grid": 3},
        {"grid": 9},
    ],
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no "):
        replace(SMALL, **change)  # type: ignore[arg-type]
