"""The tab Interpolate: a film from face to face."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import gradio as gr

from stylegan_latents.demo.page.key_frames import key_frames
from stylegan_latents.demo.page.page import Page
from stylegan_latents.demo.page.results import command_line, not_ready, ready, record_name, results_row
from stylegan_latents.demo.page.running import Done, run_reporting
from stylegan_latents.demo.page.status_line import note
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from stylegan_latents.editing.films.morph import Morph
    from stylegan_latents.editing.films.trajectories import Curve, Easing
    from stylegan_latents.invert.films.write import Frame

End = Literal["stop", "loop", "back"]
_LONGEST_SECONDS, _MOST_KEYS = 20.0, 24
_RATES = (12, 24, 30)
_SMALLEST_SIDE = 256


@dataclass(frozen=True)
class FilmWish:
    """What the visitor asks for.

    Attributes:
        keys: names of faces, in their order.
        seconds: length of the film.
        rate: frames a second.
        size: side in pixels.
        curve, easing, even: see ``Morph``.
        end: stop at the last face, loop to the first, or go there and back.
        groups: what moves: coarse, middle, fine.
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
        """The film, of a generator that has these groups.

        Raises:
            InputError: it is too long, has too many key frames, or nothing moves.
        """
        from stylegan_latents.editing.films.morph import Morph

        if not 0 < self.seconds <= _LONGEST_SECONDS:
            raise InputError(f"A film here lasts up to {_LONGEST_SECONDS:g} seconds, not {self.seconds:g}.")
        if self.rate not in _RATES:
            raise InputError(f"A film here has {', '.join(map(str, _RATES))} frames a second, not {self.rate}.")
        if len(self.keys) > _MOST_KEYS:
            raise InputError(f"A film here has up to {_MOST_KEYS} key frames, not {len(self.keys)}.")
        if not self.groups:
            raise InputError("Nothing moves: say what goes along, coarse, middle or fine.")
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
    """How far a film is.

    Attributes:
        words: for the page.
        part: from 0 to 1; None while it is not known.
        frame: the newest frame's picture; None before the first.
    """

    words: str
    part: float | None
    frame: str | None


def build(page: Page) -> None:
    """Put the tab's controls into the tab that is being made."""
    G = page.studio.G
    sides = [G.resolution >> shift for shift in range(3) if G.resolution >> shift >= _SMALLEST_SIDE]
    sides = sides or [G.resolution]
    known = [group for group in GROUPS if group in G.ws_groups]
    gr.Markdown("A film that goes from face to face. Put faces in a row, then make the film.")
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=5, min_width=320):
            keys = key_frames(page, "interpolate", most=_MOST_KEYS)
            with gr.Row():
                seconds = gr.Slider(
                    1, _LONGEST_SECONDS, 3, step=0.5, label="Length in seconds", info="Of the whole film.",
                    elem_id="interpolate-seconds",
                )  # fmt: skip
                end = gr.Radio(
                    [("stop there", "stop"), ("loop to the first", "loop"), ("there and back", "back")],
                    value="stop", label="At the last face", info="A loop repeats without a jump.",
                    elem_id="interpolate-end",
                )  # fmt: skip
            with gr.Row():
                curve = gr.Radio(
                    [("straight", "linear"), ("spline", "spline"), ("through Z", "slerp")],
                    value="linear", label="Curve",
                    info="A spline has no corners at the faces; the way through Z is for seeds of Explore only.",
                    elem_id="interpolate-curve",
                )  # fmt: skip
                easing = gr.Radio(
                    [("even", "linear"), ("slow at each face", "smooth")],
                    value="smooth", label="Easing", info="How the speed changes.", elem_id="interpolate-easing",
                )  # fmt: skip
            with gr.Accordion("More", open=False), gr.Row():
                even = gr.Checkbox(
                    False, label="One visible speed", info="The same change from each frame to the next."
                )
                groups = gr.CheckboxGroup(
                    known, value=known, label="What goes along", info="Coarse alone turns the first face's head."
                )
                size = gr.Dropdown(
                    [(f"{side} pixels", side) for side in sides],
                    value=min(sides, key=lambda side: abs(side - 512)),
                    label="Size", info="Larger takes longer.", elem_id="interpolate-size",
                )  # fmt: skip
                rate = gr.Dropdown(list(_RATES), value=24, label="Frames a second", info="24 is as in the cinema.")
            buttons = begin_and_stop("interpolate", "Make the film")
        with gr.Column(scale=5, min_width=320, elem_classes="result"):
            film = gr.Video(
                label="The film",
                interactive=False,
                autoplay=True,
                loop=True,
                buttons=[],
                elem_id="interpolate-film",
            )
            drawing = gr.Image(
                label="The frame that is drawn", alt_text="The frame that is drawn",
                type="filepath", interactive=False, visible=False, buttons=[],
                elem_id="interpolate-frame",
            )  # fmt: skip
            said = gr.HTML("", elem_id="interpolate-said")
            results = results_row("interpolate", picture="⤓ Film (MP4)")

    def make(visit: Visit, *values: Any) -> Iterator[Any]:
        for now in draw_film(visit, _wish(*values)):
            if isinstance(now, Done):
                path, command = now.result
                yield gr.Video(path, visible=True), gr.Image(visible=False), command, ready(path), ""
            else:
                shown = gr.skip() if now.frame is None else gr.Image(now.frame, visible=True)
                words = note(now.words, part=now.part)
                yield gr.Video(visible=False), shown, gr.skip(), not_ready(), words

    def rest() -> tuple[Any, ...]:
        return gr.Video(visible=True), gr.Image(visible=False), gr.skip(), gr.skip()

    work_on_click(
        page, buttons, make, [keys, seconds, rate, size, curve, easing, even, end, groups],
        [film, drawing, results.command, results.picture, said], api_name="film", rest=rest,
    )  # fmt: skip


