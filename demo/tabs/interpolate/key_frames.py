"""Key frames: faces in an order that the visitor sets."""

from collections.abc import Callable
from typing import Any, Literal

import gradio as gr

from stylegan_latents.demo.page.page import QUIET, Page, answering, face_chooser, selected_index
from stylegan_latents.demo.page.results import choice_gallery
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError

Move = Literal["earlier", "later", "remove"]


def key_frames(page: Page, tab: str, *, most: int) -> gr.State:
    """Make the controls.

    Args:
        page, tab: the page and the tab's id.
        most: the largest number of key frames.

    Returns:
        The state that holds the names of the faces in order.
    """
    keys, chosen = gr.State([]), gr.State(None)
    with gr.Row(equal_height=True):
        chooser = face_chooser(page, tab, label="Face", info="Every face of this visit.")
        with gr.Column(min_width=100):
            add = gr.Button("Add this face", elem_id=f"{tab}-add")
            add_all = gr.Button("Add all faces", elem_id=f"{tab}-add-all")
    gr.Markdown("Key frames in order; choose one to move it.", elem_classes="hint")
    row = choice_gallery(f"{tab}-keys", label="Key frames", show_label=False, columns=5, height=170)
    with gr.Row():
        labels: dict[Move, str] = {"earlier": "← Earlier", "later": "Later →", "remove": "Remove"}
        moves = {
            move: gr.Button(label, size="sm", interactive=False, min_width=80, elem_id=f"{tab}-{move}")
            for move, label in labels.items()
        }

    def shown(visit: Visit, names: list[str], index: int | None) -> Any:
        pictures = [
            (str(edited_face(visit, name).before), f"{place}: {name}") for place, name in enumerate(names, 1)
        ]
        usable = index is not None
        return (
            names,
            index,
            gr.Gallery(pictures, selected_index=index),
            gr.Button(interactive=usable and index != 0),
            gr.Button(interactive=usable and index != len(names) - 1),
            gr.Button(interactive=usable),
        )

    def put(visit: Visit, names: list[str], face: str | None) -> Any:
        return shown(visit, with_key(names, visit.face(face).name, most), None)

    def put_all(visit: Visit, names: list[str]) -> Any:
        if not visit.faces:
            visit.face(None)
        for name in visit.faces:
            names = with_key(names, name, most)
        return shown(visit, names, None)

    def choose(visit: Visit, names: list[str], event: gr.SelectData) -> Any:
        return shown(visit, names, selected_index(event, len(names)) if event.selected else None)

    def moved(move: Move) -> Callable[..., Any]:
        def change(visit: Visit, names: list[str], index: int | None) -> Any:
            return shown(visit, *move_key(names, index, move))

        return change

    def drop_missing(visit: Visit | None, names: list[str]) -> Any:
        if visit is None or all(name in visit.faces for name in names):
            return [gr.skip()] * len(outputs)
        return shown(visit, [name for name in names if name in visit.faces], None)

    outputs = [keys, chosen, row, *moves.values()]
    page.version.change(drop_missing, [page.visit, keys], outputs, **QUIET)
    add.click(answering(put), [page.visit, keys, chooser], outputs, **QUIET)
    add_all.click(answering(put_all), [page.visit, keys], outputs, **QUIET)
    row.select(answering(choose), [page.visit, keys], outputs, **QUIET)
    for move, button in moves.items():
        button.click(answering(moved(move)), [page.visit, keys, chosen], outputs, **QUIET)
    return keys


def with_key(names: list[str], name: str, most: int) -> list[str]:
    """The names with one more at the end.

    Raises:
        InputError: there are ``most`` already.
    """
    if len(names) >= most:
        raise InputError(f"A film here has up to {most} key frames; remove one first.")
    return [*names, name]


def move_key(names: list[str], index: int | None, move: Move) -> tuple[list[str], int | None]:
    """The names after moving one of them, and its new index; None if it was removed.

    Raises:
        InputError: none is chosen.
    """
    if index is None or not 0 <= index < len(names):
        raise InputError("Choose a key frame first.")
    rest = [*names[:index], *names[index + 1 :]]
    if move == "remove":
        return rest, None
    place = min(max(index + (-1 if move == "earlier" else 1), 0), len(rest))
    return [*rest[:place], names[index], *rest[place:]], place
