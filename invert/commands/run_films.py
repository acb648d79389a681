"""A run over films, and what it says of them."""

import contextlib
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.command import DONE, WRONG_INPUT, is_disk_full
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.commands.jobs import distinct_stems
from stylegan_latents.invert.commands.messages import suggest_edit
from stylegan_latents.invert.commands.settings import Settings, SettingsError

if TYPE_CHECKING:
    from stylegan_latents.invert.record.footage import Footage
    from stylegan_latents.invert.record.inversion import Inversion


def run_films(films: Sequence[Path], settings: Settings, others: Iterable[str] = ()) -> int:
    """Invert one film after the other, or those of the settings' shard.

    Args:
        films: the files.
        settings: of the run.
        others: stems of results that are not to be used, those of the run's photos.

    Returns:
        The exit status.

    Raises:
        InputError: the only film could not be inverted, no film can be with these settings, or the disk is full.
        KeyboardInterrupt: Ctrl-C.
    """
    from stylegan_latents.invert.commands.film_session import FilmSession
    from stylegan_latents.invert.commands.session import Session

    films = list(dict.fromkeys(films))
    named = zip(films, distinct_stems(films, others), strict=True)
    own = {film: stem for film, stem in named if settings.is_own(stem)}
    session = Session(settings)
    bad: list[str] = []
    with contextlib.closing(session.claims):
        for film, stem in own.items():
            run = FilmSession(session, film, stem)
            try:
                record = run.invert()
            except InputError as error:
                if len(own) == 1 or is_disk_full(error) or isinstance(error, SettingsError):
                    raise
                bad.append(str(error))
                print(printable(f"invert: {error}"), file=sys.stderr)
                continue
            session.claims.release(run.record)
            if settings.quiet:
                continue
            if record is None:
                print(printable(f"Skipped {film.name}, already done; --overwrite does it again"))
            else:
                print(printable(f"Wrote {run.record}, {run.made}"))
                print(describe_film(record))
            words = "--direction smile --strength 1.5 --paste-back"
            print(printable(suggest_edit(run.record, session.generator, settings.model, words)))
    if not bad:
        return DONE
    print(f"invert: {len(bad)} of {len(own)} films could not be inverted:", file=sys.stderr)
    for sentence in bad:
        print(printable(f"  {sentence}"), file=sys.stderr)
    return WRONG_INPUT


def describe_film(record: "Inversion") -> str:
    """How close the frames of a film come, where the code is interpolated, and where there is none."""
    footage = record.footage
    assert footage is not None
    lpips = record.metrics["lpips_alex"]
    median = statistics.median(lpips)
    parts = [f"Result: {len(footage.frames)} frames, LPIPS {median:.3f} (median), {max(lpips):.3f} at most"]
    if footage.bridged:
        parts.append(f"no face was found in {_ranges(footage.bridged)}, where the code is interpolated")
    without = frames_without(footage)
    if without:
        parts.append(f"no face in {_ranges(without)}: edits leave those as they are")
    return "; ".join(parts)


def frames_without(footage: "Footage") -> list[int]:
    """The frames for which there is no code, neither their own nor one between two others'."""
    return [frame for frame in range(len(footage.times)) if footage.between(frame) is None]


def _ranges(frames: Sequence[int]) -> str:
    """``frames 3-5, 9``."""
    runs: list[list[int]] = []
    for frame in frames:
        if runs and runs[-1][1] == frame - 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in runs]
    return ("frame " if len(frames) == 1 else "frames ") + ", ".join(texts)
