"""Faces are found at any size, numbered from the left, and read steadily."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.align import align_face, ffhq_quad
from stylegan_latents.invert.faces.detector import Face, FaceDetector, choose_faces
from stylegan_latents.invert.faces.dlib_detector import landmarks_of
from stylegan_latents.invert.faces.dlib_landmarks import aligned_box
from stylegan_latents.invert.faces.find import find_faces, follow_face, landmarks_of_crop, require_faces
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.films.face_path import look_for_faces
from stylegan_latents.invert.films.read import film_facts
from stylegan_latents.invert.photos.files import read_photo
from tests.invert.small_films import save_film
from tests.photos import ASTRONAUT

DATA = Path(__file__).parents[2] / "data"


def face(left: float, size: float) -> Face:
    return Face((left, 10.0, left + size, 10.0 + size), Landmarks.from_ibug(np.zeros((68, 2))), 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_one_face_at_any_scale(scale: float) -> None:
    photo = read_photo(ASTRONAUT)
    expected = ffhq_quad(find_faces(photo)[0].landmarks)
    side = round(512 * scale)
    faces = find_faces(photo.resize((side, side), Image.Resampling.LANCZOS))
    assert len(faces) == 1
    # The same place in the photo, up to the half pixel that resizing brings.
    quad = (ffhq_quad(faces[0].landmarks) + 0.5) * 512 / side - 0.5
    assert np.abs(quad - expected).max() < 0.015 * 173 / min(scale, 1)


def test_several_faces_largest_first() -> None:
    page = Image.new("RGB", (1400, 600), (120, 130, 140))
    for name, size, place in (("005_neutral", 350, (0, 100)), ("062_neutral", 560, (400, 20)),
                              ("005_smiling", 420, (970, 50))):  # fmt: skip
        page.paste(read_photo(DATA / f"london_{name}.jpg").resize((size, size)), place)
    faces = find_faces(page)
    assert len(faces) == 3
    assert faces[0].box[0] > 400
    assert faces[0].box[2] < 970
    assert [chosen.box[0] for chosen in choose_faces(faces, "all")] == sorted(one.box[0] for one in faces)
    assert choose_faces(faces, "2")[0].box[0] > 970


def test_small_face_in_a_large_photo() -> None:
    page = Image.new("RGB", (4000, 3000), (90, 110, 130))
    page.paste(read_photo(DATA / "london_005_neutral.jpg"), (3000, 2000))
    faces = find_faces(page)
    assert len(faces) == 1
    left, top, right, bottom = faces[0].box
    assert 3000 < left < right < 3450
    assert 2000 < top < bottom < 2450


def test_face_that_fills_the_picture() -> None:
    photo = read_photo(DATA / "london_005_neutral.jpg")
    left, top, right, bottom = (round(edge) for edge in find_faces(photo)[0].box)
    faces = find_faces(photo.crop((left, top - 20, right, bottom + 10)))
    assert len(faces) == 1


@pytest.mark.parametrize(("turn", "words"), [
    (Image.Transpose.ROTATE_90, "90 degrees clockwise"),
    (Image.Transpose.ROTATE_270, "90 degrees anticlockwise"),
    (Image.Transpose.ROTATE_180, "180 degrees"),
])  # fmt: skip
def test_turned_photo_says_which_way(turn: Image.Transpose, words: str) -> None:
    photo = read_photo(DATA / "london_005_neutral.jpg").transpose(turn)
    with pytest.raises(InputError, match=f"me.jpg shows a face.*not upright.*by {words}"):
        require_faces(photo, "largest", "me.jpg")


@pytest.mark.slow
def test_no_face_says_what_to_do() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8))
    assert find_faces(noise) == []
    with pytest.raises(InputError, match=r"No face was found in wall\.png.*--landmarks.*--no-align"):
        require_faces(noise, "largest", "wall.png")
    with pytest.raises(InputError, match="--no-align"):
        choose_faces([], "largest")


def test_choosing() -> None:
    faces = [face(500, 90), face(20, 60), face(200, 30)]
    assert choose_faces(faces, "largest") == [faces[0]]
    assert choose_faces(faces, "all") == [faces[1], faces[2], faces[0]]
    assert choose_faces(faces, "1") == [faces[2]]
    with pytest.raises(InputError, match=r"no face number 3.*3 faces, numbers 0 to 2"):
        choose_faces(faces, "3")
    with pytest.raises(InputError, match="1 face, number 0"):
        choose_faces(faces[:1], "1")
    for wrong in ("-1", "left", "", "1.0", "²"):
        with pytest.raises(InputError, match="largest, all or a number"):
            choose_faces(faces, wrong)


@pytest.mark.slow
def test_landmarks_with_the_known_box_agree_with_the_detectors() -> None:
    photo = read_photo(DATA / "london_005_smiling.jpg")
    crop, alignment = align_face(photo, find_faces(photo)[0], 256)
    pixels = np.asarray(crop)
    edge = alignment.quad[3] - alignment.quad[0]
    down = alignment.quad[1] - alignment.quad[0]
    offset = find_faces(photo)[0].landmarks.points - alignment.quad[0]
    expected = np.stack([offset @ edge, offset @ down], axis=1) / alignment.side**2 * 256 - 0.5
    for average in (False, True):
        known = landmarks_of(pixels, aligned_box(256), average=average)
        found = landmarks_of(pixels, average=average)
        assert known is not None
        assert found is not None
        assert np.hypot(*(known.points - expected).T).mean() < (0.6 if average else 1.0)
        assert np.hypot(*(found.points - expected).T).mean() < (0.6 if average else 1.0)


def test_landmarks_without_a_face() -> None:
    assert landmarks_of(np.full((200, 200, 3), 128, dtype=np.uint8)) is None


class RedDots(FaceDetector):
    """Another detector, as somebody would write it: it sees drawn faces by four red dots."""

    def find(self, image: Image.Image) -> list[Face]:
        y, x = np.nonzero(np.asarray(image.convert("RGB"))[..., 0] > 200)
        if not len(x):
            return []
        dots = np.stack([x, y], axis=1).astype(np.float64)
        dots = dots[np.argsort(dots[:, 1])]
        eyes, mouth = (part[np.argsort(part[:, 0])] for part in (dots[:2], dots[2:]))
        box = (float(dots[:, 0].min()), float(dots[:, 1].min()), float(dots[:, 0].max()), float(dots[:, 1].max()))
        return [Face(box, Landmarks(left_eye=eyes[:1], right_eye=eyes[1:], mouth_corners=mouth), 0.7)]


def dotted(x: int = 0) -> Image.Image:
    picture = Image.new("RGB", (200, 160), (0, 60, 0))
    for place in ((60, 60), (100, 60), (66, 100), (94, 100)):
        picture.putpixel((place[0] + x, place[1]), (255, 0, 0))
    return picture


def test_another_detector_is_one_class_which_everything_takes() -> None:
    detector = RedDots()
    face = require_faces(dotted(), "largest", "drawn.png", detector)[0]
    crop, alignment = align_face(dotted(), face, 64)
    assert crop.size == (64, 64)
    assert alignment.quad.mean(axis=0).tolist() == [80, 64]
    # What follows from ``find``: the next frame of a film, a crop's landmarks, and the sentence for none.
    following = follow_face(dotted(8), face, detector=detector)
    assert following is not None
    assert following.landmarks.left_eye.tolist() == [[68, 60]]
    assert follow_face(dotted(90), face, detector=detector) is None
    assert landmarks_of_crop(dotted(), detector=detector) is not None
    with pytest.raises(InputError, match=r"No face was found in plain\.png.*--landmarks.*--no-align"):
        require_faces(Image.new("RGB", (50, 50)), "largest", "plain.png", detector)


def test_a_film_takes_another_detector(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    save_film(path, [dotted()] * 3)
    seen: list[int] = []

    class Everywhere(RedDots):
        def find(self, image: Image.Image) -> list[Face]:
            seen.append(image.width)
            return super().find(dotted(len(seen)))

    crops, _ = look_for_faces(path, film_facts(path), which="largest", detector=Everywhere())
    assert len(crops.frames) == len(seen) == 3
