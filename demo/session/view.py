"""The camera that a face is seen from in the tab Edit, for a three-dimensional model.

A face's history keeps it among the strengths, as differences from the face's own camera: none is the face as it was
found, and undo, redo and reset are the same for both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.faces import Face, Strengths
from stylegan_latents.editing.records.camera import CameraOptions
from stylegan_latents.generator.networks.camera import Camera, field_of_view

if TYPE_CHECKING:
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.generator import Generator

_FOCAL = 16  # of a camera's matrices


@dataclass(frozen=True)
class CameraNumber:
    """A number of the camera.

    Attributes:
        name: of the field of ``Camera``, and of the option of ``edit``.
        label, info: of its slider.
        most: how far the slider reaches to both sides of 0, or of the model's own field of view, in degrees.
    """

    name: str
    label: str
    info: str
    most: float

    @property
    def key(self) -> str:
        """Its name among strengths; no direction has a colon in its name."""
        return f"camera:{self.name}"


STEP = 0.5
NUMBERS = (
    CameraNumber("yaw", "Turn", "+\u00a0to your right \u00b7 \u2212\u00a0to your left; a guess beyond 45", 75),
    CameraNumber("pitch", "Raise", "+\u00a0up \u00b7 \u2212\u00a0down; a guess beyond 30", 45),
    CameraNumber("roll", "Roll", "+\u00a0clockwise \u00b7 \u2212\u00a0counter-clockwise", 45),
    CameraNumber("fov", "Field of view", "More shows the head smaller.", 10),
)
"""Up to what the search of a photo's camera finds, in degrees."""

_KEYS = {number.key for number in NUMBERS}


def is_view(name: str) -> bool:
    """Whether a name among strengths is a number of the camera."""
    return name in _KEYS


def view_of(strengths: Mapping[str, float]) -> Strengths:
    """What of the strengths is the camera's."""
    return {name: value for name, value in strengths.items() if is_view(name)}


def slider_range(number: CameraNumber, G: "Generator") -> tuple[float, float, float]:
    """The lowest and the highest value of a slider, and the model's own."""
    own = lens_of(G) if number is NUMBERS[-1] else 0.0
    return max(own - number.most, STEP) if number is NUMBERS[-1] else -number.most, own + number.most, own


def lens_of(G: "Generator") -> float:
    """The field of view of a generator's pictures, in degrees."""
    assert G.camera is not None
    return _on_slider(field_of_view(float(G.synthesis.camera_matrices(G.camera)[0, _FOCAL])))


def _on_slider(value: float) -> float:
    return round(value / STEP) * STEP


def _own(face: Face) -> list[float]:
    """The numbers of the face's own camera, as sliders can have them."""
    G, model = face.preview.generator, face.preview.unstyled
    assert G.camera is not None
    numbers = []
    for number, value in zip(NUMBERS, [*G.camera.angles, lens_of(G)], strict=True):
        lowest, highest, _ = slider_range(number, model)
        numbers.append(min(max(_on_slider(value), lowest), highest))
    return numbers


def slider_values(face: Face, strengths: Mapping[str, float] | None = None) -> list[float]:
    """Where the sliders of ``NUMBERS`` stand for strengths, by default the last step of the face's history."""
    now = face.history.current if strengths is None else strengths
    return [own + now.get(number.key, 0.0) for number, own in zip(NUMBERS, _own(face), strict=True)]


def turned_by(face: Face, values: Sequence[float | None]) -> Strengths:
    """The strengths of sliders that stand at ``values``; an empty box is the face's own value."""
    return {
        number.key: 0.0 if value is None else round(float(value) - own, 3)
        for number, value, own in zip(NUMBERS, values, _own(face), strict=True)
    }


def options_of(face: Face, strengths: Mapping[str, float]) -> CameraOptions:
    """The camera as options of ``edit``; none of them if the face is seen from its own camera.

    Raises:
        InputError: a number is out of range.
    """
    turned = view_of(strengths)
    if not any(turned.values()) or (camera := face.preview.generator.camera) is None:
        return CameraOptions()
    yaw, pitch, roll, fov = (round(value, 3) for value in slider_values(face, strengths))
    lens = fov if turned.get(NUMBERS[-1].key) else camera.fov
    # The front needs a number, too, where the face was found from a side.
    front = not (yaw or pitch or roll or lens)
    return CameraOptions(yaw=yaw if yaw or front else None, pitch=pitch or None, roll=roll or None, fov=lens)


def camera_of(face: Face, strengths: Mapping[str, float]) -> Camera | None:
    """The camera; None for the face's own. InputError as for ``options_of``."""
    return options_of(face, strengths).camera


def camera_words(face: Face, strengths: Mapping[str, float]) -> list[str]:
    """The options of a command line for the camera; empty for the face's own."""
    options = options_of(face, strengths)
    given = {number.name: getattr(options, number.name) for number in NUMBERS}
    return [word for name, value in given.items() if value is not None for word in (f"--{name}", f"{value:g}")]


def seen(opened: "OpenRecord", face: Face, strengths: Mapping[str, float]) -> "OpenRecord":
    """A face's record, drawn from the camera of the strengths. InputError as for ``options_of``."""
    camera = camera_of(face, strengths)
    return opened if camera is None else opened.seen_from(camera)
