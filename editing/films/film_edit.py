"""Edit a film: move the code of each frame along the same directions, draw it, and paste it back."""

import contextlib
import functools
import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.films.frame_renderer import FrameRenderer
from stylegan_latents.editing.records.outputs import film_target
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.write import Frame

if TYPE_CHECKING:
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.directions.published import PublishedDirection
    from stylegan_latents.editing.nonlinear.mapper import MapperEdit
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.invert.paste_back.whole_head import HeadMove
    from stylegan_latents.invert.photos.person_mask import PersonMask
    from stylegan_latents.invert.record.footage import Footage

# The weight of the last frame's outlines of the person, and every how many codes the head's move is measured.
_STEADY, _MEASURED = 0.5, 8


def edit_film(
    opened: "OpenRecord",
    pairs: "Sequence[tuple[Direction | PublishedDirection | MapperEdit, float]]",
    *,
    name: str,
    layers: str | None = None,
    raw: bool = False,
    out: Path | None = None,
    paste_back: bool = False,
    whole: bool = False,
    film: Path | None = None,
    overwrite: bool = False,
    on_frame: Callable[[int, int], None] | None = None,
) -> Path:
    """Edit a film and write it with its frame times, and with its sound if that can be copied.

    Args:
        opened: the film's record.
        pairs: directions or mappers, and strengths.
        name: of the edit, for the new film's name.
        layers: rows of ws, as typed; None for those of each direction.
        raw: strengths are multiples of the stored vectors.
        out: the new film's name, or a folder.
        paste_back: put the edited face back into the frames; else the film shows the crop.
        whole: paste back hair and neck as well, where an edit of the face would leave them.
        film: path of the source film, if it was moved or renamed.
        overwrite: whether an existing film may be replaced.
        on_frame: called after each frame with the number of frames done and of all; None to show them on stderr.

    Returns:
        The new film.

    Raises:
        InputError: the record, the film, a direction or the target cannot be used.
    """
    from stylegan_latents.generator.cli.command import warn
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.films.read import film_facts
    from stylegan_latents.invert.films.write import write_film

    footage = _footage(opened)
    target = film_target(out, f"{opened.stem}.{name}{'.pasted' if paste_back else ''}.mp4", overwrite)
    opened.check_output(target)
    # A missing film is an error before the work; without pasting back only its sound is needed.
    source = (
        _place(opened, film)
        if paste_back or film is not None
        else footage.source.find(opened.path.absolute().parent)
    )
    if paste_back and source is not None and (hdr := film_facts(source).hdr):
        warn("edit", f"{source.name} is in HDR ({hdr}); the new film is in SDR, tone-mapped")
    edits = [(one.bind(opened.generator), amount) for one, amount in pairs]
    rows = None if layers is None else opened.generator.rows(layers)
    renderer = FrameRenderer(opened, edits, rows, raw, not whole and _changes_faces([one for one, _ in pairs]))
    frames = _pasted(renderer, footage, source) if paste_back and source is not None else _alone(renderer, footage)
    with (
        write_film(
            target, fps=min(120.0, max(1.0, footage.rate)), overwrite=overwrite, times=footage.times, sound=source
        ) as write,
        contextlib.ExitStack() as stack,
    ):
        all_ = len(footage.times)
        if on_frame is None:
            count = stack.enter_context(show_count(target.name, all_, "frame"))
            on_frame = lambda _done, _all: count()  # noqa: E731
        for number, frame in enumerate(frames, 1):
            write(frame)
            on_frame(number, all_)
    return target


def _alone(renderer: FrameRenderer, footage: "Footage") -> Iterator[Frame]:
    """The edited crop of every frame; for a frame without a face, that of the nearest one with a face."""
    last: tuple[int, int, float] | None = None
    frame: Frame | None = None
    for number in range(len(footage.times)):
        place = footage.nearest(number)
        if frame is None or place != last:
            frame, last = np.asarray(renderer(place)), place
        yield frame


