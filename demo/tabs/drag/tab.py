"""The tab Drag: points of the picture are dragged to their targets."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import QUIET, Page, Tab, answering, face_chooser, selected_place
from stylegan_latents.demo.page.painting import paint_box, painted_mask, save_mask
from stylegan_latents.demo.page.results import (
    download_picture,
    not_ready,
    picture_box,
    ready,
    results_row,
    whole_edit_note,
)
from stylegan_latents.demo.page.running import Done, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.drag.dragging import (
    DEFAULT_RATE,
    EVERYTHING,
    PAINTED,
    DragRequest,
    drag_face,
    draw_points,
)
from stylegan_latents.editing.regions.regions import REGIONS
from stylegan_latents.generator.errors import InputError

Points = list[tuple[float, float]]
"""A point, its target, the next point, and so on."""

_FIRST = status_html("Pull a point of the picture to its target, or click on a point that is to move.")
# ``drag.js`` reads the kind.
_SECOND = status_html("Click on the target of that point.", kind="target")
_DEFAULT_STEPS = 200
_ARRIVED, _SHORT = "The points have arrived.", "Not every point has arrived."


def build(page: Page) -> None:
    """See ``Tab.build``."""
    side = page.studio.G.resolution
    gr.Markdown(
        "Pull a point of the face to where it is to go, or click on both: the corner of the mouth up, the chin to "
        "the left. The face follows, as far as the model can."
    )
    points = gr.State([])
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=5, min_width=320):
            face = face_chooser(page, "drag", label="Face", info="A face of this visit.")
            whole_edit_note(page, "drag")
            hint = gr.HTML(_FIRST, elem_id="drag-hint")
            picture = picture_box(
                "Pull a point, or click it and its target",
                "drag-points",
                alt="The face, with the points",
                buttons=[],
            )
            with gr.Row():
                undo = gr.Button("↶ Undo click", size="sm", min_width=80, elem_id="drag-undo")
                clear = gr.Button("Clear", size="sm", min_width=80, elem_id="drag-clear")
            with gr.Accordion("Points by numbers", open=False, elem_id="drag-numbers"):
                with gr.Row():
                    numbers = [
                        gr.Number(
                            None, precision=0, minimum=0, maximum=side - 1, label=label, min_width=70,
                            info=f"0 to {side - 1}", elem_id=f"drag-{name}",
                        )
                        for label, name in (
                            ("From x", "from-x"), ("From y", "from-y"), ("To x", "to-x"), ("To y", "to-y")
                        )
                    ]  # fmt: skip
                add = gr.Button("Add the pair", elem_id="drag-add")
            where = gr.Dropdown(
                [("the whole picture", EVERYTHING), *((f"the {name}", name) for name in REGIONS),
                 ("what I paint", PAINTED)],
                value=_first_region(page.studio.G.name), label="What may change",
                info="The rest is kept. The smaller the region, the more the person stays the same.",
                elem_id="drag-where",
            )  # fmt: skip
            canvas = (page.studio.preview_size, page.studio.preview_size)
            paint = paint_box("Paint what may change", "drag-paint", canvas, visible=False)
            steps = gr.Slider(
                10, 300, _DEFAULT_STEPS, step=10, label="Maximum steps",
                info="It ends earlier if all points arrive.", elem_id="drag-steps",
            )  # fmt: skip
            rate = gr.Slider(
                0.002, 0.02, DEFAULT_RATE, step=0.002, label="Step size",
                info="Smaller is slower and changes less of the rest.", elem_id="drag-rate",
            )  # fmt: skip
            buttons = begin_and_stop("drag", "Drag", "Stop and keep")
        with gr.Column(scale=5, min_width=320, elem_classes="result"):
            after = picture_box("The dragged face", "drag-after")
            status = gr.HTML("", elem_id="drag-status")
            results = results_row("drag", record="⤓ Record")
            mask_file = gr.DownloadButton("⤓ Mask", size="sm", visible=False, elem_id="drag-mask")
    assert results.record is not None

    def show(visit: Visit, name: str | None) -> Any:
        if not name:
            return None, [], _FIRST, gr.skip()
        # The canvas keeps its background for longer than a picture with points is kept.
        return draw_points(visit, name, []), [], _FIRST, gr.ImageEditor(str(edited_face(visit, name).before))

    def show_edited(visit: Visit, name: str | None, last: str) -> Any:
        # Sliders may have been moved on Edit since the face was shown here.
        now = str(edited_face(visit, name).before) if name else ""
        return [gr.skip()] * 5 if now == last else (now, *show(visit, name))

    def redraw(visit: Visit, name: str | None, now: Points) -> Any:
        return now, draw_points(visit, name, now), _SECOND if len(now) % 2 else _FIRST

    def click(visit: Visit, name: str | None, now: Points, event: gr.SelectData) -> Any:
        return redraw(visit, name, [*now, _on_full(selected_place(event), page.studio.preview_size, side)])

    def typed(visit: Visit, name: str | None, now: Points, *values: float | None) -> Any:
        if len(now) % 2:
            raise InputError("Click on the target of the last point first, or undo it.")
        x, y, to_x, to_y = (-1.0 if value is None else float(value) for value in values)
        if not all(0 <= value <= side - 1 for value in (x, y, to_x, to_y)):
            raise InputError(f"Give all four numbers, each from 0 to {side - 1}.")
        return redraw(visit, name, [*now, (x, y), (to_x, to_y)])

    def back(visit: Visit, name: str | None, now: Points) -> Any:
        return redraw(visit, name, now[:-1])

    def none(visit: Visit, name: str | None) -> Any:
        return redraw(visit, name, [])

    def drag(
        visit: Visit, name: str | None, now: Points, kind: str, painted: Any, most: float, far: float
    ) -> Iterator[Any]:
        mask = save_mask(visit, painted_mask(painted)) if kind == PAINTED else None
        request = DragRequest(tuple(now), kind if mask is None else str(mask), int(most), float(far))
        for news in drag_face(visit, name, request):
            if isinstance(news, Done):
                done = news.result
                file = gr.DownloadButton(visible=mask is not None, value=None if mask is None else str(mask))
                yield (
                    visit.files.store(done.picture, "drag-after"),
                    download_picture(visit, done.picture, "drag", done.face.name),
                    ready(str(done.face.record.path)),
                    done.face.made_by,
                    file,
                    visit.version,
                    status_html(
                        f"Kept as the face “{done.face.name}”. {_ARRIVED if done.reached else _SHORT}",
                        kind="good" if done.reached else "",
                        details=done.summary,
                    ),
                )
            else:
                words = f"Step {news.step} of {news.steps} at most; {news.distance:.0f} pixels to go"
                line = status_html(words, part=news.step / news.steps)
                yield news.picture, not_ready(), not_ready(), "", gr.skip(), gr.skip(), line

    # One after the other: a face that is shown late must not take away the points that were clicked meanwhile.
    quick: dict[str, Any] = {
        "show_progress": "hidden", "api_visibility": "private", "concurrency_id": "drag", "concurrency_limit": 1,
    }  # fmt: skip
    drawn = gr.State("")
    gr.on(
        [face.change, page.tabs.select], answering(show_edited), [page.visit, face, drawn],
        [drawn, picture, points, hint, paint], trigger_mode="always_last", **quick,
    )  # fmt: skip
    where.change(lambda kind: gr.ImageEditor(visible=kind == PAINTED), where, paint, **QUIET)
    shown = [points, picture, hint]
    # Each of several quick clicks counts, one after the other.
    picture.select(answering(click), [page.visit, face, points], shown, trigger_mode="multiple", **quick)
    undo.click(answering(back), [page.visit, face, points], shown, **quick)
    clear.click(answering(none), [page.visit, face], shown, **quick)
    add.click(answering(typed), [page.visit, face, points, *numbers], shown, **quick)
    work_on_click(
        page, buttons, drag, [face, points, where, paint, steps, rate],
        [after, results.picture, results.record, results.command, mask_file, page.version, status],
        api_name="drag", keep=True,
    )  # fmt: skip


def _first_region(model: str) -> str:
    """The preset of what may change: the face for a model of faces, else everything."""
    from stylegan_latents.generator.weights.zoo import models

    entry = models().get(model)
    return "face" if entry is not None and entry.domain == "faces" else EVERYTHING


def _on_full(place: tuple[float, float], shown: int, full: int) -> tuple[float, float]:
    """Convert a point of the shown picture to whole pixels of the full one."""
    x, y = (min(max(round((value + 0.5) * full / shown - 0.5), 0), full - 1) for value in place)
    return float(x), float(y)


TAB = Tab("Drag", "drag", build)
