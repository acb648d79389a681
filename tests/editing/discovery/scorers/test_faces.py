"""Scores of real photos. The support weights come through the zoo, which keeps them."""

import numpy as np
import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.discovery.scorers.faces import FaceScorer
from stylegan_latents.invert.faces.align import align_face
from stylegan_latents.invert.faces.find import require_faces
from stylegan_latents.invert.photos.files import read_photo, to_tensor
from tests.photos import photo_file

pytest.importorskip("onnxruntime")

PHOTOS = ("london_005_neutral", "london_005_smiling", "london_062_neutral", "astronaut")


@pytest.fixture(scope="module")
def images():
    pictures = []
    for name in PHOTOS:
        photo = read_photo(photo_file(name))
        pictures.append(to_tensor(align_face(photo, require_faces(photo)[0], size=256)[0]))
    return torch.cat(pictures)


@pytest.fixture(scope="module")
def scores(images):
    return {
        name: dict(zip(FaceScorer.names, row, strict=True))
        for name, row in zip(PHOTOS, FaceScorer().score(images), strict=True)
    }


def test_a_smile_scores_higher_than_the_same_face_without(scores):
    assert scores["london_005_smiling"]["smile"] > scores["london_005_neutral"]["smile"] + 0.03
    assert scores["astronaut"]["smile"] > scores["london_005_smiling"]["smile"]


def test_portraits_look_ahead(scores):
    for row in scores.values():
        assert abs(row["pose"]) < 6
        assert abs(row["roll"]) < 3
        assert 0.45 < row["face-x"] < 0.55


def test_gender_and_age(scores):
    assert scores["london_005_neutral"]["gender"] > 2
    assert scores["london_062_neutral"]["gender"] < 0
    for row in scores.values():
        assert 18 < row["age"] < 45


def test_mirroring_changes_the_sign_of_yaw_only(images):
    one, two = FaceScorer().score(images), FaceScorer().score(images.flip(-1))
    index = FaceScorer.names.index
    np.testing.assert_allclose(two[:, index("pose")], -one[:, index("pose")], atol=4)
    np.testing.assert_allclose(two[:, index("smile")], one[:, index("smile")], atol=0.06)
    np.testing.assert_allclose(two[:, index("skin-light")], one[:, index("skin-light")], atol=0.05)


def test_darkening_is_seen(images):
    index = FaceScorer.names.index("skin-light")
    dark = FaceScorer().score(images * 0.8 - 0.2)[:, index]
    assert (dark < FaceScorer().score(images)[:, index] - 0.05).all()


def test_a_shadow_on_the_left_is_light_from_the_right(images):
    index = FaceScorer.names.index("light")
    shaded = (images + 1) * torch.linspace(0.5, 1.0, images.shape[-1]) - 1
    assert (FaceScorer().score(shaded)[:, index] > FaceScorer().score(images)[:, index] + 0.1).all()


def test_quick_scores_are_near_and_have_a_version_of_their_own(images, scores):
    """In deviations of the samples that the shipped directions were calibrated with."""
    deviations = find_direction("light", generator.load("ffhq")).provenance["score_deviations"]
    for name, row in zip(PHOTOS, FaceScorer(quick=True).score(images), strict=True):
        for score, value in zip(FaceScorer.names, row, strict=True):
            assert abs(value - scores[name][score]) < 0.5 * deviations[score], (name, score)
    assert FaceScorer(quick=True).version != FaceScorer().version == FaceScorer.version


@pytest.mark.parametrize("quick", [False, True])
def test_a_face_scores_the_same_alone_and_among_others(images, quick):
    scorer = FaceScorer(quick=quick)
    blank = torch.zeros_like(images[:1])
    together = scorer.score(torch.cat([images[:2], blank, images[2:]]))
    alone = np.concatenate([scorer.score(image) for image in (*images[:2].split(1), blank, *images[2:].split(1))])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-5)
    assert np.isfinite(together[[0, 1, 3, 4]]).all()


def test_no_pictures_give_no_scores():
    assert FaceScorer().score(torch.zeros(0, 3, 64, 64)).shape == (0, len(FaceScorer.names))
