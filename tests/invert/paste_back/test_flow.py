"""How an edit moves a person is found where it can be, and continued where it cannot."""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from stylegan_latents.invert.paste_back.fields import SIDE
from stylegan_latents.invert.paste_back.flow import continued, followed, led_back, smooth_flow, trusted_flow
from stylegan_latents.invert.photos.person_mask import CLASSES, PersonMask

MOVE = 8


def person(shift: int) -> tuple[Image.Image, PersonMask]:
    """A textured person, ``shift`` pixels to the right, before a plain wall; the face takes the upper half."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    grain = gaussian_filter(np.random.default_rng(0).normal(0, 600, (SIDE, SIDE)), 3)
    shape = np.abs(x - shift - SIDE / 2) < 60
    level = np.where(shape, 100 + np.roll(grain, shift, axis=1), 220).clip(0, 255).astype(np.uint8)
    shares = np.zeros((len(CLASSES), SIDE, SIDE), np.float32)
    shares[0], shares[2], shares[4] = ~shape, shape & (y < SIDE / 2), shape & (y >= SIDE / 2)
    return Image.fromarray(np.repeat(level[:, :, None], 3, axis=2)), PersonMask(shares)


def test_the_flow_leads_back_to_where_each_place_was() -> None:
    (before, was), (after, then) = person(0), person(MOVE)
    flow, trust, sure = trusted_flow(after, before, then.person, was.person)
    middle = np.s_[60:200, SIDE // 2 - 20 : SIDE // 2 + 20]
    assert np.abs(flow[middle] * SIDE - [-MOVE, 0]).max() < 1
    assert trust[middle].min() > 0.5
    assert trust[:, :20].max() == 0
    assert (sure <= trust + 0.01).all()
    # Beside the person it is that of the person's nearest part.
    assert np.abs(continued(flow, trust)[60:200, 200:206] * SIDE - [-MOVE, 0]).max() < 1


def test_a_flow_over_plain_skin_is_not_sure() -> None:
    (before, was), (after, then) = person(0), person(MOVE)
    plain = np.s_[80:160, 110:150]
    levels = [np.array(one) for one in (before, after)]
    for one in levels:
        one[plain] = 120
    _, trust, sure = trusted_flow(*(Image.fromarray(one) for one in levels[::-1]), then.person, was.person)
    inner = np.s_[100:140, 122:138]
    assert trust[inner].min() > 0.5
    assert sure[inner].max() < 0.1


def test_hair_moves_smoothly_although_some_strands_are_mistaken_for_others() -> None:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    true = np.stack([0.05 + 0.04 * x - 0.1 * y * y, 0.02 * y], axis=2).astype(np.float32)
    wrong = np.random.default_rng(0).random((SIDE, SIDE)) < 0.3
    flow = np.where(wrong[:, :, None], -0.08, true).astype(np.float32)
    found = smooth_flow(flow, np.ones((SIDE, SIDE), np.float32))
    assert np.abs(found - true).max() < 0.01
    assert not smooth_flow(flow, np.zeros((SIDE, SIDE), np.float32)).any()


def test_a_flow_is_continued_from_trusted_places_alone() -> None:
    flow, trust = np.zeros((64, 64, 2), np.float32), np.zeros((64, 64), np.float32)
    flow[:, 32:], flow[:, :32] = 0.1, 5.0
    trust[:, 32:] = 1
    assert np.abs(continued(flow, trust)[20:40, 28:] - 0.1).max() < 1e-3
    assert not continued(flow, np.zeros_like(trust)).any()


def test_shoulders_are_led_back_and_the_face_stays() -> None:
    (before, was), (after, then) = person(0), person(MOVE)
    back, share = led_back(after, before, (was, then))
    found, moved, wanted = (np.asarray(one).astype(int)[:, :, 0] for one in (back, after, before))
    upper, lower = np.s_[:100], np.s_[250:]
    assert np.abs(found - moved)[upper].mean() < 1
    assert np.abs(found - wanted)[lower].mean() < 0.35 * np.abs(moved - wanted)[lower].mean()
    assert np.abs(share - was.person)[lower].mean() < 0.3 * np.abs(then.person - was.person)[lower].mean()


def test_a_picture_follows_an_edit_and_where_the_edit_shows_something_else_is_found() -> None:
    (before, _), (after, _) = person(0), person(MOVE)
    movement = np.full((SIDE, SIDE, 2), (-MOVE / SIDE, 0), np.float32)
    new = np.array(after)
    new[100:130, 120:140] = 0
    bald = np.zeros((SIDE, SIDE), np.float32)
    moved, same = followed(before, Image.fromarray(new), movement, bald)
    assert np.abs(np.asarray(moved).astype(int) - np.asarray(after))[20:90, 40:200].max() <= 2
    assert same[20:80, 80:180].min() > 0.99
    assert same[105:125, 125:135].mean() < 0.05


def test_hair_is_compared_by_its_colour_alone() -> None:
    (before, _), (after, _) = person(0), person(MOVE)
    still, hair = np.zeros((SIDE, SIDE, 2), np.float32), np.ones((SIDE, SIDE), np.float32)
    strands = np.s_[40:200, 90:160]
    moved, same = followed(before, after, still, hair)
    as_skin, same_skin = followed(before, after, still, 0 * hair)
    assert same[strands].mean() > 2 * same_skin[strands].mean()
    rough, rough_skin = (
        np.abs(np.diff((np.asarray(one).astype(float) - np.asarray(after))[strands], axis=1)).mean()
        for one in (moved, as_skin)
    )
    assert rough < 0.7 * rough_skin
