"""``edit evaluate --report``: how the inversions of a report take edits."""

from collections.abc import Sequence
from pathlib import Path

from stylegan_latents.editing.evaluation.evaluator import Contender
from stylegan_latents.editing.evaluation.inputs import (
    counter,
    find_directions,
    identity_measure,
    load_generator,
    open_scorer,
    own_score,
)
from stylegan_latents.editing.evaluation.inversions import measure_report
from stylegan_latents.editing.evaluation.score_spread import score_spread
from stylegan_latents.generator.cli.progress import show_work
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.weights.fetch import cache_folder
from stylegan_latents.invert.commands.report_table import Report


def fill_in(
    path: Path,
    named: Sequence[str],
    scores: Sequence[str],
    scorer: str,
    identity: bool | None,
    model: str | None,
    device: str | None,
) -> None:
    """Measure how the inversions of a report take edits, and write that into it.

    Raises:
        InputError: there is no such report, or none of its inversions is left.
    """
    if not path.is_file():
        raise InputError(f"There is no report {path}; `invert PHOTOS --report {path}` writes one.")
    table = Report(path)
    records = table.records()
    if not records:
        raise InputError(f"None of the inversions in {path} is there any more; run `invert --report {path}` again.")
    with show_work() as begin:
        measure = open_scorer(scorer, begin)
        G = load_generator(model, device)
        for name in scores:
            if name not in measure.names:
                raise InputError(f"There is no score '{name}'; {scorer} has {', '.join(measure.names)}.")
        found = find_directions(named, G)
        wanted = [*scores] * (len(found) if len(scores) == 1 else 1)
        contenders = [
            Contender(label, one, wanted[i] if wanted else own_score(one, measure))
            for i, (label, one) in enumerate(found)
        ]
        deviations = score_spread(
            G, measure, cache=cache_folder() / "discovery", progress=begin("scoring samples")
        ).deviations
        measured = measure_report(
            records, G, contenders, measure, deviations,
            identity=identity_measure(scorer == "faces" if identity is None else identity),
            count=counter(begin("editing"), 2 * len(records) * len(contenders)),
        )  # fmt: skip
    for key, values in measured.items():
        table.set_editability(key, values)
    lost = len(table.rows) - len(records)
    if lost:
        print(f"{lost} of {len(table.rows)} rows have no record any more, and were left as they are")
    for file in table.write():
        print(printable(f"Wrote {file}"))
