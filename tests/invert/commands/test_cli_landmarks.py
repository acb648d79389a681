"""`invert --landmarks`: aligned by hand, kept in the record, and refused before any model is loaded."""

import json
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.invert.commands import session
from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.faces.identity import Identity
from stylegan_latents.invert.record.inversion import Inversion
from tests.small_models import FakeInverter, save_small_model, use_fake_inverter

EYES_AND_MOUTH = {
    "left_eye": [100, 90],
    "right_eye": [150, 92],
    "mouth_left": [108, 150],
    "mouth_right": [143, 151],
}
OTHER = {name: [x - 90, y] for name, (x, y) in EYES_AND_MOUTH.items()}


@pytest.fixture(name="inverter", autouse=True)
def _inverter(monkeypatch: pytest.MonkeyPatch) -> type[FakeInverter]:
    return use_fake_inverter(monkeypatch)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder, with two pictures that show nobody; the model is beside it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    # A random generator draws nobody.
    monkeypatch.setattr(Identity, "__call__", lambda *_: None)
    save_small_model(tmp_path)
    for name in ("me.png", "you.png"):
        Image.linear_gradient("L").convert("RGB").save(name)
    Path("me.json").write_text(json.dumps(EYES_AND_MOUTH))


def _run(*arguments: str) -> int:
    return main([*arguments, "--model", "../small.safetensors", "--device", "cpu"])


def test_a_picture_without_a_face_is_aligned_by_hand_and_its_record_says_so(
    capsys: pytest.CaptureFixture[str], inverter: type[FakeInverter]
) -> None:
    assert _run("me.png", "--landmarks", "me.json") == 0
    record = Inversion.load("me.inversion.safetensors")
    assert record.alignments[0] is not None
    assert record.alignments[0].method == "ffhq"
    assert record.settings["face"] == "largest"
    (kept,) = record.settings["landmarks"]  # type: ignore[misc]
    assert kept["left_eye"] == [[100, 90]]  # type: ignore[call-overload, index]
    capsys.readouterr()
    # The same again is done already; other landmarks are another crop.
    assert _run("me.png", "--landmarks", "me.json") == 0
    assert "Skipped 1 already done" in capsys.readouterr().out
    Path("me.json").write_text(json.dumps({**EYES_AND_MOUTH, "left_eye": [98, 90]}))
    assert _run("me.png", "--landmarks", "me.json") == 2
    assert _run("me.png") == 2
    assert inverter is not None


def test_every_face_of_a_file_has_its_record() -> None:
    Path("me.json").write_text(json.dumps([EYES_AND_MOUTH, OTHER]))
    assert _run("me.png", "--landmarks", "me.json", "--face", "all") == 0
    crops = [Inversion.load(f"me.face{number}.inversion.safetensors").alignments[0] for number in (0, 1)]
    assert crops[0] is not None
    assert crops[1] is not None
    assert crops[1].quad[0, 0] - crops[0].quad[0, 0] == pytest.approx(90)


def test_ctrl_c_begins_no_further_face_of_the_photo(inverter: type[FakeInverter]) -> None:
    Path("me.json").write_text(json.dumps([EYES_AND_MOUTH, OTHER]))
    inverter.interrupt_at = 3
    assert _run("me.png", "--landmarks", "me.json", "--face", "all", "--keep-partial", "--batch", "1") == 130
    assert Path("me.face0.inversion.safetensors").exists()
    assert not Path("me.face1.inversion.safetensors").exists()


@pytest.mark.slow
def test_of_a_folder_those_with_landmarks_are_aligned_by_them(capsys: pytest.CaptureFixture[str]) -> None:
    Path("hand").mkdir()
    Path("me.json").rename("hand/me.json")
    assert _run("me.png", "you.png", "--landmarks", "hand") == 2
    assert Path("me.inversion.safetensors").exists()
    assert "No face was found in you.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--landmarks", "me.json", "--no-align"), "--landmarks is for faces that are aligned"),
        (("--landmarks", "you.json"), "There is no file you.json"),
        (("you.png", "--landmarks", "me.json"), "for one photo, and there are 2"),
        (("--landmarks", "bad.json"), "lacks right_eye"),
        (("--landmarks", "far.json"), "is not in the picture, which is 256x256"),
        (("--landmarks", "me.json", "--face", "1"), "no face number 1"),
    ],
)
def test_what_is_wrong_is_said_before_the_model_is_loaded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    Path("bad.json").write_text(json.dumps({"left_eye": [1, 2]}))
    far = {name: [x + 900, y] for name, (x, y) in EYES_AND_MOUTH.items()}
    Path("far.json").write_text(json.dumps(far))
    monkeypatch.setattr(session.Session, "generator", property(lambda _: pytest.fail("the model was loaded")))
    assert _run("me.png", *arguments) == 2
    assert words in capsys.readouterr().err.replace("\n", " ")
    assert not list(Path().glob("*.safetensors"))


def test_no_face_names_both_ways_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("me.png") == 2
    told = capsys.readouterr().err
    assert "--landmarks" in told
    assert "--no-align" in told
