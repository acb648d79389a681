"""The tab Edit: upload, search, sliders, result; the handlers are in ``demo.tabs.edit.answers``."""

import functools
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from stylegan_latents.demo.page.page import AT_ONCE, QUIET, Page, Tab, answering, face_chooser
from stylegan_latents.demo.page.results import Results, choice_gallery, results_row
from stylegan_latents.demo.session.examples import examples
from stylegan_latents.demo.session.view import NUMBERS
from stylegan_latents.demo.session.visit import MOST_DIRECTIONS
from stylegan_latents.demo.tabs.edit import answers, by_text, intake, limits, looks, marking, search_panel
from stylegan_latents.demo.tabs.edit.sliders import camera_sliders, direction_sliders

_AT_ONCE = 12  # requests in the studio's queue; more wait in Gradio's


@dataclass(frozen=True)
class Controls:
    """The tab's controls by purpose."""

    photo: gr.Image
    align: gr.Checkbox
    found: gr.Gallery
    marking: marking.Panel
    number: gr.State
    search: search_panel.Panel
    status: gr.HTML
    chooser: gr.Dropdown
    compare: gr.ImageSlider
    undo: gr.Button
    redo: gr.Button
    reset: gr.Button
    view: gr.Radio
    results: Results
    sliders: list[gr.Slider]
    camera: list[gr.Slider]
    limits: limits.Panel


def build(page: Page) -> None:
    """See ``Tab.build``."""
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=3, min_width=260, elem_classes="intake"):
            photo = gr.Image(
                label="Your photo",
                alt_text="The photo that was uploaded",
                sources=["upload", "webcam", "clipboard"],
                type="filepath",
                image_mode=None,
                height=220,
                placeholder="# Drop a photo here\npaste one, or click to choose",
                webcam_options=gr.WebcamOptions(mirror=False),
                buttons=["fullscreen"],
                elem_id="edit-photo",
            )
            # The library's own reader checks the file and explains what is wrong.
            setattr(photo, "preprocess", intake.uploaded_path)  # noqa: B010
            found = choice_gallery("edit-found", label="Faces in it: choose one", visible=False, columns=4)
            panel = marking.build()
            search = search_panel.build(page)
            with gr.Accordion("Examples", open=True, elem_classes="examples"):
                shown = examples(page.studio)
                gallery = choice_gallery(
                    "edit-examples",
                    value=[(str(one.picture), one.title) for one in shown],
                    label="Examples",
                    show_label=False,
                    columns=4,
                    container=False,
                )
            with gr.Accordion("More ways to begin", open=False):
                align = gr.Checkbox(
                    True,
                    label="Look for faces",
                    info="Off: take the photo's central square as it is, for aligned crops.",
                )
                upload = gr.UploadButton(
                    "Open a record or a code",
                    file_types=[".safetensors", ".npz", ".npy", ".pt", ".pth", ".pkl"],
                    type="filepath",
                    size="sm",
                    elem_id="edit-upload-record",
                )
                gr.Markdown(
                    "A record holds a face's code; download one with *Record* below the picture. Codes of other "
                    "programs, such as `projected_w.npz`, open as well."
                )
        with gr.Column(scale=6, min_width=320, elem_classes="result"):
            compare = gr.ImageSlider(
                label="Before | after",
                type="filepath",
                buttons=["fullscreen"],
                max_height=760,
                elem_id="edit-compare",
            )
            with gr.Row(elem_classes="toolbar"):
                undo = gr.Button("↶ Undo", size="sm", min_width=70, interactive=False, elem_id="edit-undo")
                redo = gr.Button("↷ Redo", size="sm", min_width=70, interactive=False, elem_id="edit-redo")
                reset = gr.Button("Reset all", size="sm", min_width=80, interactive=False, elem_id="edit-reset")
                keep_edit = gr.Button(
                    "Keep this edit as a face", size="sm", scale=2, min_width=150, elem_id="edit-keep-edit"
                )
            status = gr.HTML(intake.WELCOME, elem_id="edit-status")
            view = gr.Radio(
                answers.VIEWS,
                value=answers.FACE,
                label="Before and after",
                info=answers.VIEW_HELP,
                elem_id="edit-view",
            )
            results = results_row("edit", record="⤓ Record")
            with gr.Row(elem_classes="toolbar"):
                for label, script in (
                    ("Copy", "copyPicture"),
                    ("Before and after", "saveSheet"),
                    ("Share", "sharePicture"),
                ):
                    gr.Button(label, size="sm", min_width=80, elem_id=f"edit-{script}").click(
                        None, js=f"() => window.{script}()", api_visibility="private"
                    )
        with gr.Column(scale=4, min_width=280, elem_classes="sliders"):
            chooser = face_chooser(page, "edit", info="Every face of this visit, from every tab.")
            gallery_of_looks, known_looks, for_looks = looks.build(page)
            camera = camera_sliders(page)
            sliders = direction_sliders(page)
            limit = limits.build(page)
            by_text.build(page, chooser)
    controls = Controls(
        photo, align, found, panel, gr.State(0), search, status, chooser, compare, undo, redo, reset, view, results,
        sliders, camera, limit,
    )  # fmt: skip
    _wire_intake(page, controls, gallery, upload)
    searched = search_panel.wire(page, search, photo, controls.number, (status, compare))
    searched.failure(search_panel.search_failed, chooser, [status, compare], **QUIET)
    _wire_edits(page, controls, searched, gallery_of_looks, known_looks)
    chooser.input(answering(answers.make_current), [page.visit, chooser], page.version, api_visibility="private")
    limits.wire(page, limit, chooser)
    looks.wire(page, chooser, gallery_of_looks, known_looks, for_looks)
    keep = functools.partial(answers.keep_edit, receivers=[tab.name for tab in page.receivers])
    keep_edit.click(
        answering(keep), [page.visit, chooser], [status, page.version], show_progress="hidden", api_name="keep_edit"
    )


