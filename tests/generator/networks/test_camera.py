import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.networks.camera import Camera, camera_matrices, field_of_view


def _seen(point: tuple[float, float, float], numbers: Tensor) -> tuple[float, float]:
    """Where a point lies in the picture, to the right and down, in sides."""
    matrices = camera_matrices(numbers, (0.0, 0.0, 0.0))
    pose, lens = matrices[0, :16].reshape(4, 4), matrices[0, 16:].reshape(3, 3)
    there = lens @ (torch.linalg.inv(pose) @ torch.tensor([*point, 1.0]))[:3]
    return float(there[0] / there[2]), float(there[1] / there[2])


@pytest.mark.parametrize(
    ("angles", "nose"),
    [
        ((0, 0, 0), (0.5, 0.5)),
        ((20, 0, 0), (0.8, 0.5)),
        ((-20, 0, 0), (0.2, 0.5)),
        ((0, 20, 0), (0.5, 0.2)),
        ((0, -20, 0), (0.5, 0.8)),
    ],
)
def test_the_nose_goes_where_the_head_turns(angles: tuple[float, float, float], nose: tuple[float, float]) -> None:
    across, down = _seen((0.0, 0.0, 0.4), torch.tensor([[*map(float, angles), 20.0, 2.7]]))
    for found, wanted in ((across, nose[0]), (down, nose[1])):
        assert (found > 0.55) == (wanted > 0.55)
        assert (found < 0.45) == (wanted < 0.45)


def test_the_head_leans_clockwise() -> None:
    across, down = _seen((0.0, 0.3, 0.0), torch.tensor([[0.0, 0.0, 30.0, 20.0, 2.7]]))
    assert across > 0.6
    assert down < 0.4


def test_poses_are_rotations_that_look_at_the_pivot() -> None:
    numbers = torch.tensor([[30.0, 12.0, -7.0, 14.0, 2.7]])
    pose = camera_matrices(numbers, (0.0, 0.0, 0.2))[0, :16].reshape(4, 4)
    torch.testing.assert_close(pose[:3, :3] @ pose[:3, :3].T, torch.eye(3), rtol=0, atol=1e-6)
    assert float(torch.linalg.det(pose)) == pytest.approx(1)
    to_pivot = torch.tensor([0.0, 0.0, 0.2]) - pose[:3, 3]
    torch.testing.assert_close(pose[:3, 2], to_pivot / to_pivot.norm())
    assert float(pose[:3, 3].norm()) == pytest.approx(2.7)


def test_fields_of_view_and_focal_lengths_agree() -> None:
    lens = camera_matrices(torch.tensor([[0.0, 0.0, 0.0, field_of_view(4.2647), 2.7]]), (0, 0, 0))[0, 16:]
    torch.testing.assert_close(lens, torch.tensor([4.2647, 0, 0.5, 0, 4.2647, 0.5, 0, 0, 1]))


@pytest.mark.parametrize(
    "values",
    [{"yaw": 181}, {"pitch": -90}, {"roll": float("nan")}, {"fov": 0}, {"fov": 170}, {"distance": -1}],
)
def test_impossible_cameras_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a camera's"):
        Camera(**values)
