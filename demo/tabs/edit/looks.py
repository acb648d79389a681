"""Looks: edits of one click, the visitor's own among them, and a grid of variations of a face."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import Page, answering, selected_index
from stylegan_latents.demo.page.results import choice_gallery
from stylegan_latents.demo.session.edited import edits_of
from stylegan_latents.demo.session.faces import Strengths
from stylegan_latents.demo.session.files import clean_name
from stylegan_latents.demo.session.view import is_view, seen, view_of
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError

LOOKS: dict[str, Strengths] = {
    "Smiling": {"smile": 2.0},
    "Laughing": {"smile": 2.5, "mouth-open": 1.5},
    "Serious": {"smile": -2.0},
    "Surprised": {"mouth-open": 2.0, "eyes-open": 1.5},
    "Older": {"age": 2.0},
    "Younger": {"age": -2.0},
    "More feminine": {"gender": -1.5},
    "More masculine": {"gender": 1.5},
    "Turned left": {"pose": -2.0},
    "Turned right": {"pose": 2.0},
}
"""Strengths by direction; those of a model's directions are offered."""

MOST_OWN, VARIATIONS = 12, 8
_SIDE = 256
_FARTHEST, _CHANGED = 2.0, 3
Look = tuple[str, Strengths]


def build(page: Page) -> tuple[gr.Gallery, gr.State, dict[str, Any]]:
    """Add the controls to the current Gradio context: the gallery, the looks in it, and those that change it."""
    looks = gr.State([])
    with gr.Accordion("Looks", open=False, elem_id="edit-looks-open") as whole:
        gallery = choice_gallery("edit-looks", label="Looks: click one", columns=4)
        with gr.Row():
            show = gr.Button("Show looks", size="sm", min_width=100, elem_id="edit-looks-show")
            vary = gr.Button("Show variations", size="sm", min_width=100, elem_id="edit-looks-vary")
        with gr.Row():
            name = gr.Textbox(
                label="Name of your look", info="It keeps the sliders as they are.", max_length=40,
                elem_id="edit-looks-name",
            )  # fmt: skip
            keep = gr.Button("Keep as a look", size="sm", min_width=100, elem_id="edit-looks-keep")
    if not page.studio.directions:
        whole.visible = False
    return gallery, looks, {"whole": whole, "show": show, "vary": vary, "name": name, "keep": keep}


def wire(page: Page, chooser: gr.Dropdown, gallery: gr.Gallery, looks: gr.State, controls: dict[str, Any]) -> None:
    """Connect the controls but for the click on a look, which moves the sliders of the tab."""

    def draw_all(visit: Visit, name: str | None, chosen: list[Look]) -> Iterator[Any]:
        drawn: list[tuple[str, str]] = []
        for (title, _), path in zip(chosen, draw(visit, name, [strengths for _, strengths in chosen]), strict=True):
            drawn.append((path, title))
            yield gr.Gallery(list(drawn), selected_index=None), chosen

    def show(visit: Visit, name: str | None) -> Iterator[Any]:
        yield from draw_all(visit, name, looks_of(visit))

    def vary(visit: Visit, name: str | None) -> Iterator[Any]:
        yield from draw_all(visit, name, variations(visit, name, random.Random()))

    def keep(visit: Visit, name: str | None, title: str) -> str:
        keep_look(visit, name, title)
        return ""

    quiet: Any = {"show_progress": "hidden", "api_visibility": "private"}
    shown = [gallery, looks]
    controls["show"].click(answering(show), [page.visit, chooser], shown, **quiet)
    controls["whole"].expand(answering(show), [page.visit, chooser], shown, **quiet)
    controls["vary"].click(answering(vary), [page.visit, chooser], shown, **quiet)
    controls["keep"].click(
        answering(keep), [page.visit, chooser, controls["name"]], controls["name"], **quiet
    ).success(answering(show), [page.visit, chooser], shown, **quiet)


def looks_of(visit: Visit) -> list[Look]:
    """The looks of the model's directions, and the visitor's own."""
    known = visit.all_directions
    offered = [(title, look) for title, look in LOOKS.items() if all(name in known for name in look)]
    return [*offered, *visit.looks.items()]


def variations(visit: Visit, name: str | None, chance: random.Random) -> list[Look]:
    """Random edits of a few directions each, beside those of the face.

    Args:
        visit, name: the visit and its face.
        chance: the source of random numbers.
    """
    now, known = visit.face(name).history.current, list(visit.all_directions)
    made = []
    for number in range(1, VARIATIONS + 1):
        moved = chance.sample(known, min(_CHANGED, len(known)))
        made.append((f"{number}", now | {one: round(chance.uniform(-_FARTHEST, _FARTHEST), 1) for one in moved}))
    return made


def draw(visit: Visit, name: str | None, looks: "list[Strengths]") -> Iterator[str]:
    """Draw a face with each look, small; yields the pictures' paths."""
    face = visit.face(name)
    size = min(_SIDE, visit.studio.preview_size)
    opened = seen(face.preview, face, face.history.current)
    for strengths in looks:
        with visit.computing():
            picture = opened.edited(edits_of(visit, strengths), size=size).picture
        yield visit.files.store(picture, "look", most=2 * (len(LOOKS) + MOST_OWN))


def keep_look(visit: Visit, name: str | None, title: str) -> None:
    """Keep the edits of a face as a look of this visit.

    Raises:
        InputError: there is no edit, no name, or no room; or the name is taken.
    """
    now = visit.face(name).history.current
    strengths = {one: strength for one, strength in now.items() if not is_view(one)}
    if not strengths:
        raise InputError("There is no edit to keep yet: move a slider first.")
    if not title.strip():
        raise InputError("Give the look a name first.")
    if clean_name(title) in visit.looks or title.strip() in LOOKS:
        raise InputError(f"There is a look '{title.strip()}' already; give this one another name.")
    if len(visit.looks) >= MOST_OWN:
        raise InputError(f"{MOST_OWN} looks are kept already.")
    visit.looks[clean_name(title)] = strengths


def wear(visit: Visit, name: str | None, look: Mapping[str, float]) -> None:
    """Make a look a step of the face's history; the camera stays where it is."""
    history = visit.face(name).history
    history.push({**look, **view_of(history.current)})


def chosen_look(looks: list[Look], event: gr.SelectData) -> Strengths:
    """The strengths of the look that was clicked."""
    return looks[selected_index(event, len(looks))][1]
