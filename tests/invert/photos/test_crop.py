"""Masks that are painted by people."""

from pathlib import Path

from PIL import Image

from stylegan_latents.invert.photos.crop import mask_picture


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
