"""Whether a photo was inverted already, in the same way as it would be now."""

from pathlib import Path
from typing import TYPE_CHECKING

from generator.errors import InputError

if TYPE_CHECKING:
    from invert.encode import EncoderInverter
    from invert.inversion import Inversion
    from invert.optimize import OptimizationInverter
    from invert.source import Source

FACE = "face"
"""The setting that says which of a photo's faces a record is of; None for a photo taken as it is."""

_DIVERGED = "diverged_at_step"


def done_before(
    record: Path, source: "Source", inverter: "OptimizationInverter | EncoderInverter", face: str | None
) -> "Inversion | None":
    """The record of the same photo, model and settings; None where there is none.

    A search that Ctrl-C ended is not done; one that diverged would diverge again.

    Args:
        record: where it would be.
        source: the photo.
        inverter: what would make it.
        face: what would be its setting :data:`FACE`.
    """
    from invert.inversion import Inversion

    if not record.is_file():
        return None
    try:
        found = Inversion.load(record)
    except InputError:  # damaged: not done, and not to be replaced unasked either
        return None
    same_photo = len(found) == 1 and [one.sha256 for one in found.sources] == [source.sha256]
    settings = {name: value for name, value in found.settings.items() if name != _DIVERGED}
    same = (
        same_photo
        and (found.method, found.fingerprint) == (inverter.method, inverter.G.fingerprint)
        and FACE in settings
        and settings.pop(FACE) == face
    )
    # What an inverter is told it keeps under the same names as it writes down.
    absent = object()
    return found if same and all(getattr(inverter, key, absent) == settings[key] for key in settings) else None
