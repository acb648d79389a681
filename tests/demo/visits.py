"""A studio of a small random generator, and a visit in it with a few faces."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from demo.studio import Studio
from demo.visit import Visit
from editing import direction as direction_module
from editing.direction import Direction
from tests.small_models import small_generator, small_record

NAMES = ("ann", "bob", "cleo")


@contextmanager
def visiting(folder: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...] = NAMES) -> Iterator[Visit]:
    """A visit whose faces are the small generator's first seeds, in the order of their names."""
    G = small_generator(latent_space="small-w")
    smile = Direction("smile", "small-w", torch.ones(1, G.w_dim), 1.0, provenance={"positive": "smiles more"})
    monkeypatch.setattr(direction_module, "_shipped", lambda: {"small-w": {"smile": smile}})
    studio = Studio(G, folder=folder)
    try:
        visit = studio.enter("a session")
        for seed, name in enumerate(names):
            visit.add(small_record(G, ws=G.sample([seed])), name)
        yield visit
    finally:
        studio.close()
