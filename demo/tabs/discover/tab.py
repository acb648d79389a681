"""The tab Discover: axes of the latent space, to name and keep as sliders."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import QUIET, Page, Tab, answering, face_chooser, selected_index
from stylegan_latents.demo.page.results import choice_gallery, command_box, ready, record_name
from stylegan_latents.demo.page.running import Done, run_reporting, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.files import clean_name
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.discover.axes import Axes, methods
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from stylegan_latents.editing.directions.direction import Direction

AT_ONCE = 6
"""Strips shown together."""

STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)
_CELL = 192
_LAYERS = ("all", "coarse", "middle", "fine", "coarse,middle", "middle,fine")
_CHOOSE = "Choose a strip to name and keep its axis."


@dataclass(frozen=True)
class Axis:
    """An axis: the finder, the layers that it moves, and its index from 0."""

    method: str
    layers: str
    index: int

    @property
    def name(self) -> str:
        """The finder's name for it."""
        return f"{self.method}-{self.index:02d}"


@dataclass(frozen=True)
class Strips:
    """The strips drawn so far.

    Attributes:
        drawn: each axis with its picture's path.
        words: the progress in words; empty at the end.
        part: the progress from 0 to 1.
    """

    drawn: tuple[tuple[Axis, str], ...]
    words: str
    part: float = 1.0


def build(page: Page) -> None:
    """See ``Tab.build``."""
    axes = Axes(page.studio.G)
    gr.Markdown(
        "Every model has axes that change its pictures most. See what each does to a face from strength -2 to 2, "
        "and keep the useful ones: they become sliders of the tab Edit."
    )
    shown, chosen = gr.State([]), gr.State(None)
    with gr.Row():
        face = face_chooser(page, "discover", label="Shown on", info="A face of this visit.")
        method = gr.Radio(
            methods(), value=methods()[0][1], label="Method",
            info="How directions are found; the documentation compares the methods.",
            elem_id="discover-method",
        )  # fmt: skip
        layers = gr.Dropdown(
            list(_LAYERS), value="all", allow_custom_value=True, label="Layers",
            info="Coarse is pose and shape, fine is colour; or rows such as 0-3,7.", elem_id="discover-layers",
        )  # fmt: skip
        first = gr.Number(
            0, precision=0, minimum=0, maximum=page.studio.G.w_dim - 1, label="First axis",
            info="The strongest is 0.", elem_id="discover-first",
        )  # fmt: skip
    buttons = begin_and_stop("discover", "Show the axes")
    status = gr.HTML("", elem_id="discover-status")
    strips = choice_gallery(
        "discover-strips", label="Axes, from -2 to 2", show_label=False, columns=1, object_fit="contain"
    )
    further = gr.Button("Next axes", size="sm", elem_id="discover-next")
    with gr.Row(equal_height=True, elem_classes="begin"):
        name = gr.Textbox(
            label="Name", info=_CHOOSE, max_length=40, placeholder="beard", min_width=200, elem_id="discover-name"
        )
        with gr.Column(min_width=160):
            keep = gr.Button("Keep as a slider", variant="primary", interactive=False, elem_id="discover-keep")
            file = gr.DownloadButton("⤓ Direction", size="sm", interactive=False, elem_id="discover-file")
    kept = gr.HTML("", elem_id="discover-kept")
    command = command_box("discover")

    def show(visit: Visit, shown_on: str | None, how: str, rows: str, start: float | None) -> Iterator[Any]:
        # The first strips clear the earlier choice; a choice made while more are drawn stays.
        unchosen: tuple[Any, ...] = (None, gr.Button(interactive=False))
        none_chosen: dict[str, Any] = {"selected_index": None}
        for now in draw_strips(visit, axes, shown_on, how, rows, -1 if start is None else int(start)):
            pictures = [(path, axis.name) for axis, path in now.drawn]
            found = [axis for axis, _ in now.drawn]
            words = status_html(now.words, part=now.part) if now.words else ""
            yield gr.Gallery(pictures, **none_chosen), found, *unchosen, words
            unchosen, none_chosen = (gr.skip(), gr.skip()), {}

    def choose(found: list[Axis], event: gr.SelectData) -> Any:
        if not event.selected:
            return None, gr.skip(), gr.Button(interactive=False)
        axis = found[selected_index(event, len(found))]
        return axis, gr.Textbox(axis.name, info=f"A word for what {axis.name} does."), gr.Button(interactive=True)

    def finish(visit: Visit, axis: Axis | None, new_name: str, shown_on: str | None) -> Any:
        path, lines = keep_axis(visit, axes, axis, new_name, shown_on)
        words = status_html(f"Sliders of the tab Edit now: {', '.join(visit.directions)}.", kind="good")
        return ready(str(path)), lines, words, visit.version

    next_ones = further.click(
        lambda start: int(start or 0) + AT_ONCE, first, first, show_progress="hidden", api_visibility="private"
    )
    work_on_click(
        page, buttons, show, [face, method, layers, first], [strips, shown, chosen, keep, status],
        api_name="discover", further=[next_ones.then],
    )  # fmt: skip
    strips.select(choose, shown, [chosen, name, keep], **QUIET)
    keep.click(
        answering(finish), [page.visit, chosen, name, face], [file, command, kept, page.version],
        api_name="keep_direction",
    )  # fmt: skip


