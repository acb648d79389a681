"""Landmarks by hand: three kinds of file, several faces, a folder of them, and everything that can be wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.align import align_face, ffhq_quad, find_faces, require_faces
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.faces.landmarks_file import (
    GivenLandmarks,
    landmarks_by_name,
    landmarks_of_photos,
    read_landmarks_file,
)
from stylegan_latents.invert.photos.files import read_photo
from stylegan_latents.invert.search.identity_loss import chip_corners

DATA = Path(__file__).parents[2] / "data"
FOUR = {"left_eye": [40, 50], "right_eye": [80.0, 52], "mouth_left": [45, 95], "mouth_right": [76, 96]}
PICTURE = Image.new("RGB", (128, 160))


def moved(x: float) -> dict[str, Any]:
    return {name: [point[0] + x, point[1]] for name, point in FOUR.items()}


def written(folder: Path, data: object, name: str = "me.json") -> Path:
    path = folder / name
    if isinstance(data, np.ndarray):
        np.save(path, data)
    else:
        path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def points_file(points: "np.ndarray[Any, Any]") -> str:
    lines = "\n".join(f"{x:.6f} {y:.6f}" for x, y in points)
    return f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n"


def test_four_points_align_a_face_without_any_network(tmp_path: Path) -> None:
    detector = read_landmarks_file(written(tmp_path, FOUR))
    face = require_faces(PICTURE, "largest", "me.png", detector)[0]
    crop, alignment = align_face(PICTURE, face, 64)
    assert crop.size == (64, 64)
    assert alignment.method == "ffhq"
    assert face.box[0] < 40 < 80 < face.box[2]
    assert face.box[1] < 50 < 96 < face.box[3]


def test_all_formats_of_the_same_points_give_the_same_crop(tmp_path: Path) -> None:
    found = find_faces(read_photo(DATA / "london_062_neutral.jpg"))[0]
    points = found.landmarks.points
    files = [
        written(tmp_path, found.landmarks.to_dict()),
        written(tmp_path, points, "me.npy"),
        written(tmp_path, points_file(points + 1), "me.pts"),
    ]
    for path in files:
        (landmarks,) = read_landmarks_file(path).landmarks
        assert not landmarks.missing
        np.testing.assert_allclose(landmarks.points, points, atol=1e-5)
        np.testing.assert_allclose(ffhq_quad(landmarks), ffhq_quad(found.landmarks), atol=1e-4)


def test_five_points_are_eyes_nose_and_mouth(tmp_path: Path) -> None:
    points = np.array([FOUR["left_eye"], FOUR["right_eye"], [60, 70], FOUR["mouth_left"], FOUR["mouth_right"]])
    expected = ffhq_quad(landmarks_by_name(FOUR))
    for path in (written(tmp_path, points, "a.npy"), written(tmp_path, points_file(points + 1), "a.pts")):
        np.testing.assert_allclose(ffhq_quad(read_landmarks_file(path).landmarks[0]), expected)


def test_several_faces_are_chosen_among_as_found_ones_are(tmp_path: Path) -> None:
    small = {"left_eye": [8, 20], "right_eye": [22, 20], "mouth_left": [10, 34], "mouth_right": [20, 34]}
    detector = read_landmarks_file(written(tmp_path, [FOUR, small]))
    largest, left = (require_faces(PICTURE, which, "me.png", detector)[0] for which in ("largest", "0"))
    assert largest.landmarks.left_eye.tolist() == [[40, 50]]
    assert left.landmarks.left_eye.tolist() == [[8, 20]]
    with pytest.raises(InputError, match="no face number 2"):
        require_faces(PICTURE, "2", "me.png", detector)
    both = read_landmarks_file(written(tmp_path, np.zeros((2, 5, 2)) + _five(), "two.npy"))
    assert len(both.find(PICTURE)) == 2


def _five() -> "np.ndarray[Any, Any]":
    return np.array([[40, 50], [80, 52], [60, 70], [45, 95], [76, 96]])


def test_names_survive_the_way_into_a_record_and_back() -> None:
    one = landmarks_by_name(FOUR)
    again = landmarks_by_name(json.loads(json.dumps(one.to_dict())))
    assert again.to_dict() == one.to_dict()


def test_what_needs_more_points_says_which() -> None:
    one = landmarks_by_name(FOUR)
    with pytest.raises(InputError, match=r"the region 'mouth'.*outline \(17 points\), outer_lips \(12 points\)"):
        one.require("the region 'mouth'", "outline", "outer_lips")
    one.require("alignment", "mouth_corners")


def test_the_person_is_looked_at_where_faces_of_aligned_crops_are_on_average() -> None:
    photo = read_photo(DATA / "london_005_neutral.jpg")
    face = find_faces(photo)[0]
    _, alignment = align_face(photo, face, 256)
    known = face.landmarks
    few = Landmarks(
        left_eye=known.left_eye.mean(axis=0, keepdims=True),
        right_eye=known.right_eye.mean(axis=0, keepdims=True),
        mouth_corners=known.mouth_corners,
    )
    one, other = (chip_corners(points.mapped(alignment.into_crop), 256) for points in (few, known))
    assert np.abs(one - other).max() < 0.03


def test_a_folder_has_a_file_for_each_photo_that_needs_one(tmp_path: Path) -> None:
    written(tmp_path, FOUR, "two.json")
    photos = [Path("one.jpg"), Path("two.jpg")]
    assert list(landmarks_of_photos(tmp_path, photos)) == [photos[1]]
    with pytest.raises(InputError, match=r"no landmarks for these photos.*one\.json"):
        landmarks_of_photos(tmp_path, photos[:1])
    with pytest.raises(InputError, match="name a folder of them"):
        landmarks_of_photos(tmp_path / "two.json", photos)
    written(tmp_path, _five(), "two.npy")
    with pytest.raises(InputError, match=r"both for two\.jpg"):
        landmarks_of_photos(tmp_path, photos)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "holds no landmarks by name"),
        ("3", "holds no landmarks by name"),
        ({**FOUR, "ear": [1, 2]}, "'ear' names no landmark; the names are outline"),
        ({"left_eye": [1, 2]}, "lacks right_eye and mouth_left and mouth_right"),
        ({**FOUR, "left_eye": [1, 2, 3]}, r"left_eye takes \[x, y\]"),
        ({**FOUR, "left_eye": ["1", "2"]}, r"left_eye takes \[x, y\]"),
        ({**FOUR, "left_eye": [True, 2]}, r"left_eye takes \[x, y\]"),
        ({**FOUR, "left_eye": []}, r"left_eye takes \[x, y\]"),
        ({**FOUR, "left_eye": [[1, 2]] * 4}, "left_eye takes 1 or 6 points, not 4"),
        ({**FOUR, "mouth_left": [[1, 2], [3, 4]]}, r"mouth_left takes \[x, y\]"),
        ({**FOUR, "left_eye": [float("nan"), 2]}, "not finite"),
        ({**FOUR, "left_eye": [10**400, 2]}, "not finite"),
        ({**FOUR, "left_eye": FOUR["right_eye"]}, "the two eyes are at the same place"),
        ({**FOUR, "mouth_left": FOUR["mouth_right"]}, "the two corners of the mouth are at the same place"),
        (
            {**FOUR, "left_eye": FOUR["right_eye"], "right_eye": FOUR["left_eye"]},
            "left and right are as you see them",
        ),
        ({**FOUR, "mouth_left": [45, 10], "mouth_right": [76, 10]}, "eyes and mouth do not lie as in a face"),
    ],
)
def test_what_is_no_face_is_one_sentence(tmp_path: Path, data: object, words: str) -> None:
    with pytest.raises(InputError, match=words) as told:
        read_landmarks_file(written(tmp_path, data))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("x", [500.0, -400.0, 100.0])
def test_landmarks_of_another_picture_are_refused(x: float) -> None:
    detector = GivenLandmarks([landmarks_by_name(moved(x))])
    with pytest.raises(InputError, match="is not in the picture, which is 128x160 pixels"):
        detector.find(PICTURE)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.txt", "1 2", r"read from \.json, \.pts, \.npy"),
        ("a.pts", "version: 1\nn_points: 2\n{\n1 2\n}", "is not a .pts file"),
        ("a.pts", "n_points: 2\n{\n1 2\n3 4\n}", "68 or 5 are read"),
        ("a.pts", "n_points: 1\n{\n1 two\n}", "is not a .pts file"),
        ("a.npy", "no array", "is not a .npy file"),
        ("a.npy", np.zeros((67, 2)), "68 or 5 are read"),
        ("a.npy", np.zeros(3), r"is \[3\]; landmarks are"),
        ("a.npy", np.zeros((0, 68, 2)), r"is \[0, 68, 2\]"),
        ("a.npy", np.array([["a", "b"]] * 5), "no plain numbers"),
        ("a.npy", np.array([[{}, {}]] * 5), "is not a .npy file"),
        ("a.npy", np.full((68, 2), np.inf), "not finite"),
        ("a.npy", np.zeros((68, 2)), "at the same place"),
    ],
)
def test_files_that_hold_something_else_are_one_sentence(
    tmp_path: Path, name: str, data: object, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_landmarks_file(written(tmp_path, data, name))


def test_a_file_that_is_not_there_or_too_large_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_landmarks_file(tmp_path / "me.json")
    with pytest.raises(InputError, match="too large"):
        read_landmarks_file(written(tmp_path, " " * (5 << 20)))
