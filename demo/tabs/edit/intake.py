"""Handlers of the photos, records and examples that come into the tab Edit: each function answers one event."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import selected_index, sentence
from stylegan_latents.demo.page.running import status_html
from stylegan_latents.demo.session import photos
from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.uploads import Photo
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit import answers, marking
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.detector import NoFaceError

if TYPE_CHECKING:
    from gradio.data_classes import ImageData

_UNSHOWN = {".heic", ".heif", ".tif", ".tiff", ".jp2", ".ppm", ".pgm"}

WELCOME = status_html("Drop a photo, click an example, or explore samples.")


def uploaded_path(payload: "ImageData | None") -> str | None:
    """The path of an upload, which Gradio does not open."""
    return None if payload is None else payload.path


def receive(visit: Visit, upload: str | None, align: bool) -> tuple[Any, ...]:
    """A photo was uploaded: detect its faces; if there is none, ``after_failure`` lets the visitor mark one."""
    if upload is None:
        return forget(visit)
    visit.refusal = ""
    try:
        photo = photos.receive(visit, upload, align=align)
    except NoFaceError:
        photos.begin_marking(visit, upload)
        raise
    except InputError as error:
        visit.refusal = sentence(error, visit)
        raise
    return _received(photo)


def _received(photo: Photo) -> tuple[Any, ...]:
    several = len(photo.faces) > 1
    titles = [f"Face {i}" for i in range(len(photo.thumbnails))]
    found = gr.Gallery(
        value=list(zip(photo.thumbnails, titles, strict=True)),
        visible=several,
        selected_index=photo.largest if several else None,
    )
    words = f"{len(photo.faces)} faces found; choose one." if several else "Ready."
    status = status_html(f"{photos.reduction(photo)}{words} “Find this face” searches its code.")
    return found, photo.largest, gr.Button(interactive=True), status, *marking.hidden()


def readable(visit: Visit) -> Any:
    """A copy to show of a photo of a kind that browsers do not show, such as HEIC."""
    photo = visit.photo
    if photo is None or photo.path.suffix.lower() not in _UNSHOWN:
        return gr.skip()
    return visit.files.store(photos.shown(photo.read()), "photo", stem=Path(photo.name).stem)


def show_again(visit: Visit) -> tuple[Any, ...]:
    """An earlier visit was found again: show its last photo."""
    if visit.marking is not None:
        return str(visit.marking.path), *marking.shown(visit)
    return (None, *forget(visit)) if visit.photo is None else (str(visit.photo.path), *_received(visit.photo))


def look_for_faces() -> tuple[Any, ...]:
    """A photo was uploaded and is about to be read."""
    return gr.Button(interactive=False), status_html("Looking for faces …")


def after_failure(visit: Visit) -> tuple[Any, ...]:
    """A photo was refused; the reason stays in sight. If no face was detected, let the visitor mark one."""
    if visit.marking is not None:
        return marking.shown(visit)
    found, number, start, status, *panel = forget(visit)
    return found, number, start, status_html(visit.refusal, kind="bad") if visit.refusal else status, *panel


def forget(visit: Visit) -> tuple[Any, ...]:
    """The photo was removed."""
    visit.photo = visit.marking = None
    return gr.Gallery(value=None, visible=False), 0, gr.Button(interactive=False), WELCOME, *marking.hidden()


def choose_found(visit: Visit, event: gr.SelectData) -> tuple[int, str]:
    """Another face of the photo was chosen."""
    number = selected_index(event, 0 if visit.photo is None else len(visit.photo.thumbnails))
    return number, status_html(f"Face {number} is chosen.")


def take_example(visit: Visit, event: gr.SelectData) -> tuple[Any, ...]:
    """An example was clicked: take it as an upload or add the sample's face."""
    example = visit.studio.examples[selected_index(event, len(visit.studio.examples))]
    if example.photo is not None:
        path = visit.files.new_path(example.photo.stem, example.photo.suffix)
        path.write_bytes(example.photo.read_bytes())
        return str(path), *receive(visit, str(path), True), visit.version
    face = seed_face(visit, example.seed or 0)
    visit.send(face, "edit")
    return *[gr.skip()] * 4, answers.about(face), gr.skip(), gr.skip(), visit.version


def open_record(visit: Visit, upload: str | None) -> tuple[int, str]:
    """A record was uploaded."""
    if upload is None:
        raise InputError("No file arrived; choose the record again.")
    path = visit.take(upload)
    try:
        face = visit.open(path)
    finally:
        path.unlink(missing_ok=True)
    visit.send(face, "edit")
    return visit.version, answers.about(face)
