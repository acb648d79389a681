"""Two photos of one person are near, of two people far."""

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.invert.faces.align import align_face, find_faces
from stylegan_latents.invert.faces.identity import SAME_PERSON, Identity
from stylegan_latents.invert.photos.files import read_photo, to_tensor
from tests.photos import ASTRONAUT, photo_file


@pytest.mark.slow
def test_same_and_other_person() -> None:
    identity = Identity()
    neutral, smiling, other = (
        identity(read_photo(photo_file(name))) for name in ("london_005_neutral", "london_005_smiling", "astronaut")
    )
    assert neutral is not None
    assert smiling is not None
    assert other is not None
    assert neutral.shape == (128,)
    assert identity.distance(neutral, smiling) < 0.4
    assert identity.distance(neutral, other) > SAME_PERSON
    assert identity.distance(neutral, other) == identity.distance(other, neutral)


@pytest.mark.slow
def test_aligned_crop_is_the_same_person_as_its_photo() -> None:
    identity = Identity()
    photo = read_photo(ASTRONAUT)
    face = find_faces(photo)[0]
    crop, _ = align_face(photo, face, 256)
    flat = torch.zeros(1, 3, 256, 256)
    found, none = identity.embed_aligned(torch.cat([to_tensor(crop), flat]))
    assert none is None
    assert found is not None
    assert identity.distance(found, identity.embed_face(photo, face)) < 0.25


def test_no_face() -> None:
    assert Identity()(Image.new("RGB", (100, 100), (128, 128, 128))) is None


def test_distance_is_euclidean() -> None:
    one, two = np.zeros(128), np.zeros(128)
    one[:2] = 3, 4
    assert Identity.distance(one, two) == pytest.approx(5)
