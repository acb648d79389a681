"""Editability of inversions: identity after edits, and the intended change that they make."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.evaluation.evaluator import Contender
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.faces.identity import Identity

STRENGTH = 2.0
"""Edits are judged at this strength and at its opposite, in standard deviations."""

_SIZE = 512


def editability(
    opened: "OpenRecord",
    contenders: Sequence[Contender],
    scorer: "Scorer",
    deviations: "Array",
    *,
    identity: "Identity | None" = None,
    count: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Edit one inversion along each direction at ``STRENGTH`` and its opposite, and measure the pictures.

    Args:
        opened: the record; its photo, where it is still there, is what faces are compared with, else its inversion.
        contenders: the directions, bound to the record's generator, with the scores that they are meant to change.
        scorer: measures pictures.
        deviations: of each score over samples of W, as ``score_spread`` gives them.
        identity: measures how far apart faces are; None for no such measure.
        count: called after each edited picture.

    Returns:
        ``EDITABILITY``; NaN for what could not be measured.

    Raises:
        InputError: the record belongs to another model.
    """
    size = min(_SIZE, opened.base.resolution)
    before = opened.picture(size=size)
    person = None if identity is None else identity(_original(opened, before))
    distances, changes = [], []
    for one in contenders:
        pictures = []
        for strength in (-STRENGTH, STRENGTH):
            pictures.append(opened.edited([(one.direction, strength)], size=size))
            count()
        seen = [None if identity is None else identity(picture) for picture in pictures]
        distances.append(
            [
                np.nan if person is None or face is None or identity is None else identity.distance(person, face)
                for face in seen
            ]
        )
        low, high = (_scores(scorer, picture) / deviations for picture in pictures)
        own = None if one.score is None else scorer.names.index(one.score)
        changes.append(np.nan if own is None else (high - low)[own] / (2 * STRENGTH))
    by_direction = [_mean(np.array(pair)) for pair in distances]
    return {
        "edit_identity": _mean(np.array(distances)),
        "edit_identity_worst": max((one for one in by_direction if np.isfinite(one)), default=float("nan")),
        "edit_change": _mean(np.array(changes)),
    }


def measure_report(
    records: Mapping[tuple[str, ...], Path],
    G: "Generator",
    contenders: Sequence[Contender],
    scorer: "Scorer",
    deviations: "Array",
    *,
    identity: "Identity | None" = None,
    count: Callable[[], None] = lambda: None,
) -> "dict[tuple[str, ...], dict[str, float]]":
    """``editability`` of the records of a report, by their rows.

    Raises:
        InputError: a record belongs to another model.
    """
    from stylegan_latents.editing.records.opened import OpenRecord

    return {
        key: editability(
            OpenRecord(path, generator=G), contenders, scorer, deviations, identity=identity, count=count
        )
        for key, path in records.items()
    }


def _original(opened: "OpenRecord", inversion: "Image.Image") -> "Image.Image":
    try:
        return opened.crop(opened.photo())
    except InputError:  # moved or changed since: the inversion is the nearest there is
        return inversion


def _scores(scorer: "Scorer", picture: "Image.Image") -> "Array":
    from stylegan_latents.invert.photos.files import to_tensor

    scores: Array = scorer(to_tensor(picture))[0]
    return scores


def _mean(values: "Array") -> float:
    """The mean of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
