"""Descriptors of real photos. The support weights come through the zoo, which keeps them."""

import numpy as np
import pytest
import torch

from stylegan_latents.editing.discovery.fitting.identity import IdentityScorer
from stylegan_latents.invert.faces.align import align_face
from stylegan_latents.invert.faces.find import require_faces
from stylegan_latents.invert.faces.identity import SAME_PERSON, Identity
from stylegan_latents.invert.photos.files import read_photo, to_tensor
from tests.photos import photo_file

pytest.importorskip("dlib")


def _aligned(name: str) -> torch.Tensor:
    photo = read_photo(photo_file(name))
    return to_tensor(align_face(photo, require_faces(photo)[0], size=256)[0])


@pytest.mark.slow
def test_one_persons_numbers_are_near_and_anothers_far() -> None:
    scorer = IdentityScorer()
    neutral, smiling, other = scorer.score(
        torch.cat([_aligned(name) for name in ("london_005_neutral", "london_005_smiling", "astronaut")])
    )
    assert len(neutral) == len(scorer.names)
    assert Identity.distance(neutral, smiling) < SAME_PERSON < Identity.distance(neutral, other)


def test_no_pictures_give_no_rows() -> None:
    assert IdentityScorer().score(torch.empty(0, 3, 64, 64)).shape == (0, 128)
    assert np.unique(IdentityScorer.names).size == 128
