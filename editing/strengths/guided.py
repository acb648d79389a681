"""Strengths measured on the edited picture: those that reach a score, and those that keep the identity."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.apply import Edit
from stylegan_latents.editing.strengths.line_search import Reached, strength_for
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.directions.published import PublishedDirection
    from stylegan_latents.editing.discovery.scorers.scorer import Scorer

Draw = Callable[[Sequence[Edit], int], "Image.Image"]
"""From edits and a sufficient side in pixels to the edited picture."""

SCORED_SIDE = 256
"""Side in pixels of the pictures that scorers measure."""

_SAME = "same"
_COMPARED_SIDE, _ROUNDS = 512, 2
_SCAN, _HALVINGS = 8, 4


@dataclass(frozen=True)
class Step:
    """A fraction of an edit, in 0 to 1, and the identity distance that it causes."""

    part: float
    distance: float


def parse_target(text: str) -> tuple[str, float | None]:
    """A direction's name and the score to reach from ``smile=0.8``, None for that before the edit from
    ``smile=same``; InputError for anything else.
    """
    name, equals, value = text.rpartition("=")
    if equals and name.strip() and value.strip() == _SAME:
        return name.strip(), None
    return named_number(text, "target: give a direction and the score to reach, such as smile=0.8")


def named_number(text: str, what: str) -> tuple[str, float]:
    """A name and a number from ``smile=0.8``; InputError for anything else, which is "no" ``what``."""
    name, equals, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not equals or not name.strip() or not math.isfinite(number):
        raise InputError(f"'{text}' is no {what}.")
    return name.strip(), number


def check_bound(bound: float | None) -> None:
    """Raise InputError for an identity distance that is not above 0."""
    if bound is not None and not (math.isfinite(bound) and bound > 0):
        raise InputError(f"--keep-identity takes a distance above 0, such as 0.45, not {bound:g}.")


def guided_name(
    name: str, targets: Sequence[tuple[str, float | None]], bound: float | None, regions: Sequence[str]
) -> str:
    """A file's name with targets, identity bound and regions: ``pose+2.smile-to-1.2.same0.45.mouth``."""
    parts = [name] if name else []
    for target, score in targets:
        parts.append(f"{Path(target).stem}-{_SAME if score is None else f'to-{score:g}'}")
    parts += [] if bound is None else [f"same{bound:g}"]
    return ".".join([*parts, *(Path(region).stem for region in regions)])


def guide(
    draw: Draw,
    edits: Sequence[Edit],
    targets: "Sequence[tuple[Direction, float | None]]",
    bound: float | None,
    scorer: "Scorer | None" = None,
) -> list[Edit]:
    """All edits with strengths that reach the targets (see ``reach_targets``) within the identity bound (see
    ``keep_identity``); prints what was found.
    """
    chosen = list(edits)
    if targets and scorer is not None:
        from stylegan_latents.editing.discovery.scorers.scorer import Unit

        found, reached = reach_targets(draw, edits, targets, scorer)
        for (direction, _), (_, strength), end in zip(targets, found, reached, strict=True):
            unit = scorer.units.get(score_name(direction, scorer), Unit()).name
            reach = f"from {end.start:.3g} to {end.score:.3g} {unit}".rstrip()
            print(printable(f"{direction.name} {strength:+.2f}: the score goes {reach}"))
        chosen += found
    if bound is not None:
        chosen, step = keep_identity(draw, chosen, bound)
        print(f"{step.part:.0%} of the edit is made: identity distance {step.distance:.3f}, under {bound:g}")
    return chosen


def score_name(direction: "Direction | PublishedDirection", scorer: "Scorer") -> str:
    """The name of the score that a direction changes; InputError if the scorer does not have it."""
    from stylegan_latents.editing.directions.direction import Direction

    own = direction.provenance.get("score") if isinstance(direction, Direction) else None
    name = str(own or direction.name)
    if name in scorer.names:
        return name
    if len(scorer.names) == 1:
        return scorer.names[0]
    raise InputError(
        f"The scorer does not measure what '{direction.name}' changes, so it has no target; use --strength, or the "
        f"--scorer that the direction was found with. This one measures {', '.join(scorer.names)}."
    )


def check_target(direction: "Direction | PublishedDirection", wanted: float | None, scorer: "Scorer") -> None:
    """Raise InputError if the scorer does not measure what a direction changes, or never gives such a score."""
    name = score_name(direction, scorer)
    if wanted is not None and name in scorer.units:
        scorer.units[name].check(name, wanted)


def measured_score(draw: Draw, edits: Sequence[Edit], name: str, scorer: "Scorer") -> float:
    """A score of the picture of edits, by its name."""
    return float(scorer.score(_tensor(draw(edits, SCORED_SIDE)))[0, scorer.names.index(name)])