def _pasted(renderer: FrameRenderer, footage: "Footage", film: Path) -> Iterator[Frame]:
    """Every frame with the edited face pasted back; a frame without a face is not changed."""
    from stylegan_latents.generator.cli.command import warn
    from stylegan_latents.invert.films.read import read_film
    from stylegan_latents.invert.paste_back.paste import paste_back

    told: list[int] = []
    moves = _head_moves(renderer, footage) if renderer.changes else None
    last: tuple[int, tuple[PersonMask, PersonMask]] | None = None
    for frame in read_film(film, limit=len(footage.times)):
        number, picture = frame.number, frame.picture()
        # Of an anamorphic film in a record of an older version, as in _place.
        picture = picture if picture.size == footage.size else picture.resize(footage.size)
        place = footage.between(number)
        if place is not None and renderer.changes:
            before, after = renderer(place, edited=False), renderer(place)
            move = None if moves is None else moves(place)
            joined = renderer.join(place, (before, after), move) if renderer.joins and move is not None else None
            people, face = renderer.people(place, (before, after)) if joined is None else joined[1], None
            if joined is not None:
                after, face = joined[0], joined[2]
            if people is not None:
                if last is not None and last[0] == number - 1 and number not in footage.scenes:
                    # Outlines that jump from frame to frame would flicker.
                    people = (people[0].mixed(last[1][0], _STEADY), people[1].mixed(last[1][1], _STEADY))
                last = number, people
            picture = paste_back(
                picture, after, renderer.alignment(place), reference=before, people=people,
                head_move=move, face=face,
                on_visible_seam=functools.partial(told.append, number),
            )  # fmt: skip
        yield np.asarray(picture)
    if told:
        warn(
            "edit",
            "The edit changes something that reaches beyond the face's crop, so that a seam may show in "
            f"{len(told)} of {len(footage.times)} frames; with a smaller --strength less of it shows.",
        )


def _head_moves(
    renderer: FrameRenderer, footage: "Footage"
) -> "Callable[[tuple[int, int, float]], HeadMove] | None":
    """How the edit moves the head at a place among the codes; None without people.

    Measured at some codes and interpolated, it does not jitter, and a scene is pasted back one way throughout: that
    of its farthest move. Faces that are joined, which move in steps, have one move for each scene.
    """
    from stylegan_latents.invert.paste_back.whole_head import HeadMove, head_move

    count = len(footage.frames)
    places, turned = np.zeros((count, 2), np.float32), np.zeros(count, bool)
    starts = {0, *(bisect_left(footage.frames, scene) for scene in footage.scenes)}
    for first, end in itertools.pairwise([*sorted(starts - {count}), count]):
        codes, found = sorted({*range(first, end, _MEASURED), end - 1}), []
        for code in codes:
            place = (code, code, 0.0)
            people = renderer.people(place, (renderer(place, edited=False), renderer(place)))
            if people is None:
                return None
            found.append(head_move(people))
        for axis in (0, 1):
            measured = [one.place[axis] for one in found]
            places[first:end, axis] = (
                np.median(measured) if renderer.joins else np.interp(range(first, end), codes, measured)
            )
        turned[first:end] = any(one.turned for one in found)

    def at(place: tuple[int, int, float]) -> HeadMove:
        first, second, fraction = place
        return HeadMove(
            places[first] + np.float32(min(fraction, 1)) * (places[second] - places[first]), bool(turned[first])
        )

    return at


def _changes_faces(changes: "Sequence[Direction | PublishedDirection | MapperEdit]") -> bool:
    """Whether changes are of faces alone."""
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.regions.regions import FACE_SCORES

    scores = [one.provenance.get("score") if isinstance(one, Direction) else None for one in changes]
    return bool(scores) and FACE_SCORES.issuperset(scores)


def _footage(opened: "OpenRecord") -> "Footage":
    footage = opened.inversion.footage
    if footage is None:
        raise InputError(f"{opened.path} is the record of a photo, not of a film.")
    return footage


def _place(opened: "OpenRecord", named: Path | None) -> Path:
    """Find the source film.

    Raises:
        InputError: it is not found, or the named one has another size.
    """
    from stylegan_latents.invert.films.read import film_facts
    from stylegan_latents.invert.record.source import Source

    footage = _footage(opened)
    if named is None:
        found = footage.source.find(opened.path.absolute().parent, Path.cwd())
        if found is None:
            raise InputError(
                f"The film {footage.source.name} was moved or changed since it was inverted; name it with --photo."
            )
        return found
    size = film_facts(named).size
    # Records of older versions have the pixels of anamorphic films as they are stored.
    if size != footage.size and Source.of(named).sha256 != footage.source.sha256:
        raise InputError(
            f"{named} is {size[0]}x{size[1]} pixels, the film of this record was {footage.size[0]}x"
            f"{footage.size[1]}; name that one with --photo."
        )
    return named
