"""What the server does to those who speak to it without the page: files, sessions, sizes."""

import io
import pickle
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.shared import KeptStyle
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.visit import MOST_DIRECTIONS
from stylegan_latents.editing.directions.catalogue import known_directions
from tests.demo.client import AnswerError, Visitor, file_value
from tests.demo.small_studio import page_of, small_page, small_studio
from tests.generator.styles.test_style import small_style
from tests.small_models import small_generator, small_record

NO_SLIDER = [0.0] * (len(known_directions("stylegan2-ffhq-w")) + MOST_DIRECTIONS)


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
    root = Path(__file__).parents[3]
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


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("draw", ["seed2"]),
        ("draw", [{"a": 1}, "Face", *NO_SLIDER]),
        ("draw", [["seed2"], "Face", *NO_SLIDER]),
        ("draw", ["seed2", "Nowhere", *NO_SLIDER]),
        ("draw", ["seed2", "Face", *[None] * 15]),
        ("draw", ["seed2", "Face", *["<script>"] * 15]),
        ("draw", ["seed2", {}, *NO_SLIDER]),
        ("photo", ["/etc/passwd", True]),
        ("photo", [{"path": 7}, True]),
        ("photo", [{}, "yes"]),
        ("record", [[]]),
        ("explore", ["many", 0.7]),
        ("explore", [0, None]),
        ("explore", [0, "NaN"]),
        ("film", ["x" * 10_000]),
        ("mix", [3, 3]),
        ("example", []),
        ("keep_direction", [7, None]),
        ("discover", [7, "sefa", ["all"], 0]),
    ],
)
def test_a_call_that_the_page_does_not_make_is_refused_in_a_sentence(
    visitor: Visitor, name: str, values: list[object], capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    message, status = visitor.raw(name, values)
    assert status == 200
    assert message
    assert message.endswith((".", "!"))
    for term in ("Traceback", "<", "'NoneType'", "class ", "list of choices", "Error", "/etc", "xxxx", "handler"):
        assert term not in message, message
    told = capfd.readouterr()
    logged = told.out + told.err + caplog.text
    assert "Traceback" not in logged
    assert "xxxx" not in logged


@pytest.mark.parametrize("event_data", [None, {}, {"index": None, "value": 1}, {"index": [1], "value": 1}, "x", 7])
def test_a_selection_that_is_none_is_refused(visitor: Visitor, event_data: object) -> None:
    message, _ = visitor.raw("example", [None] * 9, event_data=event_data)
    assert "reload" in message


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"data": 5}', b'{"fn_index": "x", "data": []}', b"[" * 5000,
     b'{"data": [], "fn_index": 99999, "session_hash": "a"}'],
)  # fmt: skip
def test_a_body_that_is_no_call_is_refused_in_a_sentence(visitor: Visitor, body: bytes) -> None:
    json = {"content-type": "application/json"}
    answer = visitor.send("POST", "/gradio_api/queue/join", content=body, headers=json)
    assert 400 <= answer.status_code < 500
    assert any(words in answer.text for words in ("reload the page", "not found", "parsing the body"))
    assert "Error" not in answer.text


def test_other_sites_cannot_frame_or_feed_the_page(visitor: Visitor) -> None:
    for path in ("/", "/config", "/gradio_api/info", "/nowhere"):
        policy = visitor.send("GET", path).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "http" not in policy
        assert "*" not in policy
    upload = visitor.uploaded("a.html", b"<script>alert(1)</script>")
    answer = visitor.fetch(upload["path"])
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""])
def test_a_host_that_is_not_the_servers_is_refused(visitor: Visitor, host: str) -> None:
    for path in ("/", "/config", "/gradio_api/heartbeat/abc"):
        answer = visitor.send("GET", path, headers={"host": host})
        assert answer.status_code == 403
        assert "not an address of this demo" in answer.text


