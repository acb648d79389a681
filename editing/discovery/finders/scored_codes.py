"""Directions from codes that were scored elsewhere: a CSV of scores, and no scorer to ask again.

This is InterFaceGAN as it was published (Shen et al., "Interpreting the Latent Space of GANs for Semantic Face
Editing", 2020): a linear fit and other attributes projected out. Where there is a scorer,
``editing.discovery.finders.interfacegan`` goes on to measure real edits.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.editing.directions.calibration import calibrated, w_statistics
from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.discovery.fitting.linear import LinearModel, Method, fit
from stylegan_latents.editing.discovery.fitting.samples import Samples
from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.generator.cli.command import LARGEST_SEED
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import GROUPS

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_SEED, _RECORD, _TRUNCATION = "seed", "record", "truncation"
_USUAL_TRUNCATION = 0.7
_BATCH = 500


class ScoredCodes:
    """Finds directions from scored codes by a linear fit.

    Args:
        G: the generator of the codes.
        samples: what ``read_scores`` gave.
        method: of the linear model; see ``fit``.

    Raises:
        InputError: too few codes have scores, or a score is the same for all of them.
    """

    def __init__(self, G: "Generator", samples: Samples, *, method: Method = "ridge") -> None:
        self.G, self.samples, self.method = G, samples.valid(), method
        self.model: LinearModel = fit(self.samples, method)

    def find(self, scores: Sequence[str], *, fixed: Sequence[str] = (), layers: str = "all") -> list[Direction]:
        """One direction for each score, which leaves the other ones and the ``fixed`` ones alone.

        Strength 1 is one standard deviation of W along the direction.

        Args:
            scores: names of scores to change.
            fixed: names of scores to leave alone, beside the others of ``scores``.
            layers: coarse, middle, fine, or several of them joined by commas, or all.

        Raises:
            InputError: there is no such score or layer.
        """
        import torch

        groups = parse_groups(layers)
        statistics = w_statistics(self.G)
        found = []
        for name in scores:
            held = [other for other in (*scores, *fixed) if other != name]
            step = self.model.direction(name, fixed=held, groups=groups)
            index = self.model.names.index(name)
            holding: list[JSON] = list(held)
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
                    "fixed": holding,
                    "held_out_correlation": round(float(self.model.accuracy[index]), 4),
                    "held_out_accuracy": round(float(self.model.sign_accuracy[index]), 4),
                },
                by_group=True,
            )
            # Kept by groups, which suit a model of the same W with another number of rows.
            found.append(replace(direction, scale=calibrated(direction.bind(self.G), self.G, statistics).scale))
        return found


def read_scores(path: Path, G: "Generator") -> Samples:
    """Codes and their scores from a CSV with a header.

    The column ``seed`` names a picture of ``edit sample``: the code ``G.sample([seed], truncation=0.7)``, or of the
    truncation in the column ``truncation`` where there is one. Or the column ``record`` names an inversion's file,
    from the CSV's folder. Every other column is a score; an empty cell or ``nan`` is none.

    Raises:
        InputError: the file is missing or malformed, scores one picture twice, or a record cannot be used.
    """
    names, rows = _table(path)
    scores = np.array([[_number(row[name], name, line, path) for name in names] for line, row in rows])
    if _SEED in rows[0][1]:
        seeds = [_whole(row[_SEED], line, path) for line, row in rows]
        truncations = [_number(row.get(_TRUNCATION, ""), _TRUNCATION, line, path) for line, row in rows]
        usual = [_USUAL_TRUNCATION if math.isnan(value) else value for value in truncations]
        _check_once(list(zip(seeds, usual, strict=True)), [line for line, _ in rows], path)
        codes = _sampled(G, seeds, truncations)
    else:
        records = [path.parent / row[_RECORD] for _, row in rows]
        _check_once(records, [line for line, _ in rows], path)
        codes = _recorded(G, records)
    plain = np.asarray((codes == codes[:, :1]).all(axis=(1, 2)))
    return Samples(tuple(names), codes, scores, plain)


def score_names(path: Path) -> tuple[str, ...]:
    """The scores in a CSV, without the codes that they are of.

    Raises:
        InputError: as ``read_scores``.
    """
    return tuple(_table(path)[0])


def _table(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The names of the scores, and each row with its line's number."""
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            header = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = header
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV: {error}.") from error
    keys = [key for key in (_SEED, _RECORD) if key in header]
    names = [name for name in header if name not in (_SEED, _RECORD, _TRUNCATION)]
    if len(keys) != 1 or not names or len(set(header)) != len(header) or "" in header:
        raise InputError(
            f"{path} needs a header with either {_SEED} or {_RECORD}, and a column with a name of its own for "
            "each score."
        )
    if not rows:
        raise InputError(f"{path} holds no scores.")
    for line, row in rows:
        if "" in row:
            raise InputError(f"Line {line} of {path} has more cells than the header.")
    return names, rows


