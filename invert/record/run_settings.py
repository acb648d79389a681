"""The settings of a record beside the inverter's own: of the run, and which images diverged."""

from collections.abc import Mapping

from stylegan_latents.generator.json_values import JSON

FACE = "face"
"""The setting that says which of a photo's faces a record is of; None for a photo taken as it is."""

MASK, UNCHANGED, LOW_RESOLUTION = "mask", "keep_unchanged", "low_resolution"
"""The settings that say what the photo was compared by: masks' sha256, and a side in pixels; absent for none."""

LANDMARKS = "landmarks"
"""The setting with the landmarks that were given by hand, a list of ``Landmarks.to_dict``; absent for none."""

RUN_SETTINGS = (FACE, MASK, UNCHANGED, LOW_RESOLUTION, LANDMARKS)

DIVERGED = "diverged_at_step"
"""The setting that says at which step the loss was not finite any more: of one image the step, of several images a
list of steps, None for each image whose search went well; absent where all did."""


def diverged_settings(diverged: Mapping[int, int], count: int) -> dict[str, JSON]:
    """The settings of a record of ``count`` images, some of which diverged, each with its step."""
    if not diverged:
        return {}
    steps: list[JSON] = [diverged.get(image) for image in range(count)]
    return {DIVERGED: steps[0] if count == 1 else steps}


def diverged_images(settings: Mapping[str, JSON], count: int) -> dict[int, int]:
    """The images of a record that diverged, each with the step, from its settings."""
    kept = settings.get(DIVERGED)
    steps = kept if isinstance(kept, list) else [kept] * count
    return {image: step for image, step in enumerate(steps) if isinstance(step, int)}


def settings_of_image(settings: Mapping[str, JSON], image: int, count: int) -> dict[str, JSON]:
    """The settings for the record of one image alone."""
    step = diverged_images(settings, count).get(image)
    others = {name: value for name, value in settings.items() if name != DIVERGED}
    return others if step is None else others | {DIVERGED: step}
