"""Which part of a crop shows the photo, and masks that are painted by people."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from stylegan_latents.invert.photos.crop import Alignment, crop_of, mask_picture, no_align, part_in_photo


def _alignment(left: float, top: float, side: float, photo: tuple[int, int], method: str = "ffhq") -> Alignment:
    corners = [[left, top], [left, top + side], [left + side, top + side], [left + side, top]]
    return Alignment(np.array(corners) - 0.5, photo, 64, method)


def test_a_crop_inside_the_photo_shows_nothing_else() -> None:
    assert part_in_photo(_alignment(0, 0, 100, (100, 120))) is None
    assert part_in_photo(no_align(Image.new("RGB", (90, 60)), 64)[1]) is None


def test_what_lies_beyond_the_photo_does_not_count_and_what_is_not_blurred_does() -> None:
    # A quarter of the crop lies left of the photo.
    mask = part_in_photo(_alignment(-25, 100, 100, (400, 400)))
    assert mask is not None
    assert mask.shape == (1, 1, 64, 64)
    assert not mask[..., :16].any()
    rising = mask[0, 0, 5, 16:]
    assert bool((rising.diff() >= 0).all())
    assert torch.equal(mask, mask[:, :, :1].expand_as(mask))
    # Where it is 1 the crop does not depend on how far the photo goes on, but for rounding.
    photo = Image.fromarray(np.random.RandomState(0).randint(0, 256, (400, 425, 3), np.uint8))
    cut = crop_of(photo.crop((25, 0, 425, 400)), _alignment(-25, 100, 100, (400, 400)))
    whole = crop_of(photo, _alignment(0, 100, 100, (425, 400)))
    wrong = np.abs(np.asarray(cut).astype(int) - np.asarray(whole)).max(axis=(0, 2))
    counts = mask[0, 0, 0].numpy()
    assert wrong[counts == 1].max() <= 4
    assert wrong[counts < 0.5].mean() > 10


def test_a_turned_crop_is_cut_by_the_photos_edge_aslant() -> None:
    quad = np.array([[0.0, 20.0], [-40.0, 60.0], [0.0, 100.0], [40.0, 60.0]])
    mask = part_in_photo(Alignment(quad, (300, 300), 32, "ffhq"))
    assert mask is not None
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    assert not mask[0, 0][columns < rows].any()
    assert mask[0, 0][columns > rows + 2].min() > 0


def test_a_mask_painted_white_on_transparent_is_read_by_its_alpha(tmp_path: Path) -> None:
    for paint, transparent, wanted in ((255, 0, 255), (255, 255, 255), (0, 0, 0), (0, 255, 0)):
        picture = Image.new("RGBA", (32, 32), (transparent, transparent, transparent, 0))
        picture.paste((paint, paint, paint, 255), (0, 0, 16, 32))
        picture.putpixel((16, 0), (paint, paint, paint, 128))
        picture.save(tmp_path / "mask.png")
        mask = mask_picture(tmp_path / "mask.png")
        assert mask.mode == "L"
        assert (mask.getpixel((3, 3)), mask.getpixel((30, 3))) == (wanted, 255 - wanted)
        assert 120 < mask.getpixel((16, 0)) < 136  # type: ignore[operator]
    Image.new("RGB", (32, 32), "white").save(tmp_path / "mask.png")
    assert mask_picture(tmp_path / "mask.png").getextrema() == (255, 255)
