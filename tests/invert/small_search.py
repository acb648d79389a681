"""Searches on odd generators with a tiny LPIPS: no download, and little to compute."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.inverters.base import Progress, SearchSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.search.loss import LPIPS
from tests.odd_models import tiny_lpips


@pytest.fixture
def small_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the tiny LPIPS in the place of the published one."""
    monkeypatch.setattr(LPIPS, "load", classmethod(lambda _cls, _trunk="alex": tiny_lpips()))


def invert(G: Generator, images: Tensor, space: Any = "w+", steps: int = 12, **options: Any) -> Inversion:
    """A search in float32; options of the inverter and of its ``invert`` alike."""
    # Codes of a few numbers have no directions that hardly matter; they need shorter steps than codes of 512.
    options = {"precision": "float32", "learning_rate": 0.2} | options
    calls = {name: options.pop(name) for name in ("on_step", "keep_partial", "mask") if name in options}
    return OptimizationInverter(G, SearchSettings(space=space, steps=steps, **options)).invert(images, **calls)


def exact(steps: int, **options: Any) -> SearchSettings:
    """Settings of a search in float32."""
    return SearchSettings(**{"steps": steps, "precision": "float32", "learning_rate": 0.2} | options)


def own_images(G: Generator, *seeds: int) -> Tensor:
    """What the generator itself draws of these seeds."""
    with torch.no_grad():
        return G.synthesize(G.sample(seeds))


def interrupt_at(step: int) -> Callable[[Progress], None]:
    """The user presses Ctrl-C after this step."""

    def on_step(progress: Progress) -> None:
        if progress.step == step:
            raise KeyboardInterrupt

    return on_step


def breaking(G: Generator, *images: int, at: int) -> Generator:
    """The generator, which from its ``at``-th drawing on, counted from 0, draws nothing finite of these images."""
    count = itertools.count()
    synthesize = G.synthesize

    def broken(ws: Tensor, *arguments: Any, **options: Any) -> Tensor:
        drawn = synthesize(ws, *arguments, **options)
        if next(count) < at:
            return drawn
        harm = torch.zeros(len(drawn), 1, 1, 1)
        harm[[image for image in images if image < len(drawn)]] = torch.nan
        return drawn + harm * drawn

    G.synthesize = broken  # type: ignore[method-assign]
    return G
