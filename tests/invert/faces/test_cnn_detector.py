"""dlib's network finds the faces that the other detector finds, at the same places, and others too."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.cnn_detector import CnnDetector
from stylegan_latents.invert.faces.find import find_faces, require_faces
from stylegan_latents.invert.photos.files import read_photo

DATA = Path(__file__).parents[2] / "data"
SMALL = CnnDetector(max_side=320)


def test_landmarks_are_where_the_other_detector_puts_them() -> None:
    photo = read_photo(DATA / "london_005_neutral.jpg")
    (face,), (other,) = SMALL.find(photo), find_faces(photo)
    apart = np.hypot(*(face.landmarks.points - other.landmarks.points).T)
    assert apart.mean() < 0.02 * other.size
    assert face.score > 0.8


def test_a_tilted_face_is_found() -> None:
    photo = read_photo(DATA / "london_005_neutral.jpg")
    photo.thumbnail((400, 400))
    tilted = photo.rotate(70, expand=True, fillcolor=(200, 200, 200))
    assert find_faces(tilted) == []
    assert len(SMALL.find(tilted)) == 1


def test_without_a_face_it_says_what_else_there_is() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8))
    with pytest.raises(InputError, match=r"No face was found in wall\.png.*--landmarks") as raised:
        require_faces(noise, "largest", "wall.png", SMALL)
    assert "--detector" not in str(raised.value)
