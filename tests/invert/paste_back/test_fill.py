"""What a moved person uncovers is filled with pieces of the background beside it."""

import numpy as np

from stylegan_latents.invert.paste_back.fill import filling, patterned

SIDE = 256


def _filled(picture: np.ndarray, hole: np.ndarray, free: np.ndarray) -> np.ndarray:
    away, tone = filling(picture, hole, free)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    places = np.stack([columns, rows], axis=2) + np.rint(away).astype(int)
    return np.asarray(picture[places[:, :, 1].clip(0, SIDE - 1), places[:, :, 0].clip(0, SIDE - 1)] + tone)


def _covered(wall: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A wall with a head before it, the part of it that the head leaves, and all that it covers."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    head, moved = ((rows - 128) ** 2 + (columns - x) ** 2 < 50**2 for x in (128, 112))
    picture = np.repeat(np.where(head, 20, wall)[:, :, None], 3, axis=2).astype(np.uint8)
    return picture, head & ~moved, head


def test_a_brick_wall_goes_on_in_its_courses() -> None:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    course = rows // 8
    wall = np.where((rows % 8 == 0) | ((columns + course % 2 * 10) % 20 == 0), 210, 150)
    picture, hole, head = _covered(wall)
    error = np.abs(_filled(picture, hole, ~head)[:, :, 0] - wall)[hole]
    assert (error < 10).mean() > 0.85


def test_a_wall_in_uneven_light_is_filled_without_a_step() -> None:
    wall = np.linspace(120, 220, SIDE)[None, :] + np.zeros((SIDE, 1))
    picture, hole, head = _covered(wall)
    assert np.abs(_filled(picture, hole, ~head)[:, :, 0] - wall)[hole].mean() < 4


def test_nothing_comes_from_the_person_and_the_rest_stays() -> None:
    picture, hole, head = _covered(np.full((SIDE, SIDE), 180))
    away, tone = filling(picture, hole, ~head)
    assert np.abs(_filled(picture, hole, ~head)[hole] - 180).max() < 2
    assert not away[~hole].any()
    assert not tone[~hole].any()
    # Without a background there is nothing to fill with.
    assert np.isfinite(filling(picture, hole, np.zeros_like(hole))[0]).all()


def test_shoulders_do_not_grow_upwards() -> None:
    picture, hole, head = _covered(np.full((SIDE, SIDE), 180))
    rows = np.mgrid[:SIDE, :SIDE][0]
    shoulders = (rows > 160) & ~head
    picture[shoulders] = 40
    away, tone = filling(picture, hole, ~head, shoulders)
    columns = np.mgrid[:SIDE, :SIDE][1]
    places = (np.stack([columns, rows], axis=2) + np.rint(away).astype(int)).clip(0, SIDE - 1)
    found = (picture[places[:, :, 1], places[:, :, 0]] + tone)[:, :, 0]
    assert found[hole & (rows < 140)].min() > 150


def test_only_a_wall_with_a_pattern_is_a_guess() -> None:
    columns = np.mgrid[:SIDE, :SIDE][1]
    plain, shaded = np.full((SIDE, SIDE), 180.0), 120 + columns / 4
    striped = np.where(columns % 16 < 8, 150.0, 210.0)
    left_of_an_edge = np.where(columns < 60, 60.0, 200.0)
    found = []
    for wall in (plain, shaded, striped, left_of_an_edge):
        picture, hole, head = _covered(wall)
        found.append(patterned(picture.astype(np.float32), hole.astype(np.float32), (~head).astype(np.float32)))
    freed = hole.mean()
    assert max(found[0], found[1]) < 0.02 * freed
    assert found[2] > 0.5 * freed
    assert found[3] < 0.3 * freed
