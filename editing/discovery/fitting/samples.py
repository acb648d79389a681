"""Scored samples of a generator, cached in a folder."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer
from stylegan_latents.generator.cli.progress import Progress
from stylegan_latents.generator.cluster.connection import current
from stylegan_latents.generator.cluster.spread import spread
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.layers import GROUPS
from stylegan_latents.generator.reading.files import refusing_damage
from stylegan_latents.generator.reading.numpy_file import read_numpy

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_BATCH = 4
_SAVE_EVERY = 100
_SKETCH = "sketch-3"  # version of sketches, which cached scores depend on


@dataclass(frozen=True, eq=False)
class Samples:
    """Scored samples.

    Attributes:
        names: of the scores.
        codes: float64 ``[N, 3, w_dim]``: w of the coarse, middle and fine rows.
        scores: float64 ``[N, len(names)]``; NaN where a picture could not be scored.
        plain: bool ``[N]``: whether the three w of the sample are equal.
    """

    names: tuple[str, ...]
    codes: Array
    scores: Array
    plain: npt.NDArray[np.bool_]

    def valid(self) -> "Samples":
        """The samples with scores; raises InputError for fewer than 100."""
        finite = np.isfinite(self.scores)
        keep = np.asarray(finite.all(axis=1))
        if keep.sum() < 100:
            raise InputError(self._too_few(int(keep.sum()), finite.sum(axis=0).tolist()))
        return Samples(self.names, self.codes[keep], self.scores[keep], self.plain[keep])

    def _too_few(self, kept: int, scored: Sequence[int]) -> str:
        if kept == len(self.codes):
            return f"Finding a direction needs at least 100 scored samples, not {kept}; take more."
        fewest = min(scored)
        named = f" ('{self.names[list(scored).index(fewest)]}' of {fewest})" if max(scored) > fewest else ""
        return (
            f"Only {kept} of {len(self.codes)} samples could be scored{named}, and at least 100 are needed; take "
            "more samples, or a scorer that fits what this model shows."
        )

    def select(self, names: Sequence[str]) -> "Samples":
        """The same samples with only these scores."""
        columns = [self.names.index(name) for name in names]
        return Samples(tuple(names), self.codes, self.scores[:, columns], self.plain)

    def deviations(self) -> Array:
        """The standard deviation of each score over the plain samples of W, ``[len(names)]``."""
        result: Array = self.scores[self.plain].std(0)
        return result


def draw_codes(G: "Generator", samples: int, seed: int, truncation: float, *, mixed: bool = True) -> "Tensor":
    """Codes of the samples, float32 ``[samples, 3, w_dim]`` (coarse, middle, fine rows).

    Every other code has one w for all rows; the rest mix three styles (StyleGAN, section 3.1), which separates the
    effects of the groups. Seeds from ``2 * samples * seed`` on are used. Without ``mixed`` no code mixes styles.
    """
    import torch

    first = 2 * samples * seed
    plain = (samples + 1) // 2 if mixed else samples
    count = plain + len(GROUPS) * (samples - plain)
    chunks = [range(start, min(start + 500, count)) for start in range(0, count, 500)]
    w = torch.cat([G.sample([first + index for index in chunk], truncation=truncation)[:, 0] for chunk in chunks])
    if not mixed:
        return w[:, None].expand(-1, len(GROUPS), -1)
    codes = w.new_empty(samples, len(GROUPS), G.w_dim)
    codes[0::2] = w[:plain, None]
    codes[1::2] = w[plain:].view(-1, len(GROUPS), G.w_dim)
    return codes


def expand(codes: "Tensor", G: "Generator") -> "Tensor":
    """Codes by group ``[N, 3, w_dim]`` to ws ``[N, num_ws, w_dim]``."""
    return codes[:, [GROUPS.index(group) for group in G.ws_groups]]


def score_codes(
    G: "Generator",
    scorer: Scorer,
    ws: "Tensor",
    *,
    size: int,
    exact: bool = True,
    progress: Progress | None = None,
) -> Array:
    """Scores of the pictures of ws, ``[N, len(scorer.names)]``.

    Pictures have ``size`` pixels a side, at most the resolution, and are exact or those of ``Generator.sketch``. On
    a CPU all cores are used.
    """
    from stylegan_latents.generator.ops.memory import keep_freed_memory

    scores = np.full((len(ws), len(scorer.names)), np.nan)
    done = 0
    with keep_freed_memory():
        for batch in _scored(G, scorer, ws, size=size, exact=exact):
            scores[done : done + len(batch)] = batch
            done += len(batch)
            if progress is not None:
                progress(done, len(ws))
    return scores


def _scored(G: "Generator", scorer: Scorer, ws: "Tensor", *, size: int, exact: bool) -> Iterator[Array]:
    """The scores by batches."""
    from stylegan_latents.generator.ops.cores import on_every_core

    batches = [ws[start : start + _BATCH] for start in range(0, len(ws), _BATCH)]
    make = partial(_Scoring, G, scorer, min(size, G.resolution), exact)
    on_cores = ws.device.type == "cpu" and current() is None
    yield from on_every_core(make(), batches) if on_cores else spread(make, batches)


class _Scoring:
    """Scores the pictures of ws."""

    def __init__(self, G: "Generator", scorer: Scorer, size: int, exact: bool) -> None:
        self._G, self._scorer, self._size, self._exact = G, scorer, size, exact

    def __call__(self, ws: "Tensor") -> Array:
        import torch

        from stylegan_latents.generator.perceptual import as_colour

        with torch.no_grad():
            draw = self._G.synthesize if self._exact else partial(self._G.sketch, focus=self._scorer.focus)
            return self._scorer.score(as_colour(draw(ws, size=self._size)))


def check_scorer(G: "Generator", scorer: Scorer) -> None:
    """Raise InputError if a scorer does not measure what a model shows, judged by eight of its pictures."""
    if type(scorer).check is Scorer.check:
        return
    import torch

    from stylegan_latents.generator.perceptual import as_colour

    with torch.no_grad():
        images = G.synthesize(expand(draw_codes(G, 16, 0, 0.7)[::2], G), size=min(256, G.resolution))
    scorer.check(as_colour(images), f"eight pictures of '{G.name}'")


def sample(
    G: "Generator",
    scorer: Scorer,
    samples: int = 8000,
    *,
    seed: int = 0,
    truncation: float = 0.8,
    size: int = 256,
    exact: bool = False,
    mixed: bool = True,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Draw and score samples, or take them from the cache.

    Args:
        G: the generator, in its own precision (bfloat16 is enough for scores).
        scorer: the scorer of the pictures.
        samples: number of pictures; half of them mix three styles if ``mixed``.
        seed: of the codes; see ``draw_codes``.
        truncation: of the codes; a compromise between broken faces and little variation.
        size: side of the scored pictures in pixels.
        exact: whether to score exact pictures instead of sketches, sharp only at the scorer's focus; directions of
            face attributes from 600 samples had cosines of 0.988 and more between the two.
        mixed: see ``draw_codes``.
        cache: folder for the scores, from which an interrupted run resumes; None for no cache.
        progress: called with the number of samples done and the total.

    Raises:
        InputError: too few samples, a scorer that does not measure what the model shows, or the cache folder
            cannot be written.
    """
    from stylegan_latents.generator.ops.memory import keep_freed_memory

    if samples < 100:
        raise InputError(f"Finding a direction needs at least 100 samples, not {samples}.")
    check_scorer(G, scorer)
    codes = draw_codes(G, samples, seed, truncation, mixed=mixed)
    settings: dict[str, object] = {
        "fingerprint": G.fingerprint,
        "precision": str(G.dtype),
        "samples": samples,
        "seed": seed,
        "random": "numpy",
        "truncation": truncation,
        "size": size,
        "scorer": scorer.version,
        "names": list(scorer.names),
    }
    if not mixed:
        settings["mixed"] = False
    if not exact:
        settings["pictures"], settings["focus"] = _SKETCH, scorer.focus
    path = None if cache is None else cache / f"{_digest(settings)}.npz"
    scores = np.full((samples, len(scorer.names)), np.nan)
    done = 0
    if path is not None and path.is_file():
        scores, done = _read(path, scores)
    saved = done

    def save() -> None:
        nonlocal saved
        if path is not None and done > saved:
            with atomic_path(path) as temporary:
                np.savez(temporary, scores=scores, done=done)
            saved = done

    with keep_freed_memory():
        try:
            for batch in _scored(G, scorer, expand(codes[done:], G), size=size, exact=exact):
                scores[done : done + len(batch)] = batch
                done += len(batch)
                if progress is not None:
                    progress(done, samples)
                if done - saved >= _SAVE_EVERY:
                    save()
        finally:  # also after Ctrl-C
            save()
    plain = (np.arange(samples) % 2 == 0) | (not mixed)
    return Samples(tuple(scorer.names), codes.cpu().numpy().astype(np.float64), scores, plain)


def _digest(settings: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:24]


def _read(path: Path, empty: Array) -> tuple[Array, int]:
    """Cached scores and their number; ``empty`` and 0 if the file is damaged."""
    try:
        with refusing_damage(path):
            file = read_numpy(path, largest=empty.nbytes + 1024)
            scores, done = np.asarray(file["scores"], dtype=np.float64), int(file["done"])
    except InputError:
        return empty, 0
    return (scores, done) if scores.shape == empty.shape and 0 <= done <= len(scores) else (empty, 0)
