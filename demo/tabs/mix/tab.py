"""The tab Mix: styles, or single parts, of some faces given to another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import Page, Tab, answering, face_chooser
from stylegan_latents.demo.page.results import download_picture, not_ready, ready, results_row
from stylegan_latents.demo.page.running import status_html
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.mix.by_layer import Share, draw_mix, keep_mix
from stylegan_latents.demo.tabs.mix.by_part import Borrowed, Kind, draw_borrowed, offered
from stylegan_latents.demo.tabs.mix.figure import build_figure
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS, Group

_OWN = ""
_STYLES = "styles"
_CHOOSE = status_html("Choose who gives something.")
_PREVIEW = status_html("A preview; kept as a face, it is drawn at full resolution and can be downloaded.")
_PART_PREVIEW = status_html("A preview; drawn for download, it has full resolution.")
_DRAWN = status_html(
    "Drawn at full resolution. It is a picture, not a code, so no other tab takes it.", kind="good"
)
_KEEP, _DRAW = "Keep this face", "Draw for download"
_SHOWS = {
    "coarse": "Pose, the head's shape, glasses.",
    "middle": "Features, hair, expression.",
    "fine": "Colours, light, skin and hair's texture.",
}
_KINDS: dict[Kind, tuple[str, str]] = {
    "part": ("A part, drawn anew", "Drawn in the pose and the place of the face that receives."),
    "region": ("A region, cut out", "Taken as the giver has it, and joined softly; best for faces of one pose."),
}
"""Words for each kind, and what its names mean."""


@dataclass(frozen=True)
class _Part:
    """The controls of one part's giving."""

    giver: gr.Dropdown
    strength: gr.Slider
    names: dict[Kind, gr.CheckboxGroup]


