"""The settings of a record beside the inverter's own: those of the run, and which images diverged."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stylegan_latents.generator.json_values import JSON

if TYPE_CHECKING:
    from stylegan_latents.generator.networks.camera import Camera

FACE = "face"
"""Which of a photo's faces, as for ``--face``; None for a crop that was not aligned."""

MASK, UNCHANGED, LOW_RESOLUTION = "mask", "keep_unchanged", "low_resolution"
"""The masks' sha256, and the side in pixels at which the photo was compared; absent for none."""

COMPARED_AT = "compared_at"
"""The side in pixels at which a crop was compared, chosen by its face's size or by hand; absent for its own."""

LANDMARKS = "landmarks"
"""Landmarks placed by hand, a list of ``Landmarks.to_dict``; absent for none."""

DETECTOR = "detector"
"""The face detector, as for ``--detector``; absent for the default one."""


def compared_side(settings: Mapping[str, JSON]) -> int | None:
    """The side at which a record's photo was compared; None for the generator's resolution."""
    side = settings.get(COMPARED_AT)
    return side if isinstance(side, int) and side > 0 else None


RUN_SETTINGS = (FACE, MASK, UNCHANGED, LOW_RESOLUTION, LANDMARKS, COMPARED_AT, DETECTOR)

DIVERGED = "diverged_at_step"
"""The step at which the loss became infinite or NaN; for several images a list, None for each that converged.
Absent if all did."""


CAMERA = "camera"
"""Yaw, pitch and roll in degrees of a three-dimensional model's camera, and its field of view unless that is the
model's; for several images a list of these. Absent for a model without a camera."""


def view_settings(camera: "Camera | None") -> dict[str, JSON]:
    """The settings of a record that was drawn from a camera; none for a model's own, or a model without."""
    from stylegan_latents.generator.networks.camera import Camera

    if camera is None or camera == Camera():
        return {}
    return camera_settings([camera.angles if camera.fov is None else (*camera.angles, camera.fov)])


def view_of(settings: Mapping[str, JSON], image: int, count: int) -> "Camera | None":
    """The camera of one image, from the settings of a record of ``count``; None where there is none.

    Raises:
        ValueError: a number is out of range.
    """
    from stylegan_latents.generator.networks.camera import Camera

    kept = camera_of(settings, image, count)
    return None if kept is None else Camera(*kept)


def camera_settings(angles: Sequence[Sequence[float]]) -> dict[str, JSON]:
    """The settings of a record of images seen from cameras; each as in ``CAMERA``."""
    each: list[JSON] = [[round(float(angle), 4) for angle in one] for one in angles]
    return {CAMERA: each[0] if len(each) == 1 else each}


def camera_of(settings: Mapping[str, JSON], image: int, count: int) -> tuple[float, ...] | None:
    """The camera of one image as in ``CAMERA``, from the settings of a record of ``count``; None for none."""
    kept = settings.get(CAMERA)
    one = kept[image] if count > 1 and isinstance(kept, list) and len(kept) == count else kept
    numbers = [float(n) for n in one if isinstance(n, int | float)] if isinstance(one, list) else []
    if len(numbers) not in (3, 4) or not all(math.isfinite(number) for number in numbers):
        return None
    return tuple(numbers)


def cameras_of(settings: Mapping[str, JSON], count: int) -> list[tuple[float, ...]] | None:
    """Yaw, pitch and roll of each of ``count`` images; None unless all have them."""
    found = [camera_of(settings, image, count) for image in range(count)]
    return [one[:3] for one in found if one is not None] if None not in found else None


def diverged_settings(diverged: Mapping[int, int], count: int) -> dict[str, JSON]:
    """The settings of a record of ``count`` images for those that diverged, each with its step."""
    if not diverged:
        return {}
    steps: list[JSON] = [diverged.get(image) for image in range(count)]
    return {DIVERGED: steps[0] if count == 1 else steps}


def diverged_images(settings: Mapping[str, JSON], count: int) -> dict[int, int]:
    """The images that diverged, each with its step, from the settings of a record of ``count`` images."""
    kept = settings.get(DIVERGED)
    steps = kept if isinstance(kept, list) else [kept] * count
    return {image: step for image, step in enumerate(steps) if isinstance(step, int)}


def settings_of_image(settings: Mapping[str, JSON], image: int, count: int) -> dict[str, JSON]:
    """The settings for the record of one image alone."""
    step = diverged_images(settings, count).get(image)
    others = {name: value for name, value in settings.items() if name not in (DIVERGED, CAMERA)}
    camera = camera_of(settings, image, count)
    others |= {} if camera is None else camera_settings([camera])
    return others if step is None else others | {DIVERGED: step}
