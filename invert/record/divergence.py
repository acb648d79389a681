"""Which images of a record diverged in the search, as its settings tell it."""

from collections.abc import Mapping

from stylegan_latents.generator.json_values import JSON

DIVERGED = "diverged_at_step"


def told_of(diverged: Mapping[int, int], count: int) -> dict[str, JSON]:
    """What a record of ``count`` images tells in its settings of those that diverged; nothing where none did."""
    if not diverged:
        return {}
    steps: list[JSON] = [diverged.get(image) for image in range(count)]
    return {DIVERGED: steps[0] if count == 1 else steps}


def diverged_images(settings: Mapping[str, JSON], count: int) -> dict[int, int]:
    """The images of a record that diverged, each with the step, from its settings."""
    told = settings.get(DIVERGED)
    steps = told if isinstance(told, list) else [told] * count
    return {image: step for image, step in enumerate(steps) if isinstance(step, int)}


def settings_of_image(settings: Mapping[str, JSON], image: int, count: int) -> dict[str, JSON]:
    """The settings for the record of one image alone."""
    step = diverged_images(settings, count).get(image)
    others = {name: value for name, value in settings.items() if name != DIVERGED}
    return others if step is None else others | {DIVERGED: step}