def build(page: Page) -> None:
    """Put the tab's controls into the tab that is being made."""
    groups = [group for group in GROUPS if group in page.studio.G.ws_groups]
    kinds = offered(page.studio.G)
    gr.Markdown("Give one face the styles of others, or a single part. Faces come from every tab.")
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=4, min_width=300):
            receiver = face_chooser(page, "mix", label="Face", info="Who receives.")
            what = gr.Radio(
                [("Styles by layer", _STYLES), *((_KINDS[kind][0], kind) for kind in kinds)], value=_STYLES,
                label="What is given", info="A mix of styles is a face that every tab takes; a part is a picture.",
                visible=bool(kinds), elem_id="mix-what",
            )  # fmt: skip
            with gr.Column() as by_layer:
                choices = _styles(page, groups)
            with gr.Column(visible=False) as by_part:
                part = _part(page, kinds)
            keep = gr.Button(_KEEP, variant="primary", elem_id="mix-keep")
        with gr.Column(scale=5, min_width=320, elem_classes="result"):
            picture = gr.Image(
                label="The mix",
                alt_text="The mix of the faces",
                type="filepath",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="mix-shown",
            )
            status = gr.HTML(_CHOOSE, elem_id="mix-status")
            results = results_row("mix", record="⤓ Record")
    build_figure(page, groups)

    def shares(values: Sequence[Any]) -> list[Share]:
        given = zip(groups, values[::2], values[1::2], strict=True)
        return [Share(group, str(giver or _OWN), float(strength)) for group, giver, strength in given]

    def borrowed(kind: Kind, giver: str | None, strength: float, values: Sequence[Any]) -> Borrowed:
        names = dict(zip(kinds, values, strict=True)).get(kind) or ()
        return Borrowed(kind, tuple(names), giver or _OWN, float(strength))

    def split(values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        return values[: len(choices)], values[len(choices) :]

    def draw(visit: Visit, name: str | None, kind: Any, *values: Any) -> Any:
        if not name:
            return None, "", not_ready(), not_ready(), _CHOOSE
        by_styles, (giver, strength, *names) = split(values)
        if kind == _STYLES:
            shown, command = draw_mix(visit, name, shares(by_styles))
        else:
            drawn, command = draw_borrowed(visit, name, borrowed(kind, giver, strength, names))
            shown = visit.files.store(drawn, "mix")
        words = _PREVIEW if kind == _STYLES else _PART_PREVIEW
        return shown, command, not_ready(), not_ready(), words if command else _CHOOSE

    def finish(visit: Visit, name: str | None, kind: Any, *values: Any) -> Any:
        by_styles, (giver, strength, *names) = split(values)
        if kind == _STYLES:
            kept = keep_mix(visit, name, shares(by_styles))
            with visit.computing():
                full = kept.record.picture()
            record, stem = ready(str(kept.record.path)), kept.name
            words = status_html(f"Kept as the face “{kept.name}”; every tab can take it now.", kind="good")
        else:
            request = borrowed(kind, giver, strength, names)
            if not request:
                raise InputError("Nothing is mixed yet: choose another face, and what it gives.")
            full, _ = draw_borrowed(visit, name, request, full=True)
            record, stem = not_ready(), "-".join([f"{name}+{request.giver}", *request.names])
            words = _DRAWN
        return (
            visit.files.store(full, "mix"), download_picture(visit, full, "mix", stem), record, words,
            visit.version,
        )  # fmt: skip

    assert results.record is not None
    inputs = [page.visit, receiver, what, *choices, part.giver, part.strength, *part.names.values()]
    what.change(
        lambda kind: (
            gr.Column(visible=kind == _STYLES),
            gr.Column(visible=kind != _STYLES),
            *(gr.CheckboxGroup(visible=kind == one) for one in part.names),
            gr.Button(_KEEP if kind == _STYLES else _DRAW),
        ),
        what, [by_layer, by_part, *part.names.values(), keep], show_progress="hidden", queue=False,
        api_visibility="private",
    )  # fmt: skip
    gr.on(
        [control.change for control in inputs[1:]],
        answering(draw),
        inputs,
        [picture, results.command, results.picture, results.record, status],
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )
    keep.click(
        answering(finish),
        inputs,
        [picture, results.picture, results.record, status, page.version],
        api_name="mix",
    )


def _styles(page: Page, groups: Sequence[Group]) -> "list[gr.Dropdown | gr.Slider]":
    """For each group of layers, who gives it and how much."""
    made: list[gr.Dropdown | gr.Slider] = []
    for group in groups:
        with gr.Group(), gr.Row():
            made.append(_giver(page, f"{group.capitalize()} styles from", _SHOWS[group], f"mix-{group}"))
            made.append(
                gr.Slider(
                    0, 1, 1, step=0.05, label="How much", info=f"Of the {group} styles.",
                    elem_id=f"mix-{group}-strength", min_width=140,
                )
            )  # fmt: skip
    return made


def _part(page: Page, kinds: Mapping[Kind, Sequence[str]]) -> _Part:
    """Who gives a part, how much of it, and which, for each kind."""
    with gr.Group(), gr.Row():
        giver = _giver(page, "From", "Who gives it.", "mix-giver")
        strength = gr.Slider(
            0, 1, 1, step=0.05, label="How much", info="0 nothing, 1 all of it.", elem_id="mix-giver-strength",
            min_width=140,
        )  # fmt: skip
    names = {
        kind: gr.CheckboxGroup(
            list(given), value=[name for name in given if name == "eyes"], label="Which", info=_KINDS[kind][1],
            visible=False, elem_id=f"mix-{kind}",
        )
        for kind, given in kinds.items()
    }  # fmt: skip
    return _Part(giver, strength, names)


def _giver(page: Page, label: str, info: str, name: str) -> gr.Dropdown:
    """Who gives something; nobody at first."""
    own = ("its own", _OWN)
    chooser = gr.Dropdown([own], value=_OWN, label=label, info=info, min_width=140, elem_id=name)

    def renew(visit: Visit | None, chosen: str | None) -> Any:
        if visit is None:
            return gr.skip()
        return gr.Dropdown([own, *((name, name) for name in visit.faces)], value=chosen or _OWN)

    page.version.change(
        renew, [page.visit, chooser], chooser, show_progress="hidden", api_visibility="private", queue=False
    )
    return chooser


TAB = Tab("Mix", "mix", build)
