"""Directions from a table of scores, without a scorer for edits: InterFaceGAN as published (Shen et al.,
"Interpreting the Latent Space of GANs for Semantic Face Editing", 2020), a linear fit with other attributes
projected out.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.directions.calibration import calibrated, w_statistics
from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.finders.base import TRUNCATION as _TRUNCATION
from stylegan_latents.editing.discovery.finders.base import record_codes
from stylegan_latents.editing.discovery.fitting.linear import LinearModel, Method, fit, parse_groups
from stylegan_latents.editing.discovery.fitting.samples import Samples
from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.editing.discovery.scorers.table import RECORD, SEEDS, TRUNCATION, ScoreTable
from stylegan_latents.generator.cli.progress import Progress
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.seeds import RandomSource

_BATCH = 500


class ScoredCodes:
    """Finds directions from scored codes by a linear fit.

    Args:
        G: the generator of the codes.
        samples: such as from ``read_scores``.
        scores: names of the scores that ``find`` finds directions for; None for all.
        fixed, layers: as for ``directions``.
        method: of the linear model; see ``fit``.

    Raises:
        InputError: too few codes have scores, or a score is the same for all of them.
    """

    def __init__(
        self,
        G: "Generator",
        samples: Samples,
        scores: Sequence[str] | None = None,
        *,
        fixed: Sequence[str] = (),
        layers: str | None = None,
        method: Method = "ridge",
    ) -> None:
        self.G, self.samples, self.method = G, samples.valid(), method
        self.scores, self.fixed, self.layers = tuple(scores or samples.names), tuple(fixed), layers or "all"
        self.model: LinearModel = fit(self.samples, method)

    def find(self, count: int | None = None, on_progress: Progress | None = None) -> list[Direction]:
        """``directions`` of the first ``count`` scores, or of all; progress is reported once, at the end."""
        found = self.directions(self.scores[:count], fixed=self.fixed, layers=self.layers)
        if on_progress is not None:
            on_progress(len(found), len(found))
        return found

    def directions(
        self, scores: Sequence[str], *, fixed: Sequence[str] = (), layers: str = "all"
    ) -> list[Direction]:
        """One direction for each score, with the others and the ``fixed`` ones projected out.

        Strength 1 is one standard deviation of W along the direction.

        Args:
            scores: names of scores to change.
            fixed: names of further scores to preserve.
            layers: all, or some of coarse, middle and fine, joined by commas.

        Raises:
            InputError: there is no such score or layer.
        """
        import torch

        groups = parse_groups(layers)
        statistics = w_statistics(self.G)
        found = []
        for name in scores:
            others = [other for other in (*scores, *fixed) if other != name]
            step = self.model.direction(name, fixed=others, groups=groups)
            index = self.model.names.index(name)
            direction = Direction(
                name=name,
                latent_space=self.G.latent_space,
                vector=torch.from_numpy(step.astype(np.float32)),
                scale=1.0,
                layers=layers,
                provenance={
                    "positive": f"more {name}",
                    "finder": "InterFaceGAN",
                    "method": self.method,
                    "refined": False,
                    "generator": self.G.name,
                    "generator_fingerprint": self.G.fingerprint,
                    "samples": len(self.samples.codes),
                    "fixed": list[JSON](others),
                    "held_out_correlation": round(float(self.model.accuracy[index]), 4),
                    "held_out_accuracy": round(float(self.model.sign_accuracy[index]), 4),
                },
                by_group=True,
            )
            # Kept by groups, for models of the same W with another number of rows.
            found.append(replace(direction, scale=calibrated(direction.bind(self.G), self.G, statistics).scale))
        return found


def read_scores(table: ScoreTable | Path, G: "Generator") -> Samples:
    """The codes of a table's pictures with their scores.

    A seed's picture is that of ``G.sample([seed], truncation=0.7)``, or with the truncation in its row.

    Raises:
        InputError: the table cannot be read, scores one picture twice, or a record cannot be used.
    """
    table = table if isinstance(table, ScoreTable) else ScoreTable.read(table)
    names, rows, path = table.names, table.rows, table.path
    scores = np.array([[table.number(row[name], name, line) for name in names] for line, row in rows])
    column = table.seed_column
    if column is not None:
        seeds = [table.seed(row[column], line) for line, row in rows]
        truncations = [table.number(row.get(TRUNCATION, ""), TRUNCATION, line) for line, row in rows]
        known = [_TRUNCATION if math.isnan(value) else value for value in truncations]
        _check_once(list(zip(seeds, known, strict=True)), [line for line, _ in rows], path)
        codes = _sampled(G, seeds, known, SEEDS[column])
    else:
        records = [path.parent / row[RECORD] for _, row in rows]
        _check_once(records, [line for line, _ in rows], path)
        codes = _recorded(G, records)
    plain = np.asarray((codes == codes[:, :1]).all(axis=(1, 2)))
    return Samples(names, codes, scores, plain)


def _check_once(codes: Sequence[object], lines: Sequence[int], path: Path) -> None:
    """Raise InputError if two rows name one code, which would count twice."""
    seen: dict[object, int] = {}
    for code, line in zip(codes, lines, strict=True):
        first = seen.setdefault(code, line)
        if first != line:
            raise InputError(f"Lines {first} and {line} of {path} score the same picture; keep one of them.")


def _sampled(G: "Generator", seeds: Sequence[int], truncations: Sequence[float], random: "RandomSource") -> Array:
    import torch

    batches = [seeds[start : start + _BATCH] for start in range(0, len(seeds), _BATCH)]
    w = torch.cat([G.sample(batch, random=random)[:, 0] for batch in batches])
    amount = torch.tensor(truncations, dtype=w.dtype, device=w.device)[:, None]
    w = G.w_avg + amount * (w - G.w_avg)
    return np.repeat(w.cpu().double().numpy()[:, None], len(GROUPS), axis=1)


def _recorded(G: "Generator", paths: Sequence[Path]) -> Array:
    codes = []
    for path in paths:
        ws = record_codes(path, G)
        if len(ws) != 1:
            raise InputError(f"{path} holds {len(ws)} images; a row of scores needs a record of one.")
        codes.append(_by_group(ws, G))
    return np.concatenate(codes)


def _by_group(ws: "Tensor", G: "Generator") -> Array:
    """The mean row of each group, ``[N, 3, w_dim]``; of all rows for a group that the model lacks."""
    groups = G.ws_groups
    parts = []
    for group in GROUPS:
        rows = [row for row, each in enumerate(groups) if each == group] or list(range(G.num_ws))
        parts.append(ws[:, rows].mean(dim=1))
    return np.stack([part.cpu().double().numpy() for part in parts], axis=1)
