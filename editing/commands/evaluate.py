"""The command ``edit evaluate``: directions measured side by side, whichever finder made them."""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.commands.options import Device, Overwrite
from stylegan_latents.editing.records.outputs import free
from stylegan_latents.generator.cli.command import LARGEST_SEED, new_app
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.evaluation.evaluator import Contender
    from stylegan_latents.editing.evaluation.results import Evaluation
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.generator.metrics.frechet import Features


evaluate_app = new_app()
FIRST_SEED = 1_000_000
"""Of the codes by default; no step of finding the shipped directions uses seeds from there on."""

_TEXT, _CSV, _JSON = "evaluation.txt", "evaluation.csv", "evaluation.json"
_PLOTS, _PICTURES = "plots.png", "pictures.png"
_ZERO, _CELL = 1e-9, 256

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


@evaluate_app.command(
    epilog="Examples: edit evaluate --direction age --direction other.npy --score age   "
    "edit evaluate --direction sefa-00.safetensors --direction sefa-01.safetensors --codes 32 --out report/"
)
def evaluate(
    context: typer.Context,
    direction: Annotated[
        list[str] | None,
        typer.Option(
            "--direction", "-d", help="A name or a file; repeatable; all known ones by default.", metavar="NAME"
        ),
    ] = None,
    score: Annotated[
        list[str] | None,
        typer.Option(
            help="What they are meant to change: one for all, or one for each; by default a direction's own, or "
            "what it changes most.",
            metavar="NAME",
        ),
    ] = None,
    scorer: Annotated[
        str,
        typer.Option(
            help="faces, colour, an .onnx or TorchScript file (what it wants is read from NAME.json beside it), or "
            "a folder of labelled pictures.",
            metavar="SCORER",
        ),
    ] = "faces",
    codes: Annotated[int, typer.Option(min=2, max=10_000, help="How many samples to edit.")] = 16,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Of the first sample.", metavar="N")
    ] = FIRST_SEED,
    truncation: Annotated[float, typer.Option(help="Of the samples: 1 as drawn, 0 the mean picture.")] = 0.7,
    ends: Annotated[
        tuple[float, float],
        typer.Option("--strengths", help="The first and the last strength.", metavar="FROM TO"),
    ] = (-2.0, 2.0),
    steps: Annotated[int, typer.Option(min=2, max=99, help="How many strengths; 0 is left out.")] = 5,
    layers: Annotated[
        str | None,
        typer.Option(help="coarse, middle, fine, all, or rows; each direction's own by default.", metavar="LAYERS"),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Take strengths as multiples of the stored vectors.")] = False,
    features: Annotated[
        FeatureName, typer.Option(help="What drift is measured in; inception needs torch-fidelity.")
    ] = FeatureName.vgg,
    identity: Annotated[
        bool | None, typer.Option(help="Whether to measure identity; where faces are scored by default.")
    ] = None,
    figure: Annotated[bool, typer.Option(help="Whether to draw the plots and the sheet of pictures.")] = True,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Judge inversions in place of samples: fills in how those that `invert --report` lists take edits."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the report.", metavar="FOLDER")] = Path("evaluation"),
    overwrite: Overwrite = False,
    model: Annotated[str | None, typer.Option(help="The generator.", metavar="NAME|PATH")] = None,
    device: Device = None,
) -> None:
    """Measure directions side by side: intended change, leakage, identity, drift; a table and a figure."""
    from stylegan_latents.editing.directions.apply import spread
    from stylegan_latents.editing.evaluation.evaluator import Contender, Evaluator
    from stylegan_latents.editing.evaluation.inputs import (
        counter,
        find_directions,
        identity_measure,
        load_generator,
        open_scorer,
        own_score,
    )
    from stylegan_latents.editing.evaluation.score_spread import score_spread
    from stylegan_latents.editing.samples.seeds import check_truncation
    from stylegan_latents.generator.cli.progress import show_work
    from stylegan_latents.generator.weights.fetch import cache_folder

    strengths = [amount for amount in spread(*ends, steps) if abs(amount) > _ZERO]
    check_truncation(truncation)
    _check_scores(direction or [], score or [])
    if report is not None:
        pass

        _check_report_options(context)
        from stylegan_latents.editing.evaluation.of_report import fill_in

        fill_in(report, direction or [], score or [], scorer, identity, model, device)
        return
    files = _files(out, figure, overwrite)
    with show_work() as begin:
        measure = open_scorer(scorer, begin)
        for name in score or []:
            if name not in measure.names:
                raise InputError(f"There is no score '{name}'; {scorer} has {', '.join(measure.names)}.")
        G = load_generator(model, device)
        found = find_directions(direction or [], G)
        rows = None if layers is None else G.rows(layers)
        wanted = (score or []) * (len(found) if len(score or []) == 1 else 1)
        contenders = [
            Contender(label, one, wanted[i] if wanted else own_score(one, measure))
            for i, (label, one) in enumerate(found)
        ]
        ws = G.sample(range(seed, seed + codes), truncation=truncation)
        spread_of = score_spread(G, measure, cache=cache_folder() / "discovery", progress=begin("scoring samples"))
        evaluator = Evaluator(
            G, measure, spread_of.deviations, ws,
            judged=_judged(scorer), tied=spread_of.tied,
            identity=identity_measure(scorer == "faces" if identity is None else identity),
            features=_features(features, G),
            count=counter(begin("editing"), codes * (1 + len(strengths) * len(contenders))),
        )  # fmt: skip
        results = [evaluator.evaluate(one, strengths, rows=rows, raw=raw) for one in contenders]
        settings: dict[str, JSON] = {
            "model": G.name, "fingerprint": G.fingerprint, "scorer": measure.version, "codes": codes, "seed": seed,
            "truncation": truncation, "layers": layers, "raw": raw, "features": features.value,
        }  # fmt: skip
        heading = f"{G.name}: {codes} codes at truncation {truncation:g}, seeds from {seed}"
        table = _write(results, heading, settings, files, overwrite)
        if figure:
            from stylegan_latents.editing.evaluation.report import figure as plots
            from stylegan_latents.invert.photos.files import save_picture

            save_picture(plots(results), files[_PLOTS], overwrite=overwrite)
            sheet = _sheet(G, ws[:1], contenders, strengths, rows, raw)
            save_picture(sheet, files[_PICTURES], overwrite=overwrite)
    print(table)
    for file in files.values():
        print(printable(f"Wrote {file}"))


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
    from stylegan_latents.editing.discovery.fitting.attributes import FACE_ATTRIBUTES

    return [attribute.name for attribute in FACE_ATTRIBUTES]


