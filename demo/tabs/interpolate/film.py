"""The film of the tab Interpolate: the visitor's request, and its drawing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from stylegan_latents.demo.page.results import record_name
from stylegan_latents.demo.page.running import Done, run_reporting
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.shared import Shared
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from stylegan_latents.editing.films.morph import Morph
    from stylegan_latents.editing.films.trajectories import Curve, Easing
    from stylegan_latents.invert.films.write import Frame

End = Literal["stop", "loop", "back"]
LONGEST_SECONDS, MOST_KEYS = 20.0, 24
RATES = (12, 24, 30)


@dataclass(frozen=True)
class FilmRequest:
    """The visitor's request.

    Attributes:
        keys: names of the faces in order.
        seconds: length of the film.
        rate: frames per second.
        size: side in pixels.
        curve, easing, even: see ``Morph``.
        end: stop at the last face, loop to the first, or go back.
        groups: the groups of layers that change.
    """

    keys: tuple[str, ...]
    seconds: float
    rate: int
    size: int
    curve: "Curve" = "linear"
    easing: "Easing" = "linear"
    even: bool = False
    end: End = "stop"
    groups: tuple[str, ...] = GROUPS

    def morph(self, known: tuple[str, ...]) -> "Morph":
        """The film for a generator with the groups ``known``.

        Raises:
            InputError: it is too long, has too many key frames, or no group.
        """
        from stylegan_latents.editing.films.morph import Morph

        if not 0 < self.seconds <= LONGEST_SECONDS:
            raise InputError(f"A film here lasts up to {LONGEST_SECONDS:g} seconds, not {self.seconds:g}.")
        if self.rate not in RATES:
            raise InputError(f"A film here has {', '.join(map(str, RATES))} frames per second, not {self.rate}.")
        if len(self.keys) > MOST_KEYS:
            raise InputError(f"A film here has up to {MOST_KEYS} key frames, not {len(self.keys)}.")
        if not self.groups:
            raise InputError("Nothing moves: choose the layers that change, coarse, middle or fine.")
        every = all(group in self.groups for group in known)
        return Morph(
            round(self.seconds * self.rate),
            self.curve,
            self.easing,
            self.even,
            self.end == "loop",
            self.end == "back",
            None if every else ",".join(self.groups),
        )


@dataclass(frozen=True)
class Stage:
    """Progress of a film.

    Attributes:
        words: for the page.
        part: from 0 to 1; None if unknown.
        frame: path of the newest frame's picture; None before the first.
    """

    words: str
    part: float | None
    frame: str | None


def draw_film(visit: Visit, request: FilmRequest) -> Iterator[Stage | Done[tuple[str, str]]]:
    """Make a film.

    Args:
        visit: with the faces.
        request: the film.

    Yields:
        Stages; finally the film's path and the command line.

    Raises:
        InputError: as ``FilmRequest.morph`` and ``Morph``.
        StoppedError: the visitor stopped it; no file is left.
    """
    from PIL import Image

    from stylegan_latents.editing.films.morph import film_side
    from stylegan_latents.editing.records.codes import record_code
    from stylegan_latents.invert.films.write import write_film

    studio = visit.studio
    faces = [edited_face(visit, name) for name in request.keys]
    morph = request.morph(tuple(studio.G.ws_groups))
    if len(faces) < 2:
        raise InputError("A film needs at least two key frames: add faces to the row first.")
    other = next((face.name for face in faces if record_code(face.record).z is None), None)
    if request.curve == "slerp" and other is not None:
        raise InputError(
            f"The curve through Z needs samples of the tab Explore, and {other} is not one; choose another curve."
        )
    size = film_side(request.size, studio.G)
    path = visit.files.new_path("morph", ".mp4")

    def work(report: "Callable[[tuple[int, Frame | None]], None]") -> None:
        codes = [record_code(face.record) for face in faces]
        times = morph.times(studio.G, codes, on_point=lambda: report((0, None)))
        with write_film(path, fps=request.rate) as write:
            for number, frame in enumerate(morph.draw(studio.G, codes, times, size=size), 1):
                write(frame)
                report((number, frame))

    for now in run_reporting(visit, work):
        if isinstance(now, Done):
            yield Done(
                (
                    visit.files.hold(path, "film"),
                    _command(studio, request, morph, [record_name(face) for face in faces]),
                )
            )
            return
        number, frame = now
        if frame is None:
            yield Stage("Measuring the visible change", None, None)
        else:
            words = f"Frame {number} of {morph.frames}"
            yield Stage(words, number / morph.frames, visit.files.store(Image.fromarray(frame), "frame"))


def _command(studio: Shared, request: FilmRequest, morph: "Morph", names: list[str]) -> str:
    words = ["edit", "interpolate", *names, "--frames", str(morph.frames), "--size", str(request.size)]
    words += [] if request.rate == 24 else ["--fps", str(request.rate)]
    words += [] if request.curve == "linear" else ["--curve", request.curve]
    words += [] if request.easing == "linear" else ["--easing", request.easing]
    words += [] if morph.layers is None else ["--layers", morph.layers]
    for option, wanted in (("--even", request.even), ("--loop", morph.loop), ("--ping-pong", morph.ping_pong)):
        words += [option] if wanted else []
    return studio.command_line([*words, "--out", "morph.mp4"])
