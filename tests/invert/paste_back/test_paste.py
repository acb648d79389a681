"""Pasting back changes the face only, lands in its place, and keeps what the generator cannot reproduce."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.align import align_face, find_faces
from stylegan_latents.invert.paste_back.paste import paste_back
from stylegan_latents.invert.photos.crop import Alignment, no_align
from stylegan_latents.invert.photos.files import read_photo
from tests.photos import ASTRONAUT, photo_file

DATA = Path(__file__).parents[2] / "data"


def square(side: float, centre: tuple[float, float], turn: float = 0.0) -> np.ndarray:
    corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * side / 2
    cosine, sine = np.cos(turn), np.sin(turn)
    return corners @ np.array([[cosine, sine], [-sine, cosine]]) + centre


def inside(alignment: Alignment, size: tuple[int, int], shrink: float) -> np.ndarray:
    """Which pixels lie in the crop's square, made smaller towards its centre."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    offset = np.stack([x, y], axis=2) - alignment.quad.mean(axis=0)
    across = (alignment.quad[3] - alignment.quad[0]) / alignment.side
    down = (alignment.quad[1] - alignment.quad[0]) / alignment.side
    far = np.maximum(np.abs(offset @ across), np.abs(offset @ down))
    return np.asarray(far <= shrink * alignment.side / 2)


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("astronaut", 256), ("astronaut", 1024), ("london_062_neutral", 128)])
def test_round_trip_without_an_edit(name: str, size: int) -> None:
    photo = read_photo(photo_file(name))
    crop, alignment = align_face(photo, find_faces(photo)[0], size)
    before = levels(photo)
    after = levels(paste_back(photo, crop, alignment))
    core = inside(alignment, photo.size, 0.7)
    error = np.mean((after - before)[core] ** 2.0)
    # A crop smaller than the face loses detail, and no paste brings it back.
    assert 10 * np.log10(255**2 / error) > (38 if size > alignment.side else 25)
    assert np.array_equal(after[~inside(alignment, photo.size, 1.02)], before[~inside(alignment, photo.size, 1.02)])
    exact = paste_back(photo, crop, alignment, reference=crop)
    assert np.array_equal(levels(exact), before)


@pytest.mark.slow
@pytest.mark.parametrize("reference", [True, False])
def test_outside_of_the_mask_nothing_changes(reference: bool) -> None:
    photo = read_photo(ASTRONAUT)
    alignment = Alignment(square(180, (230, 100), 0.4), photo.size, 64, "ffhq")
    red = Image.new("RGB", (64, 64), (255, 0, 0))
    grey = Image.new("RGB", (64, 64), (128, 128, 128)) if reference else None
    before, after = levels(photo), levels(paste_back(photo, red, alignment, reference=grey))
    edge = ~inside(alignment, photo.size, 1.0)
    assert np.array_equal(after[edge], before[edge])
    core = inside(alignment, photo.size, 0.5)
    assert (after != before).any(axis=2)[core].mean() > 0.95


@pytest.mark.parametrize("side", [40.0, 300.0])
@pytest.mark.parametrize("turn", [0.0, 0.5, -2.0])
def test_a_mark_lands_where_the_crop_had_it(side: float, turn: float) -> None:
    photo = Image.new("RGB", (500, 400), (100, 100, 100))
    alignment = Alignment(square(side, (240.0, 210.0), turn), photo.size, 200, "ffhq")
    plain = Image.new("RGB", (200, 200), (100, 100, 100))
    marked = plain.copy()
    marked.paste((250, 250, 250), (110, 60, 140, 90))
    change = levels(paste_back(photo, marked, alignment, reference=plain))[:, :, 0] - 100.0
    y, x = np.mgrid[0:400, 0:500]
    found = np.array([(x * change).sum(), (y * change).sum()]) / change.sum()
    quad = alignment.quad
    expected = quad[0] + 0.625 * (quad[3] - quad[0]) + 0.375 * (quad[1] - quad[0])
    assert np.abs(found - expected).max() < 0.1
    # The mark's brightness, summed, scales with the area: nothing is lost in resampling.
    assert change.sum() == pytest.approx(150 * (30 * side / 200) ** 2, rel=0.05)


@pytest.mark.slow
def test_reference_keeps_what_the_generator_lost() -> None:
    photo = read_photo(DATA / "london_062_neutral.jpg")
    crop, alignment = align_face(photo, find_faces(photo)[0], 256)
    # A generator that loses detail and shade, and an edit of the mouth only.
    lost = crop.filter(ImageFilter.GaussianBlur(3)).point(lambda value: value * 0.9)
    edited = lost.copy()
    edited.paste((200, 60, 60), (100, 170, 156, 200))
    before = levels(photo)
    kept = levels(paste_back(photo, edited, alignment, reference=lost))
    plain = levels(paste_back(photo, edited, alignment))
    y, x = np.mgrid[0 : photo.height, 0 : photo.width]
    down = (np.stack([x, y], axis=2) - alignment.quad[0]) @ (alignment.quad[1] - alignment.quad[0])
    eyes = inside(alignment, photo.size, 0.7) & (down / alignment.side**2 < 0.55)
    assert np.array_equal(kept[eyes], before[eyes])
    assert np.abs(plain[eyes] - before[eyes]).mean() > 1
    mouth = tuple(np.rint(alignment.quad[0] + (alignment.quad[2] - alignment.quad[0]) * [0.5, 0.72]).astype(int))
    assert kept[mouth[1], mouth[0]][0] - kept[mouth[1], mouth[0]][1] > 80


