"""The settings of a record beside the inverter's own: those of the run, and which images diverged."""

from collections.abc import Mapping

from stylegan_latents.generator.json_values import JSON

FACE = "face"
"""Which of a photo's faces, as for ``--face``; None for a crop that was not aligned."""

MASK, UNCHANGED, LOW_RESOLUTION = "mask", "keep_unchanged", "low_resolution"
"""The masks' sha256, and the side in pixels at which the photo was compared; absent for none."""

COMPARED_AT = "compared_at"
"""The side in pixels at which a crop was compared, chosen by its face's size or by hand; absent for its own."""

LANDMARKS = "landmarks"
"""Landmarks placed by hand, a list of ``Landmarks.to_dict``; absent for none."""

RUN_SETTINGS = (FACE, MASK, UNCHANGED, LOW_RESOLUTION, LANDMARKS, COMPARED_AT)

DIVERGED = "diverged_at_step"
"""The step at which the loss became infinite or NaN; for several images a list, None for each that converged.
Absent if all did."""


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
    others = {name: value for name, value in settings.items() if name != DIVERGED}
    return others if step is None else others | {DIVERGED: step}
