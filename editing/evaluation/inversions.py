"""Editability of inversions: identity and intended change after edits."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.evaluation.evaluator import Contender
from stylegan_latents.editing.evaluation.results import mean
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.invert.faces.identity import Identity

STRENGTH = 2.0
"""Strength of the edits, in standard deviations; its opposite is measured as well."""

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
        opened: the record; faces are compared with its photo, or its inversion if the photo is not found.
        contenders: the directions, bound to the record's generator, with the scores that they are meant to change.
        scorer, deviations, identity: see ``Evaluator``.
        count: called after each edited picture.

    Returns:
        ``EDITABILITY``; NaN for what could not be measured.
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
        faces = [None if identity is None else identity(picture) for picture in pictures]
        distances.append(
            [
                np.nan if person is None or face is None or identity is None else identity.distance(person, face)
                for face in faces
            ]
        )
        low, high = (_scores(scorer, picture) / deviations for picture in pictures)
        own = None if one.score is None else scorer.names.index(one.score)
        changes.append(np.nan if own is None else (high - low)[own] / (2 * STRENGTH))
    by_direction = [mean(np.array(pair)) for pair in distances]
    return {
        "edit_identity": mean(np.array(distances)),
        "edit_identity_worst": max((one for one in by_direction if np.isfinite(one)), default=float("nan")),
        "edit_change": mean(np.array(changes)),
    }


def _original(opened: "OpenRecord", inversion: "Image.Image") -> "Image.Image":
    try:
        return opened.crop(opened.photo())
    except InputError:  # moved or changed since
        return inversion


def _scores(scorer: "Scorer", picture: "Image.Image") -> "Array":
    from stylegan_latents.invert.photos.files import to_tensor

    scores: Array = scorer(to_tensor(picture))[0]
    return scores
