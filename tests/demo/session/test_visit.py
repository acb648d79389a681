"""Visits are separate, bounded, and leave nothing behind."""

import dataclasses
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.demo.session import visit as visits
from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.demo.small_studio import small_studio
from tests.generator.stylegan2_files import random_stylegan2
from tests.small_models import small_generator, small_record


@pytest.fixture
def studio(tmp_path: Path):
    studio = small_studio(tmp_path, grace=0.0)
    yield studio
    studio.close()


def put_upload(studio: Studio, name: str, content: bytes) -> str:
    folder = studio.uploads / "0123abcd"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_a_session_finds_its_own_visit_again(studio: Studio) -> None:
    assert studio.enter("one") is studio.enter("one")
    assert studio.enter("one") is not studio.enter("two")


def test_two_visits_share_no_face_and_no_folder(studio: Studio) -> None:
    one, two = studio.enter("one"), studio.enter("two")
    face = seed_face(one, 3)
    assert list(one.faces) == ["seed3"]
    assert not two.faces
    with pytest.raises(InputError, match="no face 'seed3' in this visit"):
        two.face("seed3")
    assert face.path.is_relative_to(one.files.folder)
    assert not face.path.is_relative_to(two.files.folder)
    assert len(one.files.folder.name) >= 20  # nobody guesses it


def test_a_visit_that_ends_deletes_its_files(studio: Studio) -> None:
    visit = studio.enter("one")
    face = seed_face(visit, 3)
    studio.leave("one")
    time.sleep(0.01)
    studio.sweep()
    assert not face.path.exists()
    assert not visit.files.folder.exists()
    with pytest.raises(InputError, match="reload the page"):
        visit.touch()
    with pytest.raises(InputError, match="reload the page"):
        visit.files.new_path("a", ".png")
    assert studio.enter("one") is not visit


def test_a_visitor_who_comes_back_in_time_keeps_everything(tmp_path: Path) -> None:
    studio = small_studio(tmp_path, grace=60.0)
    visit = studio.enter("one")
    studio.leave("one")
    studio.sweep()
    assert not visit.closed
    visit.touch()
    assert visit.left is None
    studio.close()
    assert visit.closed
    assert not any(tmp_path.iterdir())


def test_idle_and_surplus_visits_end(tmp_path: Path) -> None:
    studio = small_studio(tmp_path, most_visits=2)
    first, second = studio.enter("1"), studio.enter("2")
    studio.enter("3")
    assert first.closed
    assert not second.closed
    studio.close()
    studio = small_studio(tmp_path, idle=0.0)
    visit = studio.enter("1")
    time.sleep(0.01)
    studio.sweep()
    assert visit.closed
    studio.close()


def test_old_uploads_are_deleted_and_new_ones_stay(studio: Studio) -> None:
    old, new = put_upload(studio, "old.png", b"1"), studio.uploads / "4567"
    new.mkdir()
    os.utime(Path(old).parent, (1, 1))
    studio.sweep()
    assert not Path(old).exists()
    assert new.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links take privileges there")
def test_only_uploads_are_taken(studio: Studio, visit: Visit, tmp_path: Path) -> None:
    outside = tmp_path / "secret.png"
    outside.write_bytes(b"secret")
    (studio.uploads / "link.png").symlink_to(outside)
    for path in (outside, "/etc/passwd", studio.uploads / ".." / "secret.png", studio.uploads / "link.png"):
        with pytest.raises(InputError, match="upload the file again"):
            visit.take(str(path))
    taken = visit.take(put_upload(studio, "me.PNG", b"content"))
    assert taken.read_bytes() == b"content"
    assert taken.suffix == ".png"
    assert taken.is_relative_to(visit.files.folder)


def test_faces_are_bounded(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "MOST_FACES", 2)
    seed_face(visit, 1)
    seed_face(visit, 1)  # the same one
    seed_face(visit, 2)
    with pytest.raises(InputError, match="This visit has 2 faces already"):
        seed_face(visit, 3)


