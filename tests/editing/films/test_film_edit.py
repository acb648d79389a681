"""A film's record on the command line."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.regions import parts as parts_catalogue
from stylegan_latents.editing.regions import person as person_regions
from stylegan_latents.editing.regions.parts import Parts, part_features
from stylegan_latents.invert.films.read import film_facts, read_film
from stylegan_latents.invert.paste_back import paste, whole_head
from stylegan_latents.invert.paste_back.whole_head import HeadMove
from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.photos.person_mask import CLASSES, PersonMask
from stylegan_latents.invert.record.footage import Footage
from stylegan_latents.invert.record.source import Source
from tests.editing.command_folder import MODEL, G, enter_folder, one_sentence
from tests.editing.nonlinear.small_flows import small_flow
from tests.generator.styles.test_style import small_style
from tests.invert.small_films import encode, flash_and_beep, save_film, times_of_flash_and_beep, with_sound
from tests.small_models import small_record

RECORD = "clip.inversion.safetensors"
SMILE = ("--direction", "smile", "--strength", "2")


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the other commands' tests, with a film of eight frames and sound, and its record of five."""
    folder = enter_folder(tmp_path, monkeypatch)
    pictures = [Image.new("RGB", (96, 80), (20 * i, 90, 160)) for i in range(8)]
    save_film(Path("silent.mp4"), pictures, fps=12.5)
    with_sound(Path("silent.mp4"), Path("clip.mp4"), 0.64)
    _save_record()
    return folder


def _save_record(**changes: Any) -> None:
    quad = np.array([[20.0, 20.0], [20.0, 60.0], [60.0, 60.0], [60.0, 20.0]])
    footage: dict[str, Any] = {
        "source": Source.of(Path("clip.mp4")),
        "size": (96, 80),
        "rate": 12.5,
        "times": tuple(i / 12.5 for i in range(8)),
        "frames": (1, 2, 3, 4, 6),
        "bridged": (3,),
    }
    alignments = [Alignment(quad + i, changes.get("size", (96, 80)), 32, "ffhq") for i in range(5)]
    # Codes whose pictures differ and are not yet all black and white, which a last bit would decide.
    ws = G.sample([0]) + 1 + 0.5 * torch.arange(5)[:, None, None]
    record = small_record(G, 5, ws=ws, footage=Footage(**(footage | changes)), alignments=alignments)
    record.save(RECORD, overwrite=True)


def _frames(path: str) -> list[np.ndarray]:
    return [np.asarray(frame.picture(), dtype=float) for frame in read_film(Path(path))]


