"""Uploaded photos: the faces in them, and what a record says of where it came from."""

import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.demo.session import photos
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit.searching import command
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.landmarks_file import read_landmarks_file
from stylegan_latents.invert.photos.files import read_photo
from tests.photos import ASTRONAUT

DATA = Path(__file__).parents[2] / "data"


def upload(studio: Studio, picture: Path) -> str:
    folder = studio.uploads / "ab12"
    folder.mkdir(exist_ok=True)
    return shutil.copy(picture, folder / picture.name)


def two_faces(folder: Path) -> Path:
    """A small face on the left of a large one."""
    large = read_photo(DATA / "london_005_neutral.jpg")
    large.thumbnail((700, 700))
    small = read_photo(DATA / "london_062_neutral.jpg")
    small.thumbnail((400, 400))
    both = Image.new("RGB", (small.width + large.width, large.height), "white")
    both.paste(small, (0, 0))
    both.paste(large, (small.width, 0))
    path = folder / "both.png"
    both.save(path)
    return path


@pytest.mark.slow
def test_one_face_is_found_and_named_after_its_photo(studio: Studio, visit: Visit) -> None:
    photo = photos.receive(visit, upload(studio, ASTRONAUT))
    assert len(photo.faces) == len(photo.thumbnails) == 1
    assert visit.photo is photo
    assert (photo.which(0), photo.stem(0)) == ("largest", "astronaut")
    assert photo.source().name == "astronaut.jpg"
    assert photo.source().path is None
    assert command(photo, 0, "good", None) == "invert astronaut.jpg --quality good"


@pytest.mark.slow
def test_faces_are_counted_from_the_left_and_the_largest_is_chosen(
    studio: Studio, visit: Visit, tmp_path: Path
) -> None:
    photo = photos.receive(visit, upload(studio, two_faces(tmp_path)))
    assert len(photo.faces) == 2
    assert photo.largest == 1
    assert [photo.which(0), photo.which(1)] == ["0", "largest"]
    assert [photo.stem(0), photo.stem(1)] == ["both.face0", "both.face1"]
    assert command(photo, 0, "draft", 9) == "invert both.png --quality draft --steps 9 --face 0"


def test_a_photo_without_a_face_is_refused_or_taken_as_it_is(studio: Studio, visit: Visit, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (80, 120, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    with pytest.raises(InputError, match=r"No face was found in noise\.png"):
        photos.receive(visit, upload(studio, tmp_path / "noise.png"))
    assert visit.photo is None
    photo = photos.receive(visit, upload(studio, tmp_path / "noise.png"), align=False)
    assert photo.face(0) is None
    assert photo.which(0) is None
    assert command(photo, 0, "good", None).endswith("--no-align")


@pytest.mark.slow
def test_the_next_photo_replaces_the_last(studio: Studio, visit: Visit) -> None:
    first = photos.receive(visit, upload(studio, ASTRONAUT))
    second = photos.receive(visit, upload(studio, DATA / "london_005_neutral.jpg"))
    assert not first.path.exists()
    assert second.path.exists()


@pytest.mark.slow
def test_a_photo_that_is_being_searched_stays(studio: Studio, visit: Visit) -> None:
    first = photos.receive(visit, upload(studio, ASTRONAUT))
    with visit.at_work():
        photos.receive(visit, upload(studio, DATA / "london_005_neutral.jpg"))
    assert first.path.exists()


def drawn_face(folder: Path) -> Path:
    """A picture that shows no face to dlib."""
    path = folder / "drawing.png"
    Image.linear_gradient("L").convert("RGB").resize((3000, 2000)).save(path)
    return path


def mark_face(visit: Visit, count: int = 4) -> None:
    """Click on eyes and mouth in the small copy, which is 1280 pixels wide."""
    for x, y in ((500, 300), (700, 300), (540, 560), (660, 560))[:count]:
        photos.add_mark(visit, x, y)


def test_four_clicks_are_a_face_of_a_photo_without_one(studio: Studio, visit: Visit, tmp_path: Path) -> None:
    marking = photos.begin_marking(visit, upload(studio, drawn_face(tmp_path)))
    mark_face(visit, 3)
    assert visit.photo is None
    photos.add_mark(visit, 660, 560)
    photo = visit.photo
    assert photo is not None
    assert photo.by_hand
    assert len(photo.thumbnails) == 1
    eyes = photo.landmarks[0].right_eye - photo.landmarks[0].left_eye
    np.testing.assert_allclose(eyes, [[200 * 3000 / 1280, 0]], atol=0.2)
    assert (photo.which(0), photo.stem(0)) == ("largest", "drawing")
    with pytest.raises(InputError, match="undo a click"):
        photos.add_mark(visit, 1, 1)
    photos.drop_marks(visit, 1)
    assert visit.photo is None
    assert len(marking.marks) == 3
    shown = photos.marked_picture(visit)
    assert shown is not None
    assert Image.open(shown).width == 1280


def test_a_large_photo_is_reduced_before_it_is_marked(
    studio: Studio, visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "MOST_PIXELS", 2_000_000)
    marking = photos.begin_marking(visit, upload(studio, drawn_face(tmp_path)))
    assert marking.size == (1500, 1000)
    assert photos.reduction(marking).startswith("Reduced to 1500x1000 pixels")
    assert read_photo(marking.path).size == (1500, 1000)
    mark_face(visit)
    assert visit.photo is not None
    assert visit.photo.reduced_to == (1500, 1000)


def test_a_click_beside_the_picture_is_one_at_its_edge(studio: Studio, visit: Visit, tmp_path: Path) -> None:
    marking = photos.begin_marking(visit, upload(studio, drawn_face(tmp_path)))
    photos.add_mark(visit, -1e300, 1e300)
    x, y = marking.marks[0]
    assert 0 <= x < 2
    assert 1997 < y < 2000


def test_clicks_that_are_no_face_are_refused_and_the_last_is_dropped(
    studio: Studio, visit: Visit, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="Upload a photo first"):
        photos.add_mark(visit, 1, 1)
    marking = photos.begin_marking(visit, upload(studio, drawn_face(tmp_path)))
    mark_face(visit, 3)
    with pytest.raises(InputError, match="left and right are as you see them"):
        photos.add_mark(visit, 300, 560)
    assert len(marking.marks) == 3
    assert visit.photo is None


def test_the_command_of_a_marked_face_writes_its_landmarks_first(
    studio: Studio, visit: Visit, tmp_path: Path
) -> None:
    photos.begin_marking(visit, upload(studio, drawn_face(tmp_path)))
    mark_face(visit)
    assert visit.photo is not None
    write, invert = command(visit.photo, 0, "good", None).splitlines()
    assert invert == "invert drawing.png --quality good --landmarks drawing.json"
    words = shlex.split(write)
    assert words[0] == "echo"
    assert words[2:] == [">", "drawing.json"]
    (tmp_path / "drawing.json").write_text(words[1])
    (again,) = read_landmarks_file(tmp_path / "drawing.json").landmarks
    assert again.to_dict() == visit.photo.landmarks[0].to_dict()


def test_the_next_photo_replaces_one_that_was_being_marked(studio: Studio, visit: Visit, tmp_path: Path) -> None:
    marking = photos.begin_marking(visit, upload(studio, drawn_face(tmp_path)))
    photos.receive(visit, upload(studio, ASTRONAUT))
    assert visit.marking is None
    assert not marking.path.exists()
