"""The command ``edit discover``: finds directions, and writes a file for each and a sheet of their edits."""

import contextlib
import shlex
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from stylegan_latents.editing.commands.changes import flow_sheet
from stylegan_latents.editing.commands.options import Overwrite, RecordModelOptions
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.by_name import FINDERS, all_options, options_of
from stylegan_latents.editing.discovery.finders.base import sample_codes
from stylegan_latents.editing.discovery.finders.by_scores import ByScores
from stylegan_latents.editing.nonlinear.attribute_flow import AttributeFlow
from stylegan_latents.generator.cli.command import LARGEST_SEED, new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.cli.progress import Begin, Progress, show_work
from stylegan_latents.generator.cluster.connection import ClusterOptions, on_cluster
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_writable, printable
from stylegan_latents.generator.ops.memory import keep_freed_memory, share_freed_memory
from stylegan_latents.invert.commands.locks import OutputLocks

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator, Noise

    _Found = Direction | AttributeFlow

discover_app = new_app()

# Accuracy on held-out samples below which a direction is close to chance.
_LEAST_ACCURACY = 0.6


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The finder to use."""

    method: Annotated[
        str,
        typer.Option(
            "--method", "-m", metavar=" | ".join(FINDERS),
            help="; ".join(f"{name}: {entry.summary}" for name, entry in FINDERS.items()),
        ),
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Output:
    """The files to write."""

    panel: ClassVar[str] = "Output"
    out: Annotated[
        Path,
        typer.Option(help="Folder for the files; by default this one.", metavar="FOLDER", show_default=False),
    ] = Path()
    name_by_space: Annotated[
        bool,
        typer.Option("--name-by-space", help="Start file names with the latent space, as shipped ones do."),
    ] = False
    sheet: Annotated[bool, typer.Option(help="Whether to draw the sheet.")] = True
    record: Annotated[
        Path | None, typer.Option(help="Draw the sheet on this inversion instead of a sample.", metavar="RECORD")
    ] = None
    show: Annotated[
        int,
        typer.Option(min=0, max=LARGEST_SEED, help="Seed of the sample to draw the sheet on.", metavar="N"),
    ] = 0
    overwrite: Overwrite = False

    def files(self, names: tuple[str, ...], sheet: str, space: str) -> tuple[list[Path], list[Path]]:
        """The files of the directions and of the sheet; InputError if one exists and may not be replaced."""
        from stylegan_latents.editing.directions.catalogue import shipped_path

        by_space = [shipped_path(space, name, self.out) for name in names]
        files = by_space if self.name_by_space else [self.out / f"{name}.safetensors" for name in names]
        pictures = [self.out / f"{sheet}.png"] if self.sheet else []
        for path in [*files, *pictures]:
            if path.exists() and not self.overwrite:
                raise InputError(
                    f"{path} exists already; add --overwrite to replace it, or name a folder with --out."
                )
        return files, pictures


def settings_with(chosen: type[Chosen]) -> type[Any]:
    """The command's settings; the finders' options come from their registry."""
    return make_dataclass(
        "DiscoverSettings",
        [
            ("chosen", chosen),
            ("finder", all_options(), field(default_factory=all_options())),
            ("output", Output, field(default_factory=Output)),
            ("on", RecordModelOptions, field(default_factory=RecordModelOptions)),
            ("cluster", ClusterOptions, field(default_factory=ClusterOptions)),
        ],
        frozen=True,
        kw_only=True,
    )


def discover(settings: Any) -> None:
    """Find directions, write each to a file for --direction, and draw a sheet of their edits."""
    method, output, on = settings.chosen.method, settings.output, settings.on
    options = options_of(method, settings.finder)
    if settings.cluster.cluster is not None and not isinstance(options, ByScores):
        raise InputError("--cluster is for --method interfacegan and flow, which score many samples; leave it out.")
    share_freed_memory()  # before threads start
    with show_work() as begin, contextlib.closing(OutputLocks()) as locks, keep_freed_memory():
        plan = options.plan(begin)
        check_writable(output.out)  # before minutes of work
        G, ws, noise = _shown(output, on)
        files, pictures = output.files(plan.names, getattr(options, "name", None) or method, G.latent_space)
        for path in [*files, *pictures]:
            locks.take(path)
        progress = None if plan.work is None else _from_the_first_step(begin, plan.work)
        with on_cluster(settings.cluster, G.device.type):
            found = plan.make(G).find(len(files), progress)
        for direction, path in zip(found, files, strict=True):
            direction.save(path, overwrite=output.overwrite)
        for picture in pictures:
            from stylegan_latents.editing.strengths.strips import strips
            from stylegan_latents.invert.photos.files import save_picture

            flows = [one for one in found if isinstance(one, AttributeFlow)]
            directions = [one for one in found if isinstance(one, Direction)]
            drawing = begin("drawing the sheet")
            drawn = (
                flow_sheet(G, ws, noise, flows[0], begin, drawing, trusted=getattr(options, "trust_scorer", False))
                if flows
                else strips(G, ws, noise, directions, drawing)
            )
            save_picture(drawn, picture, overwrite=output.overwrite)
    for line in plan.notes:
        print(printable(line))
    for direction, path in zip(found, files, strict=True):
        print(printable(f"Wrote {path}{_quality(direction)}"))
        for line in (*_left_out(direction), *_at_chance(direction)):
            print(line)
    for picture in pictures:
        print(printable(f"Wrote {picture}"))
    if report := plan.report():
        print(f"\n{report}\n")
    print(printable(f"Next: {_next_command(found[0], files[0], output, on.model)}"))


discover_app.command(
    epilog=examples(
        "edit discover --method sefa --count 10",
        "edit discover --method examples --before neutral/ --after smiling/ --name smile",
        "edit discover --method stylespace --mask mouth",
        "edit discover --method lowrank --mask mouth",
        "edit discover --method text --text 'a smiling face' --neutral 'a face' --name smile",
        "edit discover --method interfacegan --scorer colour --score lightness",
        "edit discover --method flow --scorer faces --samples 10000",
    )
)(takes(settings_with(Chosen))(discover))


def _from_the_first_step(begin: Begin, work: str) -> Progress:
    """A progress bar that appears with the first step."""
    begun: list[Progress] = []

    def report(done: int, whole: int) -> None:
        if not begun:
            begun.append(begin(work))
        begun[0](done, whole)

    return report


def _next_command(found: "_Found", file: Path, output: Output, model: str | None) -> str:
    """A command line that edits with a found direction or flow."""
    words = ["edit", *([] if output.record is None else [str(output.record)])]
    if isinstance(found, Direction):
        words += ["--direction", str(file), "--strength", "2"]
    else:
        one = found.attributes[0]
        words += ["--flow", str(file), "--set", f"{one.name}={one.mean + one.deviation:.3g}"]
    words += [] if model is None else ["--model", model]
    return shlex.join(words)


def _left_out(direction: "_Found") -> list[str]:
    """A sentence on the scores that the leakage leaves out."""
    others = direction.provenance.get("leakage_leaves_out")
    if not isinstance(others, list) or not others:
        return []
    from stylegan_latents.editing.discovery.exclusive import leakage_notes

    return leakage_notes({str(direction.provenance.get("score")): [str(name) for name in others]})


def _at_chance(direction: "_Found") -> list[str]:
    """A sentence if the codes hardly predict the score."""
    accuracy = direction.provenance.get("held_out_accuracy")
    if not isinstance(accuracy, float) or accuracy >= _LEAST_ACCURACY:
        return []
    return [
        f"'{direction.name}' is hardly better than chance: the codes do not predict this score. Take more "
        "samples or another scorer."
    ]


def _quality(direction: "_Found") -> str:
    """Measures of a direction's quality, in brackets."""
    measures = {
        "held_out_accuracy": "accuracy {:.2f} on held-out samples, where 0.5 is chance",
        "leakage": "leakage {:.2f}",
        "agreement": "agreement {:.2f}",
        "held_out_loss": "loss {:.3f} on held-out samples",
        "held_out_loss_linear": "{:.3f} by linear regression",
        "score": "score {:.2f}",
        "share": "share {:.3f}",
    }
    values = {key: direction.provenance.get(key) for key in measures}
    known = [measures[key].format(value) for key, value in values.items() if isinstance(value, float)]
    return f" ({', '.join(known)})" if known else ""


def _shown(output: Output, on: RecordModelOptions) -> "tuple[Generator, Tensor, Noise]":
    """The generator, and the code and noise for the sheet."""
    if output.record is not None:
        from stylegan_latents.editing.records.opened import OpenRecord

        opened = OpenRecord.of(output.record, model=on.model, device=on.device)
        return opened.generator, opened.ws, opened.noise
    from stylegan_latents.generator.cli.command import choose_device
    from stylegan_latents.generator.loading import DEFAULT_MODEL, load

    G = load(on.model or DEFAULT_MODEL).to(choose_device(on.device))
    return G, sample_codes(G, [output.show]), "const"
