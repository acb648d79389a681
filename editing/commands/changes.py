"""What ``edit`` changes: directions, targets, flows of attributes (StyleFlow) and mappers (StyleCLIP)."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Protocol, Self, TypeVar

import typer

from stylegan_latents.editing.commands.options import Layers, Names, Raw
from stylegan_latents.editing.directions.apply import CodeEdit, pair
from stylegan_latents.editing.discovery.scorers.by_name import TrustScorer, scorer_words
from stylegan_latents.editing.strengths.guided import (
    SCORED_SIDE,
    check_bound,
    named_number,
    parse_target,
    scores_of,
)
from stylegan_latents.generator.cli.command import warn
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.discovery.scorers.scorer import Scorer
    from stylegan_latents.editing.nonlinear.attribute_flow import AttributeFlow, FlowEdit
    from stylegan_latents.editing.nonlinear.mapper import MapperEdit
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.cli.progress import Begin, Progress
    from stylegan_latents.generator.generator import Generator, Noise
    from stylegan_latents.generator.json_values import JSON

_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_FARTHEST = 100.0  # in calibrated strengths: ten times what single style channels are moved by
_PRESENT = "value of an attribute: give its name and the value before the edit, such as age=25"


@dataclass(frozen=True)
class NetworkOptions:
    """Edits by networks."""

    panel: ClassVar[str] = "Networks"
    flow: Annotated[
        Path | None,
        typer.Option(
            help="A flow of attributes: StyleFlow's published one, or one of `edit discover --method flow`.",
            metavar="FILE",
        ),
    ] = None
    wanted: Annotated[
        list[str],
        typer.Option(
            "--set",
            help="Set an attribute of the --flow, such as age=40; repeatable, applied in order.",
            metavar="NAME=VALUE",
        ),
    ] = field(default_factory=list)
    present: Annotated[
        list[str],
        typer.Option(
            "--from",
            help="An attribute's value before the edit, instead of the measured one.",
            metavar="NAME=VALUE",
        ),
    ] = field(default_factory=list)
    mapper: Annotated[
        list[Path],
        typer.Option(
            help="A mapper of StyleCLIP; repeatable. Its --strength (default 1) comes after those of directions.",
            metavar="FILE",
        ),
    ] = field(default_factory=list)

    def __post_init__(self) -> None:
        _ = self.values_wanted, self.values_present
        if self.flow is None and (self.wanted or self.present):
            raise InputError("--set and --from are for the attributes of a --flow; name its file.")
        if self.flow is not None and not self.wanted:
            raise InputError("--flow needs what to change, such as --set age=40.")

    @property
    def values_wanted(self) -> list[tuple[str, float]]:
        """Each ``--set`` as an attribute's name and its value."""
        return [
            named_number(text, "setting: give an attribute and its value, such as age=40") for text in self.wanted
        ]

    @property
    def values_present(self) -> dict[str, float]:
        """Each ``--from`` likewise."""
        return dict(named_number(text, _PRESENT) for text in self.present)

    def load_flow(self) -> "AttributeFlow | None":
        """The flow, if there is one; InputError if it lacks an attribute, or has never seen such a value."""
        if self.flow is None:
            return None
        from stylegan_latents.editing.nonlinear.flow_files import load_flow

        flow = load_flow(self.flow)
        for name, value in [*self.values_wanted, *self.values_present.items()]:
            flow.check_value(name, value)
        return flow

    def load_mappers(self) -> "list[MapperEdit]":
        """The mappers; InputError for a file that is none."""
        if not self.mapper:
            return []
        from stylegan_latents.editing.nonlinear.mapper import load_mapper

        return [load_mapper(path) for path in self.mapper]

    def flow_edit(self, flow: "AttributeFlow", opened: "OpenRecord", scorer: "Scorer | None") -> "FlowEdit":
        """The edit of a record's code, whose attributes are measured in its picture.

        Args:
            flow: from ``load_flow``.
            opened: the record.
            scorer: what measures the attributes that no ``--from`` gives; None if all are given.

        Raises:
            InputError: the flow belongs to another model.
        """
        from stylegan_latents.editing.nonlinear.attribute_flow import FlowEdit

        flow.check_model(opened.generator)
        scores = {} if scorer is None else scores_of(opened.picture(size=SCORED_SIDE), scorer)
        before = flow.attributes_of(scores, self.values_present)
        edit = FlowEdit(flow.to(opened.generator.device), opened.generator, before[None], tuple(self.values_wanted))
        for name, value in self.values_wanted:
            source = "given" if name in self.values_present else flow.source(name, scores)
            print(printable(f"{name}: from {float(before[flow.index(name)]):.3g} ({source}) to {value:g}"))
        return edit

    def report_reached(self, flow: "AttributeFlow", picture: "Image.Image", scorer: "Scorer") -> None:
        """Print what the attributes that were set are in the edited picture, as far as they are measured."""
        scores = scores_of(picture, scorer)
        for name, _ in self.values_wanted:
            reached = flow.attributes[flow.index(name)].measured(scores)
            if reached is not None:
                print(printable(f"{name} is now {reached:.3g}"))

    def needs_scorer(self, flow: "AttributeFlow | None") -> bool:
        """Whether attributes have to be measured."""
        return flow is not None and not {one.name for one in flow.attributes} <= set(self.values_present)


