"""``edit evaluate --report``: adds the editability of inversions to their report."""

from collections.abc import Sequence
from pathlib import Path

from stylegan_latents.editing.evaluation.inputs import contenders, counter, load_generator, open_scorer
from stylegan_latents.editing.evaluation.inversions import editability
from stylegan_latents.editing.evaluation.score_spread import score_spread
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.generator.cli.progress import show_work
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.fetch import cache_folder
from stylegan_latents.invert.commands.report_table import Report
from stylegan_latents.invert.faces.identity import Identity


def fill_in(
    path: Path,
    named: Sequence[str],
    scores: Sequence[str],
    scorer: str,
    identity: bool | None,
    model: str | None,
    device: str | None,
) -> None:
    """Measure the editability of a report's inversions, and write it into the report."""
    if not path.is_file():
        raise InputError(f"There is no report {path}; `invert PHOTOS --report {path}` writes one.")
    table = Report(path)
    records = table.records()
    if not records:
        raise InputError(f"None of the inversions in {path} is there any more; run `invert --report {path}` again.")
    with show_work() as begin:
        measure = open_scorer(scorer, scores, begin)
        G = load_generator(model, device)
        compared = contenders(named, scores, measure, G)
        cache = cache_folder() / "discovery"
        deviations = score_spread(G, measure, cache=cache, progress=begin("scoring samples")).deviations
        faces = Identity() if (scorer == "faces" if identity is None else identity) else None
        count = counter(begin("editing"), 2 * len(records) * len(compared))
        for key, record in records.items():
            opened = OpenRecord(record, generator=G)
            values = editability(opened, compared, measure, deviations, identity=faces, count=count)
            table.set_editability(key, values)
    missing = len(table.rows) - len(records)
    if missing:
        print(f"{missing} of {len(table.rows)} rows have no record any more, and were left unchanged")
    for file in table.write():
        print(f"Wrote {file}")
