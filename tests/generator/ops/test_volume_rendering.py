from dataclasses import replace

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.networks.camera import Camera, camera_matrices
from stylegan_latents.generator.ops.volume_rendering import (
    PlaneTable,
    Rendering,
    rays,
    render,
    sample_planes_reference,
)

SMALL = Rendering(side=6, near=2.2, far=3.2, samples=8, fine_samples=8, box=1.0)


def _camera(camera: Camera | None = None) -> Tensor:
    camera = camera or Camera()
    return camera_matrices(torch.tensor([[camera.yaw, camera.pitch, camera.roll, 14.0, 2.7]]), (0.0, 0.0, 0.0))


def _random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def _decoder(features: Tensor) -> tuple[Tensor, Tensor]:
    return 40 * features[..., 0] - 10, torch.sigmoid(features)


def test_rows_of_a_table_are_the_planes_pixels() -> None:
    planes, points = _random(2, 3, 4, 8, 8), 0.4 * _random(2, 500, 3)  # some of them beyond the box
    taken = PlaneTable(planes, SMALL)(points)
    torch.testing.assert_close(taken, sample_planes_reference(planes, points, SMALL), rtol=1e-4, atol=1e-5)


def test_features_come_from_the_coordinates_of_each_plane() -> None:
    line = (torch.arange(8) + 0.5) / 8 - 0.5
    planes = torch.zeros(1, 3, 1, 8, 8)
    planes[0, 1, 0] = line[:, None]  # its height is z
    points = torch.tensor([[[0.1, 0.2, 0.3], [0.0, 0.4, -0.1]]])
    for sample in (PlaneTable(planes, SMALL), lambda points: sample_planes_reference(planes, points, SMALL)):
        torch.testing.assert_close(sample(points)[0, :, 0], torch.tensor([0.1, -1 / 30]))


def test_rays_go_through_the_middles_of_the_pixels() -> None:
    places, directions = rays(_camera(), 3)
    torch.testing.assert_close(places, torch.tensor([[0.0, 0.0, 2.7]]))
    torch.testing.assert_close(directions[0, 4], torch.tensor([0.0, 0.0, -1.0]))
    assert directions[0, 0, 0] < 0 < directions[0, 0, 1], "the first ray is at the left, above"
    torch.testing.assert_close(directions.norm(dim=2), torch.ones(1, 9))


@pytest.mark.parametrize("fine", [0, 8])
def test_parts_of_the_rays_give_the_same_as_all_at_once(fine: int) -> None:
    rendering = replace(SMALL, side=90, fine_samples=fine)
    planes, camera = _random(1, 3, 4, 8, 8), _camera(Camera(20, 10, 5)).requires_grad_()
    whole = render(planes, _decoder, camera, rendering, reference=True)
    slope = torch.autograd.grad(whole[0].square().sum() + whole[1].sum(), camera)[0]
    parts = render(planes, _decoder, camera, rendering)
    with torch.no_grad():
        fast = render(planes, _decoder, camera, rendering)
    for drawn in (parts, fast):
        torch.testing.assert_close(drawn, whole, rtol=1e-3, atol=1e-4)
    found = torch.autograd.grad(parts[0].square().sum() + parts[1].sum(), camera)[0]
    torch.testing.assert_close(found, slope, rtol=1e-3, atol=1e-3 * float(slope.abs().max()))


def test_a_surface_lies_where_it_is_and_hides_what_is_behind() -> None:
    # Dense where z is below 0: seen from the front, the surface lies 2.7 away.
    planes = torch.zeros(1, 3, 4, 64, 64)
    planes[0, 1, 0, :32], planes[0, 1, 1] = 3.0, 9.0
    colours, depth = render(planes, lambda x: (400 * x[..., 0] - 60, torch.sigmoid(x)), _camera(), SMALL)
    torch.testing.assert_close(depth, torch.full_like(depth, 2.7), rtol=0, atol=0.08)
    torch.testing.assert_close(colours[:, 1], torch.full_like(colours[:, 1], 2 / (1 + 2.718281828**-3) - 1))


def test_where_nothing_is_there_is_background_at_the_largest_depth() -> None:
    planes = torch.zeros(1, 3, 4, 8, 8)
    for white in (False, True):
        rendering = replace(SMALL, white=white)
        colours, depth = render(planes, lambda x: (x[..., 0] - 1000, x), _camera(), rendering)
        assert (colours == (1 if white else -1)).all()
        assert (depth >= rendering.far).all()


@pytest.mark.parametrize(
    "change",
    [
        {"side": 0},
        {"side": 1 << 20},
        {"samples": 2},
        {"fine_samples": 100_000},
        {"near": 0.0},
        {"far": 2.0},
        {"far": float("nan")},
        {"box": 0.0},
        {"axes": ((0, 1), (0, 2), (3, 0))},
    ],
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no "):
        replace(SMALL, **change)  # type: ignore[arg-type]
