"""Whether a photo was inverted already, in the same way as it would be now."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.run_settings import DIVERGED, RUN_SETTINGS

if TYPE_CHECKING:
    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.invert.inverters.base import Inverter
    from stylegan_latents.invert.record.inversion import Inversion
    from stylegan_latents.invert.record.source import Source


def done_before(
    record: Path, source: "Source", inverter: "Inverter", known: "Mapping[str, JSON]"
) -> "Inversion | None":
    """The record of the same photo, model and settings; None where there is none.

    A search that Ctrl-C ended is not done; one that diverged would diverge again.

    Args:
        record: where it would be.
        source: the photo.
        inverter: what would make it.
        known: the settings that the inverter does not know; ``FACE`` among them.
    """
    from stylegan_latents.invert.record.inversion import Inversion

    if not record.is_file():
        return None
    try:
        found = Inversion.load(record)
    except InputError:  # damaged: not done, and not to be replaced unasked either
        return None
    same_photo = len(found) == 1 and [one.sha256 for one in found.sources] == [source.sha256]
    settings = {name: value for name, value in found.settings.items() if name != DIVERGED}
    told = {name: settings.pop(name) for name in RUN_SETTINGS if name in settings}
    same_way = (found.method, found.fingerprint) == (inverter.method, inverter.G.fingerprint)
    ours = inverter.settings()
    # A record made before a setting was added does not name it.
    same = same_way and all(key in ours and ours[key] == value for key, value in settings.items())
    return found if same_photo and told == known and same else None