def _features(name: FeatureName, G: "Generator") -> "Features | None":
    from stylegan_latents.generator.metrics.features import InceptionFeatures, VGGFeatures

    if name is FeatureName.none:
        return None
    return VGGFeatures(device=G.device) if name is FeatureName.vgg else InceptionFeatures(device=G.device)


def _write(
    results: "Sequence[Evaluation]",
    heading: str,
    settings: "dict[str, JSON]",
    files: dict[str, Path],
    overwrite: bool,
) -> str:
    """Write the table, which is returned, and the same as CSV and JSON."""
    from stylegan_latents.editing.evaluation.report import csv_text, json_values, text_table
    from stylegan_latents.generator.files import atomic_path

    table = text_table(results, heading)
    values = json.dumps(json_values(results, settings), indent=1, allow_nan=False)
    for name, content in ((_TEXT, f"{table}\n"), (_CSV, csv_text(results)), (_JSON, f"{values}\n")):
        with atomic_path(files[name], overwrite=overwrite) as temporary:
            temporary.write_text(content, encoding="utf-8", errors="surrogateescape")
    return table


def _sheet(
    G: "Generator",
    ws: "Tensor",
    contenders: "Sequence[Contender]",
    strengths: "Sequence[float]",
    rows: "Sequence[int] | None",
    raw: bool,
) -> "Image.Image":
    """The first code's pictures: one row for each direction, one column for each strength and for none."""
    import torch

    from stylegan_latents.editing.directions.apply import edited_styles
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet
    from stylegan_latents.invert.photos.files import to_picture

    size = min(_CELL, G.resolution)
    columns = sorted({0.0, *strengths})
    pictures = []
    with torch.inference_mode():
        for one in contenders:
            edits = [[(one.direction, amount)] if amount else [] for amount in columns]
            styles = [edited_styles(G, ws, edit, rows=rows, raw=raw) for edit in edits]
            pictures.append([to_picture(G.synthesize_styles(style, size=size))[0] for style in styles])
    titles = [f"{amount:+.3g}" if amount else "0" for amount in columns]
    return contact_sheet(pictures, titles, [one.label for one in contenders], cell=_CELL)
