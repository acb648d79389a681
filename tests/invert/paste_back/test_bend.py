"""The lowest part of a crop goes back to its place; the face does not move."""

import numpy as np

from stylegan_latents.invert.paste_back.bend import displacement, warp

SIDE = 128
Y, X = np.mgrid[0:SIDE, 0:SIDE]
STILL = (np.hypot((X - 64) / 38, (Y - 73) / 44) < 1).astype(np.float32)
EVERYWHERE = np.ones((SIDE, SIDE), dtype=np.float32)


def _neck(left: float) -> np.ndarray:
    """A bright neck, 60 wide, before a dark wall, with soft edges."""
    across = np.clip(np.minimum(X - left, left + 60 - X) / 3 + 0.5, 0, 1)
    return np.repeat((40 + 160 * across)[:, :, None], 3, axis=2).astype(np.float32)


def test_a_neck_goes_back_to_where_it_was() -> None:
    before, after = _neck(34), _neck(24)
    field = displacement(after, before, EVERYWHERE, STILL)
    warped = warp(after, field)
    lowest = slice(124, None)
    assert np.abs(after - before)[lowest].mean() > 20
    assert np.abs(warped - before)[lowest].mean() < 5
    assert np.abs(field[:, STILL > 0]).max() < 0.5 / SIDE
    # It fades out, and high up nothing moves.
    assert np.abs(field[:, :20]).max() < np.abs(field[:, lowest]).max() / 10
    assert np.array_equal(displacement(after, before, EVERYWHERE, STILL), field)


def test_equal_pictures_and_what_the_edit_left_do_not_move() -> None:
    before, after = _neck(34), _neck(24)
    assert not displacement(before, before, EVERYWHERE, STILL).any()
    assert not displacement(after, before, 0 * EVERYWHERE, STILL).any()


def test_pull_takes_from_the_place_named() -> None:
    picture = np.stack([X, Y], axis=2).astype(np.float32)
    field = np.stack([np.full((SIDE, SIDE), 3 / SIDE), np.full((SIDE, SIDE), -2 / SIDE)]).astype(np.float32)
    taken = warp(picture, field)
    inner = (slice(5, -5), slice(5, -5))
    np.testing.assert_allclose(taken[inner], picture[inner] + [3, -2], atol=1e-3)
