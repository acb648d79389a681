"""The person of a photo is found around the crop, with the hair that the generator's picture lacks."""

import numpy as np

from stylegan_latents.invert.paste_back.outline import CANVAS, INNER, person_in
from stylegan_latents.invert.photos.person_mask import CLASSES, SIDE, PersonMask


def _scene() -> tuple[np.ndarray, PersonMask, np.ndarray]:
    """A head with a lock of hair before a plain wall, the generator's mask without it, and the lock."""
    rows, columns = np.mgrid[:CANVAS, :CANVAS]
    head = ((columns - CANVAS / 2) / 80) ** 2 + ((rows - CANVAS / 2) / 100) ** 2 < 1
    lock = (np.abs(rows - 220) < 3) & (columns > CANVAS / 2) & (columns < CANVAS / 2 + 100)
    picture = np.where(head | lock, 40, 200)[:, :, None] + np.zeros((1, 1, 3))
    shares = np.zeros((len(CLASSES), SIDE, SIDE), np.float32)
    shares[1] = head[INNER, INNER]
    shares[0] = 1 - shares[1]
    return picture.astype(np.uint8), PersonMask(shares), lock & ~head


def test_a_lock_of_hair_is_found_and_the_wall_is_not() -> None:
    picture, before, lock = _scene()
    person = person_in(picture, before)[1]
    assert person.shape == (CANVAS, CANVAS)
    assert np.median(person[lock]) > 0.9
    assert person[:120].max() < 0.05
    assert person[CANVAS // 2, CANVAS // 2] > 0.95


def test_clothes_are_not_of_the_person_that_moves() -> None:
    picture, before, _ = _scene()
    shares = before.shares.copy()
    lower = np.zeros((SIDE, SIDE), bool)
    lower[170:] = True
    shares[4], shares[1] = shares[1] * lower, shares[1] * ~lower
    picture[CANVAS // 4 + 170 :][picture[CANVAS // 4 + 170 :] == 40] = 90
    whole, person = person_in(picture, PersonMask(shares))
    assert person[CANVAS // 4 + 200, CANVAS // 2] < 0.1 < 0.9 < whole[CANVAS // 4 + 200, CANVAS // 2]
    assert person[CANVAS // 2, CANVAS // 2] > 0.95