def _wish(
    keys: list[str] | None,
    seconds: float,
    rate: int,
    size: int,
    curve: "Curve",
    easing: "Easing",
    even: bool,
    end: End,
    groups: list[str],
) -> FilmWish:
    return FilmWish(
        tuple(keys or ()), float(seconds), int(rate), int(size), curve, easing, bool(even), end, tuple(groups)
    )


def draw_film(visit: Visit, wish: FilmWish) -> Iterator[Stage | Done[tuple[str, str]]]:
    """Make a film.

    Args:
        visit: whose faces these are.
        wish: what is asked for.

    Yields:
        How far it is, and at last the film's path and the command line.

    Raises:
        InputError: as ``FilmWish.morph`` and ``Morph``.
        StoppedError: the visitor stopped it; nothing is left of the film.
    """
    from PIL import Image

    from stylegan_latents.editing.films.morph import film_side
    from stylegan_latents.editing.records.codes import record_code
    from stylegan_latents.invert.films.write import write_film

    studio = visit.studio
    faces = [visit.face(name) for name in wish.keys]
    morph = wish.morph(tuple(studio.G.ws_groups))
    if len(faces) < 2:
        raise InputError("A film needs two key frames at least: add faces to the row first.")
    other = next((face.name for face in faces if record_code(face.record).z is None), None)
    if wish.curve == "slerp" and other is not None:
        raise InputError(
            f"The way through Z is for seeds of the tab Explore; {other} is none, so take another curve."
        )
    size = film_side(wish.size, studio.G)
    path = visit.files.new_path("morph", ".mp4")

    def work(report: "Callable[[tuple[int, Frame | None]], None]") -> None:
        codes = [record_code(face.record) for face in faces]
        times = morph.times(studio.G, codes, on_point=lambda: report((0, None)))
        with write_film(path, fps=wish.rate) as write:
            for number, frame in enumerate(morph.draw(studio.G, codes, times, size=size), 1):
                write(frame)
                report((number, frame))

    for now in run_reporting(visit, work):
        if isinstance(now, Done):
            yield Done(
                (visit.files.hold(path, "film"), _command(wish, morph, [record_name(face) for face in faces]))
            )
            return
        number, frame = now
        if frame is None:
            yield Stage("Measuring the way", None, None)
        else:
            words = f"Frame {number} of {morph.frames}"
            yield Stage(words, number / morph.frames, visit.files.store(Image.fromarray(frame), "frame"))


def _command(wish: FilmWish, morph: "Morph", names: list[str]) -> str:
    words = ["edit", "interpolate", *names, "--frames", str(morph.frames), "--size", str(wish.size)]
    words += [] if wish.rate == 24 else ["--fps", str(wish.rate)]
    words += [] if wish.curve == "linear" else ["--curve", wish.curve]
    words += [] if wish.easing == "linear" else ["--easing", wish.easing]
    words += [] if morph.layers is None else ["--layers", morph.layers]
    for option, wanted in (("--even", wish.even), ("--loop", morph.loop), ("--ping-pong", morph.ping_pong)):
        words += [option] if wanted else []
    return command_line([*words, "--out", "morph.mp4"])
