"""A run over films, and its messages."""

import contextlib
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.files import printable
from stylegan_latents.invert.commands.jobs import distinct_stems
from stylegan_latents.invert.commands.messages import Failures, suggest_edit
from stylegan_latents.invert.commands.settings import Settings

if TYPE_CHECKING:
    from stylegan_latents.invert.record.footage import Footage
    from stylegan_latents.invert.record.inversion import Inversion


def run_films(films: Sequence[Path], settings: Settings, others: Iterable[str] = ()) -> int:
    """Invert films, or those of the settings' shard, and print the results.

    Args:
        films: the files.
        settings: of the run.
        others: stems that the run's photos use.

    Returns:
        The exit status.

    Raises:
        InputError: the only film could not be inverted, the settings fit no film, or the disk is full.
        KeyboardInterrupt: Ctrl-C.
    """
    from stylegan_latents.invert.commands.film_session import FilmSession
    from stylegan_latents.invert.commands.session import Session

    films = list(dict.fromkeys(films))
    named = zip(films, distinct_stems(films, others), strict=True)
    own = {film: stem for film, stem in named if settings.is_own(stem)}
    session = Session(settings)
    failures = Failures("films", len(own))
    with contextlib.closing(session.locks):
        for film, stem in own.items():
            with failures.collect():
                run = FilmSession(session, film, stem)
                record = run.invert()
                session.locks.release(run.record)
                if settings.quiet:
                    continue
                if record is None:
                    print(printable(f"Skipped {film.name}, already done; --overwrite does it again"))
                else:
                    print(printable(f"Wrote {run.record}, {run.result}"))
                    print(describe_film(record))
                words = "--direction smile --strength 1.5 --paste-back"
                print(printable(suggest_edit(run.record, session.generator, settings.model, words)))
    return failures.summarise()


def describe_film(record: "Inversion") -> str:
    """One line: how close the frames of a film come, and in which the code is interpolated or missing."""
    footage = record.footage
    assert footage is not None
    lpips = record.metrics["lpips_alex"]
    median = statistics.median(lpips)
    parts = [f"Result: {len(footage.frames)} frames, LPIPS {median:.3f} (median), {max(lpips):.3f} at most"]
    return "; ".join([*parts, *frames_without_face(footage)])


def frames_without_face(footage: "Footage") -> list[str]:
    """What becomes of the frames in which no face was found; empty where there is one in all."""
    parts = []
    if footage.bridged:
        parts.append(f"no face was found in {_ranges(footage.bridged)}, where the code is interpolated")
    without = [frame for frame in range(len(footage.times)) if footage.between(frame) is None]
    if without:
        parts.append(f"no face in {_ranges(without)}: edits leave those as they are")
    return parts


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
