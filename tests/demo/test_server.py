"""What the server does to those who speak to it without the page: files, sessions, sizes."""

import io
import pickle
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.demo.session.studio import Studio
from tests.demo.client import AnswerError, Visitor, file_value
from tests.demo.small_studio import small_page
from tests.small_models import small_generator, small_record

NO_SLIDER = [0.0] * 15


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, str]]:
    with small_page(tmp_path_factory.mktemp("demo"), grace=0.0) as page:
        yield page


@pytest.fixture
def visitor(served: tuple[Studio, str]) -> Iterator[Visitor]:
    visitor = Visitor(served[1])
    yield visitor
    visitor.leave()


def png(colour: str = "red", side: int = 64) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()


def own_visit(studio: Studio, visitor: Visitor):
    return studio.enter(visitor.session)


def draw_example(visitor: Visitor, studio: Studio, number: int) -> str:
    """Click an example of a seed; the face's name."""
    seeds = [i for i, example in enumerate(studio.examples) if example.seed is not None]
    visitor.call("example", event_data={"index": seeds[number], "value": None})
    return list(own_visit(studio, visitor).faces)[-1]


def test_files_of_the_server_are_not_served(visitor: Visitor, served: tuple[Studio, str], tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    root = Path(__file__).parents[2]
    uploads = served[0].uploads
    for path in (
        "/etc/passwd",
        str(secret),
        str(root / "pyproject.toml"),
        f"{uploads}/../{tmp_path.name}",
        f"{uploads}/..%2f..%2fetc/passwd",
        "pyproject.toml",
        str(uploads),
        str(uploads / "visits"),
    ):
        assert visitor.fetch(path).status_code in (403, 404), path


def test_events_take_no_file_of_the_server(visitor: Visitor, tmp_path: Path) -> None:
    photo = tmp_path / "private.png"
    photo.write_bytes(png())
    with pytest.raises(AnswerError) as told:
        visitor.call("photo", file_value(str(photo)), True)
    assert "private" not in str(told.value) or "not uploaded" in str(told.value)
    with pytest.raises(AnswerError):
        visitor.call("record", file_value("/etc/passwd"))


@pytest.mark.parametrize("name", ["../../../evil.png", "/var/evil.png", "..\\evil.png", "a" * 300 + ".png"])
def test_an_upload_stays_in_its_folder(visitor: Visitor, served: tuple[Studio, str], name: str) -> None:
    answer = visitor.upload(name, png())
    assert answer.status_code == 200
    assert Path(answer.json()[0]).resolve().is_relative_to(served[0].uploads)


def test_a_file_that_is_too_large_is_refused(visitor: Visitor) -> None:
    assert visitor.upload("large.png", b"0" * (41 << 20)).status_code == 413


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("text.png", b"not a picture at all", "not a picture"),
        ("page.jpg", b"<html><body>no</body></html>", "web page"),
        ("cut.png", png()[:60], "damaged"),
        ("empty.png", b"", "empty"),
        ("tiny.png", png(side=4), "at least 16"),
        ("plain.png", png(side=200), "No face was found in plain.png"),
    ],
)
def test_a_bad_photo_is_told_in_one_sentence(visitor: Visitor, name: str, content: bytes, words: str) -> None:
    with pytest.raises(AnswerError) as told:
        visitor.call("photo", visitor.uploaded(name, content), True)
    assert words in str(told.value)
    assert "Traceback" not in str(told.value)
    assert "/" not in str(told.value).replace("and/or", "")


class _Dangerous:
    def __reduce__(self):
        return Path.touch, (Path("ran-by-a-record"),)


def test_a_record_runs_nothing_and_has_to_fit(visitor: Visitor, tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match="no record"):
        visitor.call("record", visitor.uploaded("a.safetensors", pickle.dumps(_Dangerous())))
    assert not Path("ran-by-a-record").exists()
    small_record(small_generator()).save(tmp_path / "other.inversion.safetensors")
    content = (tmp_path / "other.inversion.safetensors").read_bytes()
    with pytest.raises(AnswerError, match="belongs to the model"):
        visitor.call("record", visitor.uploaded("other.inversion.safetensors", content))


def test_two_sessions_share_nothing(served: tuple[Studio, str]) -> None:
    studio, address = served
    one, two = Visitor(address), Visitor(address)
    first, second = draw_example(one, studio, 0), draw_example(two, studio, 1)
    assert list(own_visit(studio, one).faces) == [first]
    assert list(own_visit(studio, two).faces) == [second]
    with pytest.raises(AnswerError, match="no face 'seed"):
        two.call("draw", first, "Face", *NO_SLIDER)
    one.leave()
    two.leave()


def test_a_slider_changes_the_picture_and_the_record_downloads(
    visitor: Visitor, served: tuple[Studio, str]
) -> None:
    studio = served[0]
    name = draw_example(visitor, studio, 0)
    visit = own_visit(studio, visitor)
    direction = next(iter(studio.directions))
    before, after = visitor.call(f"preview_{direction}", name, "Face", 3.0)[0]
    pictures = [visitor.fetch(one["path"]) for one in (before, after)]
    assert all(Image.open(io.BytesIO(one.content)).size == (16, 16) for one in pictures)
    assert pictures[0].content != pictures[1].content
    answer = visitor.call("draw", name, "Face", 3.0, *NO_SLIDER[1:])
    assert visitor.fetch(answer[1]["value"]["path"]).content[:4] == b"\x89PNG"
    assert visitor.fetch(answer[2]["value"]["path"]).content == visit.faces[name].path.read_bytes()
    assert f"--direction {direction} --strength 3" in answer[3]


def test_leaving_deletes_what_the_visitor_had(served: tuple[Studio, str]) -> None:
    studio, address = served
    visitor = Visitor(address)
    visitor.stay()
    name = draw_example(visitor, studio, 0)
    visit = own_visit(studio, visitor)
    path = visit.faces[name].path
    studio.sweep()
    assert path.exists()
    visitor.leave()
    deadline = time.monotonic() + 40
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
        studio.sweep()
    assert not path.exists()
    assert not visit.files.folder.exists()


def test_explore_shows_seeds_and_says_what_is_no_seed(visitor: Visitor) -> None:
    shown, _, _ = visitor.call("explore", 3, 0.7)
    assert [one["caption"] for one in shown][:2] == ["seed 3", "seed 4"]
    for seed, words in ((-5, "less than minimum value 0"), (None, "whole number"), (2**40, "whole number")):
        with pytest.raises(AnswerError, match=words):
            visitor.call("explore", seed, 0.7)
