import numpy as np
import pytest

from stylegan_latents.editing.discovery.fitting.linear import fit
from stylegan_latents.editing.discovery.fitting.samples import Samples
from stylegan_latents.generator.errors import InputError

WIDTH = 12


def planted(count=6000, noise=0.3):
    """Codes with unlike axes, one score that lives on each of two oblique directions and one on both."""
    random = np.random.default_rng(0)
    shape = random.normal(size=(WIDTH, WIDTH)) * np.linspace(0.3, 2, WIDTH)
    codes = random.normal(size=(count, 3, WIDTH)) @ shape
    codes[::2] = codes[::2, :1]
    normals = random.normal(size=(3, 3, WIDTH))
    normals[1] += 0.8 * normals[0]
    scores = np.einsum("ngw,kgw->nk", codes, normals)
    scores = scores / scores.std(0) + noise * random.normal(size=scores.shape)
    return Samples(("tall", "wide", "deep"), codes, scores, np.arange(count) % 2 == 0), normals


def whitened_cosine(step, ideal, colouring):
    one, two = (np.linalg.solve(colouring, vector.T).ravel() for vector in (step, ideal))
    return one @ two / np.linalg.norm(one) / np.linalg.norm(two)


@pytest.mark.parametrize("method", ["ridge", "svm", "logistic"])
def test_a_planted_direction_is_recovered(method):
    samples, normals = planted()
    model = fit(samples, method, strength=30.0)
    ideal = normals[0] @ model.colouring @ model.colouring.T
    assert whitened_cosine(model.direction("tall"), ideal, model.colouring) >= 0.98
    assert model.sign_accuracy[0] > 0.85
    assert model.accuracy[0] > 0.85


def test_fixed_scores_stay():
    samples, normals = planted(noise=0.05)
    model = fit(samples, strength=1.0)
    free, held = model.direction("wide"), model.direction("wide", fixed=("tall", "deep"), ridge=0.0)
    gain = [np.einsum("gw,kgw->k", step, normals) for step in (free, held)]
    assert abs(gain[0][0] / gain[0][1]) > 0.2, "the planted scores are not entangled, so this tests nothing"
    assert np.abs(gain[1][[0, 2]] / gain[1][1]).max() < 0.03


def test_only_the_chosen_groups_move():
    model = fit(planted()[0])
    step = model.direction("tall", fixed=("wide",), groups=("middle",))
    assert [bool(row.any()) for row in step] == [False, True, False]


def test_unknown_scores_and_no_rows_are_refused():
    model = fit(planted()[0])
    with pytest.raises(InputError, match="tall, wide, deep"):
        model.direction("old")
    with pytest.raises(InputError, match="rows"):
        model.direction("tall", groups=())


@pytest.mark.parametrize("factor", [2.0, -1.0])
def test_a_score_cannot_be_told_from_one_that_says_the_same(factor):
    samples, _ = planted(500)
    samples.scores[:, 1] = factor * samples.scores[:, 0] + 3
    model = fit(samples)
    with pytest.raises(InputError, match=r"'wide' and 'tall' are equivalent for every sample.*--score wide"):
        model.direction("wide", fixed=("tall",))
    assert model.direction("wide", fixed=("deep",)).any()


def test_a_score_that_never_changes_is_refused():
    samples, _ = planted(500)
    samples.scores[:, 1] = 4.0
    with pytest.raises(InputError, match="'wide' is the same"):
        fit(samples)


def test_one_class_only_is_refused():
    samples, _ = planted(500)
    samples.scores[:, 1] = np.arange(500) == 7
    with pytest.raises(InputError, match="no direction can be fitted"):
        fit(samples, "svm")


def test_samples_without_scores_are_left_out_and_too_few_are_refused():
    samples, _ = planted(600)
    samples.scores[100:200, 2] = np.nan
    assert len(samples.valid().codes) == 500
    samples.scores[80:] = np.nan
    with pytest.raises(InputError, match="Only 80 of 600"):
        fit(samples)