def _wire_intake(page: Page, controls: Controls, gallery: gr.Gallery, upload: gr.UploadButton) -> None:
    """Connect uploads of photos and records, and examples."""
    c = controls
    taken: Any = [c.found, c.number, c.search.start, c.status, c.marking.whole, c.marking.picture]
    quiet: Any = {"api_visibility": "undocumented"}
    quick: Any = quiet | AT_ONCE
    received = c.photo.input(intake.look_for_faces, None, [c.search.start, c.status], **quick).then(
        answering(intake.receive), [page.visit, c.photo, c.align], taken, show_progress="hidden", api_name="photo"
    )
    received.failure(answering(intake.after_failure), page.visit, taken, **quick)
    page.returned.change(answering(intake.show_again), page.visit, [c.photo, *taken], **quick)
    # Gradio takes the camera away while an event is under way that may change the photo, so such events are rare.
    readable = gr.State(None)
    received.success(answering(intake.readable), page.visit, readable, **quick)
    readable.change(lambda path: path, readable, c.photo, **quick)
    c.photo.clear(answering(intake.forget), page.visit, taken, **quiet)
    c.found.select(answering(intake.choose_found), page.visit, [c.number, c.status], **quiet)
    for event, mark in (
        (c.marking.picture.select, marking.click),
        (c.marking.undo.click, marking.undo),
        (c.marking.clear.click, marking.clear),
    ):
        event(answering(mark), page.visit, taken, show_progress="hidden", **quiet)
    gallery.select(answering(intake.take_example), page.visit, [c.photo, *taken, page.version], api_name="example")
    upload.upload(answering(intake.open_record), [page.visit, upload], [page.version, c.status], api_name="record")


def _wire_edits(
    page: Page, controls: Controls, searched: Dependency, gallery: gr.Gallery, known_looks: gr.State
) -> None:
    """Connect sliders, history, views and downloads."""
    c = controls
    shown: Any = [page.visit, c.chooser, c.view]
    sliders = [*c.sliders, *c.camera]
    edit: Any = [*shown, *sliders]
    at_rest = gr.State(-1)
    buttons: Any = [c.undo, c.redo, c.reset]
    resting: Any = [c.compare, c.results.picture, c.results.record, c.results.command, *buttons]
    live: Any = {"show_progress": "hidden", "trigger_mode": "always_last"}
    rest: Any = {"concurrency_limit": _AT_ONCE, "concurrency_id": "rest", "api_visibility": "undocumented", **live}
    # A preview at once, and full resolution at rest.
    names = [*page.studio.directions, *[None] * MOST_DIRECTIONS]
    moves = [functools.partial(answers.move, number=number) for number in range(len(names))]
    names += [f"camera_{number.name}" for number in NUMBERS[: len(c.camera)]]
    moves += [functools.partial(answers.turn, number=number) for number in range(len(c.camera))]
    for name, slider, move in zip(names, sliders, moves, strict=True):
        visible: Any = {"api_visibility": "undocumented"} if name is None else {"api_name": f"preview_{name}"}
        moved = slider.input(
            answering(move),
            [*shown, slider],
            c.compare,
            concurrency_limit=_AT_ONCE,
            concurrency_id="preview",
            **visible,
            **live,
        )
        moved.then(
            answers.wait_for_rest,
            page.visit,
            at_rest,
            **rest | {"concurrency_limit": None, "concurrency_id": "at-rest"},
        )
    at_rest.change(answering(answers.draw_at_rest), [*shown, at_rest, *sliders], resting, **rest)
    gr.on(
        [c.view.input, *(slider.release for slider in sliders)],
        answering(answers.draw),
        edit,
        resting,
        **rest | {"api_name": "draw"},
    )
    searched.failure(answering(answers.draw), edit, resting, **rest)
    faced: Any = [c.view, *sliders]
    known: Any = [page.visit, c.chooser]
    for event, answer, given, changed in (
        (c.chooser.change, answers.show_face, known, [c.status, *faced]),
        (c.undo.click, answers.undo, known, faced),
        (c.redo.click, answers.redo, known, faced),
        (c.reset.click, answers.reset, known, faced),
        (gallery.select, answers.wear, [*known, known_looks], faced),
        (c.limits.set_at.change, answers.show_edits, known, faced),
        (c.limits.regions.input, limits.choose_regions, [*known, c.limits.regions], c.limits.mask),
        (c.limits.use.click, limits.use_painted, [*known, c.limits.paint], [c.limits.regions, c.limits.mask]),
    ):
        # The sliders first, so that a move while the picture is drawn is not lost.
        event(
            answering(answer), given, changed, api_visibility="undocumented", **AT_ONCE
        ).success(
            answering(answers.preview), shown, c.compare, **rest | {"concurrency_id": "shown"}
        ).success(answering(answers.draw), edit, resting, **rest)  # fmt: skip
    page.version.change(
        answering(answers.show_kept),
        page.visit,
        c.sliders[len(page.studio.directions) :],
        show_progress="hidden",
        api_visibility="undocumented",
    )


TAB = Tab("Edit", "edit", build)
