"""A face changed to fit a text, where the demo has CLIP."""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import Page
from stylegan_latents.demo.page.results import record_name
from stylegan_latents.demo.page.running import Done, run_reporting, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.editing.records.outputs import file_name
from stylegan_latents.generator.errors import InputError

_STEPS, _MOST_STEPS, _LONGEST = 100, 300, 200


def build(page: Page, chooser: gr.Dropdown) -> None:
    """Add the controls to the current Gradio context, if there is CLIP; ``chooser`` is that of the face."""
    if page.studio.texts is None:
        return
    with gr.Accordion("By a text", open=False, elem_id="edit-words-open"):
        wanted = gr.Textbox(
            label="Text", info="What the picture is to show, in English: a smiling face with a beard.",
            max_length=_LONGEST, elem_id="edit-words",
        )  # fmt: skip
        steps = gr.Slider(
            20,
            _MOST_STEPS,
            _STEPS,
            step=20,
            label="Steps",
            info="More steps change the face more.",
            elem_id="edit-words-steps",
        )
        buttons = begin_and_stop("edit-words", "Change the face", "Stop and keep")
        status = gr.HTML("", elem_id="edit-words-status")

    def change(visit: Visit, name: str | None, text: str, most: float) -> Iterator[Any]:
        for now in change_face(visit, name, text, int(most)):
            if isinstance(now, Done):
                visit.send(now.result, "edit")
                yield visit.version, status_html(f"Kept as the face “{now.result.name}”.", kind="good")
            else:
                yield gr.skip(), status_html(f"Step {now} of {int(most)}", part=now / most)

    work_on_click(
        page, buttons, change, [chooser, wanted, steps], [page.version, status], api_name="words", keep=True
    )


def change_face(visit: Visit, name: str | None, text: str, steps: int) -> Iterator[int | Done[Face]]:
    """Change a face to fit a text, as ``edit text`` does, and add the result to the visit as a face.

    Args:
        visit: with the face.
        name: of the face.
        text: what its picture is to show.
        steps: of the search.

    Yields:
        Steps done, and finally the face.

    Raises:
        InputError: there is no such face, no text, no CLIP, or no room for another face.
        StoppedError: the visitor stopped it before the first step.
    """
    from stylegan_latents.editing.records.codes import record_code
    from stylegan_latents.editing.text.optimizer import TextOptimized, TextOptimizer, text_record

    texts = visit.studio.texts
    if texts is None:
        raise InputError("This demo has no CLIP; start it with --clip.")
    text, face = text.strip(), edited_face(visit, name)
    if not text:
        raise InputError("Say what the picture is to show, such as: a smiling face.")
    if not 1 <= steps <= _MOST_STEPS:
        raise InputError(f"A change by a text takes from 1 to {_MOST_STEPS} steps here, not {steps}.")
    visit.check_room()
    search = TextOptimizer(face.record.generator, texts.model, steps=steps)

    def work(report: Callable[[int], None]) -> TextOptimized:
        code = record_code(face.record)
        return search.optimize(
            code.ws, text, noise=code.noise_or_const, progress=lambda done, _whole: report(done), keep_partial=True
        )

    for now in run_reporting(visit, work):
        if not isinstance(now, Done):
            yield now
            continue
        words = ["edit", "text", text, record_name(face), "--steps", str(steps), "--weights", texts.weights]
        stem = file_name([face.name, "text", text], "")
        record = text_record(face.record.inversion, search, text, now.result)
        yield Done(visit.add(record, stem, photo=face.photo, made_by=visit.studio.command_line(words), writes=stem))
