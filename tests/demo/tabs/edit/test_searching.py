"""The search as the page sees it: stages, the face at last, and its two ways to end early."""

from pathlib import Path

import gradio as gr
import pytest
from PIL import Image

from stylegan_latents.demo.page.running import StoppedError
from stylegan_latents.demo.session import photos
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.tabs.edit import intake, search_panel, searching
from stylegan_latents.demo.tabs.edit.searching import Stage
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.identity import Identity
from tests.demo.session.test_photos import upload
from tests.demo.small_studio import small_studio
from tests.invert.small_search import small_search
from tests.photos import ASTRONAUT

__all__ = ["small_search"]


@pytest.fixture
def photo(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> photos.Photo:
    # dlib's recognition network takes seconds to load, and a random generator draws nobody.
    monkeypatch.setattr(Identity, "__call__", lambda _self, _image: None)
    return photos.receive(studio.enter("one"), upload(studio, ASTRONAUT))


@pytest.mark.usefixtures("small_search")
def test_a_search_ends_with_a_face_that_edit_can_open(studio: Studio, photo: photos.Photo) -> None:
    visit = studio.enter("one")
    stages = list(searching.search(visit, photo, 0))
    face = stages[-1]
    assert isinstance(face, Face)
    assert all(isinstance(stage, Stage) and Path(stage.before).exists() for stage in stages[:1])
    record = face.record.inversion
    assert record.settings["face"] == "largest"
    assert record.settings["steps"] == 4
    assert record.sources[0].name == "astronaut.jpg"
    assert record.sources[0].sha256 == photo.source().sha256
    assert face.record.alignment().photo_size == photo.read().size
    assert set(record.metrics) >= {"lpips_alex", "psnr"}
    assert face.photo == photo.path
    assert face.made_by == "invert astronaut.jpg --quality good --steps 4"


@pytest.mark.usefixtures("small_search")
def test_what_was_painted_on_another_photo_does_not_count(studio: Studio, photo: photos.Photo) -> None:
    painted = {"layers": [Image.new("RGBA", (16, 16), (255, 0, 255, 255))]}
    for painted_on in ("", str(photo.path.with_name("another.jpg"))):
        list(search_panel.search(studio.enter("one"), 0, "good", painted=painted, painted_on=painted_on))
    assert not any("--mask" in face.made_by for face in studio.enter("one").faces.values())
    stages = search_panel.search(studio.enter("one"), 0, "good", painted=painted, painted_on=str(photo.path))
    with pytest.raises(InputError, match="white all over"):
        list(stages)


@pytest.mark.usefixtures("small_search")
def test_a_face_whose_slider_moves_during_a_search_stays_in_sight(studio: Studio, photo: photos.Photo) -> None:
    visit = studio.enter("one")
    stages = search_panel.search(visit, photo.largest, "good")
    assert next(stages)[1] != gr.skip()
    visit.moves += 1
    assert all(pair == gr.skip() for _, pair, *_ in stages)


def test_a_photo_that_is_removed_during_its_search_leaves_nothing_to_find(
    studio: Studio, photo: photos.Photo
) -> None:
    visit = studio.enter("one")
    assert visit.photo is photo
    assert search_panel.work_ended(visit)[0].interactive
    intake.forget(visit)
    assert not search_panel.work_ended(visit)[0].interactive


@pytest.mark.slow
@pytest.mark.usefixtures("small_search")
def test_a_stopped_search_keeps_the_best_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Identity, "__call__", lambda _self, _image: None)
    studio = small_studio(tmp_path, steps=100_000)
    visit = studio.enter("one")
    photo = photos.receive(visit, upload(studio, ASTRONAUT))
    for keep in (False, True):
        with visit.at_work():
            stages = searching.search(visit, photo, 0)
            while next(stages).step < 3:
                pass
            visit.keep = keep
            visit.stop.set()
            if keep:
                face = list(stages)[-1]
                assert isinstance(face, Face)
                assert int(face.record.inversion.settings["stopped_at_step"]) >= 3
            else:
                with pytest.raises(StoppedError):
                    list(stages)
                assert not visit.faces
    studio.close()
