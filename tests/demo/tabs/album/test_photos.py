"""Several photos at once: each becomes a face, and a stop keeps what was found."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.demo.page.running import Stage, StoppedError
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.album import photos
from stylegan_latents.demo.tabs.album.photos import add_photos, faces_of, find_each, remove_photos
from stylegan_latents.generator.errors import InputError
from tests.demo.visits import StopsAfter

DATA = Path(__file__).parents[3] / "data"
NAMES = ("london_005_neutral.jpg", "london_005_smiling.jpg", "london_062_neutral.jpg")


def uploaded(visit: Visit, *names: str) -> list[str]:
    made = []
    for name in names:
        upload = visit.studio.uploads / name
        shutil.copyfile(DATA / name, upload)
        made.append(str(upload))
    return made


def squares(visit: Visit, count: int) -> list[str]:
    made = []
    for number in range(count):
        upload = visit.studio.uploads / f"square {number}.png"
        Image.linear_gradient("L").rotate(40 * number).convert("RGB").save(upload)
        made.append(str(upload))
    return made


@pytest.mark.slow
def test_photos_are_taken_once_each_and_what_shows_no_face_is_named(visit: Visit) -> None:
    (flat,) = squares(visit, 1)
    *stages, refused = add_photos(visit, [*uploaded(visit, *NAMES[:2]), flat, *uploaded(visit, NAMES[0])])
    assert [one.part for one in stages if isinstance(one, Stage)] == [0, 0.25, 0.5, 0.75]
    assert [photo.name for photo in visit.album] == list(NAMES[:2])
    assert isinstance(refused, list)
    assert len(refused) == 1
    assert refused[0].startswith("square 0.png: No face was found")
    assert visit.photo is None, "the photo of Edit is another one"
    assert faces_of(visit.album) == "2 photos"
    remove_photos(visit)
    assert not visit.album


def test_each_photo_becomes_a_face_named_after_it(visit: Visit) -> None:
    list(add_photos(visit, squares(visit, 3), align=False))
    *stages, failed = find_each(visit, quality="draft")
    assert failed == []
    assert list(visit.faces) == ["square_0", "square_1", "square_2"]
    assert visit.current == "square_2"
    assert visit.faces["square_1"].made_by.splitlines()[0] == (
        "invert 'square 1.png' --quality draft --steps 4 --no-align"
    )
    parts = [one.part for one in stages if isinstance(one, Stage)]
    assert parts == sorted(parts)


def test_each_photo_keeps_its_thumbnail_and_no_copy_is_left_of_one_that_is_there(visit: Visit) -> None:
    uploads = squares(visit, 3)
    list(add_photos(visit, uploads, align=False))
    for _ in range(9):
        list(add_photos(visit, uploads, align=False))
    assert len(visit.album) == 3
    assert all(Path(photo.thumbnail).exists() for photo in visit.album)
    assert set(visit.files.folder.rglob("*.png")) == {photo.path for photo in visit.album}


def test_faces_without_room_are_left_out_and_told_once(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    list(add_photos(visit, squares(visit, 3), align=False))
    monkeypatch.setattr(photos, "MOST_FACES", 1)
    *_, failed = find_each(visit, quality="draft")
    assert list(visit.faces) == ["square_0"]
    assert failed == ["2 faces were left out, as this visit has 1; delete some first"]


@pytest.mark.parametrize("keep", [True, False])
def test_a_stop_ends_all_searches(visit: Visit, keep: bool) -> None:
    list(add_photos(visit, squares(visit, 3), align=False))
    visit.stop = StopsAfter(visit, 3, keep=keep)
    if keep:
        list(find_each(visit))
        assert list(visit.faces) == ["square_0"]
    else:
        with pytest.raises(StoppedError):
            list(find_each(visit))
        assert not visit.faces


def test_an_album_has_bounds(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="Drop some photos first"):
        next(find_each(visit))
    monkeypatch.setattr(photos, "MOST_PHOTOS", 2)
    with pytest.raises(InputError, match="up to 2 photos"):
        next(add_photos(visit, squares(visit, 3), align=False))