def _number(text: str, name: str, line: int, path: Path) -> float:
    try:
        value = float(text) if text.strip() else math.nan
    except ValueError as error:
        raise InputError(f"Line {line} of {path} has '{text}' for {name}, which is no number.") from error
    return value if math.isfinite(value) else math.nan


def _whole(text: str, line: int, path: Path) -> int:
    if not text.strip().isdecimal() or len(text.strip()) > 20 or int(text) > LARGEST_SEED:
        raise InputError(
            f"Line {line} of {path} has '{text}' for a seed, which is a whole number from 0 to {LARGEST_SEED}."
        )
    return int(text)


def _check_once(codes: Sequence[object], lines: Sequence[int], path: Path) -> None:
    """Two rows of one code would say two things of one picture, and be counted as two pictures."""
    seen: dict[object, int] = {}
    for code, line in zip(codes, lines, strict=True):
        first = seen.setdefault(code, line)
        if first != line:
            raise InputError(f"Lines {first} and {line} of {path} score the same picture; keep one of them.")


def _sampled(G: "Generator", seeds: Sequence[int], truncations: Sequence[float]) -> Array:
    import torch

    parts = [G.sample(seeds[start : start + _BATCH])[:, 0] for start in range(0, len(seeds), _BATCH)]
    w = torch.cat(parts)
    amount = torch.tensor(truncations, dtype=w.dtype, device=w.device).nan_to_num(_USUAL_TRUNCATION)[:, None]
    w = G.w_avg + amount * (w - G.w_avg)
    return np.repeat(w.double().cpu().numpy()[:, None], len(GROUPS), axis=1)


def _recorded(G: "Generator", paths: Sequence[Path]) -> Array:
    from stylegan_latents.invert.record.inversion import Inversion

    codes = []
    for path in paths:
        try:
            ws = Inversion.load(path).for_generator(G)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        if len(ws) != 1:
            raise InputError(f"{path} holds {len(ws)} images; a row of scores needs a record of one.")
        codes.append(_by_group(ws, G))
    return np.concatenate(codes)


def _by_group(ws: "Tensor", G: "Generator") -> Array:
    """The mean row of each group, ``[N, 3, w_dim]``; a group that the model lacks has the mean of all."""
    groups = G.ws_groups
    parts = []
    for group in GROUPS:
        rows = [row for row, its in enumerate(groups) if its == group] or list(range(G.num_ws))
        parts.append(ws[:, rows].mean(dim=1))
    return np.stack([part.double().cpu().numpy() for part in parts], axis=1)


def parse_groups(layers: str) -> tuple[str, ...]:
    """The groups of rows that a fit on scores may move, from what a person types.

    Raises:
        InputError: a part is no group.
    """
    parts = [part.strip() for part in layers.split(",")]
    unknown = [part for part in parts if part not in (*GROUPS, "all")]
    if unknown:
        raise InputError(f"A fit on scores moves {', '.join(GROUPS)} or all layers, not '{unknown[0]}'.")
    return GROUPS if "all" in parts else tuple(group for group in GROUPS if group in parts)
