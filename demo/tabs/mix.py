"""The tab Mix: coarse, middle or fine styles of some faces given to another."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo.notes import note
from demo.page import Page, answering, face_chooser
from demo.results import command_line, download_picture, not_ready, ready, record_name, results_row
from demo.running import Done, run_reporting
from demo.studio import Studio
from demo.visit import Face, Visit
from demo.work import begin_and_stop, work_on_click
from generator.errors import InputError
from generator.layers import GROUPS, Group

if TYPE_CHECKING:
    from PIL.Image import Image

    from editing.mixing import Donor
    from editing.sources import Code

_OWN = ""
_CHOOSE = note("Choose who gives coarse, middle or fine styles.")
_PREVIEW = note("A preview; kept as a face, it is drawn at full resolution and can be downloaded.")
_MOST_IN_FIGURE = 8
_SHOWS = {
    "coarse": "Pose, the head's shape, glasses.",
    "middle": "Features, hair, expression.",
    "fine": "Colours, light, skin and hair's texture.",
}


@dataclass(frozen=True)
class Share:
    """What one group of layers is given.

    Attributes:
        group: coarse, middle or fine.
        giver: a face's name; empty for the receiver's own styles.
        strength: see :class:`editing.mixing.Donor`.
    """

    group: Group
    giver: str
    strength: float


def build(page: Page) -> None:
    """Put the tab's controls into the tab that is being made."""
    groups = [group for group in GROUPS if group in page.studio.G.ws_groups]
    gr.Markdown("Give one face the styles of others. Faces come from every tab; the mix becomes one of them.")
    with gr.Row(elem_classes="studio"):
        with gr.Column(scale=4, min_width=300):
            receiver = face_chooser(page, "mix", label="Face", info="Who receives.")
            choices: list[gr.Dropdown | gr.Slider] = []
            for group in groups:
                with gr.Group(), gr.Row():
                    choices.append(_giver(page, group))
                    choices.append(
                        gr.Slider(
                            0, 1, 1, step=0.05, label="How much", info=f"Of the {group} styles.",
                            elem_id=f"mix-{group}-strength", min_width=140,
                        )
                    )  # fmt: skip
            keep = gr.Button("Keep this face", variant="primary", elem_id="mix-keep")
        with gr.Column(scale=5, min_width=320, elem_classes="result"):
            picture = gr.Image(
                label="The mix",
                alt_text="The mix of the faces",
                type="filepath",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="mix-shown",
            )
            said = gr.HTML(_CHOOSE, elem_id="mix-said")
            results = results_row("mix", record="⤓ Record")
    _build_figure(page, groups)

    def shares(values: Sequence[Any]) -> list[Share]:
        given = zip(groups, values[::2], values[1::2], strict=True)
        return [Share(group, str(giver or _OWN), float(strength)) for group, giver, strength in given]

    def draw(visit: Visit, name: str | None, *values: Any) -> Any:
        if not name:
            return None, "", not_ready(), not_ready(), _CHOOSE
        shown, command = draw_mix(visit, name, shares(values))
        return shown, command, not_ready(), not_ready(), _PREVIEW if command else _CHOOSE

    def finish(visit: Visit, name: str | None, *values: Any) -> Any:
        kept = keep_mix(visit, name, shares(values))
        with visit.studio.turns:
            full = kept.record.picture()
        return (
            visit.store(full, "mix"),
            download_picture(visit, full, "mix", kept.name),
            ready(str(kept.record.path)),
            note(f"Kept as the face “{kept.name}”; every tab can take it now.", kind="good"),
            visit.version,
        )

    assert results.record is not None
    inputs = [page.visit, receiver, *choices]
    gr.on(
        [receiver.change, *(choice.change for choice in choices)],
        answering(draw),
        inputs,
        [picture, results.command, results.picture, results.record, said],
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )
    keep.click(
        answering(finish),
        inputs,
        [picture, results.picture, results.record, said, page.version],
        api_name="mix",
    )


def _giver(page: Page, group: Group) -> gr.Dropdown:
    """Who gives a group of layers; nobody at first."""
    own = ("its own", _OWN)
    chooser = gr.Dropdown(
        [own], value=_OWN, label=f"{group.capitalize()} styles from", info=_SHOWS[group], min_width=140,
        elem_id=f"mix-{group}",
    )  # fmt: skip

    def renew(visit: Visit | None, chosen: str | None) -> Any:
        if visit is None:
            return gr.skip()
        return gr.Dropdown([own, *((name, name) for name in visit.faces)], value=chosen or _OWN)

    page.version.change(
        renew, [page.visit, chooser], chooser, show_progress="hidden", api_visibility="private", queue=False
    )
    return chooser


