"""The tab Mix: a face with styles or parts of others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.page import QUIET, Page, Tab, answering, face_chooser
from stylegan_latents.demo.page.results import (
    download_picture,
    not_ready,
    picture_box,
    ready,
    results_row,
    whole_edit_note,
)
from stylegan_latents.demo.page.running import status_html
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.mix.by_layer import Share, draw_mix, keep_mix
from stylegan_latents.demo.tabs.mix.by_part import Kind, PartRequest, available, draw_with_parts
from stylegan_latents.demo.tabs.mix.figure import build_figure
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS, Group

_OWN = ""
_STYLES = "styles"
_CHOOSE = status_html("Choose a face to mix in.")
_PREVIEW = status_html("This is a preview; keep it as a face to download it at full resolution.")
_PART_PREVIEW = status_html("This is a preview; draw it for download at full resolution.")
_DRAWN = status_html(
    "Drawn at full resolution. As a picture without a code, it cannot be used in other tabs.", kind="good"
)
_KEEP, _DRAW = "Keep this face", "Draw for download"
_SHOWS = {
    "coarse": "Pose, the head's shape, glasses.",
    "middle": "Features, hair, expression.",
    "fine": "Colours, light, skin and hair's texture.",
}
_KINDS: dict[Kind, tuple[str, str]] = {
    "part": ("A part, redrawn", "Redrawn to fit the pose of the changed face."),
    "region": ("A region, cut out", "Copied with soft edges; best for faces in the same pose."),
}
"""Label and explanation of each kind."""


@dataclass(frozen=True)
class _Part:
    """The controls for parts and regions."""

    donor: gr.Dropdown
    strength: gr.Slider
    names: dict[Kind, gr.CheckboxGroup]


def build(page: Page) -> None:
    """See ``Tab.build``."""
    groups = [group for group in GROUPS if group in page.studio.G.ws_groups]
    kinds = available(page.studio.G)
    gr.Markdown(
        "Change a face with the styles of other faces, or with single parts of one. Faces of every tab can be used."
    )
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=4, min_width=300):
            receiver = face_chooser(page, "mix", label="Face", info="The face that is changed.")
            whole_edit_note(page, "mix")
            what = gr.Radio(
                [("Styles by layer", _STYLES), *((_KINDS[kind][0], kind) for kind in kinds)], value=_STYLES,
                label="What to mix", info="Mixed styles make a face for every tab; a mixed part makes a picture.",
                visible=bool(kinds), elem_id="mix-what",
            )  # fmt: skip
            with gr.Column() as by_layer:
                choices = _styles(page, groups)
            with gr.Column(visible=False) as by_part:
                part = _part(page, kinds)
            with gr.Row(elem_classes="begin"):
                keep = gr.Button(_KEEP, variant="primary", elem_id="mix-keep")
        with gr.Column(scale=5, min_width=320, elem_classes="result"):
            picture = picture_box("The mix", "mix-shown", alt="The mix of the faces")
            status = gr.HTML(_CHOOSE, elem_id="mix-status")
            results = results_row("mix", record="⤓ Record")
    build_figure(page, groups)

    def shares(values: Sequence[Any]) -> list[Share]:
        given = zip(groups, values[::2], values[1::2], strict=True)
        return [Share(group, str(donor or _OWN), float(strength)) for group, donor, strength in given]

    def part_request(kind: Kind, donor: str | None, strength: float, values: Sequence[Any]) -> PartRequest:
        names = dict(zip(kinds, values, strict=True)).get(kind) or ()
        return PartRequest(kind, tuple(names), donor or _OWN, float(strength))

    def split(values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        return values[: len(choices)], values[len(choices) :]

    def draw(visit: Visit, name: str | None, kind: Any, *values: Any) -> Any:
        if not name:
            return None, "", not_ready(), not_ready(), _CHOOSE
        by_styles, (donor, strength, *names) = split(values)
        if kind == _STYLES:
            shown, command = draw_mix(visit, name, shares(by_styles))
        else:
            drawn, command = draw_with_parts(visit, name, part_request(kind, donor, strength, names))
            shown = visit.files.store(drawn, "mix")
        words = _PREVIEW if kind == _STYLES else _PART_PREVIEW
        return shown, command, not_ready(), not_ready(), words if command else _CHOOSE

    def finish(visit: Visit, name: str | None, kind: Any, *values: Any) -> Any:
        by_styles, (donor, strength, *names) = split(values)
        if kind == _STYLES:
            kept = keep_mix(visit, name, shares(by_styles))
            with visit.computing():
                full = kept.record.picture()
            record, stem = ready(str(kept.record.path)), kept.name
            words = status_html(f"Kept as the face “{kept.name}”, which every tab can use now.", kind="good")
        else:
            request = part_request(kind, donor, strength, names)
            if not request:
                raise InputError("Nothing is mixed yet: choose another face, and a part or region of it.")
            full, _ = draw_with_parts(visit, name, request, full=True)
            record, stem = not_ready(), "-".join([f"{name}+{request.donor}", *request.names])
            words = _DRAWN
        return (
            visit.files.store(full, "mix"), download_picture(visit, full, "mix", stem), record, words,
            visit.version,
        )  # fmt: skip

    assert results.record is not None
    inputs = [page.visit, receiver, what, *choices, part.donor, part.strength, *part.names.values()]
    what.change(
        lambda kind: (
            gr.Column(visible=kind == _STYLES),
            gr.Column(visible=kind != _STYLES),
            *(gr.CheckboxGroup(visible=kind == one) for one in part.names),
            gr.Button(_KEEP if kind == _STYLES else _DRAW),
        ),
        what,
        [by_layer, by_part, *part.names.values(), keep],
        **QUIET,
    )
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
    """A face and an amount for each group of layers."""
    made: list[gr.Dropdown | gr.Slider] = []
    for group in groups:
        with gr.Group(), gr.Row():
            made.append(_donor_menu(page, f"{group.capitalize()} styles from", _SHOWS[group], f"mix-{group}"))
            made.append(_amount(f"How much of the {group} styles", f"mix-{group}-strength"))
    return made


def _part(page: Page, kinds: Mapping[Kind, Sequence[str]]) -> _Part:
    """A face, an amount, and names of each kind."""
    with gr.Group(), gr.Row():
        donor = _donor_menu(page, "From", "The face that it is taken from.", "mix-donor")
        strength = _amount("How much", "mix-donor-strength")
    names = {
        kind: gr.CheckboxGroup(
            list(given), value=[name for name in given if name == "eyes"], label="Which", info=_KINDS[kind][1],
            visible=False, elem_id=f"mix-{kind}",
        )
        for kind, given in kinds.items()
    }  # fmt: skip
    return _Part(donor, strength, names)


def _amount(label: str, name: str) -> gr.Slider:
    info = "From 0, nothing, to 1, all."
    return gr.Slider(0, 1, 1, step=0.05, label=label, info=info, min_width=140, elem_id=name)


def _donor_menu(page: Page, label: str, info: str, name: str) -> gr.Dropdown:
    """A choice among the visit's faces; none at first."""
    own = ("no other face", _OWN)
    chooser = gr.Dropdown([own], value=_OWN, label=label, info=info, min_width=140, elem_id=name)

    def update(visit: Visit | None, chosen: str | None) -> Any:
        if visit is None:
            return gr.skip()
        value = chosen if chosen in visit.faces else _OWN
        return gr.Dropdown([own, *((name, name) for name in visit.faces)], value=value)

    page.version.change(update, [page.visit, chooser], chooser, **QUIET)
    return chooser


TAB = Tab("Mix", "mix", build)
