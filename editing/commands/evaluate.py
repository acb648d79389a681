"""The command ``edit evaluate``: directions measured side by side, whichever finder made them."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import Layers, Overwrite, Raw, RecordsModelOptions
from stylegan_latents.editing.directions.apply import spread
from stylegan_latents.editing.discovery.scorers.by_name import scorer_words
from stylegan_latents.editing.records.outputs import free
from stylegan_latents.generator.cli.command import LARGEST_SEED, new_app
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stylegan_latents.editing.discovery.scorers.scorer import Scorer
    from stylegan_latents.generator.cli.progress import Begin
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.generator.metrics.frechet import Features


evaluate_app, report_app = new_app(), new_app()
FIRST_SEED = 1_000_000
"""Of the codes by default; no step of finding the shipped directions uses seeds from there on."""

_TEXT, _CSV, _JSON = "evaluation.txt", "evaluation.csv", "evaluation.json"
_PLOTS, _PICTURES = "plots.png", "pictures.png"
_ZERO = 1e-9

_OF_SAMPLES = {
    "codes": "--codes", "seed": "--seed", "truncation": "--truncation", "ends": "--strengths", "steps": "--steps",
    "layers": "--layers", "raw": "--raw", "features": "--features", "figure": "--figure", "out": "--out",
}  # fmt: skip
"""Options that say how samples are edited and where that is written; a --report says both itself."""


class FeatureName(StrEnum):
    """What the Frechet distance is taken in."""

    vgg = "vgg"
    inception = "inception"
    none = "none"


@dataclass(frozen=True)
class SampleOptions:
    """Which samples are edited, and how far; with ``--report`` inversions are edited in their place."""

    panel: ClassVar[str] = "Samples and strengths"
    codes: Annotated[int, typer.Option(min=2, max=10_000, help="How many samples to edit.")] = 16
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Of the first sample.", metavar="N")] = (
        FIRST_SEED
    )
    truncation: Annotated[float, typer.Option(help="Of the samples: 1 as drawn, 0 the mean picture.")] = 0.7
    ends: Annotated[
        tuple[float, float], typer.Option("--strengths", help="The first and the last strength.", metavar="FROM TO")
    ] = (-2.0, 2.0)
    steps: Annotated[int, typer.Option(min=2, max=99, help="How many strengths; 0 is left out.")] = 5
    layers: Layers = None
    raw: Raw = False

    @property
    def strengths(self) -> list[float]:
        """The strengths of the edits.

        Raises:
            InputError: they are no range.
        """
        return [amount for amount in spread(*self.ends, self.steps) if abs(amount) > _ZERO]


@dataclass(frozen=True)
class ReportOptions:
    """What is written, and where."""

    panel: ClassVar[str] = "Output"
    figure: Annotated[bool, typer.Option(help="Whether to draw the plots and the sheet of pictures.")] = True
    report: Annotated[
        Path | None,
        typer.Option(
            help="Judge inversions in place of samples: fills in how those that `invert --report` lists take edits."
        ),
    ] = None
    out: Annotated[Path, typer.Option(help="Folder for the report.", metavar="FOLDER")] = Path("evaluation")
    overwrite: Overwrite = False


@dataclass(frozen=True)
class EvaluateSettings:
    """What ``edit evaluate`` takes; ``context`` tells which options were given."""

    panel: ClassVar[str] = "Measures"
    context: typer.Context
    direction: Annotated[
        list[str],
        typer.Option(
            "--direction", "-d", help="A name or a file; repeatable; all known ones by default.", metavar="NAME"
        ),
    ] = field(default_factory=list)
    score: Annotated[
        list[str],
        typer.Option(
            help="What they are meant to change: one for all, or one for each; by default a direction's own, or "
            "what it changes most.",
            metavar="NAME",
        ),
    ] = field(default_factory=list)
    scorer: Annotated[
        str,
        typer.Option(
            help=f"What scores pictures: {scorer_words(new_pictures=True)}. What a network wants is read from "
            "NAME.json beside it.",
            metavar="SCORER",
        ),
    ] = "faces"
    features: Annotated[
        FeatureName, typer.Option(help="What drift is measured in; inception needs torch-fidelity.")
    ] = FeatureName.vgg
    identity: Annotated[
        bool | None, typer.Option(help="Whether to measure identity; where faces are scored by default.")
    ] = None
    of: SampleOptions = field(default_factory=SampleOptions)
    output: ReportOptions = field(default_factory=ReportOptions)
    on: RecordsModelOptions = field(default_factory=RecordsModelOptions)


@evaluate_app.command(
    epilog="Examples:\n\nedit evaluate --direction age --direction other.npy --score age\n\n"
    "edit evaluate --direction sefa-00.safetensors --direction sefa-01.safetensors --codes 32 --out report/"
)
@takes(EvaluateSettings)
def evaluate(settings: EvaluateSettings) -> None:
    """Measure directions side by side: intended change, leakage, identity, drift; a table and a figure."""
    from stylegan_latents.editing.evaluation.inputs import open_scorer
    from stylegan_latents.editing.samples.sampling import check_truncation
    from stylegan_latents.generator.cli.progress import show_work

    strengths, output = settings.of.strengths, settings.output
    check_truncation(settings.of.truncation)
    _check_scores(settings.direction, settings.score)
    if output.report is not None:
        _check_report_options(settings.context)
        from stylegan_latents.editing.evaluation.of_report import fill_in

        fill_in(
            output.report, settings.direction, settings.score, settings.scorer, settings.identity,
            settings.on.model, settings.on.device,
        )  # fmt: skip
        return
    files = _files(output.out, output.figure, output.overwrite)
    with show_work() as begin:
        measure = open_scorer(settings.scorer, begin)
        for name in settings.score:
            if name not in measure.names:
                raise InputError(f"There is no score '{name}'; {settings.scorer} has {', '.join(measure.names)}.")
        table = _measure(settings, strengths, measure, files, begin)
    print("\n".join(map(printable, table.split("\n"))))
    for file in files.values():
        print(printable(f"Wrote {file}"))


def _measure(
    settings: EvaluateSettings,
    strengths: "Sequence[float]",
    measure: "Scorer",
    files: dict[str, Path],
    begin: "Begin",
) -> str:
    """Edit the samples along every direction, measure, and write the files; the table is returned."""
    from stylegan_latents.editing.evaluation.evaluator import Contender, Evaluator
    from stylegan_latents.editing.evaluation.inputs import (
        counter,
        find_directions,
        identity_measure,
        load_generator,
        own_score,
    )
    from stylegan_latents.editing.evaluation.report import figure, pictures_figure, write_tables
    from stylegan_latents.editing.evaluation.score_spread import score_spread
    from stylegan_latents.generator.weights.fetch import cache_folder

    of, overwrite = settings.of, settings.output.overwrite
    G = load_generator(settings.on.model, settings.on.device)
    found = find_directions(settings.direction, G)
    rows = None if of.layers is None else G.rows(of.layers)
    wanted = settings.score * (len(found) if len(settings.score) == 1 else 1)
    contenders = [
        Contender(label, one, wanted[i] if wanted else own_score(one, measure))
        for i, (label, one) in enumerate(found)
    ]
    ws = G.sample(range(of.seed, of.seed + of.codes), truncation=of.truncation)
    spread_of = score_spread(G, measure, cache=cache_folder() / "discovery", progress=begin("scoring samples"))
    by_faces = settings.scorer == "faces" if settings.identity is None else settings.identity
    evaluator = Evaluator(
        G, measure, spread_of.deviations, ws,
        judged=_judged(settings.scorer), tied=spread_of.tied, identity=identity_measure(by_faces),
        features=_features(settings.features, G),
        count=counter(begin("editing"), of.codes * (1 + len(strengths) * len(contenders))),
    )  # fmt: skip
    results = [evaluator.evaluate(one, strengths, rows=rows, raw=of.raw) for one in contenders]
    facts: dict[str, JSON] = {
        "model": G.name, "fingerprint": G.fingerprint, "scorer": measure.version, "codes": of.codes,
        "seed": of.seed, "truncation": of.truncation, "layers": of.layers, "raw": of.raw,
        "features": settings.features.value,
    }  # fmt: skip
    heading = f"{G.name}: {of.codes} codes at truncation {of.truncation:g}, seeds from {of.seed}"
    table = write_tables(results, heading, facts, (files[_TEXT], files[_CSV], files[_JSON]), overwrite)
    if settings.output.figure:
        from stylegan_latents.invert.photos.files import save_picture

        save_picture(figure(results), files[_PLOTS], overwrite=overwrite)
        sheet = pictures_figure(G, ws[:1], contenders, strengths, rows, of.raw)
        save_picture(sheet, files[_PICTURES], overwrite=overwrite)
    return table


def _check_report_options(context: typer.Context) -> None:
    given = [
        option
        for name, option in _OF_SAMPLES.items()
        if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    ]
    if given:
        raise InputError(
            f"{given[0]} is about edits of samples, and --report edits the report's own inversions; leave it out."
        )


def _check_scores(directions: "Sequence[str]", scores: "Sequence[str]") -> None:
    if scores and not directions:
        raise InputError("A --score needs the --direction that is meant to change it.")
    if scores and len(scores) not in (1, len(directions)):
        raise InputError(
            f"{_count(directions, 'direction')} came with {_count(scores, 'score')}; give one --score for all, or "
            "one each."
        )


def _count(names: "Sequence[str]", what: str) -> str:
    return f"{len(names)} {what}{'' if len(names) == 1 else 's'}"


def _files(out: Path, figure: bool, overwrite: bool) -> dict[str, Path]:
    """What will be written, by name.

    Raises:
        InputError: the folder cannot be one, holds a report that may not be replaced, or no figure can be drawn.
    """
    from stylegan_latents.editing.evaluation.report import check_figure

    if out.is_file() or out.suffix in (".txt", ".csv", ".json", ".png"):
        raise InputError(f"--out takes a folder for the report's files, not {out}.")
    if figure:
        check_figure()
    files = {name: out / name for name in (_TEXT, _CSV, _JSON, *((_PLOTS, _PICTURES) if figure else ()))}
    for path in files.values():
        free(path, overwrite)
    return files


def _judged(scorer: str) -> list[str] | None:
    """The scores that leakage is about: of a face those that have directions, as a smile does widen a face."""
    if scorer != "faces":
        return None
    from stylegan_latents.editing.discovery.scorers.faces import FACE_ATTRIBUTES

    return [attribute.name for attribute in FACE_ATTRIBUTES]


def _features(name: FeatureName, G: "Generator") -> "Features | None":
    from stylegan_latents.generator.metrics.features import InceptionFeatures, VGGFeatures

    if name is FeatureName.none:
        return None
    return VGGFeatures(device=G.device) if name is FeatureName.vgg else InceptionFeatures(device=G.device)


@dataclass(frozen=True)
class MergeSettings:
    """What ``edit report merge`` takes."""

    tables: Annotated[
        list[Path],
        typer.Argument(help="Tables of `invert --report`, as CSV or Parquet.", metavar="TABLE...", readable=False),
    ]
    out: Annotated[
        Path,
        typer.Option(
            help="The table of all, CSV or Parquet; rows that it has already stay in it.",
            metavar="FILE.csv|FILE.parquet",
        ),
    ]


@report_app.callback()
def _report() -> None:
    """Work with the tables that `invert --report` writes."""


@report_app.command(
    epilog="Examples:\n\nedit report merge table.*-of-16.csv --out table.csv\n\n"
    "edit report merge monday.csv tuesday.csv --out week.parquet"
)
@takes(MergeSettings)
def merge(settings: MergeSettings) -> None:
    """Join tables, such as those of `invert --shard`, with their medians and the picture made anew."""
    from stylegan_latents.invert.commands.report_table import Report

    missing = [path for path in settings.tables if not path.is_file()]
    if missing:
        raise InputError(f"There is no table {missing[0]}; name files that `invert --report` wrote.")
    table = Report(settings.out)
    for path in settings.tables:
        table.merge(Report(path))
    if not table.rows:
        raise InputError(f"There is no row in {settings.tables[0]}, nor in others; nothing was written.")
    for file in table.write():
        print(printable(f"Wrote {file}"))
    print(f"{len(table.rows)} rows of {len({key[0] for key in table.rows})} photos")
