"""The camera of a three-dimensional model in the tab Edit: its sliders, history, records and command lines."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.demo.page.running import Done
from stylegan_latents.demo.session.edited import edited_face, keep_edit
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.view import NUMBERS, camera_of, camera_words, slider_values, turned_by
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit import answers, drawing, looks
from stylegan_latents.demo.tabs.interpolate.film import FilmRequest, draw_film
from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.directions import catalogue
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.networks.camera import Camera
from stylegan_latents.invert.record.run_settings import camera_settings
from tests.generator.networks.eg3d_files import random_eg3d
from tests.small_models import small_record

FOUND = (12.0, 3.0, 0.0)


@pytest.fixture(name="visit")
def _visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """With a face of a seed, and one that was found in a photo, from a side."""
    G = random_eg3d()
    smile = Direction("smile", G.latent_space, torch.ones(1, G.w_dim), 1.0, provenance={"positive": "smiles"})
    monkeypatch.setattr(catalogue, "all_shipped", lambda: {G.latent_space: {"smile": smile}})
    studio = Studio(G, folder=tmp_path)
    visit = studio.enter("a session")
    visit.add(small_record(G, ws=G.sample([0])), "ann")
    visit.add(small_record(G, ws=G.sample([1]), settings=camera_settings([FOUND])), "bob")
    yield visit
    studio.close()


def turn(face: Face, **degrees: float) -> dict[str, float]:
    """What the sliders make of these values, the others left where they stand."""
    values = slider_values(face)
    for number, name in enumerate(one.name for one in NUMBERS):
        values[number] = degrees.get(name, values[number])
    return turned_by(face, values)


def apart(picture: Image.Image | Path | str, face: Face, camera: Camera) -> float:
    G = face.record.unstyled
    wanted = G.synthesize(face.record.ws, camera=camera)[0].permute(1, 2, 0).clamp(-1, 1)
    if not isinstance(picture, Image.Image):
        picture = Image.open(picture)
    drawn = np.asarray(picture.convert("RGB")).astype(float)
    return float(np.abs(drawn - (wanted.numpy() * 127.5 + 127.5)).max())


def test_sliders_begin_at_the_faces_own_camera(visit: Visit) -> None:
    ann, bob = visit.face("ann"), visit.face("bob")
    assert slider_values(ann) == [0, 0, 0, 13.5]
    assert slider_values(bob) == [12, 3, 0, 13.5]
    for face in (ann, bob):
        assert camera_of(face, turn(face)) is None
        assert camera_words(face, {}) == []


def test_a_slider_turns_the_face_from_where_it_was_found(visit: Visit) -> None:
    bob = visit.face("bob")
    assert camera_of(bob, turn(bob, yaw=20)) == Camera(20, 3, 0)
    assert camera_words(bob, turn(bob, yaw=0, pitch=0)) == ["--yaw", "0"]
    assert camera_words(bob, turn(bob, fov=15)) == ["--yaw", "12", "--pitch", "3", "--fov", "15"]
    result = drawing.finished(visit, bob, turn(bob, yaw=20))
    assert Path(result.picture).name == "bob.yaw+20.pitch+3.view.png"
    assert apart(result.picture, bob, Camera(20, 3)) <= 1
    assert apart(result.picture, bob, Camera(*FOUND)) > 5


def test_the_command_line_makes_the_same_picture(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = visit.face("ann")
    result = drawing.finished(visit, ann, {"smile": 1.0, **turn(ann, yaw=-20, roll=5, fov=18)})
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    save_native(visit.studio.G, Path("solid.safetensors"))
    ann.record.inversion.save("ann.inversion.safetensors")
    words = shlex.split(result.command.splitlines()[-1])[1:]
    assert main([*words, "--model", "solid.safetensors", "--device", "cpu"]) == 0
    with Image.open(Path(result.picture).name) as one, Image.open(result.picture) as other:
        assert (np.asarray(one) == np.asarray(other)).all()


def test_a_move_of_the_camera_is_previewed_undone_and_redone(visit: Visit) -> None:
    bob = visit.face("bob")
    _, before = drawing.preview(visit, bob, {})
    _, after = answers.turn(visit, "bob", "Face", 30.0, number=0)
    assert Path(before).read_bytes() != Path(after).read_bytes()
    sliders = [0.0] * (len(visit.studio.directions) + 8)
    answers.draw(visit, "bob", "Face", *sliders, 30.0, 3.0, 0.0, 13.5)
    assert camera_of(bob, bob.history.current) == Camera(30, 3)
    assert answers.undo(visit, "bob")[-4:] == (12, 3, 0, 13.5)
    assert bob.history.current == {}
    assert answers.redo(visit, "bob")[-4:] == (30, 3, 0, 13.5)
    assert answers.reset(visit, "bob")[-4:] == (12, 3, 0, 13.5)


def test_a_kept_edit_and_the_other_tabs_keep_the_camera(visit: Visit) -> None:
    ann = visit.face("ann")
    ann.history.push(turn(ann, yaw=25, fov=20))
    kept = keep_edit(visit, "ann")
    assert kept.name == "ann.yaw+25.fov+20.view"
    assert apart(kept.record.picture(), ann, Camera(25, 0, 0, 20)) <= 1
    assert slider_values(kept) == [25, 0, 0, 20]
    kept.history.push({"smile": 1.0})
    assert edited_face(visit, kept.name).record.generator.camera == Camera(25, 0, 0, 20)


def test_a_look_leaves_the_camera_where_it_is_and_none_is_kept_of_the_camera_alone(visit: Visit) -> None:
    ann = visit.face("ann")
    ann.history.push(turn(ann, yaw=25))
    looks.wear(visit, "ann", {"smile": 2.0})
    assert ann.history.current == {"smile": 2.0, "camera:yaw": 25}
    looks.keep_look(visit, "ann", "mine")
    assert visit.looks == {"mine": {"smile": 2.0}}


def test_a_film_swings_the_camera_around_the_faces_own(visit: Visit) -> None:
    *_, done = draw_film(visit, FilmRequest(("bob",), 0.5, 12, 32, orbit=True))
    assert isinstance(done, Done)
    path, command = done.result
    assert Path(path).stat().st_size
    assert command.startswith("edit interpolate bob.inversion.safetensors")
    assert command.endswith("--orbit --out film.mp4")