def _build_figure(page: Page, groups: Sequence[Group]) -> None:
    with gr.Accordion("Each face with the styles of each", open=False, elem_id="mix-figure-open"):
        with gr.Row():
            faces = face_chooser(
                page, "mix-side", label="Down the side", info="Who receives; all faces when empty.", several=True
            )
            tops = face_chooser(
                page, "mix-top", label="Along the top", info="Who gives; the same when empty.", several=True
            )
            given = gr.CheckboxGroup(
                list(groups), value=list(groups[:1]), label="Styles given", info="By the faces along the top."
            )
            strength = gr.Slider(0, 1, 1, step=0.05, label="How much", info="0 nothing, 1 all of it.")
        buttons = begin_and_stop("mix-figure", "Draw the figure")
        figure = gr.Image(
            label="The figure",
            alt_text="Each face with the styles of each",
            type="filepath",
            interactive=False,
            buttons=["fullscreen"],
            elem_id="mix-figure",
        )
        said = gr.HTML("", elem_id="mix-figure-said")
        results = results_row("mix-figure", picture="⤓ Figure")

    def draw(
        visit: Visit, side: list[str] | None, top: list[str] | None, layers: list[str], amount: float
    ) -> Iterator[Any]:
        for now in draw_figure(visit, side or list(visit.faces), top or [], ",".join(layers), amount):
            if isinstance(now, Done):
                path, command = now.result
                yield path, command, ready(path), ""
            else:
                drawn, cells = now
                yield gr.skip(), gr.skip(), gr.skip(), note(f"Picture {drawn} of {cells}", part=drawn / cells)

    work_on_click(
        page, buttons, draw, [faces, tops, given, strength], [figure, results.command, results.picture, said],
        api_name="mix_figure",
    )  # fmt: skip


def draw_mix(visit: Visit, name: str | None, shares: Sequence[Share]) -> tuple[str, str]:
    """A preview of a mix.

    Args:
        visit: whose faces these are.
        name: of the face that receives.
        shares: what it is given.

    Returns:
        The picture's path, and the command line; the latter is empty while nothing is given.

    Raises:
        InputError: a face is not there.
    """
    from editing.mixed_pictures import mixed_picture
    from editing.sources import record_code

    studio, face, given = visit.studio, visit.face(name), _given(visit, shares)
    with studio.turns:
        donors = [_donor(studio, record_code(giver.preview), share) for giver, share in given]
        picture = mixed_picture(studio.preview_G, record_code(face.preview), donors, size=studio.preview_size)
    return visit.store(picture, "mix"), _command(face, given)


def keep_mix(visit: Visit, name: str | None, shares: Sequence[Share]) -> Face:
    """Make a mix a face of the visit.

    Args and errors are those of :func:`draw_mix`; moreover, one face has to give something.
    """
    from editing.mixing import mixed_record
    from editing.sources import record_code

    studio, face, given = visit.studio, visit.face(name), _given(visit, shares)
    if not given:
        raise InputError("Nothing is mixed yet: choose another face for the coarse, middle or fine styles.")
    visit.check_room()
    names = list(dict.fromkeys(giver.name for giver, _ in given))
    with studio.turns:
        donors = [_donor(studio, record_code(giver.record), share) for giver, share in given]
        made = mixed_record(studio.G, record_code(face.record), donors, [giver.name for giver, _ in given])
    return visit.add(made, "+".join([face.name, *names]), photo=face.photo, made_by=_command(face, given))


def draw_figure(
    visit: Visit, names: Sequence[str], tops: Sequence[str], layers: str, strength: float
) -> Iterator[tuple[int, int] | Done[tuple[str, str]]]:
    """The figure of each face with the styles of each.

    Args:
        visit: whose faces these are.
        names: of the faces that receive, down the side.
        tops: of those that give, along the top; the same ones when empty.
        layers: what the faces along the top give, such as ``coarse,middle``.
        strength: how much of it.

    Yields:
        How many pictures are drawn, of how many; at last the figure's path and the command line.

    Raises:
        InputError: there are too few faces or too many, or no layers.
    """
    from editing.mixed_pictures import check_cells, matrix_figure
    from editing.sources import record_code

    if len({*names, *tops}) < 2:
        raise InputError("The figure needs two faces at least; find or explore another one first.")
    if max(len(names), len(tops)) > _MOST_IN_FIGURE:
        raise InputError(f"The figure takes up to {_MOST_IN_FIGURE} faces a side; choose fewer.")
    if not layers:
        raise InputError("Say which styles are given: coarse, middle or fine.")
    studio, faces = visit.studio, [visit.face(name) for name in names]
    givers = [visit.face(name) for name in tops]
    rows, cells = studio.G.rows(layers), check_cells(len(faces), len(givers or faces))
    words = ["edit", "mix", *map(record_name, faces)]
    for giver in givers:
        words += ["--column", record_name(giver)]
    words += ["--matrix", "--layers", layers]
    words += [] if strength == 1 else ["--strength", f"{strength:g}"]

    def work(report: Callable[[int], None]) -> "Image":
        drawn = itertools.count(1)
        codes = [record_code(face.preview) for face in faces]
        along = [record_code(face.preview) for face in givers] or codes
        return matrix_figure(studio.preview_G, codes, along, rows, strength, on_picture=lambda: report(next(drawn)))

    for now in run_reporting(visit, work):
        if isinstance(now, Done):
            yield Done((visit.store(now.result, "figure", suffix=".png", stem="figure"), command_line(words)))
        else:
            yield now, cells


def _given(visit: Visit, shares: Sequence[Share]) -> list[tuple[Face, Share]]:
    return [(visit.face(share.giver), share) for share in shares if share.giver and share.strength]


def _donor(studio: Studio, code: "Code", share: Share) -> "Donor":
    from editing.mixing import Donor

    return Donor(code.ws, studio.G.rows(share.group), share.strength)


def _command(face: Face, given: Sequence[tuple[Face, Share]]) -> str:
    if not given:
        return ""
    words = ["edit", "mix", record_name(face), *(record_name(giver) for giver, _ in given)]
    for _, share in given:
        words += ["--layers", share.group]
    if any(share.strength != 1 for _, share in given):
        for _, share in given:
            words += ["--strength", f"{share.strength:g}"]
    return command_line([*words, "--record"])
