"""The tab Album: several photos at once, each a face, and a model of one person for further photos."""

from collections.abc import Iterator
from typing import Any, Literal, get_args

import gradio as gr

from stylegan_latents.demo.page.page import AT_ONCE, QUIET, Page, Tab, answering
from stylegan_latents.demo.page.results import choice_gallery, not_ready, picture_box, ready, results_row
from stylegan_latents.demo.page.running import Done, Stage, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.album.person import make_person, open_person
from stylegan_latents.demo.tabs.album.photos import (
    MOST_PHOTOS,
    add_photos,
    command_of_faces,
    faces_of,
    find_each,
    remove_photos,
)
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.inverters.options import Quality

Task = Literal["faces", "person"]
_TASKS: dict[str, Task] = {"Find each face": "faces", "Make a model of one person": "person"}
_STOP: dict[Task, str] = {"faces": "Stop, keep what is found", "person": "Stop"}
_ANYBODY = ""
_TYPES = ["image", ".heic", ".heif", ".tif", ".tiff"]


def build(page: Page) -> None:
    """See ``Tab.build``."""
    gr.Markdown(
        "Several photos at once: find the face of each, or make a model of the person whom they show. That model "
        "gives closer results for further photos of the person."
    )
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=5, min_width=320):
            files = gr.File(
                label=f"Photos, up to {MOST_PHOTOS}", file_count="multiple", file_types=_TYPES, height=150,
                elem_id="album-files",
            )  # fmt: skip
            photos = choice_gallery("album-photos", label="The album", columns=6, height=140)
            with gr.Row():
                align = gr.Checkbox(
                    True, label="Look for faces", info="Off: take the central squares.", min_width=140
                )
                remove = gr.Button("Remove all", size="sm", min_width=100, elem_id="album-remove")
            task = gr.Radio(
                list(_TASKS.items()), value="faces", label="What to do", elem_id="album-task",
                info="A model needs three photos of the person or more; others in them are left out.",
            )  # fmt: skip
            with gr.Row():
                quality = gr.Radio(
                    [(one.capitalize(), one) for one in get_args(Quality)], value="good", label="Search",
                    min_width=200, elem_classes="search",
                    info="Best takes twice as long as good, draft half; instant is a first look.",
                )  # fmt: skip
                name = gr.Textbox(
                    label="Name of the person", info="And of the model.", max_length=40, visible=False,
                    min_width=140, elem_id="album-name",
                )  # fmt: skip
                with gr.Column(min_width=200) as with_person:
                    person = gr.Dropdown(
                        [("anybody", _ANYBODY)], value=_ANYBODY, label="Model",
                        info="Of the person whose faces are searched.", elem_id="album-person",
                    )  # fmt: skip
                    every = gr.Checkbox(False, label="Every face of a photo", info="Off: the largest alone.")
            buttons = begin_and_stop("album", "Begin", _STOP["faces"])
            upload = gr.UploadButton(
                "Open a model", file_types=[".safetensors"], type="filepath", size="sm",
                elem_id="album-upload",
            )  # fmt: skip
        with gr.Column(scale=5, min_width=320, elem_classes="result"):
            now = picture_box("The newest step", "album-now")
            status = gr.HTML(status_html("Drop some photos."), elem_id="album-status")
            results = results_row("album", picture="⤓ Model of the person")

    def thumbnails(visit: Visit) -> list[tuple[str, str]]:
        return [(photo.thumbnail, photo.name) for photo in visit.album]

    def take(visit: Visit, paths: list[str] | None, align: bool) -> Iterator[Any]:
        for item in add_photos(visit, paths or [], align=align):
            if isinstance(item, Stage):
                yield gr.skip(), thumbnails(visit), item.status
            else:
                # What was taken stands in the gallery.
                yield None, thumbnails(visit), _summary(f"{faces_of(visit.album)}.", item)

    def take_away(visit: Visit) -> Any:
        remove_photos(visit)
        return [], status_html("Drop some photos.")

    def work(visit: Visit, task: Task, quality: Quality, name: str, person: str, every: bool) -> Iterator[Any]:
        yield from _person(visit, name, quality) if task == "person" else _faces(visit, quality, person, every)

    def list_people(visit: Visit | None, chosen: str) -> Any:
        if visit is None:
            return gr.skip()
        names = [("anybody", _ANYBODY), *((one, one) for one in visit.people)]
        return gr.Dropdown(names, value=chosen if chosen in visit.people else _ANYBODY)

    def opened(visit: Visit, path: str | None) -> Any:
        kept = open_person(visit, path or "")
        return visit.version, ready(str(kept.path)), status_html(f"Opened the model of {kept.name}.", kind="good")

    def show_again(visit: Visit) -> Any:
        return thumbnails(visit), status_html(f"{faces_of(visit.album)}." if visit.album else "Drop some photos.")

    quiet: Any = {"show_progress": "hidden"}
    files.upload(
        answering(take), [page.visit, files, align], [files, photos, status], api_name="album_photos", **quiet
    )
    remove.click(answering(take_away), page.visit, [photos, status], **QUIET)
    task.change(
        lambda task: (
            gr.Textbox(visible=task == "person"),
            gr.Column(visible=task == "faces"),
            gr.Button(_STOP[task]),
        ),
        task,
        [name, with_person, buttons[1]],
        **QUIET,
    )
    page.version.change(list_people, [page.visit, person], person, **QUIET)
    page.returned.change(answering(show_again), page.visit, [photos, status], **QUIET)
    upload.upload(
        answering(opened), [page.visit, upload], [page.version, results.picture, status], api_name="open_person",
        **AT_ONCE,
    )  # fmt: skip
    work_on_click(
        page, buttons, work, [task, quality, name, person, every],
        [now, results.command, results.picture, person, page.version, status], api_name="album", keep=True,
        search=True,
    )  # fmt: skip


