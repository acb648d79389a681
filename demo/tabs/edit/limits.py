"""What limits an edit: regions of the picture, scores to reach, and the person who is to be recognised."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.page.page import QUIET, Page, answering
from stylegan_latents.demo.page.painting import paint_box, painted_mask, save_mask
from stylegan_latents.demo.page.running import Done, run_reporting, status_html
from stylegan_latents.demo.page.work import begin_and_stop, work_on_click
from stylegan_latents.demo.session.edited import edits_of
from stylegan_latents.demo.session.faces import Strengths
from stylegan_latents.demo.session.view import seen, view_of
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit import answers
from stylegan_latents.demo.tabs.edit.sliders import FARTHEST
from stylegan_latents.editing.regions.regions import REGIONS
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.editing.directions.apply import Edit

_KEPT = [("not limited", 0.0), ("recognisable", 0.5), ("very alike", 0.35)]
_STEP = 0.1  # of a slider


@dataclass(frozen=True)
class Panel:
    """The controls, and the last move by measure; see ``answers.show_edits``."""

    regions: gr.CheckboxGroup
    painting: gr.Accordion
    paint: gr.ImageEditor
    use: gr.Button
    mask: gr.DownloadButton
    what: gr.Dropdown
    score: gr.Number
    keep: gr.Radio
    buttons: tuple[gr.Button, gr.Button]
    status: gr.HTML
    set_at: gr.State


def build(page: Page) -> Panel:
    """Add the panel to the current Gradio context."""
    side = page.studio.preview_size
    with gr.Accordion("Only a part of the picture", open=False, elem_id="edit-part-open"):
        regions = gr.CheckboxGroup(
            [(name.capitalize(), name) for name in REGIONS], label="Change only",
            info="The rest of the picture stays as it is. Kept faces and films have the whole edit.",
            elem_id="edit-regions",
        )  # fmt: skip
        with gr.Accordion("Paint the part", open=False, elem_id="edit-paint-open") as painting:
            gr.Markdown("Paint over what may change.", elem_classes="hint")
            paint = paint_box("Paint what may change", "edit-paint", (side, side), show_label=False)
            with gr.Row():
                use = gr.Button("Change only this", size="sm", min_width=100, elem_id="edit-paint-use")
                mask = gr.DownloadButton("⤓ Mask", size="sm", visible=False, elem_id="edit-paint-mask")
    with gr.Accordion("By score: a pose, an age, the same person", open=False, elem_id="edit-measured") as measured:
        with gr.Row():
            what = gr.Dropdown(
                [("nothing", ""), *targets(page)], value="", label="Reach", min_width=120,
                info="A score, measured in the picture.", elem_id="edit-target",
            )  # fmt: skip
            score = gr.Number(
                0, label="Value", info="Such as 15 degrees, or 60 years.", min_width=90, elem_id="edit-score"
            )
        keep = gr.Radio(
            _KEPT, value=0.0, label="Keep the person", info="Reduces the edit as far as is needed.",
            elem_id="edit-keep-person",
        )  # fmt: skip
        buttons = begin_and_stop("edit-measured", "Set the sliders")
        status = gr.HTML("", elem_id="edit-measured-status")
    measured.visible = bool(page.studio.directions)
    return Panel(regions, painting, paint, use, mask, what, score, keep, buttons, status, gr.State(-1))


def wire(page: Page, panel: Panel, chooser: gr.Dropdown) -> None:
    """Connect the panel but for what the tab draws at once: the choice of a region, and new strengths.

    Args:
        page, panel: the page and the panel.
        chooser: of the face.
    """
    p, known = panel, [page.visit, chooser]

    def set_sliders(visit: Visit, name: str | None, what: str, score: float | None, keep: float) -> Iterator[Any]:
        for now in measure(visit, name, what, score, keep):
            if isinstance(now, Done):
                moved = answers.take_strengths(visit, name, now.result.strengths)
                yield moved, status_html(now.result.words, kind="good")
            else:
                yield gr.skip(), status_html(f"Measured {now} picture{'' if now == 1 else 's'}")

    chooser.change(answering(of_face), known, [p.regions, p.mask, p.painting], **QUIET)
    p.painting.expand(answering(show_face), known, p.paint, **QUIET)
    work_on_click(
        page, p.buttons, set_sliders, [chooser, p.what, p.score, p.keep], [p.set_at, p.status],
        api_name="measured",
    )  # fmt: skip


def of_face(visit: Visit, name: str | None) -> tuple[Any, ...]:
    """Another face was chosen: its regions, the button of its mask, and nothing to paint on yet."""
    chosen = visit.face(name).regions.chosen if name else ()
    masks = [region for region in chosen if region not in REGIONS]
    button = gr.DownloadButton(visible=bool(masks), value=masks[0] if masks else None)
    return [region for region in chosen if region in REGIONS], button, gr.Accordion(open=False)


def targets(page: Page) -> list[tuple[str, str]]:
    """The directions whose score can be measured on faces: a label with the unit, and the name."""
    from stylegan_latents.editing.discovery.scorers.faces import FaceScorer

    found = []
    for name, direction in page.studio.directions.items():
        score = str(direction.provenance.get("score", ""))
        if score in FaceScorer.names:
            unit = FaceScorer.units[score].name if score in FaceScorer.units else ""
            label = name.replace("-", " ").capitalize()
            found.append((f"{label}, in {unit.removeprefix('of ')}" if unit else label, name))
    return found


def choose_regions(visit: Visit, name: str | None, chosen: list[str]) -> gr.DownloadButton:
    """Limit the edits of a face to these regions, and no more to a painted one.

    Raises:
        InputError: there is no such face or region.
    """
    if not all(one in REGIONS for one in chosen):
        raise InputError("There is no such region; reload the page.")
    visit.face(name).regions.choose(chosen)
    visit.moves += 1
    return gr.DownloadButton(visible=False)


def show_face(visit: Visit, name: str | None) -> str | None:
    """The unedited face, to paint on."""
    return str(visit.face(name).before) if name else None


def use_painted(visit: Visit, name: str | None, painted: Any) -> tuple[list[str], gr.DownloadButton]:
    """Limit the edits of a face to what was painted.

    Raises:
        InputError: there is no such face, or nothing was painted.
    """
    face = visit.face(name)
    # In a slot of its own, as the face is drawn with it, however many masks of others follow.
    mask = save_mask(visit, painted_mask(painted), f"{face.name}.mask", slot=f"mask-of-{face.name}")
    face.regions.choose([str(mask)])
    visit.moves += 1
    return [], gr.DownloadButton(visible=True, value=str(mask))


@dataclass(frozen=True)
class Measured:
    """Strengths that were measured, and what they reach in words."""

    strengths: Strengths
    words: str


def measure(
    visit: Visit, name: str | None, what: str, score: float | None, keep: float
) -> Iterator[int | Done[Measured]]:
    """Find the strengths that reach a score and keep the person, as ``edit --target --keep-identity`` does.

    Args:
        visit, name: the visit and its face, with its sliders as they are.
        what: the direction that is to reach a score; empty for none. Its own slider does not count.
        score: to be reached.
        keep: the largest identity distance from the unedited face; 0 for any.

    Yields:
        How many pictures were measured; finally the strengths, which sliders can have.

    Raises:
        InputError: nothing is wanted, the score is out of reach, or the picture shows no face.
        StoppedError: the visitor stopped it.
    """
    from stylegan_latents.editing.discovery.scorers.faces import FaceScorer
    from stylegan_latents.editing.strengths import guided

    face = visit.face(name)
    now = {one: strength for one, strength in face.history.moving.items() if one != what}
    directions, scorer = visit.all_directions, FaceScorer()
    opened = seen(face.record, face, now)
    if what:
        if what not in directions:
            raise InputError("There is no such direction; reload the page.")
        if score is None:
            raise InputError("Give the value to reach, such as 15.")
        guided.check_target(directions[what], score, scorer)
    elif not keep:
        raise InputError("Choose a score to reach, or how far to keep the person.")
    elif not edits_of(visit, now):
        raise InputError("There is no edit yet: move a slider first.")

    def work(report: Callable[[int], None]) -> Measured:
        drawn = 0

        def draw(edits: "Sequence[Edit]", size: int) -> "Image":
            nonlocal drawn
            drawn += 1
            report(drawn)
            return opened.edited(edits, size=size, regions=face.regions.chosen).picture

        chosen: list[Edit] = list(edits_of(visit, now))
        said = []
        if what and score is not None:
            found, (reached,) = guided.reach_targets(draw, chosen, [(directions[what], score)], scorer)
            chosen = [*chosen, *found]
        if keep:
            chosen, step = guided.keep_identity(draw, chosen, keep)
            said = [
                f"{step.part:.0%} of the edit keeps the person."
                if step.part < 1
                else "The whole edit keeps the person."
            ]
        strengths = {one.name: on_slider(strength, inwards=bool(keep)) for one, strength in chosen}
        if what:
            # Sliders have steps, and keeping the person takes some back.
            name_of_score = guided.score_name(directions[what], scorer)
            end = guided.measured_score(draw, edits_of(visit, strengths), name_of_score, scorer)
            label = what.replace("-", " ").capitalize()
            said = [f"{label} went from {reached.start:.3g} to {end:.3g}; the target was {score:.3g}.", *said]
        return Measured(strengths | view_of(now), " ".join(said))

    yield from run_reporting(visit, work)


def on_slider(strength: float, *, inwards: bool) -> float:
    """The nearest strength that a slider can have; ``inwards`` for the nearest that is not larger."""
    steps = int(abs(strength) / _STEP + 1e-6) if inwards else round(abs(strength) / _STEP)
    return round(min(steps * _STEP, FARTHEST) * (1 if strength > 0 else -1), 3)
