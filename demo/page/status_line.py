"""The line that says how far work is, and how it ended."""

import html
import math


def note(text: str, *, part: float | None = None, kind: str = "") -> str:
    """A line below the picture, read aloud by screen readers; with a bar for the part that is done.

    Args:
        text: plain text.
        part: from 0 to 1.
        kind: ``good`` for something that was reached.
    """
    bar = ""
    if part is not None:
        percent = round(100 * part)
        bar = (
            f'<div class="bar" role="progressbar" aria-label="Progress" aria-valuenow="{percent}" '
            f'aria-valuemin="0" aria-valuemax="100"><div style="width:{percent}%"></div></div>'
        )
    return f'<div class="note {kind}" role="status" aria-live="polite">{bar}<p>{html.escape(text)}</p></div>'


def duration(seconds: float) -> str:
    """An estimate in words: ``about 40 s``, ``about 3 minutes``."""
    return f"about {math.ceil(seconds)} s" if seconds < 90 else f"about {round(seconds / 60)} minutes"
