"""A visitor's film: inverted, edited, and within bounds."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.demo.page import running
from stylegan_latents.demo.page.running import Done, Stage, StoppedError
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.film import inverting
from stylegan_latents.demo.tabs.film.inverting import edit_film, invert_film
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.read import film_facts, read_film
from stylegan_latents.invert.record.inversion import Inversion
from tests.demo.visits import StopsAfter, report_all
from tests.invert.small_films import encode, save_film


def uploaded(visit: Visit, frames: int = 6) -> str:
    path = visit.studio.uploads / "mein clip.mp4"
    picture = Image.linear_gradient("L").convert("RGB").resize((96, 80))
    save_film(path, [picture.rotate(3 * number) for number in range(frames)])
    return str(path)


def frames_of(path: Path) -> np.ndarray:
    return np.stack([np.asarray(frame.picture()).astype(int) for frame in read_film(path)])


@pytest.mark.slow
def test_a_film_is_inverted_and_edited_in_every_frame(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "run_reporting", report_all)
    *stages, done = invert_film(visit, uploaded(visit), align=False)
    assert isinstance(done, Done)
    words = [stage.words for stage in stages if isinstance(stage, Stage)]
    for said in ("Looking at frame 3 of 3", "First frame, step 4 of 4", "Frame 3 of 3", "Drawing frame 3 of 3"):
        assert any(one == said for one in words), said
    film = done.result
    assert visit.film == film
    assert film.made_by.splitlines() == [
        "invert 'mein clip.mp4' --quality good --steps 4 --every 2 --no-align",
        "mv 'mein clip.inversion.safetensors' mein_clip.inversion.safetensors",
    ]
    assert film.record is not None
    record = Inversion.load(film.record)
    assert len(record) == 3
    assert record.footage is not None
    assert (record.footage.source.name, record.footage.source.path) == ("mein clip.mp4", None)
    *_, end = edit_film(visit, {"pose": 2.0}, paste_back=True)
    assert isinstance(end, Done)
    path, command = end.result
    assert film_facts(path).size == (96, 80)
    changed, plain = frames_of(path), frames_of(film.path)
    assert changed.shape == plain.shape
    assert np.abs(changed - plain).mean() > 0.1
    assert command.splitlines()[2:] == [
        "edit mein_clip.inversion.safetensors --direction pose --strength 2 --paste-back"
    ]
    *_, end = edit_film(visit, {"pose": 2.0}, paste_back=False)
    assert isinstance(end, Done)
    assert film_facts(end.result[0]).size == (32, 32)


@pytest.mark.slow
def test_another_choice_for_the_same_film_is_another_record_and_another_film_replaces_it(visit: Visit) -> None:
    upload = uploaded(visit, 3)
    records = []
    for every in (2, 1, 2):
        *_, done = invert_film(visit, upload, align=False, every=every)
        assert isinstance(done, Done)
        assert done.result.record is not None
        records.append(done.result.record)
    assert records[0] == records[2] != records[1]
    assert [len(Inversion.load(record)) for record in records[:2]] == [2, 3]
    *_, end = edit_film(visit, {"pose": 2.0})
    assert isinstance(end, Done)
    other = visit.studio.uploads / "other.mp4"
    Path(upload).rename(other)
    *_, done = invert_film(visit, str(other), align=False)
    assert isinstance(done, Done)
    assert not any(record.exists() for record in records)


def test_a_stopped_film_continues_where_it_was(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = uploaded(visit)
    visit.stop = StopsAfter(visit, 8)
    with pytest.raises(StoppedError):
        list(invert_film(visit, upload, align=False))
    assert visit.film is not None
    assert visit.film.record is None
    visit.stop.is_set = lambda: False  # type: ignore[method-assign]
    monkeypatch.setattr(running, "run_reporting", report_all)
    *stages, done = invert_film(visit, upload, align=False)
    assert isinstance(done, Done)
    assert not any(one.words.startswith("Looking") for one in stages if isinstance(one, Stage))


def test_what_is_no_film_here(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = visit.studio.uploads / "photo.png"
    Image.new("RGB", (64, 64)).save(photo)
    for upload, words in ((None, "Drop a film first"), (str(photo), r"photo.png is no film")):
        with pytest.raises(InputError, match=words):
            next(invert_film(visit, upload))
    with pytest.raises(InputError, match="Find the face in the film first"):
        next(edit_film(visit, {"pose": 1.0}))
    monkeypatch.setattr(inverting, "LONGEST_SECONDS", 0.3)
    *_, done = invert_film(visit, uploaded(visit), align=False, every=1)
    assert isinstance(done, Done)
    assert "--max-frames 3" in done.result.made_by
    with pytest.raises(InputError, match="Nothing is changed yet"):
        next(edit_film(visit, {"pose": 0.0}))
    monkeypatch.setattr(inverting, "_MOST_PIXELS", 100)
    with pytest.raises(InputError, match="and this one 96x80"):
        next(invert_film(visit, uploaded(visit), align=False))


@pytest.mark.slow
def test_what_should_be_known_of_a_film_is_told_in_the_page(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    path = visit.studio.uploads / "bright.mp4"
    encode(path, [np.full((64, 64, 3), 40 * number, np.uint8) for number in range(4)], transfer=18)
    monkeypatch.setattr(inverting, "frames_without_face", lambda _: ["no face in frame 3"])
    *_, done = invert_film(visit, str(path), align=False)
    assert isinstance(done, Done)
    assert done.result.notes == (
        "The film is in HDR (HLG); new films are in SDR, tone-mapped.", "No face in frame 3.",
    )  # fmt: skip
