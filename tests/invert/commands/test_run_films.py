"""Films on the command line, with real searches on a small model."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.faces import dlib_detector as faces
from stylegan_latents.invert.faces.detector import Face
from stylegan_latents.invert.faces.find import follow_face
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.films import face_path
from stylegan_latents.invert.films.checkpoint import FilmParts
from stylegan_latents.invert.films.follow import Follower
from stylegan_latents.invert.films.read import read_film
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.inversion import Inversion
from tests.invert.small_films import encode, morphing, save_film
from tests.invert.small_search import small_search  # noqa: F401
from tests.odd_models import odd_generator

pytestmark = pytest.mark.usefixtures("small_search")
RECORD, MADE, PARTS = "clip.inversion.safetensors", "clip.inverted.mp4", "clip.inversion.parts"
COUNT = 6


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_native(odd_generator(), tmp_path / "small.safetensors")
    save_film(Path("clip.mp4"), morphing(odd_generator(), COUNT))
    return tmp_path / "here"


def _run(*arguments: str) -> int:
    common = ("--steps", "4", "--model", "../small.safetensors", "--device", "cpu", "--precision", "float32")
    return main(["clip.mp4", *arguments, *common])


def _error(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def _end_after(monkeypatch: pytest.MonkeyPatch, frames: int, error: BaseException) -> None:
    """End the run once so many frames are kept."""
    write, kept = FilmParts.write, 0

    def ending(self: FilmParts, frame: int, record: Inversion) -> None:
        nonlocal kept
        if kept == frames:
            raise error
        kept += 1
        write(self, frame, record)

    monkeypatch.setattr(FilmParts, "write", ending)


def test_a_film_becomes_one_record_and_a_film(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--no-align") == 0
    output = capsys.readouterr()
    assert f"Wrote {RECORD}, {MADE}" in output.out
    assert "6 frames, LPIPS" in output.out
    record = Inversion.load(RECORD)
    assert len(record) == COUNT
    assert record.footage is not None
    assert record.footage.frames == tuple(range(COUNT))
    assert record.footage.source.find() == Path.cwd() / "clip.mp4"
    assert record.model_file == Path.cwd().parent / "small.safetensors"
    assert len(record.metrics["lpips_alex"]) == COUNT
    drawn = [frame.picture() for frame in read_film(Path(MADE))]
    assert len(drawn) == COUNT
    G = odd_generator()
    for index, picture in enumerate(drawn):
        own = to_picture(G.synthesize(record.ws[index : index + 1]))[0]
        # Averaged, as a film keeps less of a random network's colours than of its light.
        one, two = (np.asarray(image.resize((8, 8), Image.Resampling.BOX), float) for image in (picture, own))
        assert np.abs(one - two).mean() < 8
    assert not Path(PARTS).exists()
    before = Path(RECORD).stat().st_mtime_ns
    assert _run("--no-align") == 0
    assert "already done" in capsys.readouterr().out
    assert Path(RECORD).stat().st_mtime_ns == before
    # What can be drawn from the record, is.
    Path(MADE).unlink()
    assert _run("--no-align", "--quiet") == 0
    assert len(list(read_film(Path(MADE)))) == COUNT
    assert _run("--no-align", "--no-smooth", "--quiet") == 2
    assert "exists already" in _error(capsys)


def test_a_photo_and_a_film_of_one_name_get_records_of_their_own() -> None:
    Image.new("RGB", (64, 64), (90, 80, 70)).save("clip.png")
    assert _run("clip.png", "--no-align", "--quiet") == 0
    assert Inversion.load(RECORD).footage is None
    assert Inversion.load("clip.mp4.inversion.safetensors").footage is not None
    assert Path("clip.mp4.inverted.mp4").exists()


@pytest.mark.slow
def test_a_run_that_was_ended_goes_on_and_ends_equal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("--no-align", "--quiet", "--out", "whole") == 0
    with monkeypatch.context() as patch:
        _end_after(patch, 3, KeyboardInterrupt())
        assert _run("--no-align", "--quiet") == 130
    assert "continues from there" in capsys.readouterr().err
    assert not Path(RECORD).exists()
    assert len(list(Path(PARTS).glob("frame_*"))) == 3
    assert _run("--no-align", "--no-smooth", "--quiet") == 2
    assert "other settings" in _error(capsys)
    followed: list[int] = []
    follow = Follower.follow

    def watched(self: Follower, *arguments: Any, **options: Any) -> torch.Tensor:
        followed.append(1)
        return follow(self, *arguments, **options)

    monkeypatch.setattr(Follower, "follow", watched)
    damaged = sorted(Path(PARTS).glob("frame_*"))[1]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert _run("--no-align", "--quiet") == 0
    assert len(followed) == COUNT - 3 + 1
    one, two = Inversion.load(RECORD), Inversion.load(f"whole/{RECORD}")
    assert torch.equal(one.ws, two.ws)
    assert one.footage == two.footage
    assert not Path(PARTS).exists()


def test_a_frame_whose_search_diverged_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    follow, frames = Follower.follow, iter(range(1, COUNT))

    def diverging(self: Follower, image: Any, ws: Any, _mask: Any, on_divergence: Any) -> torch.Tensor:
        if next(frames) == 2:
            on_divergence(4)
        return follow(self, image, ws)

    monkeypatch.setattr(Follower, "follow", diverging)
    assert _run("--no-align", "--quiet") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("frame 2: the search diverged at step 4; its best code before is kept")


@pytest.mark.slow
def test_an_unfinished_run_does_not_replace_what_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("--no-align", "--quiet") == 0
    before = Path(RECORD).read_bytes()
    with monkeypatch.context() as patch:
        _end_after(patch, 1, KeyboardInterrupt())
        assert _run("--no-align", "--no-smooth", "--quiet", "--overwrite") == 130
    capsys.readouterr()
    assert _run("--no-align", "--no-smooth", "--quiet") == 2
    assert "exists already" in _error(capsys)
    assert Path(RECORD).read_bytes() == before
    assert _run("--no-align", "--quiet") == 0  # done, and the other run's parts stay
    assert Path(PARTS).exists()
    assert _run("--no-align", "--no-smooth", "--quiet", "--overwrite") == 0
    assert Path(RECORD).read_bytes() != before
    assert not Path(PARTS).exists()


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write, left = Path.write_bytes, [2]

    def fill(self: Path, content: Any) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fill)
        assert _run("--no-align", "--quiet") == 2
    assert "No space left on device" in _error(capsys)
    assert len(list(Path(PARTS).glob("frame_*"))) == 2
    assert _run("--no-align", "--quiet") == 0
    assert len(Inversion.load(RECORD)) == COUNT


def test_every_third_frame_of_the_first_few() -> None:
    assert _run("--no-align", "--every", "3", "--max-frames", "5", "--quiet") == 0
    footage = Inversion.load(RECORD).footage
    assert footage is not None
    assert (footage.frames, footage.every, len(footage.times)) == ((0, 3), 3, 5)


def _face(x: float) -> Face:
    """A face whose landmarks make a crop of some 40 pixels about x, 32."""
    grid = np.array([(i % 9, i // 9) for i in range(68)], dtype=np.float64) + np.array([x - 4, 28])
    return Face((x - 15, 17.0, x + 15, 47.0), Landmarks.from_ibug(grid), 1.0)


def _see(monkeypatch: pytest.MonkeyPatch, seen: list[bool]) -> None:
    """Faces that are found in some frames."""
    frame = -1

    def find(_: Image.Image, **__: object) -> list[Face]:
        nonlocal frame
        frame += 1
        return [_face(30 + 0.2 * frame)] if seen[frame] else []

    monkeypatch.setattr(face_path, "find_faces", find)
    monkeypatch.setattr(face_path, "follow_face", lambda *_, **__: None)


def test_frames_without_a_face_are_bridged_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _see(monkeypatch, [False, True, True, False, True, True])
    assert _run() == 0
    output = capsys.readouterr().out
    assert "no face was found in frame 3, where the code is interpolated" in output
    assert "no face in frame 0: edits leave those as they are" in output
    record = Inversion.load(RECORD)
    assert record.footage is not None
    assert record.footage.frames == (1, 2, 3, 4, 5)
    assert record.footage.bridged == (3,)
    assert not torch.equal(record.ws[2], record.ws[1])
    assert torch.isfinite(record.ws).all()


def test_a_film_without_a_face_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _see(monkeypatch, [False] * COUNT)
    assert _run("--quiet") == 2
    assert "No face was found in the 6 frames of clip.mp4" in _error(capsys)
    assert not Path(PARTS).exists()


def test_several_films_go_on_past_a_bad_one(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.mp4").write_text("no film")
    assert _run("bad.mp4", "--no-align", "--max-frames", "2") == 2
    errors = capsys.readouterr().err
    assert "1 of 2 films could not be inverted" in errors
    assert Path(RECORD).exists()


def test_an_animated_picture_is_a_film_and_in_a_folder_its_first_frame_a_photo(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("moves").mkdir()
    first, *others = morphing(odd_generator(), 3)
    first.save("moves/moves.gif", save_all=True, append_images=others, duration=200)
    assert _run("--no-align", "--max-frames", "1", "moves/moves.gif") == 0
    footage = Inversion.load("moves.inversion.safetensors").footage
    assert footage is not None
    assert footage.rate == pytest.approx(5)
    capsys.readouterr()
    assert _run("--no-align", "--max-frames", "1", "moves", "--out", "folder") == 0
    assert "first frame of moves.gif is inverted" in capsys.readouterr().err
    assert Inversion.load("folder/moves.inversion.safetensors").footage is None


def test_a_film_in_hdr_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    pixels = np.full((48, 64, 3), 90, np.uint8)
    encode(Path("clip.mp4"), [pixels], transfer=18)
    assert _run("--no-align") == 0
    assert "clip.mp4 is in HDR (HLG); it is read as SDR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "pivotal"), "--method pivotal is for photos"),
        (("--preview", "film.mp4"), "--preview is for photos"),
        (("--report", "table.csv"), "--report is for photos"),
        (("--face", "all"), "--face all is for photos"),
        (("--max-frames", "0"), "--max-frames"),
    ],
)
def test_what_is_for_photos_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert _run("--no-align", *arguments) == 2
    assert words in _error(capsys)
    assert not Path(RECORD).exists()


def test_following_a_face_looks_near_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _face(50)
    hits = [((10.0, 10.0, 40.0, 40.0), 0.9), ((31.0, 31.0, 61.0, 61.0), 0.5), ((30.0, 30.0, 60.0, 60.0), 0.05)]
    monkeypatch.setattr(faces, "_detect", lambda *_: hits)
    monkeypatch.setattr(faces, "read_landmarks", lambda _image, box: np.array([box[:2]]))
    found = follow_face(Image.new("RGB", (200, 200)), before)
    assert found is not None
    # The copy begins 30 pixels left of the face's box and above it: what lies at its place is chosen.
    assert found.box == (36.0, 18.0, 66.0, 48.0)
    assert found.score == 0.5
    monkeypatch.setattr(faces, "_detect", lambda *_: hits[:1])
    assert follow_face(Image.new("RGB", (200, 200)), before) is None


def test_an_unfinished_run_of_others_is_kept(tmp_path: Path) -> None:
    parts = FilmParts(tmp_path / PARTS, {"a": 1})
    (tmp_path / PARTS).mkdir()
    (tmp_path / PARTS / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="other settings"):
        parts.check(overwrite=False)
    parts.check(overwrite=True)
    assert (tmp_path / PARTS / "mine.txt").exists()