def test_plain_paste_meets_the_photos_colour() -> None:
    photo = Image.new("RGB", (300, 300), (140, 120, 100))
    alignment = Alignment(square(200, (150, 150)), photo.size, 128, "ffhq")
    tinted = Image.new("RGB", (128, 128), (150, 115, 90))
    assert np.abs(levels(paste_back(photo, tinted, alignment)) - levels(photo)).max() <= 1


@pytest.mark.slow
def test_face_at_the_photos_edge() -> None:
    photo = read_photo(DATA / "london_005_neutral.jpg").crop((150, 120, 420, 400))
    crop, alignment = align_face(photo, find_faces(photo)[0], 256)
    assert alignment.quad.min() < -5
    pasted = paste_back(photo, crop, alignment, reference=crop)
    assert np.array_equal(levels(pasted), levels(photo))
    brighter = crop.point(lambda value: min(255, value + 5))
    change = levels(paste_back(photo, brighter, alignment, reference=crop)) - levels(photo)
    assert 5 <= change.max() <= 6
    assert change.min() >= -1
    # The crop is blurred near the photo's edge; without a reference that edge stays the photo's.
    left = levels(paste_back(photo, brighter, alignment))[:, :3] - levels(photo)[:, :3]
    assert np.abs(left).max() <= 1


@pytest.mark.parametrize(("size", "fixed"), [((60, 60), ()), ((90, 60), (15, 74)), ((60, 90), (15, 74))])
def test_unaligned_crop_is_soft_only_where_the_photo_goes_on(size: tuple[int, int], fixed: tuple[int, ...]) -> None:
    photo = Image.new("RGB", size, (90, 90, 90))
    crop, alignment = no_align(photo, 60)
    pasted = paste_back(photo, crop.point(lambda value: value + 40), alignment, reference=crop)
    change = (levels(pasted) - levels(photo))[:, :, 0]
    line = change[30] if size[0] >= size[1] else change[:, 30]
    across = change[:, line.argmax()] if size[0] >= size[1] else change[line.argmax()]
    assert across.min() == 40
    if fixed:
        assert np.abs(line[: fixed[0] + 1]).max() <= 1
        assert np.abs(line[fixed[1] :]).max() <= 1
        assert line[40] == 40
    else:
        assert line.min() == 40


def test_no_overlap_returns_the_photo() -> None:
    photo = read_photo(ASTRONAUT)
    away = Alignment(square(50, (-400, -400)), photo.size, 32, "ffhq")
    assert np.array_equal(levels(paste_back(photo, Image.new("RGB", (32, 32)), away)), levels(photo))


def test_refusals() -> None:
    photo = Image.new("RGB", (100, 100))
    alignment = Alignment(square(50, (50, 50)), photo.size, 32, "ffhq")
    crop = Image.new("RGB", (32, 32))
    with pytest.raises(InputError, match=r"100x90 pixels .* 100x100; give the same photo"):
        paste_back(photo.crop((0, 0, 100, 90)), crop, alignment)
    with pytest.raises(ValueError, match="square"):
        paste_back(photo, crop.crop((0, 0, 32, 30)), alignment)
    with pytest.raises(ValueError, match="reference"):
        paste_back(photo, crop, alignment, reference=photo)
    with pytest.raises(ValueError, match="feather"):
        paste_back(photo, crop, alignment, feather=0)


def _head(left: int, side: int = 256) -> Image.Image:
    """A dark head and neck before a light wall, ``left`` of the crop's middle."""
    y, x = np.mgrid[0:side, 0:side] / side
    x = x - 0.5 + left / side
    head = (x / 0.26) ** 2 + ((y - 0.5) / 0.4) ** 2 < 1
    neck = (np.abs(x) < 0.18) & (y > 0.5)
    level = np.where(head | neck, 70, 200).astype(np.uint8)
    return Image.fromarray(np.repeat(level[:, :, None], 3, axis=2)).filter(ImageFilter.GaussianBlur(1.5))


def test_a_head_that_moved_leaves_no_ghost_and_no_smear() -> None:
    """Between head and wall there are two shades; a smear or a ghost would show as others."""
    photo, alignment = Image.new("RGB", (512, 512), (200, 200, 200)), None
    alignment = Alignment(square(256, (255.5, 255.5)), photo.size, 256, "ffhq")
    photo.paste(_head(0), (128, 128))
    photo.paste((70, 70, 70), (128 + 82, 380, 128 + 174, 512))
    pasted = levels(paste_back(photo, _head(16), alignment, reference=_head(0)))[:, :, 0]
    before = levels(photo)[:, :, 0]
    between = ((pasted > 90) & (pasted < 180)).mean() / ((before > 90) & (before < 180)).mean()
    assert between < 1.6
    # The head is where the edit put it, the shoulders where the photo has them.
    row = 128 + 100
    edited = np.asarray(_head(16))[100, :, 0]
    assert np.abs(pasted[row, 128:384] - edited).max() < 25
    assert np.array_equal(pasted[390:], before[390:])
    # The neck, led back, has no step where the photo takes over.
    edges = [int(np.flatnonzero(pasted[row] < 135)[0]) for row in range(340, 400)]
    assert np.abs(np.diff(edges)).max() <= 4
