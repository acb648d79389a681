"""The film of the tab Interpolate: the visitor's request, and its drawing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from stylegan_latents.demo.page.results import record_name
from stylegan_latents.demo.page.running import Done, Stage, StepsLeft, run_reporting
from stylegan_latents.demo.session.edited import edited_face, edits_of
from stylegan_latents.demo.session.styles import find_style
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from stylegan_latents.editing.films.morph import Morph
    from stylegan_latents.editing.films.trajectories import Curve, Easing
    from stylegan_latents.invert.films.write import Frame

End = Literal["stop", "loop", "back"]
Kind = Literal["mp4", "gif"]
LONGEST_SECONDS, MOST_KEYS = 20.0, 24
RATES = (12, 24, 30)
LARGEST_GIF = 512


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
        direction: the name of a direction that is swept meanwhile; one face is then enough.
        reach: its strength at the end; at the beginning it is the negative of it.
        style: the name of a style, drawn from none to ``style_strength``; one face is then enough.
        orbit: whether the camera of a three-dimensional model swings to both sides; one face is then enough.
        kind: of the file.
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
    direction: str = ""
    reach: float = 2.0
    style: str = ""
    style_strength: float = 1.0
    orbit: bool = False
    kind: Kind = "mp4"

    @property
    def file(self) -> str:
        """The film's name on the command line."""
        return f"{'film' if self.needs_one else 'morph'}.{self.kind}"

    @property
    def needs_one(self) -> bool:
        """Whether one face is enough, as something beside the face changes."""
        return bool(self.direction or self.style or self.orbit)

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
        if self.kind not in get_args(Kind):
            raise InputError(f"A film here is {' or '.join(get_args(Kind))}, not {self.kind}.")
        if self.kind == "gif" and self.size > LARGEST_GIF:
            raise InputError(f"A GIF here has up to {LARGEST_GIF} pixels a side; choose a smaller size, or MP4.")
        if (self.direction or self.style) and self.end == "loop":
            raise InputError(
                "A film along a direction or into a style does not end where it begins; choose “there and back”."
            )
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
            orbit=self.orbit,
            ends=(-self.reach, self.reach) if self.direction else None,
            style_ends=(0.0, self.style_strength) if self.style else None,
        )


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
    if request.direction:
        edits_of(visit, {request.direction: 1.0})
        morph = replace(morph, directions=[visit.all_directions[request.direction]])
    kept = find_style(visit, request.style) if request.style else None
    if kept is not None:
        morph = replace(morph, style=kept.style)
    if request.orbit:
        studio.G.check_camera()
    if len(faces) < (1 if request.needs_one else 2):
        raise InputError(
            "A film needs at least two key frames, or one and a direction: add faces to the row first."
        )
    other = next((face.name for face in faces if record_code(face.record).z is None), None)
    if request.curve == "slerp" and other is not None:
        raise InputError(
            f"The curve through Z needs samples of the tab Explore, and {other} is not one; choose another curve."
        )
    size = film_side(request.size, studio.G)
    morph.check(len(faces))
    path = visit.files.new_path(Path(request.file).stem, f".{request.kind}")

    def work(report: "Callable[[tuple[int, Frame | None]], None]") -> None:
        codes = [record_code(face.record) for face in faces]
        times = morph.times(studio.G, codes, on_point=lambda: report((0, None)))
        with write_film(path, fps=request.rate) as write:
            for number, frame in enumerate(morph.draw(studio.G, codes, times, size=size), 1):
                write(frame)
                report((number, frame))

    timer = StepsLeft()
    for now in run_reporting(visit, work):
        if isinstance(now, Done):
            command = _command(visit, request, morph, [record_name(face) for face in faces])
            if kept is not None and kept.made_by:
                command = f"{kept.made_by}\n{command}"
            yield Done((visit.files.hold(path, "film"), command))
            return
        number, frame = now
        if frame is None:
            yield Stage("Measuring the visible change", None, None)
        else:
            words, left = f"Frame {number} of {morph.frames}", timer.seconds(number, morph.frames)
            yield Stage(words, number / morph.frames, visit.files.store(Image.fromarray(frame), "frame"), left)


def _command(visit: Visit, request: FilmRequest, morph: "Morph", names: list[str]) -> str:
    words = ["edit", "interpolate", *names, "--frames", str(morph.frames), "--size", str(request.size)]
    words += [] if request.rate == 24 else ["--fps", str(request.rate)]
    words += [] if request.curve == "linear" else ["--curve", request.curve]
    words += [] if request.easing == "linear" else ["--easing", request.easing]
    words += [] if morph.layers is None else ["--layers", morph.layers]
    if request.direction:
        own = request.direction in visit.studio.directions
        words += ["--direction", request.direction if own else f"{request.direction}.safetensors"]
        words += ["--range", f"{-request.reach:g}", f"{request.reach:g}"]
    if request.style:
        words += ["--style", find_style(visit, request.style).word]
        words += ["--style-range", "0", f"{request.style_strength:g}"]
    switches = {"even": request.even, "loop": morph.loop, "ping-pong": morph.ping_pong, "orbit": morph.orbit}
    words += [f"--{name}" for name, wanted in switches.items() if wanted]
    return visit.studio.command_line([*words, "--out", request.file])