def draw_strips(
    visit: Visit, axes: Axes, name: str | None, method: str, layers: str, first: int
) -> Iterator[Strips]:
    """Find axes and draw the effect of each on a face.

    Args:
        visit: with the face.
        axes: of the studio's generator.
        name: of the face.
        method, layers, first: as for ``Axes.find``.

    Yields:
        The strips so far, and finally all.

    Raises:
        InputError: there is no such face, axis or layer.
        StoppedError: the visitor stopped it.
    """
    studio, preview = visit.studio, visit.face(name).preview
    studio.G.rows(layers)
    drawn: list[tuple[Axis, str]] = []

    def work(report: "Callable[[float | list[Image]], None]") -> "list[Image]":
        from stylegan_latents.editing.records.codes import record_code
        from stylegan_latents.editing.strengths.strips import strips

        found = axes.find(method, layers, first, AT_ONCE, lambda done, whole: report(done / whole))
        code, pictures = record_code(preview), []
        report([])
        for direction in found:
            picture = strips(
                preview.generator, code.ws, code.noise_or_const, [direction], strengths=STRENGTHS, cell=_CELL,
                named=False,
            )  # fmt: skip
            pictures.append(picture)
            report(list(pictures))
        return pictures

    def store(pictures: "list[Image]") -> tuple[tuple[Axis, str], ...]:
        for i in range(len(drawn), len(pictures)):
            axis = Axis(method, layers, first + i)
            drawn.append((axis, visit.files.store(pictures[i], f"strip-{i}", stem=axis.name)))
        return tuple(drawn)

    for now in run_reporting(visit, work):
        if isinstance(now, Done):
            yield Strips(store(now.result), "")
        elif isinstance(now, float):
            yield Strips((), "Drawing samples, once for this model", now)
        else:
            number = min(len(now) + 1, AT_ONCE)
            yield Strips(store(now), f"Drawing axis {number} of {AT_ONCE}", len(now) / AT_ONCE)


def keep_axis(visit: Visit, axes: Axes, axis: Axis | None, new_name: str, name: str | None) -> "tuple[Path, str]":
    """Make an axis a slider of the tab Edit.

    Args:
        visit: that gets the slider.
        axes: of the studio's generator.
        axis: to keep.
        new_name: the visitor's name for it.
        name: of the face that the command line edits.

    Returns:
        The direction's file, and the command lines that find and use it.

    Raises:
        InputError: there is no such axis, or the name cannot be used.
    """
    if axis is None:
        raise InputError("Choose a strip first.")
    if not new_name.strip():
        raise InputError("Give the axis a name first, such as beard.")
    with visit.computing():
        (found,) = axes.find(axis.method, axis.layers, axis.index, 1)
    direction: Direction = replace(found, name=clean_name(new_name))
    visit.keep_direction(direction)
    path = visit.files.new_path(direction.name, ".safetensors")
    direction.save(path)
    face: Face = visit.face(name)
    find = ["edit", "discover", "--method", axis.method, "--count", str(axis.index + 1), "--layers", axis.layers]
    use = ["edit", record_name(face), "--direction", path.name, "--strength", "2"]
    return path, "\n".join(map(visit.studio.command_line, (find, use)))


TAB = Tab("Discover", "discover", build)
