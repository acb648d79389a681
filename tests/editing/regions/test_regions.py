from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.editing.regions.blending import blend_pictures
from stylegan_latents.editing.regions.regions import (
    check_regions,
    face_landmarks,
    face_region,
    local_region,
    of_face,
    own_region,
    region_masks,
    soften,
)
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.align import align_face, require_faces
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.files import read_photo

PHOTO = Path(__file__).parents[2] / "data" / "london_005_neutral.jpg"


@pytest.fixture(name="face", scope="module")
def _face() -> Image.Image:
    photo = read_photo(PHOTO)
    return align_face(photo, require_faces(photo)[0], 256)[0]


def test_regions_lie_where_an_aligned_face_has_them(face: Image.Image) -> None:
    masks = {name: region_masks([name], [face]) for name in ("eyes", "nose", "mouth", "hair", "face", "background")}
    # In FFHQ's frame: eyes at 0.48 of the height, the mouth at 0.7, the nose between; corners are background.
    places = {"eyes": (123, 96), "nose": (150, 128), "mouth": (182, 128), "background": (8, 8), "hair": (30, 128)}
    places["face"] = (160, 85)
    for region, mask in masks.items():
        assert mask.shape == (256, 256)
        assert 0 <= mask.min() < 0.01
        assert mask.max() > 0.95
        for place, (y, x) in places.items():
            inside = place == region or (region == "face" and place in ("eyes", "nose", "mouth"))
            assert (mask[y, x] > 0.9) == inside, (region, place, mask[y, x])
            assert inside or mask[y, x] < 0.1, (region, place, mask[y, x])
    assert (region_masks(["eyes", "mouth"], [face]) == np.maximum(masks["eyes"], masks["mouth"])).all()


def test_a_region_covers_both_pictures(face: Image.Image) -> None:
    moved = face.transform(face.size, Image.Transform.AFFINE, (1, 0, 12, 0, 1, 0))
    both = region_masks(["mouth"], [face, moved])
    for one in (face, moved):
        assert (both >= region_masks(["mouth"], [one]) - 1e-6).all()


def test_outside_of_a_region_nothing_changes(face: Image.Image, tmp_path: Path) -> None:
    after = Image.new("RGB", face.size, (255, 0, 0))
    drawn = Image.new("L", (64, 64), 0)
    drawn.paste(255, (16, 16, 32, 32))
    drawn.save(tmp_path / "mask.png")
    result = blend_pictures(face, after, region_masks([str(tmp_path / "mask.png")], [face, after]))
    before, blended = np.asarray(face), np.asarray(result)
    assert (blended[96:120, 96:120] == (255, 0, 0)).all()
    outside = np.ones((256, 256), dtype=bool)
    outside[44:148, 44:148] = False
    assert (blended[outside] == before[outside]).all()


def test_no_face_and_no_region_are_said(tmp_path: Path) -> None:
    grey = Image.new("RGB", (256, 256), (128, 128, 128))
    with pytest.raises(InputError, match="No face was found in me, so there is no region 'eyes'"):
        face_landmarks(grey, "eyes", "me")
    Image.new("L", (32, 32)).save(tmp_path / "black.png")
    Image.new("L", (32, 40), 255).save(tmp_path / "wide.png")
    (tmp_path / "text.png").write_text("x")
    for name, words in (
        ("ears", "no region"),
        (str(tmp_path / "black.png"), "black all over"),
        (str(tmp_path / "wide.png"), "square"),
        (str(tmp_path / "text.png"), "not a picture"),
        (str(tmp_path / "missing.png"), "no file"),
    ):
        with pytest.raises(InputError, match=words):
            check_regions([name])
    with pytest.raises(InputError, match="background, all, or a mask"):
        check_regions(["al"], others=["all"])
    check_regions(["Eyes", "background"])


def test_a_soft_edge_keeps_what_is_inside() -> None:
    mask = np.zeros((200, 200), dtype=np.float32)
    mask[80:120, 80:120] = 1
    soft = soften(mask, 0.02)
    assert soft[85:115, 85:115].min() > 0.95
    assert soft[:50].max() == 0
    edge = soft[100, 120:140]
    assert (np.diff(edge) <= 1e-6).all()
    assert 0.05 < edge[4] < 0.95
    assert soften(mask, 0) is mask


def test_face_and_background_do_not_meet() -> None:
    angles = np.linspace(0, np.pi, 17)
    points = np.full((68, 2), 0.5)
    points[:17] = np.stack([0.5 - 0.2 * np.cos(angles), 0.5 + 0.3 * np.sin(angles)], axis=1)
    points[17:27] = np.stack([np.linspace(0.35, 0.65, 10), np.full(10, 0.45)], axis=1)
    points[36:42], points[42:48] = (0.42, 0.5), (0.58, 0.5)
    parts = {name: face_region(name, Landmarks.from_ibug(points), 128) for name in ("face", "hair", "background")}
    assert (parts["face"] * parts["background"]).max() == 0
    assert (parts["face"] * parts["hair"]).max() == 0
    assert (parts["hair"] * parts["background"]).max() == 0
    assert all(0.02 < part.mean() < 0.9 for part in parts.values())


@pytest.mark.parametrize(
    ("scores", "region"),
    [
        (["smile"], "face"),
        (["eyes-open"], "eyes"),
        (["eyes-open", "mouth-open"], "face"),
        (["smile", "pose"], None),
        (["", "smile"], None),
        ([], None),
    ],
)
def test_changes_of_local_scores_have_a_region(scores: list[str], region: str | None) -> None:
    assert local_region(scores) == region


@pytest.mark.parametrize(
    ("regions", "within"),
    [(["face"], True), (["Eyes", " mouth"], True), (["face", "hair"], False), (["mask.png"], False), ([], False)],
)
def test_regions_within_a_face_are_known(regions: list[str], within: bool) -> None:
    assert of_face(regions) == within


@pytest.mark.parametrize(
    ("scores", "joins", "own"),
    [
        (["smile"], True, ("face", "image")),
        (["eyes-open"], True, ("eyes", "image")),
        (["mouth-open"], True, ("face", "image")),
        (["smile", "pose"], True, ("face", "features")),
        (["age"], True, ("face", "features")),
        (["age"], False, None),
        (["age", "light"], True, None),
        (["", "age"], True, None),
        ([], True, None),
    ],
)
def test_edits_of_faces_that_are_pasted_back_have_a_region(
    monkeypatch: pytest.MonkeyPatch, scores: list[str], joins: bool, own: tuple[str, str] | None
) -> None:
    found: list[object] = [object()]
    monkeypatch.setattr("stylegan_latents.invert.faces.find.landmarks_of_crop", lambda _: found[0])
    assert own_region(scores, _blank, lambda: joins) == own
    found[0] = None
    assert own_region(scores, _blank, lambda: joins) is None


def _blank(side: int) -> Image.Image:
    return Image.new("RGB", (side, side))
