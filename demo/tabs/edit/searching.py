"""The search for the code of a face in a photo, with its progress."""

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stylegan_latents.demo.page.running import Done, run_reporting
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.shared import KeptPerson
from stylegan_latents.demo.session.uploads import Photo
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.invert.invert_face import Portrait, invert_face
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.search.time_left import TimeLeft

if TYPE_CHECKING:
    from stylegan_latents.invert.inverters.base import Progress
    from stylegan_latents.invert.inverters.options import Quality


Closer = Literal["", "pivotal", "layered"]
"""The method that comes closer to a photo than a code can; empty for none."""


@dataclass(frozen=True)
class Stage:
    """Progress of a search.

    Attributes:
        before: path of the photo's crop.
        now: path of the current reconstruction.
        step, steps: steps done and in all.
        seconds_left, seconds_another: estimates of the time to its end, and of that which another search takes; if
            there are any yet.
    """

    before: str
    now: str
    step: int
    steps: int
    seconds_left: float | None
    seconds_another: float | None = None


def search(
    visit: Visit,
    photo: Photo,
    number: int,
    *,
    quality: "Quality" = "good",
    person: KeptPerson | None = None,
    closer: Closer = "",
    mask: Path | None = None,
) -> Iterator[Stage | Face]:
    """Search the code of one face, as ``invert`` does.

    Args:
        visit: that the face is added to.
        photo, number: the face.
        quality: as for ``make_inverter``.
        person: whose model is searched; None for anybody.
        closer: how to come closer to the photo, for anybody.
        mask: see ``invert_face``.

    Yields:
        Stages, and finally the face.

    Raises:
        InputError: the photo cannot be read, the search fails, or the visit has too many faces.
        StoppedError: the visitor stopped it without keeping the result.
    """
    from stylegan_latents.invert.faces.align import align_face
    from stylegan_latents.invert.faces.identity import Identity
    from stylegan_latents.invert.photos.crop import no_align

    studio = visit.studio
    visit.check_room()
    model = None
    if person is not None:
        visit.files.check_room(person.path.stat().st_size)
        model = person.path
    method = (closer or None) if person is None else "person"
    inverter = make_inverter(studio.G, method, quality=quality, steps=studio.steps, person=model)

    def work(report: "Callable[[Progress], None]") -> Portrait:
        return invert_face(
            inverter,
            photo.read(),
            photo.face(number),
            source=photo.source(),
            which=photo.which(number),
            identity=Identity(),
            landmarks=photo.landmarks,
            mask=mask,
            on_step=report,
            keep_partial=True,
        )

    side = studio.preview_size
    face = photo.face(number)
    with visit.computing():
        whole = photo.read()
        crop = no_align(whole, side)[0] if face is None else align_face(whole, face, side)[0]
    before = visit.files.store(crop, "target")
    del whole
    yield Stage(before, before, 0, 1, None)
    time_left = TimeLeft(inverter.phases(1), device=studio.G.device)

    def keep(portrait: Portrait) -> Face:
        stem = photo.stem(number)
        made_by = command(
            photo, number, quality, studio.steps, person, closer=closer, mask=mask, join=studio.command_line
        )
        written = stem if photo.which(number) not in (None, "largest") else Path(photo.name).stem
        return visit.add(portrait.inversion, stem, photo=photo.path, made_by=made_by, writes=written)

    for item in run_reporting(visit, work, on_left=keep):
        if isinstance(item, Done):
            yield keep(item.result)
            return
        now = to_picture(item.images)[0].resize((side, side))
        left = time_left.after_step(item.step)
        another = None if left is None else time_left.of_another()
        yield Stage(before, visit.files.store(now, "search"), item.step, item.steps, left, another)


def command(
    photo: Photo,
    number: int,
    quality: str,
    steps: int | None,
    person: KeptPerson | None = None,
    *,
    closer: Closer = "",
    mask: Path | None = None,
    join: Callable[[Sequence[str]], str] = shlex.join,
) -> str:
    """The command line that makes the same record, after one that writes landmarks marked by hand.

    Args:
        photo, number, quality, person, closer, mask: as for ``search``.
        steps: of the search; None for those of the quality.
        join: from words to a line.
    """
    words = ["invert", photo.name, "--quality", quality]
    words += ["--method", closer] if closer and person is None else []
    words += [] if mask is None else ["--mask", mask.name]
    if photo.by_hand:
        file = f"{Path(photo.name).stem}.json"
        written = json.dumps([one.to_dict() for one in photo.landmarks])
        first = f"echo {shlex.quote(written)} > {shlex.quote(file)}\n"
        words += ["--landmarks", file]
    else:
        first = ""
    words += [] if person is None else ["--person", person.path.name]
    words += [] if steps is None else ["--steps", str(steps)]
    which = photo.which(number)
    words += ["--no-align"] if which is None else [] if which == "largest" else ["--face", which]
    return first + join(words)