def scores_of(picture: "Image.Image", scorer: "Scorer") -> dict[str, float]:
    """The scores of a picture that could be measured, by name."""
    scores = zip(scorer.names, scorer.score(_tensor(picture))[0].tolist(), strict=True)
    return {name: value for name, value in scores if math.isfinite(value)}


def _tensor(picture: "Image.Image") -> "Tensor":
    from stylegan_latents.invert.photos.files import to_tensor

    return to_tensor(picture.convert("RGB").resize((SCORED_SIDE, SCORED_SIDE), reducing_gap=3.0))


def reach_targets(
    draw: Draw, fixed: Sequence[Edit], targets: "Sequence[tuple[Direction, float | None]]", scorer: "Scorer"
) -> tuple[list[Edit], list[Reached]]:
    """Find the strengths at which each target's score is reached, with the other edits made as well.

    Several targets are searched in turn, twice, as one may change another's score.

    Args:
        draw: makes the picture of edits.
        fixed: edits of known strengths.
        targets: directions bound to the generator, each with the score to reach; None for that before all edits.
        scorer: measures the pictures.

    Returns:
        An edit for each target, and where its last search ended; InputError for a target out of reach.
    """
    names = [score_name(direction, scorer) for direction, _ in targets]
    for direction, wanted in targets:
        check_target(direction, wanted, scorer)
    scorer.check(_tensor(draw(fixed, SCORED_SIDE)), "this picture")
    unedited = scores_of(draw([], SCORED_SIDE), scorer) if any(wanted is None for _, wanted in targets) else {}
    found: list[Edit] = [(direction, 0.0) for direction, _ in targets]
    reached: list[Reached] = []
    for _ in range(1 if len(targets) == 1 else _ROUNDS):
        reached = []
        for index, (direction, chosen) in enumerate(targets):
            wanted = unedited.get(names[index], math.nan) if chosen is None else chosen
            if math.isnan(wanted):
                raise InputError(f"{names[index]} cannot be measured before the edit; give a number as its target.")

            def score(strength: float, index: int = index, direction: "Direction" = direction) -> float:
                others = [*fixed, *found[:index], *found[index + 1 :]]
                edits = [*others, (direction, strength)] if strength else others
                return measured_score(draw, edits, names[index], scorer)

            unit = scorer.units[names[index]].name if names[index] in scorer.units else ""
            reached.append(strength_for(score, wanted, name=names[index], unit=unit))
            found[index] = (direction, reached[-1].strength)
    return found, reached


def keep_identity(draw: Draw, edits: Sequence[Edit], bound: float) -> tuple[list[Edit], Step]:
    """The largest fraction of all edits together that keeps the identity distance under a bound.

    Raises:
        InputError: no face is found before the edit, or the bound is not a number above 0.
    """
    from stylegan_latents.invert.faces.detector import Face
    from stylegan_latents.invert.faces.dlib_landmarks import read_landmarks
    from stylegan_latents.invert.faces.find import find_faces
    from stylegan_latents.invert.faces.identity import Embedding, Identity

    check_bound(bound)
    identity = Identity()

    def part_of(part: float) -> list[Edit]:
        return [(direction, strength * part) for direction, strength in edits]

    before = draw([], _COMPARED_SIDE)
    faces = find_faces(before)
    if not faces:
        raise InputError(
            "No face was found before the edit, so no identity can be kept; leave out --keep-identity."
        )

    def embed(picture: "Image.Image") -> Embedding:
        # An edit hardly moves the face; to detect it again would take longer than to draw it.
        box = faces[0].box
        return identity.embed_face(picture, Face(box, read_landmarks(picture, box), faces[0].score))

    person = embed(before)

    def distance(part: float) -> float:
        return identity.distance(person, embed(draw(part_of(part), _COMPARED_SIDE)))

    step = largest_step(distance, bound)
    return part_of(step.part), step


def largest_step(distance: Callable[[float], float], bound: float) -> Step:
    """The largest fraction of an edit whose identity distance stays under a bound.

    The whole edit is tried first, then less of it in eighths; the eighth that crosses the bound is bisected.

    Args:
        distance: the identity distance at a fraction in [0, 1]; NaN, where no face is found, is beyond any bound.
        bound: largest distance allowed; below 0.6 dlib's network takes two faces for one person's.
    """
    kept, beyond = Step(0.0, 0.0), 1.0
    for eighths in range(_SCAN, 0, -1):
        part = eighths / _SCAN
        there = distance(part)
        if there <= bound:
            kept = Step(part, there)
            break
        beyond = part
    if kept.part == 1.0:
        return kept
    for _ in range(_HALVINGS):
        part = (kept.part + beyond) / 2
        there = distance(part)
        if there <= bound:
            kept = Step(part, there)
        else:
            beyond = part
    return kept
