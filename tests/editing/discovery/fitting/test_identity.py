import numpy as np
import pytest
import torch

from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
from stylegan_latents.editing.discovery.fitting.identity import (
    identity_effects,
    identity_share,
    least_identity_step,
)
from stylegan_latents.editing.discovery.fitting.linear import fit
from stylegan_latents.editing.discovery.fitting.samples import Samples, sample
from stylegan_latents.editing.discovery.scorers.scorer import Attribute, Scorers
from tests.editing.discovery.finders.test_interfacegan import ATTRIBUTES, W_DIM, PlantedGenerator, PlantedScorer

WIDTH = 6
SCORES, PERSON = ("age", "smile", "glasses"), ("who-0", "who-1")
AGE = Attribute("age", "older", "younger", "all", ("glasses",))


def _samples(count: int = 4000) -> tuple[Samples, np.ndarray]:
    """Age shows in two columns of the middle rows, alike; one of them is what the person is known by, too."""
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(count, 3, WIDTH)) * np.linspace(0.5, 2, WIDTH)
    normals = np.zeros((len(SCORES) + len(PERSON), 3, WIDTH))
    normals[0, 1, :2] = 1.0
    normals[1, 1, 2], normals[1, 2, 3] = 1.0, 1.0
    normals[2, 2, 4], normals[2, 1, 1] = 1.0, 0.3
    normals[3, 1, 0], normals[4, 0, 5] = 0.6, 0.2
    scores = np.einsum("ngw,kgw->nk", codes, normals) + 0.02 * rng.normal(size=(count, len(normals)))
    return Samples((*SCORES, *PERSON), codes, scores, np.arange(count) % 2 == 0), normals


@pytest.fixture(scope="module")
def found():
    samples, normals = _samples()
    scores = samples.select(SCORES)
    return fit(scores, strength=1.0), identity_effects(samples.select(PERSON)), normals, scores.scores.std(0)


def _changes(step: np.ndarray, normals: np.ndarray) -> np.ndarray:
    return np.einsum("gw,kgw->k", step, normals)


def test_the_step_changes_its_score_by_one_deviation_and_takes_the_way_that_spares_the_person(found):
    model, person, normals, deviations = found
    shortest = model.direction("age", fixed=("smile", "glasses"))
    sparing = least_identity_step(model, person, AGE, ["age", "smile"])
    plain, kept = _changes(shortest, normals), _changes(sparing, normals)
    assert kept[0] / deviations[0] == pytest.approx(1, abs=0.02)
    assert np.abs(kept[3] / kept[0]) < 0.3 * np.abs(plain[3] / plain[0])
    # The other way leads through glasses, which are held.
    assert np.abs(kept[2] / deviations[2]) < 0.1
    assert np.abs(kept[1] / deviations[1]) < 0.1


def test_the_person_is_told_in_its_own_numbers(found):
    model, person, normals, _ = found
    # The penalty on large weights shortens what ridge regression tells.
    np.testing.assert_allclose(person @ np.linalg.inv(model.colouring), normals[3:], atol=0.1)


def test_only_the_attributes_rows_move(found):
    model, person, _, _ = found
    step = least_identity_step(model, person, Attribute("age", "", "", "coarse,middle"), ["age", "smile"])
    assert step[1].any()
    assert not step[2].any()


class _Person(PlantedScorer):
    """Known by what `tall` reads in the coarse rows, but not by what it reads in the middle ones."""

    names = ("who",)

    def __init__(self, unit=1.0):
        self.unit = unit

    def score(self, images):
        return self.unit * images[:, 0, :1, 0].double().numpy()


def test_the_finder_spares_the_person_for_the_attributes_that_are_named_and_says_so():
    G, scorer, person = PlantedGenerator(), PlantedScorer(), _Person()
    samples = sample(G, Scorers((scorer, person)), 1200)

    def find(**asked):
        return InterFaceGAN(G, scorer, samples, codes=16, identity=person, **asked).find_tested(ATTRIBUTES)

    free, spared = find(), find(least_identity_change=["tall"])
    assert [one.direction.provenance["least_identity_change"] for one in spared] == [True, False]
    # The person is lost by two deviations of it all the same, so that a strength is made shorter.
    assert spared[0].effect.intended == pytest.approx(0.8, abs=0.12)
    assert spared[0].effect.names == scorer.names

    def known_by(found) -> float:
        direction = found[0].direction
        return abs(float(direction.vector[0, 0]) * direction.scale) / found[0].effect.intended

    assert known_by(spared) < 0.8 * known_by(free)
    with pytest.raises(ValueError, match="samples have to be scored"):
        InterFaceGAN(G, scorer, samples.select(scorer.names), least_identity_change=["tall"], identity=person)


@pytest.mark.parametrize(("unit", "share"), [(0.1, 1.0), (0.5 / 1.8, 0.9), (3.0, 0.8)])
def test_strength_two_is_as_long_as_the_person_bears_but_a_strength_stays_about_a_deviation(unit, share):
    G = PlantedGenerator()
    step = torch.zeros(3, W_DIM)
    step[0, 0] = 1.0
    direction = Direction("tall", G.latent_space, step, scale=1.0, by_group=True).bind(G)
    assert identity_share(G, _Person(unit), direction, G.sample(range(5))) == pytest.approx(share, abs=1e-3)
