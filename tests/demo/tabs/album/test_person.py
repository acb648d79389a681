"""One person's model from the photos of the album, and faces found with it."""

import pytest

from stylegan_latents.demo.page.running import Done, StoppedError
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.album import person
from stylegan_latents.demo.tabs.album.person import make_person, open_person
from stylegan_latents.demo.tabs.album.photos import add_photos, find_each
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.person import Person
from tests.demo.tabs.album.test_photos import squares
from tests.demo.visits import StopsAfter
from tests.invert.small_people import small_person


@pytest.fixture(name="album")
def _album(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """A visit with three photos, of which tuning takes one step each."""
    monkeypatch.setitem(person.STEPS_EACH, "draft", 1)
    list(add_photos(visit, squares(visit, 3), align=False))
    return visit


@pytest.mark.slow
def test_an_album_becomes_a_model_that_finds_faces_in_further_photos(album: Visit) -> None:
    *_, done = make_person(album, "anna", quality="draft")
    assert isinstance(done, Done)
    kept, others = done.result
    assert others == []
    made = Person.load(kept.path)
    assert made.is_tuned
    assert [source.name for source in made.record.sources] == ["square 0.png", "square 1.png", "square 2.png"]
    assert kept.made_by == (
        "invert 'square 0.png' 'square 1.png' 'square 2.png' --together --name anna --quality draft --steps 4 "
        "--no-align"
    )
    *_, failed = find_each(album, quality="draft", person=kept)
    assert failed == []
    face = album.faces["square_0"]
    assert face.record.inversion.method == "person"
    assert face.made_by.splitlines()[0].endswith("--person anna.person.safetensors --steps 4 --no-align")


def test_a_downloaded_model_opens_again(album: Visit) -> None:
    upload = album.studio.uploads / "anna.person.safetensors"
    small_person(album.studio.G, 3).save(upload)
    kept = open_person(album, str(upload))
    assert album.people == {"anna": kept}
    upload.write_bytes(b"no model")
    with pytest.raises(InputError):
        open_person(album, str(upload))


def test_what_makes_no_model(album: Visit) -> None:
    with pytest.raises(InputError, match="Give the person a name first"):
        next(make_person(album, " "))
    album.stop = StopsAfter(album, 4)
    with pytest.raises(StoppedError):
        list(make_person(album, "anna", quality="draft"))
    assert not album.people
    album.album.pop()
    with pytest.raises(InputError, match="needs 3 photos or more, and there are 2"):
        next(make_person(album, "anna"))
