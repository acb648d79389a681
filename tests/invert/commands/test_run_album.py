"""`invert ALBUM --together`: a model that is made, continued and grown; and `invert PHOTO --person` with it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.person import Person
from tests.invert.small_people import small_person
from tests.invert.small_search import small_search  # noqa: F401
from tests.small_models import save_small_model, small_generator

pytestmark = pytest.mark.usefixtures("small_search")
FILE = Path("anna.person.safetensors")


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with an album of three photos and the model."""
    monkeypatch.chdir(tmp_path)
    save_small_model(tmp_path)
    (tmp_path / "album").mkdir()
    for number in range(3):
        save_photo(number)
    return tmp_path


def save_photo(number: int) -> None:
    pixels = np.random.default_rng(number).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((64, 64)).save(f"album/{number}.png")


def run(*words: str) -> int:
    fixed = "--no-align --model small.safetensors --steps 2 --quality draft --device cpu"
    return main([*words, *fixed.split()])


def together(*words: str) -> int:
    return run("album", "--together", "--name", "anna", *words)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.slow
def test_an_album_becomes_a_model_that_grows(capsys: pytest.CaptureFixture[str]) -> None:
    assert together() == 0
    out = capsys.readouterr().out
    assert "anna in 3 photos" in out
    assert f"invert PHOTO --person {FILE}" in out
    first = Person.load(FILE)
    assert first.is_tuned
    assert [source.name for source in first.record.sources] == ["0.png", "1.png", "2.png"]
    assert together() == 0
    assert "3 in all; nothing is to be done" in capsys.readouterr().out
    save_photo(3)
    assert together() == 0
    grown = Person.load(FILE)
    assert grown.is_tuned
    assert torch.equal(grown.record.ws[:3], first.record.ws)
    assert [source.name for source in grown.record.sources] == ["0.png", "1.png", "2.png", "3.png"]


def test_a_photo_is_inverted_with_the_persons_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert together() == 0
    Image.linear_gradient("L").convert("RGB").save("new.png")
    mask = Image.new("L", (256, 256))
    mask.paste(255, (0, 0, 100, 256))
    mask.save("hidden.png")
    assert run("new.png", "--person", str(FILE), "--mask", "hidden.png") == 0
    record = Inversion.load("new.inversion.safetensors")
    assert (record.method, record.settings["person"], len(record)) == ("person", "anna", 1)
    assert record.weights is not None
    capsys.readouterr()
    assert run("new.png", "--person", str(FILE), "--mask", "hidden.png") == 0
    assert "Skipped 1 already done" in capsys.readouterr().out


def test_ctrl_c_keeps_the_anchors_for_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    invert = OptimizationInverter.invert

    def counted(self: OptimizationInverter, *arguments: object, **options: object) -> Inversion:
        if len(searched) == 2:
            searched.append(0)
            raise KeyboardInterrupt
        searched.append(1)
        return invert(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(OptimizationInverter, "invert", counted)
    assert together() == 130
    assert (len(Person.load(FILE).record), Person.load(FILE).is_tuned) == (2, False)
    assert together() == 0
    assert searched == [1, 1, 0, 1], "the anchors that were there are not searched again"
    assert Person.load(FILE).is_tuned


@pytest.mark.slow
def test_a_photo_that_was_moved_is_replaced_by_its_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert together() == 0
    Path("album/0.png").unlink()
    save_photo(3)
    assert together() == 0
    assert "0.png was moved or changed; the model's own picture" in capsys.readouterr().err
    assert len(Person.load(FILE).record) == 4


def test_a_broken_photo_is_named_and_the_others_make_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    Path("album/broken.png").write_bytes(b"no picture")
    assert together() == 2
    assert "broken.png" in said(capsys)
    assert len(Person.load(FILE).record) == 3


def test_what_cannot_be_a_model_is_said_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    Path("album/0.png").unlink()
    assert together() == 2
    assert "needs 3 photos or more, and there are 2" in said(capsys)
    assert not FILE.exists()
    Path(FILE).write_bytes(b"something else")
    assert together() == 2
    assert Path(FILE).read_bytes() == b"something else"


def test_a_model_of_another_generator_is_not_grown(capsys: pytest.CaptureFixture[str]) -> None:
    small_person(small_generator(5)).save(FILE)
    assert together() == 2
    assert "anna.person.safetensors was made with the model 'small'" in said(capsys)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["album", "--together"], "--together needs a name"),
        (["album", "--name", "anna"], "add --together"),
        (["album", "--together", "--name", "../anna"], "--name is up to 60 letters"),
        (
            ["album", "--together", "--name", "anna", "--method", "pivotal"],
            "take --method hybrid, optimize or encode",
        ),
        (["album", "--together", "--name", "anna", "--mask", "m.png"], "--mask does not go with --together"),
        (["album", "--together", "--name", "anna", "--face", "all"], "--face does not go with --together"),
        (["album", "--together", "--name", "anna", "--style", "pencil"], "give --style with the photo to draw"),
        (["album/0.png", "--method", "person"], "--method person needs a person's model"),
        (["album/0.png", "--person", "none.safetensors"], "There is no person's file"),
        (["album/0.png", "--person", "none.safetensors", "--method", "optimize"], "leave --method optimize or"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 2
    assert sentence in said(capsys)
