"""A face that was joined to its head is laid over the photo, of which everything else stays."""

import numpy as np

from stylegan_latents.invert.paste_back.joined_face import JoinedFace
from stylegan_latents.invert.paste_back.paste import paste_back
from stylegan_latents.invert.photos.crop import Alignment, crop_of
from tests.invert.paste_back.test_whole_head import LOW, SIDE, SIZE, TURN, WALL, levels, mask_of, scene

LOW_EDGE, HIGH_EDGE = LOW - 0.5, LOW + SIDE - 0.5
CORNERS = np.array([[LOW_EDGE, LOW_EDGE], [LOW_EDGE, HIGH_EDGE], [HIGH_EDGE, HIGH_EDGE], [HIGH_EDGE, LOW_EDGE]])


def test_the_face_turns_and_hair_neck_clothes_and_wall_stay_the_photos() -> None:
    alignment = Alignment(CORNERS, (SIZE, SIZE), SIDE, "ffhq")
    plain = np.full((SIZE, SIZE), 195.0)
    photo, was = scene(0, 0, WALL)
    # A generator holds the face in the middle and blurs the wall.
    (before, _), (edited, then), (joined, there) = (scene(*move, plain) for move in ((0, 0), (-TURN, 0), (0, TURN)))
    y, x = np.mgrid[LOW : LOW + SIDE, LOW : LOW + SIDE]
    share = (np.hypot((x - 266) / 80, (y - 265) / 95) < 1).astype(np.float32)
    face = JoinedFace(
        crop_of(edited, alignment),
        mask_of(then),
        (TURN / SIDE, 0.0),
        share,
        there["face"][LOW : LOW + SIDE, LOW - TURN : LOW - TURN + SIDE].astype(np.float32),
    )
    seams: list[str] = []
    pasted = levels(
        paste_back(
            photo, crop_of(joined, alignment), alignment, reference=crop_of(before, alignment),
            people=(mask_of(was), mask_of(there)), face=face, on_visible_seam=lambda: seams.append("seen"),
        )
    )  # fmt: skip
    wanted = levels(scene(0, TURN, WALL)[0])
    inner = (slice(200, 330), slice(190, 330))
    assert np.abs(pasted - wanted)[inner].mean() < 0.1 * np.abs(levels(photo) - wanted)[inner].mean()
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    beside = np.hypot((x - 266) / 86, (y - 265) / 100) > 1
    # The joined picture goes on into hair, and fades there.
    into_hair = was["hair"] & (np.hypot((x - 266) / 150, (y - 265) / 160) < 1)
    assert np.abs(pasted - levels(photo))[beside & ~into_hair].max() <= 1
    assert not seams
