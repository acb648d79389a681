"""An edited face, joined in the features to the head that stays."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.regions import joining
from stylegan_latents.editing.regions.joining import can_join, find_join, joins_face
from stylegan_latents.editing.regions.parts import Parts
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.invert.paste_back.whole_head import HeadMove
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.photos.person_mask import CLASSES, PersonMask
from tests.invert.faces.plain_face import plain_face
from tests.odd_models import odd_config, odd_generator

G = odd_generator(odd_config(channels=(4, 8, 8, 8, 4)))
BEFORE, AFTER = (G.styles(G.sample([seed])) for seed in (0, 1))
PEOPLE = Parts(("background", "hair", "skin"), torch.zeros(3, 4), torch.arange(3), torch.zeros(3, 1), "", "")


def _guess(_parts: Parts, _G: Generator, styles: Sequence[torch.Tensor]) -> np.ndarray:
    """A face in the middle before, farther left after the edit."""
    guess = np.zeros((1, len(CLASSES), 32, 32), np.float32)
    left = 10 if styles is BEFORE else 8
    guess[0, CLASSES.index("face"), 10:22, left : left + 12] = 1
    guess[0, 0] = 1 - guess[0, CLASSES.index("face")]
    return guess


def _mask(_picture: Image.Image, guess: np.ndarray) -> PersonMask:
    return PersonMask(np.repeat(np.repeat(guess, 8, axis=1), 8, axis=2))


@pytest.fixture(autouse=True)
def _faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "person_guess", _guess)
    monkeypatch.setattr(joining, "person_mask", _mask)
    # No landmarks are found in pictures of a random network.
    monkeypatch.setattr(joining, "face_oval", lambda: np.pad(np.ones((96, 96), bool), 80))
    monkeypatch.setattr(joining, "head_move", lambda _: HeadMove(np.array([2 / 32, 0], np.float32), True))


def _join() -> joining.FaceJoin:
    pictures = [to_picture(G.synthesize_styles(styles))[0] for styles in (BEFORE, AFTER)]
    join = find_join(PEOPLE, G, (BEFORE, AFTER), (pictures[0], pictures[1]))
    assert join is not None
    return join


def test_the_face_is_moved_to_where_the_head_was() -> None:
    join = _join()
    assert join.places == (2, 0)
    assert join.face.move == (2 / 32, 0)
    assert join.share[128, 128] == pytest.approx(1, abs=0.01)
    assert join.share[128, :40].max() == join.share[128, -40:].max() == 0
    before, after = join.people_in(to_picture(join.draw(G, (BEFORE, AFTER), "const"))[0])
    np.testing.assert_allclose(after.of("face"), before.of("face"), atol=0.02)


def _see(monkeypatch: pytest.MonkeyPatch, *chins: float) -> None:
    """Landmarks are found, before and after the edit, with the chin at these heights."""
    marks = iter([plain_face(chin).mapped(lambda points: points * 512 - 0.5) for chin in chins])
    monkeypatch.setattr("stylegan_latents.invert.faces.find.landmarks_of_crop", lambda _: next(marks))


@pytest.mark.parametrize(
    ("chins", "down"), [((0.8, 0.8), 2), ((0.8, 0.88), 1), ((0.8, 0.95), 0), ((0.97, 0.91), 1)]
)
def test_no_chin_is_moved_out_of_the_crop(
    monkeypatch: pytest.MonkeyPatch, chins: tuple[float, float], down: int
) -> None:
    _see(monkeypatch, *chins)
    monkeypatch.setattr(joining, "head_move", lambda _: HeadMove(np.array([2 / 32, 2 / 32], np.float32), True))
    assert _join().places == (2, down)


@pytest.mark.parametrize(("right", "share"), [(0, 0.15), (2 / 32, 0.5)])
def test_the_outline_of_a_head_that_does_not_turn_stays(
    monkeypatch: pytest.MonkeyPatch, right: float, share: float
) -> None:
    monkeypatch.setattr(joining, "head_move", lambda _: HeadMove(np.array([right, 0], np.float32), bool(right)))
    # Half of the place where the outline runs is edited only if it moves.
    assert _join().share[79:81, 128].mean() == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    ("right", "hair", "share"),
    [
        (0, (BEFORE,), 0), (0, (AFTER,), 0), (0, (BEFORE, AFTER), 0),
        (2 / 32, (BEFORE,), 1), (2 / 32, (AFTER,), 1), (2 / 32, (BEFORE, AFTER), 0),
    ],
)  # fmt: skip
def test_no_hair_grows_over_a_face_and_what_hangs_there_stays_in_a_head_that_turns_where_both_have_it(
    monkeypatch: pytest.MonkeyPatch, right: float, hair: tuple[Sequence[torch.Tensor], ...], share: float
) -> None:
    def guess(parts: Parts, model: Generator, styles: Sequence[torch.Tensor]) -> np.ndarray:
        found = _guess(parts, model, styles)
        if any(styles is one for one in hair):
            found[0, :, :, 18:] = np.eye(len(CLASSES))[CLASSES.index("hair"), :, None, None]
        return found

    monkeypatch.setattr(joining, "person_guess", guess)
    monkeypatch.setattr(joining, "head_move", lambda _: HeadMove(np.array([right, 0], np.float32), bool(right)))
    join = _join()
    assert join.share[128, 170:176] == pytest.approx(share, abs=0.01)
    assert join.share[128, 128] == pytest.approx(1, abs=0.01)


def test_away_from_the_face_nothing_changes() -> None:
    drawn, before = join_picture(), G.synthesize_styles(BEFORE)
    rim = torch.ones(before.shape[2:], dtype=torch.bool)
    side = rim.shape[0]
    rim[side // 8 : -side // 8, side // 8 : -side // 8] = False
    assert torch.allclose(drawn[..., rim], before[..., rim], atol=1e-4)
    assert not torch.allclose(drawn, before, atol=1e-2)


def test_faces_are_joined_in_bfloat16_too() -> None:
    half = in_precision(G, torch.bfloat16)
    styles = half.styles(G.sample([0])), half.styles(G.sample([1]))
    drawn, precise = _join().draw(half, styles, "const").float(), join_picture()
    assert (drawn - precise).abs().mean() < 0.05 * precise.abs().max()


def join_picture() -> torch.Tensor:
    return _join().draw(G, (BEFORE, AFTER), "const")


def test_models_of_people_with_such_a_feature_map_can_join() -> None:
    assert can_join(G, PEOPLE)
    assert not can_join(G, None)
    assert not can_join(odd_generator(odd_config(channels=(4, 5))), PEOPLE)


def test_only_the_face_alone_in_the_features_is_joined() -> None:
    assert joins_face(["Face"], "features")
    assert not joins_face(["face"], "image")
    assert not joins_face(["face", "hair"], "features")
