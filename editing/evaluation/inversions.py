"""Editability of inversions: identity and intended change after edits, added to a report by ``edit evaluate``."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.evaluation.evaluator import Contender
from stylegan_latents.editing.evaluation.inputs import contenders, counter, load_generator, open_scorer
from stylegan_latents.editing.evaluation.results import mean
from stylegan_latents.editing.evaluation.score_spread import score_spread
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.generator.cli.progress import show_work
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.weights.fetch import cache_folder
from stylegan_latents.invert.commands.report_table import Report
from stylegan_latents.invert.faces.identity import Identity

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer

STRENGTH = 2.0
"""Strength of the edits, in standard deviations; its opposite is measured as well."""

_SIZE = 512


def fill_in(
    path: Path,
    named: Sequence[str],
    scores: Sequence[str],
    scorer: str,
    identity: bool | None,
    model: str | None,
    device: str | None,
    *,
    trusted: bool = False,
) -> None:
    """Measure the editability of a report's inversions, and write it into the report."""
    if not path.is_file():
        raise InputError(f"There is no report {path}; `invert PHOTOS --report {path}` writes one.")
    table = Report(path)
    records = table.records()
    if not records:
        raise InputError(f"None of the inversions in {path} is there any more; run `invert --report {path}` again.")
    with show_work() as begin:
        measure = open_scorer(scorer, scores, begin, trusted=trusted)
        G = load_generator(model, device)
        compared = contenders(named, scores, measure, G)
        cache = cache_folder() / "discovery"
        deviations = score_spread(G, measure, cache=cache, progress=begin("scoring samples")).deviations
        faces = Identity() if (scorer == "faces" if identity is None else identity) else None
        count = counter(begin("editing"), 2 * len(records) * len(compared))
        for key, record in records.items():
            opened = OpenRecord(record, generator=G)
            values = editability(opened, compared, measure, deviations, identity=faces, count=count)
            table.set_editability(key, values)
    missing = len(table.rows) - len(records)
    if missing:
        print(f"{missing} of {len(table.rows)} rows have no record any more, and were left unchanged")
    for file in table.write():
        print(printable(f"Wrote {file}"))


def editability(
    opened: OpenRecord,
    directions: Sequence[Contender],
    scorer: "Scorer",
    deviations: "Array",
    *,
    identity: Identity | None = None,
    count: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Edit one inversion along each direction at ``STRENGTH`` and its opposite, and measure the pictures.

    Args:
        opened: the record; faces are compared with its photo, or its inversion if the photo is not found.
        directions: bound to the record's generator, with the scores that they are meant to change.
        scorer, deviations, identity: see ``Evaluator``.
        count: called after each edited picture.

    Returns:
        ``EDITABILITY``; NaN for what could not be measured.
    """
    size = min(_SIZE, opened.base.resolution)
    before = opened.picture(size=size)
    person = None if identity is None else identity(_original(opened, before))

    def distance(picture: "Image.Image") -> float:
        if identity is None or person is None:
            return float("nan")
        face = identity(picture)
        return float("nan") if face is None else identity.distance(person, face)

    distances, changes = [], []
    for one in directions:
        pictures = []
        for strength in (-STRENGTH, STRENGTH):
            pictures.append(opened.edited([(one.direction, strength)], size=size).picture)
            count()
        distances.append([distance(picture) for picture in pictures])
        low, high = (_scores(scorer, picture) / deviations for picture in pictures)
        own = None if one.score is None else scorer.names.index(one.score)
        changes.append(np.nan if own is None else (high - low)[own] / (2 * STRENGTH))
    by_direction = [mean(np.array(pair)) for pair in distances]
    return {
        "edit_identity": mean(np.array(distances)),
        "edit_identity_worst": max((one for one in by_direction if np.isfinite(one)), default=float("nan")),
        "edit_change": mean(np.array(changes)),
    }


def _original(opened: OpenRecord, inversion: "Image.Image") -> "Image.Image":
    try:
        return opened.crop(opened.photo())
    except InputError:  # moved or changed since
        return inversion


def _scores(scorer: "Scorer", picture: "Image.Image") -> "Array":
    from stylegan_latents.invert.photos.files import to_tensor

    scores: Array = scorer.score(to_tensor(picture))[0]
    return scores