def _faces(visit: Visit, quality: Quality, person: str, every: bool) -> Iterator[Any]:
    """Find each face; the outputs are those of the tab's work."""
    if person not in ("", *visit.people):
        raise InputError(f"There is no model of '{person}' in this visit; choose another one.")
    before = set(visit.faces)
    skip = gr.skip()
    for item in find_each(visit, quality=quality, person=visit.people.get(person), every=every):
        found = [name for name in visit.faces if name not in before]
        command = command_of_faces(visit, found)
        if isinstance(item, Stage):
            yield skip if item.picture is None else item.picture, command, skip, skip, visit.version, item.status
        else:
            words = f"Found {len(found)} face{'' if len(found) == 1 else 's'}, which every tab can use now."
            yield skip, command, skip, skip, visit.version, _summary(words, item)


def _person(visit: Visit, name: str, quality: Quality) -> Iterator[Any]:
    """Make a person's model; the outputs are those of the tab's work."""
    skip = gr.skip()
    for item in make_person(visit, name, quality=quality):
        if isinstance(item, Done):
            kept, others = item.result
            words = f"Made the model of {kept.name}. “Find each face” can use it for further photos."
            left_out = [f"{other}: shows other people, and was left out" for other in others]
            names = [("anybody", _ANYBODY), *((one, one) for one in visit.people)]
            chosen = gr.Dropdown(names, value=kept.name)
            yield skip, kept.made_by, ready(str(kept.path)), chosen, visit.version, _summary(words, left_out)
        else:
            yield skip, skip, not_ready(), skip, skip, item.status


def _summary(words: str, refused: list[str]) -> str:
    """The end of work on photos, with what was refused."""
    if not refused:
        return status_html(words, kind="good")
    return status_html(f"{words} Left out: {'; '.join(refused)}", kind="bad")


TAB = Tab("Album", "album", build, takes_faces=False)
