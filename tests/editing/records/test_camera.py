"""The camera of commands: it turns the picture, is in the names of files, and needs a model that has one."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.directions import catalogue
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.scorers import faces
from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer, to_pixels
from stylegan_latents.editing.records.camera import RIG, CameraOptions
from stylegan_latents.editing.records.codes import changed_record
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.networks.camera import Camera
from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.metrics import draw
from stylegan_latents.invert.record.run_settings import camera_settings
from stylegan_latents.invert.record.source import Source
from tests.generator.networks.eg3d_files import random_eg3d
from tests.small_models import save_small_model, small_generator, small_record

MODEL = ("--model", "../solid.safetensors", "--device", "cpu")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_small_model(tmp_path)
    save_native(random_eg3d(), tmp_path / "solid.safetensors")
    G = random_eg3d()
    small_record(G, model_file=tmp_path / "solid.safetensors").save("me.inversion.safetensors")


def _apart(file: str, camera: Camera, *, truncation: float = 1.0) -> float:
    G = random_eg3d()
    wanted = to_picture(G.synthesize(G.sample([0], truncation=truncation), camera=camera))[0]
    return float(np.abs(np.asarray(Image.open(file)).astype(float) - np.asarray(wanted).astype(float)).max())


def test_a_record_is_drawn_from_the_camera_and_its_file_named_after_it() -> None:
    assert main(["me.inversion.safetensors", "--yaw", "20", "--pitch", "-5", *MODEL]) == 0
    assert _apart("me.yaw+20.pitch-5.view.png", Camera(20, -5)) <= 1
    assert _apart("me.yaw+20.pitch-5.view.png", Camera()) > 5


def test_samples_are_drawn_from_the_camera() -> None:
    assert main(["sample", "--seeds", "0", "--single", "--yaw", "-15", "--roll", "8", "--out", ".", *MODEL]) == 0
    (file,) = Path().glob("*.png")
    assert "yaw-15.roll+8" in file.name
    assert _apart(str(file), Camera(-15, 0, 8), truncation=0.7) <= 1


def test_records_of_samples_and_mixes_open_in_their_view() -> None:
    words, seen = ["--truncation", "1", "--yaw", "-15", "--fov", "10", *MODEL], Camera(-15, fov=10)
    G = random_eg3d()
    assert main(["sample", "--seeds", "0", "--records", "--out", ".", *words]) == 0
    mix = ["mix", "seed:0", "seed:0", "--layers", "coarse", "--record", "--out", "mix.png"]
    assert main([*mix, *words]) == 0
    for record in ("seed0000.yaw-15.fov+10.inversion.safetensors", "mix.inversion.safetensors"):
        inversion = Inversion.load(record)
        torch.testing.assert_close(draw(G, inversion), G.synthesize(inversion.ws, camera=seen))


def test_a_film_swings_the_camera_and_ends_where_it_began() -> None:
    words = ["interpolate", "seed:0", "--truncation", "1", "--frames", "8", "--out", "orbit", "--orbit"]
    assert main([*words, "--yaw", "5", *MODEL]) == 0
    frames = sorted(str(file) for file in Path("orbit").glob("*.png"))
    assert len(frames) == 8
    for number, yaw in ((0, 5.0), (2, 30.0), (4, 5.0), (6, -20.0)):
        assert _apart(frames[number], Camera(yaw)) <= 12  # frames may be drawn in half precision


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sample", "--seeds", "0", "--yaw", "10", "--model", "../small.safetensors"], "'small' has no camera"),
        (["interpolate", "seed:0", "--orbit", "--model", "../small.safetensors"], "'small' has no camera"),
        (["me.inversion.safetensors", "--pitch", "95", *MODEL], "pitch is -89 to 89 degrees, got 95"),
        (["me.inversion.safetensors", "--fov", "0", *MODEL], "field of view is above 0"),
        (["interpolate", "seed:0", "--orbit", "--yaw", "170", *MODEL], "give a smaller --yaw"),
        (["interpolate", "seed:0", "--orbit", "--even", *MODEL], "--even is for the way of a code"),
        (["interpolate", "seed:0", "--orbit", "--loop", *MODEL], "two key frames|at least two|needs two"),
    ],
)
def test_bad_input_is_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert re.search(sentence, said[-1])
    assert not list(Path().glob("*.png")) + list(Path().glob("*.mp4"))


def test_angles_that_photos_hardly_show_are_drawn_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["me.inversion.safetensors", "--yaw", "70", *MODEL]) == 0
    assert "Warning: photos of faces hardly show" in capsys.readouterr().err
    assert _apart("me.yaw+70.view.png", Camera(70)) <= 1


def test_options_make_a_camera_or_none() -> None:
    assert CameraOptions().camera is None
    assert CameraOptions().camera_label() == []
    assert CameraOptions(pitch=3, fov=20).camera == Camera(0, 3, 0, 20)
    with pytest.raises(InputError, match=r"^A camera's yaw is -180 to 180 degrees, got 200\.$"):
        CameraOptions(yaw=200)


def test_a_camera_asked_for_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    G = random_eg3d()
    small_record(G, ws=G.sample([1]), model_file=Path("../solid.safetensors").absolute()).save(
        "you.inversion.safetensors"
    )
    words = ["mix", "me.inversion.safetensors", "you.inversion.safetensors", "--layers", "0-3", "--yaw", "70"]
    assert main([*words, *MODEL]) == 0
    assert capsys.readouterr().err.count("photos of faces hardly show") == 1


def test_a_changed_record_keeps_the_camera_of_its_photo() -> None:
    G = random_eg3d()
    record = small_record(G, settings={"steps": 3, **camera_settings([(12.0, 3.0, 0.0)])})
    changed = changed_record(record, G, G.sample([1]), "drag", {"steps": 5})
    assert changed.settings == {"steps": 5, "camera": [12.0, 3.0, 0.0]}


def test_a_view_is_pasted_back_in_place_of_the_photos() -> None:
    Image.new("RGB", (60, 60), "grey").save("me.png")
    alignment = Alignment(np.array([[9.5, 9.5], [9.5, 49.5], [49.5, 49.5], [49.5, 9.5]]), (60, 60), 32, "centre")
    record = small_record(
        random_eg3d(), sources=[Source.of(Path("me.png"))], alignments=[alignment],
        model_file=Path("../solid.safetensors").absolute(),
    )  # fmt: skip
    record.save("me.inversion.safetensors", overwrite=True)
    assert main(["me.inversion.safetensors", "--yaw", "40", "--paste-back", *MODEL]) == 0
    pasted = np.asarray(Image.open("me.yaw+40.view.pasted.png")).astype(float)
    assert np.abs(pasted - np.asarray(Image.open("me.png"))).max() > 5


class _Levels(Scorer):
    """In the place of the scores of faces: levels of red and green, in degrees as far as anybody knows."""

    names, version = ("pose", "pitch"), "levels-1"

    def score(self, images: torch.Tensor) -> Array:
        means: Array = to_pixels(images)[..., :2].mean(axis=(1, 2)).astype(np.float64)
        return means


@pytest.fixture(name="rig")
def _rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A flat model with directions that turn the head, by its options; ``flat`` is a record of it."""
    folder = tmp_path / "flat"
    folder.mkdir()
    save_small_model(folder, latent_space="small-w")
    small_record(small_generator(latent_space="small-w")).save("flat.inversion.safetensors")
    vectors = torch.randn(2, 1, 8, generator=torch.Generator().manual_seed(1))
    known = {name: Direction(name, "small-w", one, 1.0) for name, one in zip(RIG.values(), vectors, strict=True)}
    monkeypatch.setattr(catalogue, "all_shipped", lambda: {"small-w": known})
    monkeypatch.setattr(faces, "FaceScorer", _Levels)
    return ("--model", "../flat/small.safetensors", "--device", "cpu")


