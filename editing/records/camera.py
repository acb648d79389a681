"""The camera options of a command, the warning about angles that a model has hardly seen, and what angles mean for
a model without a camera.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.generator.cli.command import warn
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.networks.camera import Camera

# Photos of faces hardly show more than these degrees to a side, and up or down (EG3D, supplement).
_FAR_YAW, _FAR_PITCH = 45, 30

RIG = {"yaw": "pose", "pitch": "pitch"}
"""The directions that reach an angle in a model without a camera; their scores are these angles, in degrees."""


@dataclass(frozen=True, kw_only=True)
class CameraOptions:
    """Where a three-dimensional model is drawn from; ``edit`` turns heads of others along directions."""

    panel: ClassVar[str] = "Camera of a three-dimensional model"
    yaw: Annotated[
        float | None,
        typer.Option(help="Turn the head towards the viewer's right; negative to the left.", metavar="DEGREES"),
    ] = None
    pitch: Annotated[float | None, typer.Option(help="Turn the head up; negative for down.", metavar="DEGREES")] = (
        None
    )
    roll: Annotated[float | None, typer.Option(help="Roll the head clockwise.", metavar="DEGREES")] = None
    fov: Annotated[
        float | None, typer.Option(help="Field of view; the model's own by default.", metavar="DEGREES")
    ] = None

    def __post_init__(self) -> None:
        _ = self.camera

    @property
    def camera(self) -> "Camera | None":
        """The camera; None where no option is given. Raises InputError for an angle out of range."""
        if self.yaw is None and self.pitch is None and self.roll is None and self.fov is None:
            return None
        from stylegan_latents.generator.networks.camera import Camera

        try:
            return Camera(self.yaw or 0.0, self.pitch or 0.0, self.roll or 0.0, self.fov)
        except ValueError as error:
            raise InputError(f"{str(error).capitalize()}.") from error

    def camera_label(self) -> list[str]:
        """The camera's part of a file's name, ``yaw+20``, ``pitch-5``; empty without one."""
        values = {"yaw": self.yaw, "pitch": self.pitch, "roll": self.roll, "fov": self.fov}
        return [f"{name}{value:+g}" for name, value in values.items() if value is not None]

    def rig_targets(self, latent_space: str) -> list[tuple[str, float]] | None:
        """The angles as targets of directions, for models without a camera.

        Args:
            latent_space: of the model.

        Returns:
            Names of directions, each with degrees; None without a camera's options, or where no directions that
            turn the head are known for the latent space.

        Raises:
            InputError: directions do not change what is wanted.
        """
        from stylegan_latents.editing.directions.catalogue import known_directions

        if self.camera is None or not set(RIG.values()) <= set(known_directions(latent_space)):
            return None
        for name in ("roll", "fov"):
            if getattr(self, name) is not None:
                raise InputError(
                    f"--{name} needs a model with a camera (EG3D, StyleNeRF); without one only --yaw and "
                    "--pitch turn the head."
                )
        angles = {name: getattr(self, option) for option, name in RIG.items()}
        return [(name, angle) for name, angle in angles.items() if angle is not None]


def look_from(G: "Generator", camera: "Camera | None") -> "Generator":
    """The generator, drawn from a camera if there is one; warns of angles that are far from those of photos.

    Raises:
        InputError: the model has no camera.
    """
    if camera is None or G.camera == camera:
        return G
    seen = G.seen_from(camera)
    if abs(camera.yaw) > _FAR_YAW or abs(camera.pitch) > _FAR_PITCH:
        warn(
            "edit",
            f"photos of faces hardly show more than {_FAR_YAW} degrees to a side and {_FAR_PITCH} up or down; "
            "what a model of faces draws beyond that is a guess.",
        )
    return seen
