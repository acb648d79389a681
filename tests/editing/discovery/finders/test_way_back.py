from dataclasses import replace

import numpy as np
import pytest
import torch

from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.by_name import options_of
from stylegan_latents.editing.discovery.finders.way_back import Start, WayBack, WayBackOptions
from stylegan_latents.editing.discovery.scorers.scorer import Scorer
from stylegan_latents.generator.errors import InputError
from tests.editing.discovery.finders.test_interfacegan import W_DIM, PlantedGenerator


class _Generator(PlantedGenerator):
    z_dim, label_dim, device = W_DIM, 0, torch.device("cpu")

    def map(self, z, label=None):  # noqa: ARG002
        return z[:, None].repeat(1, self.num_ws, 1)


class _Scorer(Scorer):
    """How wide it gets on its way back depends on the code; how deep does not show in it."""

    names, version = ("old", "wide", "deep"), "planted-back-1"

    def score(self, images):
        w = images[:, 0].double().numpy()
        old, wide = w[:, 0, 0], w[:, 2, 1] + 0.3 * w[:, 0, 0] * w[:, 2, 2]
        return np.stack([old, wide, w[:, 4, 3] + np.sin(40 * w[:, 0, 0])], axis=1)


def _direction(name: str, group: int, axis: int) -> Direction:
    vector = torch.zeros(3, W_DIM)
    vector[group, axis] = 1
    about = {"score_deviations": {"old": 1.0, "wide": 1.0, "deep": 1.0}, "intended_change": 2.0}
    return Direction(name, "planted-w", vector, 2.0, provenance=about, by_group=True)


G = _Generator()
OLD = replace(_direction("old", 0, 0), scale=0.7)
OTHERS = {"wide": _direction("wide", 1, 1), "deep": _direction("deep", 2, 3)}


def _changes(direction: Direction, strength: float = -2.0) -> np.ndarray:
    ws = G.sample(range(5000, 5200))
    score = _Scorer().score
    moved = direction.bind(G).apply(ws, strength)  # type: ignore[arg-type]
    return np.asarray(score(moved[:, None]) - score(ws[:, None]))


def test_the_way_back_takes_back_what_the_code_tells_of_other_changes() -> None:
    way = WayBack(G, _Scorer(), OLD, OTHERS, G.sample(range(400)))  # type: ignore[arg-type]
    (found,) = way.find()
    assert np.abs(_changes(found)[:, 1]).mean() < 0.5 * np.abs(_changes(OLD)[:, 1]).mean()
    assert _changes(found)[:, 0] == pytest.approx(_changes(OLD)[:, 0], abs=1e-5)
    assert _changes(found, 2.0) == pytest.approx(_changes(OLD, 2.0))
    predicted = found.provenance["negative_predicted"]
    assert isinstance(predicted, dict)
    assert predicted["wide"] > 0.9
    assert predicted["deep"] < 0.3
    assert found.bend is not None
    assert len(found.bend.steps) == 1, "a change that no code tells has a step"


def test_it_starts_from_other_gains_and_steps() -> None:
    start = Start((0.5, 1.0, 1.0), {"wide": 0.35, "unknown": 1.0})
    (found,) = WayBack(G, _Scorer(), OLD, OTHERS, G.sample(range(400)), start=start).find()  # type: ignore[arg-type]
    assert found.negative is not None
    assert float(found.negative[0, 0]) == 0.5
    assert float(found.negative[1, 1]) == pytest.approx(0.35 * 2.0 / 0.7)
    assert found.provenance["negative_by_group"] == [0.5, 1.0, 1.0]


def test_what_it_needs_and_lacks_is_said() -> None:
    with pytest.raises(InputError, match="100 are needed"):
        WayBack(G, _Scorer(), OLD, OTHERS, G.sample(range(50))).find()  # type: ignore[arg-type]
    nameless = {"wide": replace(OTHERS["wide"], provenance={})}
    with pytest.raises(InputError, match="'wide' does not say its score_deviations"):
        WayBack(G, _Scorer(), OLD, nameless, G.sample(range(200))).find()  # type: ignore[arg-type]
    flat = Direction("old", "planted-w", torch.ones(1, W_DIM), 1.0)
    with pytest.raises(InputError, match="not by groups"):
        WayBack(G, _Scorer(), flat, OTHERS, G.sample([0]))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="needs a direction, such as --direction age"):
        WayBackOptions(scorer="faces")
    with pytest.raises(InputError, match="takes no --score"):
        WayBackOptions(scorer="faces", direction="age", score=["smile"])
    with pytest.raises(InputError, match="--method wayback does not take --mask"):
        options_of("wayback", WithMask())


class WithMask:
    """Options of all finders where only a mask is given."""

    mask = ("mouth",)
