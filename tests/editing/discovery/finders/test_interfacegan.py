import numpy as np
import pytest
import torch

from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
from stylegan_latents.editing.discovery.fitting.leakage import effect, table
from stylegan_latents.editing.discovery.fitting.samples import sample
from stylegan_latents.editing.discovery.scorers.faces import FACE_ATTRIBUTES, FaceScorer
from stylegan_latents.editing.discovery.scorers.scorer import Attribute, Scorer
from stylegan_latents.generator.errors import InputError

W_DIM = 6


class PlantedGenerator:
    """Its 'picture' is its code, so that a scorer can read planted scores off it. Six rows."""

    name, latent_space, fingerprint = "planted", "planted-w", "0" * 64
    w_dim, num_ws, resolution = W_DIM, 6, 256
    dtype = torch.float32
    ws_groups = ("coarse", "coarse", "middle", "middle", "fine", "fine")

    def rows(self, layers):
        return [i for i, group in enumerate(self.ws_groups) if layers == "all" or group in layers.split(",")]

    def sample(self, seeds, truncation=1.0):
        w = torch.stack([torch.randn(W_DIM, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
        return (truncation * w)[:, None].repeat(1, self.num_ws, 1)

    def synthesize(self, ws, size, focus=None):  # noqa: ARG002
        return ws[:, None]

    sketch = synthesize


class PlantedScorer(Scorer):
    """Entangled scores with a curve: by linear means alone the second leaks into the first."""

    names = ("tall", "wide", "noise")
    version = "planted-1"

    def score(self, images):
        w = images[:, 0].double().numpy()
        tall = w[:, 0, 0] + 0.5 * w[:, 2, 1]
        wide = w[:, 2, 1] + 0.4 * w[:, 0, 0] + 0.3 * w[:, 4, 2]
        return np.stack([tall + 0.1 * tall**2, 7 * wide, w[:, 4, 5]], axis=1)


ATTRIBUTES = (
    Attribute("tall", "taller", "shorter", "all"),
    Attribute("wide", "wider", "narrower", "coarse,middle", ("noise",)),
)


@pytest.fixture(scope="module")
def found():
    G, scorer = PlantedGenerator(), PlantedScorer()
    return InterFaceGAN(G, scorer, sample(G, scorer, 1200), codes=40).find_tested(ATTRIBUTES)


def test_directions_are_calibrated_and_leave_the_other_alone(found):
    for one in found:
        assert one.effect.intended == pytest.approx(1.0, abs=0.15)
        assert one.effect.leakage < 0.1
        assert one.effect.bias < 0.05


def test_layers_are_kept(found):
    wide = found[1].direction
    assert wide.layers == "coarse,middle"
    assert not wide.vector[2].any()


def test_the_direction_says_where_it_came_from(found):
    provenance = found[0].direction.provenance
    assert provenance["finder"] == "InterFaceGAN"
    assert provenance["samples"] == 1200
    assert provenance["positive"] == "taller"
    assert provenance["fixed"] == ["wide"]
    assert 0.9 < float(provenance["held_out_correlation"]) <= 1


def test_the_table_lists_every_score(found):
    text = table([one.effect for one in found])
    for word in ("tall", "wide", "noise", "intended", "leakage"):
        assert word in text


def test_a_score_that_there_is_not_is_refused():
    G, scorer = PlantedGenerator(), PlantedScorer()
    finder = InterFaceGAN(G, scorer, sample(G, scorer, 200), codes=8)
    with pytest.raises(InputError, match="no score 'old'"):
        finder.find_tested((Attribute("old", "", "", "all"),))


def test_a_score_that_codes_do_not_move_is_refused():
    class Deaf(PlantedScorer):
        version = "deaf"

        def score(self, images):
            scores = super().score(images)
            scores[:, 2] = np.random.default_rng(len(images)).normal(size=len(images))
            return scores

    G, scorer = PlantedGenerator(), Deaf()
    with pytest.raises(InputError):
        InterFaceGAN(G, scorer, sample(G, scorer, 400), codes=8).find_tested((Attribute("noise", "", "", "all"),))


def test_effect_by_hand():
    one = np.zeros((2, 3, 2))
    one[:, :, 0] = np.array([-1.0, 1.0])[:, None]
    two = 2 * one
    two[:, :, 1] = 4.0
    result = effect("tall", ("tall", "wide"), ("tall", "wide"), one, two, np.array([1.0, 4.0]))
    assert result.intended == 1.0
    assert result.leakage == 0.5
    assert result.bias == 0.0
    np.testing.assert_allclose(result.moved, (1.0, 0.0))


def test_the_face_attributes_name_scores_that_there_are():
    for attribute in FACE_ATTRIBUTES:
        assert {attribute.name, *attribute.fixed} <= set(FaceScorer.names)
        assert attribute.groups


def test_a_direction_alone_is_judged_by_all_other_scores_and_a_score_alone_by_none():
    at = np.array([[[-1.0, 0.5, 0.0]], [[1.0, 0.5, 0.0]]])
    alone = effect("tall", ("tall", "wide", "deep"), ["tall"], at, 2 * at, np.ones(3))
    assert alone.leakage == pytest.approx(0.25)
    only = effect("tall", ("tall",), ["tall"], at[..., :1], 2 * at[..., :1], np.ones(1))
    assert np.isnan([only.leakage, only.bias]).all()
    assert " -\n" in table([only])
    dependent = effect("tall", ("tall", "wide", "deep"), ["tall"], at, 2 * at, np.ones(3), ["wide"])
    assert dependent.leakage == 0.0


class Moods(PlantedScorer):
    """Three classes of which a picture has one, as log odds, and what has nothing to do with them."""

    names, version = ("glad", "sad", "cross", "wide"), "moods"
    exclusive = (("glad", "sad", "cross"),)

    def score(self, images):
        w = images[:, 0].double().numpy()
        likely = np.exp(2 * np.stack([w[:, 0, 0], w[:, 2, 1], w[:, 0, 3]], axis=1))
        likely /= likely.sum(1, keepdims=True)
        return np.concatenate([np.log(likely / (1 - likely)), w[:, 2, 2:3] + 0.3 * w[:, 0, :1]], axis=1)


def test_of_exclusive_classes_none_is_held_while_another_changes():
    G, scorer = PlantedGenerator(), Moods()
    attributes = [Attribute(name, "", "", "all") for name in scorer.names]
    found = InterFaceGAN(G, scorer, sample(G, scorer, 1200), codes=40).find_tested(attributes)
    assert found[0].direction.provenance["fixed"] == ["wide"]
    assert found[0].direction.provenance["leakage_leaves_out"] == ["sad", "cross"]
    assert found[3].direction.provenance["leakage_leaves_out"] == []
    for one in found:
        assert one.effect.intended == pytest.approx(1.0, abs=0.15)
        assert one.effect.leakage < 0.15


def test_a_generator_and_a_scorer_are_enough() -> None:
    G, told = PlantedGenerator(), []
    finder = InterFaceGAN(G, PlantedScorer(), 400, codes=8)
    found = finder.find(on_progress=lambda done, whole: told.append((done, whole)))
    assert [one.name for one in found] == list(PlantedScorer.names)
    assert told[-1] == (len(found), len(found))
    assert [one.name for one in finder.effects] == [one.name for one in found]
    (first,) = finder.find(1)
    assert first.name == found[0].name
