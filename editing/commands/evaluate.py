"""The command ``edit evaluate``: measures directions, or the editability of inversions."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from stylegan_latents.editing.commands.options import Layers, Overwrite, Raw, RecordModelOptions
from stylegan_latents.editing.directions.apply import counted, spread
from stylegan_latents.editing.discovery.scorers.by_name import TrustScorer, scorer_words
from stylegan_latents.editing.records.outputs import free
from stylegan_latents.generator.cli.command import LARGEST_SEED, choose_device, new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.cluster.connection import ClusterOptions, on_cluster
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
"""The shipped directions were found with smaller seeds."""

_TEXT, _CSV, _JSON = "evaluation.txt", "evaluation.csv", "evaluation.json"
_PLOTS, _PICTURES = "plots.png", "pictures.png"
_ZERO = 1e-9

_OF_SAMPLES = {
    "codes": "--codes", "seed": "--seed", "truncation": "--truncation", "ends": "--strengths", "steps": "--steps",
    "layers": "--layers", "raw": "--raw", "features": "--features", "figure": "--figure", "out": "--out",
}  # fmt: skip
"""Options of edited samples, which do not apply to a --report."""


FeatureName = Literal["vgg", "inception", "none"]
"""Features of the Frechet distance."""


@dataclass(frozen=True)
class SampleOptions:
    """The samples to edit, and the strengths; with ``--report`` inversions are edited in their place."""

    panel: ClassVar[str] = "Samples and strengths"
    codes: Annotated[int, typer.Option(min=2, max=10_000, help="Number of samples.")] = 16
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the first sample.", metavar="N")] = (
        FIRST_SEED
    )
    truncation: Annotated[float, typer.Option(help="Truncation of samples: 1 as drawn, 0 the mean.")] = 0.7
    ends: Annotated[
        tuple[float, float], typer.Option("--strengths", help="First and last strength.", metavar="FROM TO")
    ] = (-2.0, 2.0)
    steps: Annotated[int, typer.Option(min=2, max=99, help="Number of strengths, of which 0 is left out.")] = 5
    layers: Layers = None
    raw: Raw = False

    @property
    def strengths(self) -> list[float]:
        """The strengths of the edits, or InputError if they are no range."""
        return [amount for amount in spread(*self.ends, self.steps) if abs(amount) > _ZERO]


@dataclass(frozen=True)
class ReportOptions:
    """Output options of ``edit evaluate``."""

    panel: ClassVar[str] = "Output"
    figure: Annotated[bool, typer.Option(help="Draw the plots and the sheet of pictures.")] = True
    report: Annotated[
        Path | None,
        typer.Option(help="Add the editability of its inversions to this report of `invert --report`, instead."),
    ] = None
    out: Annotated[Path, typer.Option(help="Folder for the report.", metavar="FOLDER")] = Path("evaluation")
    overwrite: Overwrite = False


@dataclass(frozen=True)
class EvaluateSettings:
    """Options of ``edit evaluate``; ``context`` holds which of them were given."""

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
            help="The intended change, one for all or one for each; a direction's own, or its largest, by default.",
            metavar="NAME",
        ),
    ] = field(default_factory=list)
    scorer: Annotated[
        str,
        typer.Option(
            help=f"Scorer of pictures: {scorer_words(new_pictures=True)}. A network's settings are read from "
            "NAME.json beside it.",
            metavar="SCORER",
        ),
    ] = "faces"
    trust_scorer: TrustScorer = False
    features: Annotated[FeatureName, typer.Option(help="Features for drift; inception needs torch-fidelity.")] = (
        "vgg"
    )
    identity: Annotated[
        bool | None, typer.Option(help="Measure identity distances; by default with --scorer faces.")
    ] = None
    of: SampleOptions = field(default_factory=SampleOptions)
    output: ReportOptions = field(default_factory=ReportOptions)
    on: RecordModelOptions = field(default_factory=RecordModelOptions)
    cluster: ClusterOptions = field(default_factory=ClusterOptions)


@evaluate_app.command(
    epilog=examples(
        "edit evaluate --direction age --direction other.npy --score age",
        "edit evaluate --direction sefa-00.safetensors --direction sefa-01.safetensors --codes 32 --out report/",
    )
)
@takes(EvaluateSettings)
def evaluate(settings: EvaluateSettings) -> None:
    """Measure and compare directions: intended change, leakage, identity and drift, as a table and a figure."""
    from stylegan_latents.editing.evaluation.inputs import open_scorer
    from stylegan_latents.editing.samples.sampling import check_truncation
    from stylegan_latents.generator.cli.progress import show_work

    strengths, output = settings.of.strengths, settings.output
    check_truncation(settings.of.truncation)
    _check_scores(settings.direction, settings.score)
    if output.report is not None:
        _check_report_options(settings.context)
        from stylegan_latents.editing.evaluation.inversions import fill_in

        fill_in(
            output.report, settings.direction, settings.score, settings.scorer, settings.identity,
            settings.on.model, settings.on.device, trusted=settings.trust_scorer,
        )  # fmt: skip
        return
    files = _files(output.out, output.figure, output.overwrite)
    with show_work() as begin, on_cluster(settings.cluster, choose_device(settings.on.device).type):
        measure = open_scorer(settings.scorer, settings.score, begin, trusted=settings.trust_scorer)
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
    """Edit the samples along every direction, measure, write the files, and return the table."""
    from stylegan_latents.editing.discovery.fitting.samples import check_scorer
    from stylegan_latents.editing.evaluation.evaluator import Evaluator
    from stylegan_latents.editing.evaluation.inputs import contenders, counter, load_generator
    from stylegan_latents.editing.evaluation.report import figure, write_tables
    from stylegan_latents.editing.evaluation.score_spread import score_spread
    from stylegan_latents.editing.strengths.strips import strips
    from stylegan_latents.generator.cluster.spread import spread
    from stylegan_latents.generator.weights.fetch import cache_folder
    from stylegan_latents.invert.faces.identity import Identity

    of, overwrite = settings.of, settings.output.overwrite
    G = load_generator(settings.on.model, settings.on.device)
    check_scorer(G, measure)
    compared = contenders(settings.direction, settings.score, measure, G)
    rows = None if of.layers is None else G.rows(of.layers)
    ws = G.sample(range(of.seed, of.seed + of.codes), truncation=of.truncation)
    spread_of = score_spread(G, measure, cache=cache_folder() / "discovery", progress=begin("scoring samples"))
    by_faces = settings.scorer == "faces" if settings.identity is None else settings.identity
    evaluator = Evaluator(
        G, measure, spread_of.deviations, ws,
        judged=_judged(settings.scorer), exclusive=spread_of.exclusive, identity=Identity() if by_faces else None,
        features=_features(settings.features, G),
        count=counter(begin("editing"), of.codes * (1 + len(strengths) * len(compared))),
    )  # fmt: skip
    # A partial of this partial is what each worker calls.
    results = list(
        spread(partial(partial, evaluator.evaluate, strengths=strengths, rows=rows, raw=of.raw), compared)
    )
    facts: dict[str, JSON] = {
        "model": G.name, "fingerprint": G.fingerprint, "scorer": measure.version, "codes": of.codes,
        "seed": of.seed, "truncation": of.truncation, "layers": of.layers, "raw": of.raw,
        "features": settings.features,
    }  # fmt: skip
    heading = f"{G.name}: {of.codes} codes at truncation {of.truncation:g}, seeds from {of.seed}"
    table = write_tables(results, heading, facts, (files[_TEXT], files[_CSV], files[_JSON]), overwrite)
    if settings.output.figure:
        from stylegan_latents.invert.photos.files import save_picture

        save_picture(figure(results), files[_PLOTS], overwrite=overwrite)
        directions = [replace(one.direction, name=one.label) for one in compared]
        columns = sorted({0.0, *strengths})
        sheet = strips(G, ws[:1], "const", directions, strengths=columns, rows=rows, raw=of.raw)
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
            f"{given[0]} is for edits of samples, and --report edits the report's inversions; leave it out."
        )


def _check_scores(directions: "Sequence[str]", scores: "Sequence[str]") -> None:
    if scores and not directions:
        raise InputError("A --score needs the --direction that is meant to change it.")
    if scores and len(scores) not in (1, len(directions)):
        given = f"{counted(directions, 'direction')} came with {counted(scores, 'score')}"
        raise InputError(f"{given}; give one --score for all, or one each.")


def _files(out: Path, figure: bool, overwrite: bool) -> dict[str, Path]:
    """The files of the report by name, or InputError if one cannot be written or no figure drawn."""
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
    """The scores that count as leakage: for faces those that have directions, as a smile also widens a face."""
    if scorer != "faces":
        return None
    from stylegan_latents.editing.discovery.scorers.faces import FACE_ATTRIBUTES

    return [attribute.name for attribute in FACE_ATTRIBUTES]


def _features(name: FeatureName, G: "Generator") -> "Features | None":
    from stylegan_latents.generator.metrics.features import InceptionFeatures, VGGFeatures

    makers = {"vgg": VGGFeatures, "inception": InceptionFeatures}
    return makers[name](device=G.device) if name in makers else None


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
    epilog=examples(
        "edit report merge table.*-of-16.csv --out table.csv",
        "edit report merge monday.csv tuesday.csv --out week.parquet",
    )
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