@dataclass(frozen=True)
class DirectionOptions:
    """Directions, targets, and how far to go."""

    panel: ClassVar[str] = "Change"
    direction: Names = field(default_factory=list)
    strength: Annotated[
        list[float],
        typer.Option(
            "--strength",
            "-s",
            help="How far, in standard deviations; negative for the opposite. One for each --direction; a clear "
            "change by default.",
        ),
    ] = field(default_factory=list)
    target: Annotated[
        list[str],
        typer.Option(
            help="Reach this score, in place of a --strength, such as pose=15, or keep that of before, as in "
            "eyes-open=same.",
            metavar="NAME=SCORE",
        ),
    ] = field(default_factory=list)
    scorer: Annotated[
        str,
        typer.Option(
            help=f"What measures a --target, or the attributes of a --flow: {scorer_words(new_pictures=True)}.",
            metavar="SCORER",
        ),
    ] = "faces"
    trust_scorer: TrustScorer = False
    keep_identity: Annotated[
        float | None, typer.Option(help="Largest identity distance from the original; 0.6 is another person.")
    ] = None
    layers: Layers = None
    raw: Raw = False
    person: Annotated[
        Path | None,
        typer.Option(help="Stay within what the photos of this person's model span.", metavar="FILE"),
    ] = None


@dataclass(frozen=True)
class ChangeOptions(DirectionOptions, NetworkOptions):
    """Directions and edits by networks, checked together."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.targets
        if self.strength:
            pair([*self.direction, *self.mapper], self.strength)
            farthest = max(self.strength, key=abs)
            if abs(farthest) > _FARTHEST and not self.raw:
                raise InputError(
                    f"A strength of {farthest:g} leaves nothing of a picture; usual ones go from -3 to 3. Add "
                    "--raw for multiples of a file's own vector."
                )
        elif self.raw and self.direction:
            raise InputError("With --raw there is no default strength; give each --direction its --strength.")
        if self.raw and not (self.direction or self.target):
            raise InputError("--raw is for the strengths of directions, and there is none; leave it out.")
        check_bound(self.keep_identity)
        if self.scorer != "faces" and not self.target and self.flow is None:
            raise InputError("--scorer measures a --target; name one, such as --target smile=0.8.")

    @property
    def targets(self) -> list[tuple[str, float | None]]:
        """Each ``--target`` as a direction's name and a score, None for that before the edit."""
        return [parse_target(text) for text in self.target]

    def turned(self, angles: "Sequence[tuple[str, float]]") -> Self:
        """These changes with a camera's angles as further targets, for a model without one.

        Args:
            angles: from ``CameraOptions.rig_targets``.

        Raises:
            InputError: an angle is a target already, or the scorer measures no poses.
        """
        for name, _ in angles:
            if name in (given for given, _ in self.targets):
                raise InputError(f"--target {name} and the camera's angle are the same here; leave one out.")
        if self.scorer != "faces":
            raise InputError(f"--yaw and --pitch are measured with --scorer faces, not {self.scorer}.")
        return replace(self, target=[*self.target, *(f"{name}={angle:g}" for name, angle in angles)])


class _Noted(CodeEdit, Protocol):
    """An edit that may have a note."""

    @property
    def provenance(self) -> "Mapping[str, JSON]": ...


_Bound = TypeVar("_Bound", bound=_Noted, covariant=True)


class _Bindable(Protocol[_Bound]):
    """What ``bind`` makes an edit for a generator of."""

    def bind(self, G: "Generator") -> _Bound: ...


def bind(changes: "Sequence[_Bindable[_Bound]]", opened: "OpenRecord") -> "list[_Bound]":
    """Directions and mappers bound to a record's generator; warns of what is noted of published files."""
    bound = [one.bind(opened.generator) for one in changes]
    for one in bound:
        if note := one.provenance.get("note"):
            warn("edit", f"{one.name}: {note}.")
    return bound


def flow_sheet(
    G: "Generator",
    ws: "Tensor",
    noise: "Noise",
    flow: "AttributeFlow",
    begin: "Begin",
    progress: "Progress",
    *,
    trusted: bool = False,
) -> "Image.Image":
    """A row of pictures for each attribute, from its lowest to its highest value.

    Args:
        G, ws, noise: for ``Generator.synthesize``; the code is ``[1, num_ws, w_dim]``.
        flow: with its scorer.
        begin: makes a progress bar for opening the scorer.
        progress: called with the number of attributes done and in all.
        trusted: as for ``open_scorer``.
    """
    import torch

    from stylegan_latents.editing.evaluation.inputs import open_scorer
    from stylegan_latents.editing.nonlinear.attribute_flow import FlowEdit
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import to_picture

    size = G.resolution
    while size > SCORED_SIDE:
        size //= 2
    scorer = open_scorer(flow.scorer, (), begin, trusted=trusted)
    shown = to_picture(G.synthesize(ws, noise, size=size))[0]
    before = flow.attributes_of(scores_of(shown, scorer), {})[None].to(ws)
    rows = []
    with torch.inference_mode():
        for done, one in enumerate(flow.attributes, 1):
            values = [one.low + share * (one.high - one.low) for share in _SHARES]
            codes = [FlowEdit(flow, G, before, ((one.name, value),)).apply(ws, 1.0) for value in values]
            pictures = [to_picture(G.synthesize(code, noise, size=size))[0] for code in codes]
            rows.append([shown, *pictures])
            progress(done, len(flow.attributes))
    names = [f"{one.name} {one.low:.3g} to {one.high:.3g}" for one in flow.attributes]
    return contact_sheet(rows, ["unedited", "lowest", "", "middle", "", "highest"], names, cell=SCORED_SIDE)
