"""The style-mixing matrix of the tab Mix: each face with the styles of each."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import Page, face_chooser
from stylegan_latents.demo.page.results import picture_box, ready, record_name, results_row
from stylegan_latents.demo.page.running import Done, run_reporting, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import Group

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_FACES = 8


def build_figure(page: Page, groups: Sequence[Group]) -> None:
    """Add the figure's controls; ``groups`` are the groups of layers that the model has."""
    with gr.Accordion("Each face with the styles of each", open=False, elem_id="mix-figure-open"):
        with gr.Row():
            faces = face_chooser(
                page,
                "mix-side",
                label="Down the side",
                info="The faces that are changed; all if empty.",
                several=True,
            )
            tops = face_chooser(
                page,
                "mix-top",
                label="Along the top",
                info="The faces whose styles are used; the same if empty.",
                several=True,
            )
            given = gr.CheckboxGroup(
                list(groups), value=list(groups[:1]), label="Styles", info="Taken from the faces along the top."
            )
            strength = gr.Slider(0, 1, 1, step=0.05, label="How much", info="From 0, nothing, to 1, all of it.")
        buttons = begin_and_stop("mix-figure", "Draw the figure")
        figure = picture_box("The figure", "mix-figure", alt="Each face with the styles of each")
        status = gr.HTML("", elem_id="mix-figure-status")
        results = results_row("mix-figure", picture="⤓ Figure")

    def draw(
        visit: Visit, side: list[str] | None, top: list[str] | None, layers: list[str], amount: float
    ) -> Iterator[Any]:
        for now in draw_figure(visit, side or list(visit.faces), top or [], ",".join(layers), amount):
            if isinstance(now, Done):
                path, command = now.result
                yield path, command, ready(path), ""
            else:
                drawn, cells = now
                words = status_html(f"Picture {drawn} of {cells}", part=drawn / cells)
                yield gr.skip(), gr.skip(), gr.skip(), words

    work_on_click(
        page, buttons, draw, [faces, tops, given, strength], [figure, results.command, results.picture, status],
        api_name="mix_figure",
    )  # fmt: skip


def draw_figure(
    visit: Visit, names: Sequence[str], tops: Sequence[str], layers: str, strength: float
) -> Iterator[tuple[int, int] | Done[tuple[str, str]]]:
    """Draw the style-mixing matrix: each face with the styles of each.

    Args:
        visit: with the faces.
        names: of the receiving faces, down the side.
        tops: donors, along the top; the same ones if empty.
        layers: taken from the donors, such as ``coarse,middle``.
        strength: see ``Donor``.

    Yields:
        Pictures drawn and in all; finally the figure's path and the command line.

    Raises:
        InputError: there are too few faces or too many, or no layers.
    """
    from stylegan_latents.editing.mixing.pictures import check_cells, matrix_figure
    from stylegan_latents.editing.records.codes import record_code

    if len({*names, *tops}) < 2:
        raise InputError("The figure needs at least two faces; find or explore another one first.")
    if max(len(names), len(tops)) > _MOST_FACES:
        raise InputError(f"The figure takes up to {_MOST_FACES} faces a side; choose fewer.")
    if not layers:
        raise InputError("Choose the styles to mix: coarse, middle or fine.")
    studio, faces = visit.studio, [edited_face(visit, name) for name in names]
    donors = [edited_face(visit, name) for name in tops]
    rows, cells = studio.G.rows(layers), check_cells(len(faces), len(donors or faces))
    words = ["edit", "mix", *map(record_name, faces)]
    for donor in donors:
        words += ["--column", record_name(donor)]
    words += ["--matrix", "--layers", layers]
    words += [] if strength == 1 else ["--strength", f"{strength:g}"]

    def work(report: Callable[[int], None]) -> "Image":
        drawn = itertools.count(1)
        codes = [record_code(face.preview) for face in faces]
        along = [record_code(face.preview) for face in donors] or codes
        return matrix_figure(studio.preview_G, codes, along, rows, strength, on_picture=lambda: report(next(drawn)))

    for now in run_reporting(visit, work):
        if isinstance(now, Done):
            path = visit.files.store(now.result, "figure", suffix=".png", stem="figure")
            yield Done((path, studio.command_line(words)))
        else:
            yield now, cells