def test_the_face_of_every_frame_is_edited(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([RECORD, *SMILE, *MODEL]) == 0
    assert "Wrote clip.smile+2.mp4" in capsys.readouterr().out
    facts = film_facts(Path("clip.smile+2.mp4"))
    assert (facts.size, facts.rate, facts.count) == ((32, 32), 12.5, 8)
    smiling = _frames("clip.smile+2.mp4")
    assert main([RECORD, "--direction", "smile", "--strength", "0", *MODEL]) == 0
    plain = _frames("clip.smile+0.mp4")
    assert all(np.abs(one - two).mean() > 3 for one, two in zip(smiling, plain, strict=True))
    # Before the first and in the gap the nearest face stands still.
    assert np.abs(plain[0] - plain[1]).mean() < 2
    assert np.abs(plain[1] - plain[2]).mean() > 3


def test_a_film_takes_a_mapper_and_no_flow(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_flow().save(folder / "flow.safetensors")
    assert main([RECORD, "--flow", "flow.safetensors", "--set", "redness=0.5", *MODEL]) == 2
    assert "--flow is for photos" in one_sentence(capsys)
    mapper = Path(__file__).parents[2] / "data" / "styleclip" / "levels.pt"
    assert main([RECORD, "--mapper", str(mapper), "--strength", "3", *MODEL]) == 0
    assert film_facts(Path("clip.levels+3.mp4")).count == 8


@pytest.mark.slow
def test_pasted_back_the_rest_of_the_film_and_its_sound_stay() -> None:
    assert main([RECORD, *SMILE, "--paste-back", *MODEL]) == 0
    before, after = _frames("clip.mp4"), _frames("clip.smile+2.pasted.mp4")
    assert len(after) == 8
    for number, (one, two) in enumerate(zip(before, after, strict=True)):
        assert np.abs(one - two)[:, 80:].mean() < 3
        changed = np.abs(one - two)[30:50, 30:50].mean() > 3
        assert changed == (number in (1, 2, 3, 4, 6))
    with av.open("clip.smile+2.pasted.mp4") as film:
        assert len(film.streams.audio) == 1


@pytest.mark.slow
def test_odd_and_animated_films_are_edited() -> None:
    first, *others = [Image.new("RGB", (95, 79), (20 * i, 90, 160)) for i in range(8)]
    first.save("odd.gif", save_all=True, append_images=others, duration=80)
    _save_record(source=Source.of(Path("odd.gif")), size=(95, 79))
    assert main([RECORD, *SMILE, "--paste-back", *MODEL]) == 0
    made = _frames("clip.smile+2.pasted.mp4")
    assert len(made) == 8
    for before, after in zip(_frames("odd.gif"), made, strict=True):
        assert after.shape == (80, 96, 3)
        assert np.abs(before[:, 80:] - after[:79, 80:95]).mean() < 4


@pytest.mark.slow
def test_a_record_with_the_pixels_of_an_anamorphic_film_is_still_edited(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pixels = [np.full((80, 96, 3), 20 * i, np.uint8) for i in range(8)]
    encode(Path("clip.mp4"), pixels, aspect=Fraction(4, 3), transfer=18)
    assert film_facts(Path("clip.mp4")).size == (128, 80)
    _save_record()
    Path("clip.mp4").rename("moved.mp4")
    named = ("--photo", "moved.mp4", "--out", "clip.smile+2.pasted.mp4")
    assert main([RECORD, *SMILE, "--paste-back", *named, *MODEL]) == 0
    facts = film_facts(Path("clip.smile+2.pasted.mp4"))
    assert (facts.size, facts.hdr) == ((96, 80), "")
    assert "moved.mp4 is in HDR (HLG); the new film is in SDR" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("name", "offset", "late"), [("camera.mts", 3.0, 0.0), ("late.mkv", 5.0, 0.4)])
def test_the_sound_of_an_edited_film_is_in_step(name: str, offset: float, late: float) -> None:
    flash_and_beep(Path(name), offset=offset, late=late)
    times = tuple(frame.time for frame in read_film(Path(name)))
    _save_record(source=Source.of(Path(name)), times=times, rate=25.0)
    for options in ([], ["--paste-back"]):
        assert main([RECORD, *SMILE, *options, "--out", f"new{len(options)}.mp4", *MODEL]) == 0
    flash, beep = times_of_flash_and_beep(Path("new1.mp4"))
    assert flash == pytest.approx(1 - late, abs=0.002)
    assert abs(flash - beep) < 0.005
    with av.open("new0.mp4") as film:
        assert len(film.streams.audio) == 1


@pytest.mark.slow
def test_a_film_that_was_moved_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("clip.mp4").rename("moved.mp4")
    assert main([RECORD, *SMILE, "--paste-back", *MODEL]) == 2
    assert "clip.mp4 was moved or changed" in one_sentence(capsys)
    save_film(Path("small.mp4"), [Image.new("RGB", (64, 64))])
    assert main([RECORD, *SMILE, "--paste-back", "--photo", "small.mp4", *MODEL]) == 2
    assert "is 64x64 pixels, the film of this record was 96x80" in one_sentence(capsys)
    assert main([RECORD, *SMILE, "--paste-back", "--photo", "moved.mp4", "--out", "new.mp4", *MODEL]) == 0
    assert Path("new.mp4").exists()
    # Its face alone needs no film.
    assert main([RECORD, *SMILE, *MODEL]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--target", "pose=15"), "--target is for photos"),
        ((*SMILE, "--sheet"), "--sheet is for photos"),
        ((*SMILE, "--region", "mouth"), "--region is for photos"),
        ((*SMILE, "--keep-identity", "0.4"), "--keep-identity is for photos"),
        ((), "Say what to change"),
        ((*SMILE, "--out", "film.avi"), ".mp4"),
        ((*SMILE, "--out", "clip.mp4", "--overwrite"), "is what this edit is made from"),
        (("--direction", "simle", "--strength", "1"), "simle"),
    ],
)
def test_bad_options_are_one_sentence(
    capsys: pytest.CaptureFixture[str], folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    before = sorted(path.name for path in folder.iterdir())
    assert main([RECORD, *arguments, *MODEL]) == 2
    assert words in one_sentence(capsys)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_what_takes_photos_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grid", RECORD, "--direction", "smile", *MODEL]) == 2
    assert "is a film's" in one_sentence(capsys)


@pytest.mark.slow
def test_a_style_is_pasted_back_too() -> None:
    small_style(G).save(Path("plain.style.safetensors"))
    assert main([RECORD, "--style", "plain.style.safetensors", "--paste-back", *MODEL]) == 0
    before, after = _frames("clip.mp4"), _frames("clip.plain.style.pasted.mp4")
    assert np.abs(before[1] - after[1]).mean() > 2


@pytest.mark.slow
def test_a_film_is_pasted_back_by_the_person_of_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    found = part_features(G, G.sample([0]))[0]
    side = len(found)
    centres = torch.stack([found[0, 0], found[side // 4, side // 2], found[side // 2, side // 2]])
    names = ("background", "hair", "skin")
    parts = Parts(names, centres, torch.arange(3), torch.zeros(3, 1), G.name, G.fingerprint)
    made = []
    for shipped in ({}, {G.fingerprint: parts}):
        monkeypatch.setattr(parts_catalogue, "_shipped", lambda shipped=shipped: shipped)
        assert main([RECORD, *SMILE, "--paste-back", "--out", f"{len(shipped)}.mp4", *MODEL]) == 0
        made.append(_frames(f"{len(shipped)}.mp4"))
    before = _frames("clip.mp4")
    for number, (photo, without, by_person) in enumerate(zip(before, *made, strict=True)):
        has_face = number in (1, 2, 3, 4, 6)
        assert (np.abs(without - by_person).mean() > 0.5) == has_face
        assert (np.abs(photo - by_person)[30:50, 30:50].mean() > 3) == has_face


def test_a_scene_is_pasted_back_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    _save_record(scenes=(0, 4))
    person = PersonMask(np.full((len(CLASSES), 256, 256), 1 / len(CLASSES), np.float32))
    monkeypatch.setattr(person_regions, "people_of_edit", lambda *_args: (person, person))
    # Of the scenes' first and last codes only one move is a turn.
    measured = iter([(0.01, False), (0.04, True), (0.0, False), (0.01, False)])
    monkeypatch.setattr(whole_head, "head_move", lambda _: HeadMove(*_move(*next(measured))))
    given: list[HeadMove] = []

    def paste_back(picture: Image.Image, *_args: Any, head_move: HeadMove, **_named: Any) -> Image.Image:
        given.append(head_move)
        return picture

    monkeypatch.setattr(paste, "paste_back", paste_back)
    assert main([RECORD, *SMILE, "--paste-back", *MODEL]) == 0
    assert [one.turned for one in given] == [True, True, True, False, False]
    np.testing.assert_allclose([one.place[0] for one in given], [0.01, 0.025, 0.04, 0, 0.01], atol=1e-6)


def _move(across: float, turned: bool) -> tuple[np.ndarray, bool]:
    return np.array([across, 0], np.float32), turned