def test_a_kept_direction_is_a_slider_of_this_visit_alone(studio: Studio, visit: Visit) -> None:
    direction = dataclasses.replace(studio.directions["pose"], name="found-1")
    visit.keep_direction(direction)
    assert list(visit.all_directions)[-1] == "found-1"
    assert "found-1" not in studio.enter("two").all_directions
    for taken in ("found-1", "pose"):
        with pytest.raises(InputError, match="already"):
            visit.keep_direction(dataclasses.replace(direction, name=taken))


def test_records_of_other_models_and_damaged_ones_are_refused(studio: Studio, visit: Visit, tmp_path: Path) -> None:
    other = small_generator()
    small_record(other).save(tmp_path / "other.inversion.safetensors")
    upload = put_upload(
        studio, "other.inversion.safetensors", (tmp_path / "other.inversion.safetensors").read_bytes()
    )
    with pytest.raises(InputError, match="belongs to the model"):
        visit.open(visit.take(upload))
    with pytest.raises(InputError, match="no record"):
        visit.open(visit.take(put_upload(studio, "a.safetensors", b"\x80\x04cos\nsystem\n.")))
    assert not visit.faces


def test_a_record_comes_back_as_it_was_saved(studio: Studio, visit: Visit) -> None:
    face = seed_face(visit, 7)
    again = visit.open(visit.take(put_upload(studio, face.path.name, face.path.read_bytes())))
    assert again.name == "seed7-2"
    assert again.record.inversion.ws.equal(face.record.inversion.ws)
    assert visit.version == 2


def test_a_record_that_comes_back_names_no_file_of_a_model(studio: Studio, visit: Visit, tmp_path: Path) -> None:
    inversion = seed_face(visit, 7).record.inversion
    dataclasses.replace(inversion, model_file=tmp_path / "secret" / "model.pkl").save(tmp_path / "me.safetensors")
    upload = put_upload(studio, "me.safetensors", (tmp_path / "me.safetensors").read_bytes())
    face = visit.open(visit.take(upload))
    assert face.record.inversion.model_file is None
    assert b"secret" not in face.path.read_bytes()


def test_warming_up_draws_and_gives_the_turn_back(studio: Studio) -> None:
    studio.warm_up()
    with studio.computing.turn():
        pass


def test_a_code_of_another_program_is_opened_as_a_record_is(visit: Visit, tmp_path: Path) -> None:
    G = visit.studio.G
    ws = G.sample([3])
    np.savez(tmp_path / "projected_w.npz", w=ws.numpy())
    face = visit.open(
        visit.take(put_upload(visit.studio, "projected_w.npz", (tmp_path / "projected_w.npz").read_bytes()))
    )
    assert face.name == "projected_w"
    assert torch.allclose(face.record.ws, ws)
    np.save(tmp_path / "wrong.npy", np.zeros((1, 2, 7), np.float32))
    with pytest.raises(InputError, match="2 rows of 7 values"):
        visit.open(visit.take(put_upload(visit.studio, "wrong.npy", (tmp_path / "wrong.npy").read_bytes())))
    assert list(visit.faces) == ["projected_w"]


def test_a_seed_of_a_conditional_model_has_a_class(tmp_path: Path) -> None:
    config = StyleGAN2Config(z_dim=8, mapping_widths=(8,), channels=(8, 8), label_dim=4, label_width=3)
    studio = Studio(random_stylegan2(config), folder=tmp_path)
    try:
        visit = studio.enter("one")
        with pytest.raises(InputError, match="has classes"):
            seed_face(visit, 3)
        first, second = seed_face(visit, 3, label=0), seed_face(visit, 3, label=1)
        assert (first.name, second.name) == ("seed3-c0", "seed3-c1")
        assert not torch.equal(first.record.ws, second.record.ws)
        assert second.made_by.splitlines()[0].endswith("--class 1")
    finally:
        studio.close()
