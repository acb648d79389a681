"""Styles of a visit, and faces drawn in them."""

import shlex
from dataclasses import replace

import numpy as np
import pytest

from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.styles import (
    draw_in_style,
    find_style,
    keep_style,
    known_styles,
    open_style,
    style_commands,
)
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.editing.regions import regions
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.landmarks import Landmarks
from tests.demo.small_studio import wide_generator
from tests.generator.styles.test_style import small_style


def middle_landmarks() -> Landmarks:
    """In the middle of a picture, as a random generator draws nobody."""
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)[:, None]
    return Landmarks.from_ibug(0.5 + 0.15 * np.concatenate([np.cos(turn), np.sin(turn)], axis=1))


def test_a_face_with_its_edits_is_drawn_in_a_style(visit: Visit) -> None:
    face = seed_face(visit, 3)
    kept = keep_style(visit, small_style(visit.studio.G, "ink"))
    none, some, all_ = (
        np.asarray(draw_in_style(visit, face, kept, strength, preview=False)).astype(int)
        for strength in (0, 0.5, 1)
    )
    plain = np.asarray(face.record.picture()).astype(int)
    assert (none == plain).all()
    assert 0 < np.abs(some - plain).mean() < np.abs(all_ - plain).mean()
    face.history.push({"pose": 2.0})
    edited = np.asarray(draw_in_style(visit, face, kept, 1, preview=False)).astype(int)
    assert (edited != all_).any()
    small = draw_in_style(visit, face, kept, 1, preview=True)
    assert small.width == visit.studio.preview_size
    *_, last = style_commands(visit, face, kept, 0.5).splitlines()
    assert shlex.split(last) == [
        "edit", "seed3.inversion.safetensors", "--direction", "pose", "--strength", "2",
        "--style", "ink.style.safetensors", "--style-strength", "0.5",
    ]  # fmt: skip


def test_a_style_leaves_what_is_outside_the_regions_of_the_edits(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    face, kept = seed_face(visit, 3), keep_style(visit, small_style(visit.studio.G, "ink"))
    monkeypatch.setattr(regions, "face_landmarks", lambda *_: middle_landmarks())
    plain = np.asarray(draw_in_style(visit, face, kept, 1, preview=False))
    face.history.push({"pose": 3.0})
    face.regions.choose(["mouth"])
    where = (np.asarray(draw_in_style(visit, face, kept, 1, preview=False)) != plain).any(2)
    assert where.any()
    assert not where[:2].any()
    *_, last = style_commands(visit, face, kept, 1).splitlines()
    assert last.endswith("--strength 3 --region mouth --style ink.style.safetensors")


def test_a_style_whose_name_was_taken_meanwhile_gets_another(visit: Visit) -> None:
    for name in ("ink", "ink-2"):
        assert keep_style(visit, small_style(visit.studio.G, "ink")).style.name == name
    assert list(known_styles(visit)) == ["ink", "ink-2"]


def test_a_downloaded_style_opens_again_under_a_free_name(visit: Visit) -> None:
    kept = keep_style(visit, small_style(visit.studio.G, "ink"))
    upload = visit.studio.uploads / "ink.style.safetensors"
    upload.write_bytes(kept.path.read_bytes())
    assert open_style(visit, str(upload)).style.name == "ink-2"
    assert list(known_styles(visit)) == ["ink", "ink-2"]


def test_what_is_no_style_of_the_visit(visit: Visit) -> None:
    for name, words in ((None, "Choose a style first"), ("oil", "no style 'oil' in this visit")):
        with pytest.raises(InputError, match=words):
            find_style(visit, name)
    with pytest.raises(InputError, match="belongs to the model"):
        keep_style(visit, replace(small_style(wide_generator(5)), fingerprint="another"))
    upload = visit.studio.uploads / "photo.style.safetensors"
    upload.write_bytes(b"no style")
    with pytest.raises(InputError, match="no style's file"):
        open_style(visit, str(upload))
    assert not known_styles(visit)
