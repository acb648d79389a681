"""The sliders of the tab Edit: one for each direction, in groups."""

from typing import TYPE_CHECKING

import gradio as gr

from stylegan_latents.demo.page.page import Page, markdown_text
from stylegan_latents.demo.session.view import NUMBERS, STEP, slider_range
from stylegan_latents.demo.session.visit import MOST_DIRECTIONS

if TYPE_CHECKING:
    from stylegan_latents.editing.directions.direction import Direction

GROUPS = {
    "Head": ("pose", "pitch"),
    "Expression": ("smile", "mouth-open", "eyes-open"),
    "Person": ("age", "gender"),
    "Light": ("light",),
}
"""Names of shipped directions by group; others come last."""

_OTHERS = "More"
FARTHEST = 4


def direction_sliders(page: Page) -> list[gr.Slider]:
    """A slider for each direction of the model, in groups, and hidden ones for directions kept later."""
    directions = page.studio.directions
    grouped = {name for names in GROUPS.values() for name in names}
    groups = {title: [name for name in names if name in directions] for title, names in GROUPS.items()}
    groups[_OTHERS] = [name for name in directions if name not in grouped]
    made = {}
    for title, names in groups.items():
        if names:
            with gr.Group(elem_classes="directions"):
                gr.Markdown(f"## {title}")
                for name in names:
                    made[name] = _slider(name, direction_help(directions[name]))
    if not directions:
        gr.Markdown("This model has no directions yet: find and keep some on the tab Discover.")
    with gr.Column(elem_classes="kept"):
        kept = [_slider("", "", visible=False) for _ in range(MOST_DIRECTIONS)]
    gr.Markdown(
        "1 is one standard deviation of what a direction changes. Double-click a slider to reset it.",
        elem_classes="hint",
    )
    return [*(made[name] for name in directions), *kept]


def camera_sliders(page: Page) -> list[gr.Slider]:
    """A slider for each number of the camera, if the model has one."""
    G = page.studio.G
    if G.camera is None:
        return []
    with gr.Group(elem_classes="directions"):
        gr.Markdown("## Camera, in degrees")
        made = []
        for number in NUMBERS:
            made.append(
                gr.Slider(
                    *slider_range(number, G), step=STEP, label=number.label, info=number.info,
                    buttons=["reset"], elem_classes="direction", elem_id=f"camera-{number.name}",
                )
            )  # fmt: skip
    return made


def _slider(name: str, info: str, *, visible: bool = True) -> gr.Slider:
    return gr.Slider(
        -FARTHEST,
        FARTHEST,
        0,
        step=0.1,
        label=name.replace("-", " ").capitalize(),
        info=info,
        visible=visible,
        buttons=["reset"],
        elem_classes="direction",
        elem_id=f"direction-{name}" if name else None,
    )


def direction_help(direction: "Direction") -> str:
    """The effects of positive and negative strengths."""
    positive = markdown_text(direction.description)
    negative = markdown_text(str(direction.provenance.get("negative", "")))
    if positive and negative:
        return f"+\u00a0{positive}\u00a0\u00b7 \u2212\u00a0{negative}"
    return f"+ {positive}" if positive else "Kept on the tab Discover."