def test_the_servers_own_names_are_answered(visitor: Visitor) -> None:
    for host in ("localhost:7860", "LOCALHOST", "127.0.0.1:1", "[::1]:7860", "192.168.1.7"):
        assert visitor.send("GET", "/config", headers={"host": host}).status_code == 200, host


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "http://127.0.0.1:1", "::"]
)
def test_another_origin_can_neither_call_nor_upload(visitor: Visitor, origin: str) -> None:
    for path in ("/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/run/draw"):
        answer = visitor.send("POST", path, content=b"{}", headers={"origin": origin})
        assert answer.status_code == 403
        assert "Another site" in answer.text


def test_the_page_itself_may_call_and_a_link_to_it_may_be_followed(visitor: Visitor) -> None:
    own = {"origin": visitor.address}
    assert visitor.send("GET", "/config", headers=own).status_code == 200
    site = {"sec-fetch-site": "cross-site"}
    assert visitor.send("GET", "/", headers={**site, "sec-fetch-mode": "navigate"}).status_code == 200
    assert visitor.send("GET", "/config", headers={**site, "sec-fetch-mode": "no-cors"}).status_code == 403


def test_what_a_record_says_is_text_in_the_message(visitor: Visitor, tmp_path: Path) -> None:
    generator = small_generator(name="<img src=http://evil.example/a.png>\x1b[31m")
    small_record(generator).save(tmp_path / "other.inversion.safetensors")
    content = (tmp_path / "other.inversion.safetensors").read_bytes()
    with pytest.raises(AnswerError) as told:
        visitor.call("record", visitor.uploaded("other.inversion.safetensors", content))
    assert "&lt;img src=" in str(told.value)
    assert "<" not in str(told.value)
    assert "\x1b" not in str(told.value)


def test_a_file_that_is_too_large_is_refused(visitor: Visitor) -> None:
    assert visitor.upload("large.png", b"0" * (41 << 20)).status_code == 413


@pytest.mark.slow
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
    direction = "pose"  # which the small model's pictures show
    before, after = visitor.call(f"preview_{direction}", name, "Face", 3.0)[0]
    pictures = [visitor.fetch(one["path"]) for one in (before, after)]
    assert all(Image.open(io.BytesIO(one.content)).size == (16, 16) for one in pictures)
    assert pictures[0].content != pictures[1].content
    place = list(studio.directions).index(direction)
    answer = visitor.call("draw", name, "Face", *NO_SLIDER[:place], 3.0, *NO_SLIDER[place + 1 :])
    assert visitor.fetch(answer[1]["value"]["path"]).content[:4] == b"\x89PNG"
    edited = edited_face(visit, name)
    assert not torch.equal(edited.record.ws, visit.faces[name].record.ws)
    assert visitor.fetch(answer[2]["value"]["path"]).content == edited.path.read_bytes()
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
    shown, *_ = visitor.call("explore", 3, 0.7)
    assert [one["caption"] for one in shown][:2] == ["seed 3", "seed 4"]
    for seed, words in ((-5, "less than minimum value 0"), (None, "whole number"), (2**40, "whole number")):
        with pytest.raises(AnswerError, match=words):
            visitor.call("explore", seed, 0.7)


def test_a_style_of_the_package_is_drawn_and_downloaded_wherever_the_demo_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, elsewhere = tmp_path / "package", tmp_path / "elsewhere"
    for folder in (package, elsewhere):
        folder.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))  # Gradio serves this folder, and the working directory
    studio = small_studio(elsewhere)
    style, secret = package / "plain.style.safetensors", package / "secret.txt"
    small_style(studio.G).save(style)
    secret.write_text("secret")
    studio.styles["plain"] = KeptStyle("plain", style, shipped=True)
    with page_of(studio) as (_, address):
        visitor = Visitor(address)
        face = draw_example(visitor, studio, 0)
        *_, file = visitor.call("draw_style", face, "plain", 1.0)
        assert visitor.fetch(file["value"]["path"]).content == style.read_bytes()
        assert visitor.fetch(str(secret)).status_code == 403
        visitor.leave()
