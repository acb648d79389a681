"""The camera that looks at a three-dimensional model's head."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

LABEL = 25
"""Numbers of a camera's matrices: the pose, 4x4 row by row, then the intrinsics, 3x3 row by row."""

_WIDEST, _FARTHEST = 120.0, 100.0


@dataclass(frozen=True)
class Camera:
    """Where the camera stands, by what is seen in the picture.

    Attributes:
        yaw: degrees by which the head turns towards the viewer's right, -180 to 180; the camera goes to the left.
        pitch: degrees by which the head turns up, -89 to 89; the camera goes down.
        roll: degrees by which the head leans clockwise, -180 to 180.
        fov: the field of view's full width and height in degrees; None for the model's own.
        distance: from the centre, in the model's units; None for the model's own.

    Raises:
        ValueError: a number is out of its range.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    fov: float | None = None
    distance: float | None = None

    def __post_init__(self) -> None:
        for name, most in (("yaw", 180), ("pitch", 89), ("roll", 180)):
            if not abs(getattr(self, name)) <= most:
                raise ValueError(f"a camera's {name} is -{most} to {most} degrees, got {getattr(self, name)}")
        if self.fov is not None and not 0 < self.fov <= _WIDEST:
            raise ValueError(f"a camera's field of view is above 0 and at most {_WIDEST:g} degrees, got {self.fov}")
        if self.distance is not None and not 0 < self.distance <= _FARTHEST:
            raise ValueError(f"a camera's distance is above 0 and at most {_FARTHEST:g}, got {self.distance}")

    def lerp(self, other: "Camera", t: float) -> "Camera":
        """The camera at a fraction ``t`` of the way to another.

        Fields of view and distances that only one of both has stay those of the first.
        """
        angles = ((one + (two - one) * t) for one, two in zip(self.angles, other.angles, strict=True))
        yaw, pitch, roll = angles
        fov, distance = (
            one if one is None or two is None else one + (two - one) * t
            for one, two in ((self.fov, other.fov), (self.distance, other.distance))
        )
        return Camera(yaw, pitch, roll, fov, distance)

    @property
    def angles(self) -> tuple[float, float, float]:
        """Yaw, pitch and roll."""
        return self.yaw, self.pitch, self.roll

    def turned(self, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> "Camera":
        """The camera turned further by these degrees."""
        return replace(self, yaw=self.yaw + yaw, pitch=self.pitch + pitch, roll=self.roll + roll)


def camera_matrices(numbers: Tensor, pivot: tuple[float, float, float]) -> Tensor:
    """The matrices of cameras that stand around the origin and look at ``pivot``; differentiable.

    The world's axes go to the viewer's right, up and towards the viewer; the camera's to the right, down and away.

    Args:
        numbers: ``[N, 5]``: yaw, pitch, roll, field of view (degrees) and distance, as in ``Camera``.
        pivot: the point in the middle of the picture.

    Returns:
        ``[N, 25]``: from camera to world, 4x4, and the intrinsics in sides of the picture, 3x3, row by row.
    """
    yaw, pitch, roll, fov = torch.deg2rad(numbers[:, :4]).unbind(1)
    place = torch.stack([-yaw.sin() * pitch.cos(), -pitch.sin(), yaw.cos() * pitch.cos()], dim=1)
    place = place * numbers[:, 4:]
    away = F.normalize(place.new_tensor(pivot) - place, dim=1)
    up = place.new_tensor((0.0, 1.0, 0.0)).expand_as(away)
    right = F.normalize(torch.linalg.cross(away, up), dim=1)
    down = torch.linalg.cross(away, right)
    # A camera that leans counter-clockwise sees the head lean clockwise.
    sine, cosine = roll.sin()[:, None], roll.cos()[:, None]
    axes = (cosine * right - sine * down, sine * right + cosine * down, away, place)
    pose = torch.stack(axes, dim=2)
    last = pose.new_tensor((0.0, 0.0, 0.0, 1.0)).expand(len(pose), 1, 4)
    focal = 0.5 / (0.5 * fov).tan()
    zero, half, one = torch.zeros_like(focal), torch.full_like(focal, 0.5), torch.ones_like(focal)
    lens = torch.stack([focal, zero, half, zero, focal, half, zero, zero, one], dim=1)
    return torch.cat([torch.cat([pose, last], dim=1).flatten(1), lens], dim=1)


def matrices_of(
    camera: Camera | Tensor, fov: float, distance: float, pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Tensor:
    """The matrices ``[N, 25]`` of a camera of a model; see ``camera_matrices``.

    Args:
        camera: one camera; or yaw, pitch and roll in degrees of several, ``[N, 3]``.
        fov, distance: the model's own, for a camera without.
        pivot: the point in the middle of the picture.
    """
    if isinstance(camera, Tensor):
        lens = camera.new_tensor([fov, distance]).expand(len(camera), 2)
        return camera_matrices(torch.cat([camera, lens], dim=1), pivot)
    numbers = [*camera.angles, camera.fov or fov, camera.distance or distance]
    return camera_matrices(torch.tensor([numbers]), pivot)


def field_of_view(focal: float) -> float:
    """Degrees of a focal length in sides of the picture."""
    return math.degrees(2 * math.atan(0.5 / focal))