def _red() -> float:
    picture = to_picture(small_generator(latent_space="small-w").synthesize(small_generator().sample([0])))[0]
    return float(np.asarray(picture)[..., 0].mean())


def test_a_model_without_a_camera_turns_along_directions(
    rig: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = round(_red()) - 2
    assert main(["flat.inversion.safetensors", "--yaw", str(wanted), *rig]) == 0
    assert f"to {wanted}" in capsys.readouterr().out
    turned = np.asarray(Image.open(f"flat.pose-to-{wanted}.png"))
    assert abs(turned[..., 0].mean() - wanted) < 1.0
    same = ["flat.inversion.safetensors", "--target", f"pose={wanted}", "--out", "same.png", *rig]
    assert main(same) == 0
    assert (np.asarray(Image.open("same.png")) == turned).all()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--roll", "5"], "--roll needs a model with a camera"),
        (["--yaw", "5", "--fov", "20"], "--fov needs a model with a camera"),
        (["--yaw", "5", "--target", "pose=3"], "--target pose and the camera's angle are the same"),
        (["--pitch", "5", "--target", "pose=3", "--scorer", "colour"], "measured with --scorer faces"),
        (["--yaw", "170"], "ranges from .* give a target in that range"),
    ],
)
def test_what_directions_cannot_turn_is_one_sentence(
    rig: tuple[str, ...], words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flat.inversion.safetensors", *words, *rig]) == 2
    assert re.search(sentence, capsys.readouterr().err.strip().splitlines()[-1])
    assert not list(Path().glob("*.png"))
