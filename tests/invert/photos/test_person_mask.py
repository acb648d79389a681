"""A coarse guess of where a person is becomes a mask whose edges are the picture's."""

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter

from stylegan_latents.invert.photos.person_mask import (
    CLASSES,
    SIDE,
    PersonMask,
    foreground,
    guided,
    matte,
    person_mask,
    with_clothes_below,
)

HAIR, SKIN, SHIRT, WALL = (60, 40, 25), (205, 150, 120), (40, 60, 130), (200, 205, 200)


def portrait(shift: float = 0.0) -> tuple[Image.Image, np.ndarray]:
    """A drawn person, and what each pixel shows: an index into ``CLASSES``."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    x = x - shift
    truth = np.zeros((SIDE, SIDE), int)
    truth[((x - 0.5) / 0.34) ** 2 + ((y - 0.4) / 0.32) ** 2 < 1] = 1
    truth[(np.abs(x - 0.5) < 0.12) & (y > 0.7)] = 3
    truth[(y > 0.88) & (np.abs(x - 0.5) < 0.4)] = 4
    truth[((x - 0.5) / 0.2) ** 2 + ((y - 0.52) / 0.26) ** 2 < 1] = 2
    colours = np.array([WALL, HAIR, SKIN, SKIN, SHIRT])[truth]
    noise = np.random.default_rng(0).normal(0, 3, colours.shape)
    picture = Image.fromarray((colours + noise).clip(0, 255).astype(np.uint8))
    return picture.filter(ImageFilter.GaussianBlur(0.7)), truth


def coarse_guess(truth: np.ndarray) -> np.ndarray:
    """The truth at 32 pixels, moved by one of them, with neck and clothes not told apart."""
    cells = np.stack([(truth == index).reshape(32, 8, 32, 8).mean(axis=(1, 3)) for index in range(len(CLASSES))])
    cells = np.roll(cells, 1, axis=2)
    cells[3] = cells[4] = (cells[3] + cells[4]) / 2
    return cells.astype(np.float32)


def test_the_mask_follows_the_pictures_edges() -> None:
    picture, truth = portrait()
    guess = coarse_guess(truth)
    mask = person_mask(picture, guess)
    assert mask.shares.shape == (len(CLASSES), SIDE, SIDE)
    assert np.allclose(mask.shares.sum(axis=0), 1, atol=1e-4)
    assert mask.shares.min() >= 0
    wrong = ((mask.person > 0.5) != (truth > 0)).mean()
    guessed = np.kron(1 - guess[0], np.ones((8, 8))) > 0.5
    assert wrong < 0.01
    assert wrong < 0.3 * (guessed != (truth > 0)).mean()
    for name, enough in (("hair", 0.9), ("face", 0.9), ("neck", 0.8), ("clothes", 0.8)):
        found, wanted = mask.of(name) > 0.5, truth == CLASSES.index(name)
        assert (found & wanted).sum() / (found | wanted).sum() > enough, name


def test_the_mask_is_the_same_each_time() -> None:
    picture, truth = portrait()
    first, second = (person_mask(picture, coarse_guess(truth)).shares for _ in range(2))
    assert np.array_equal(first, second)


def test_pictures_without_a_person_or_without_a_background_are_all_of_one_kind() -> None:
    picture, _ = portrait()
    nobody = np.zeros((len(CLASSES), 32, 32), np.float32)
    nobody[0] = 1
    assert person_mask(picture, nobody).person.max() < 1e-3
    everywhere = np.zeros_like(nobody)
    everywhere[2] = 1
    assert person_mask(picture, everywhere).person.min() > 0.999


def test_a_guided_plane_takes_the_guides_edge() -> None:
    guide = np.zeros((64, 64, 3), np.uint8)
    guide[:, 32:] = 200
    plane = np.zeros((64, 64), np.float32)
    plane[:, 30:] = 1  # two pixels off
    found = guided(guide, plane, radius=0.1)
    assert np.abs(np.diff(found[20])).argmax() == 31


def test_masks_are_mixed_by_weight() -> None:
    first, second = (np.eye(len(CLASSES), dtype=np.float32)[index][:, None, None] for index in (0, 2))
    mixed = PersonMask(first).mixed(PersonMask(second), 0.25)
    assert mixed.person == pytest.approx(0.25)
    assert mixed.of("face") == pytest.approx(0.25)


def test_a_picture_of_one_colour_is_divided_by_what_is_likely() -> None:
    likely = np.full((128, 128), 0.1, np.float32)
    likely[32:96, 32:96] = 0.9
    for level in (0, 128, 255):
        found = foreground(np.full((128, 128, 3), level, np.uint8), likely)
        assert found.shape == likely.shape
        assert found[64, 64]


def test_hair_of_the_colour_of_another_wall_is_kept() -> None:
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    truth = ((x - 0.35) / 0.2) ** 2 + ((y - 0.5) / 0.3) ** 2 < 1
    hair = truth & (y < 0.45)
    level = np.where(x > 0.7, 70, 200)  # a dark wall farther away
    level = np.where(truth, 140, level)
    level = np.where(hair, 72, level)
    noise = np.random.default_rng(0).normal(0, 4, (SIDE, SIDE))
    pixels = np.repeat((level + noise).clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    likely = np.asarray(gaussian_filter(np.roll(truth, 3, axis=1).astype(np.float32), 5))
    found = matte(pixels, likely) > 0.5
    assert (found != truth).mean() < 0.005
    assert found[hair].mean() > 0.97


def test_what_lies_apart_from_the_hair_on_the_lower_edge_is_clothes() -> None:
    shares = np.zeros((len(CLASSES), SIDE, SIDE), np.float32)
    shares[0] = 1
    for rows, columns in ((np.s_[20:120], np.s_[60:200]), (np.s_[220:], np.s_[20:60])):
        shares[:, rows, columns] = np.array([0, 0.6, 0.4, 0, 0], np.float32)[:, None, None]
    mask = with_clothes_below(shares)
    assert np.allclose(mask.of("hair")[20:120, 60:200], 0.6)
    assert np.allclose(mask.of("clothes")[220:, 20:60], 0.6)


def test_what_hangs_beside_the_head_is_hair_rather_than_clothes() -> None:
    shares = np.zeros((len(CLASSES), SIDE, SIDE), np.float32)
    shares[0] = 1
    shares[:, 60:140, 40:60] = np.array([0, 0.4, 0, 0, 0.6], np.float32)[:, None, None]
    shares[:, 200:, 80:200] = np.array([0, 0.4, 0, 0, 0.6], np.float32)[:, None, None]
    mask = with_clothes_below(shares)
    assert np.allclose(mask.of("hair")[60:140, 40:60], 1)
    assert np.array_equal(mask.shares[:, 200:], shares[:, 200:])
    assert np.allclose(mask.shares.sum(axis=0), 1)
