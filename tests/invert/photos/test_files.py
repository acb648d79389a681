"""Every kind of photo is read as a viewer shows it, and every bad file gives one plain sentence."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageFile

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos import files as photo_module
from stylegan_latents.invert.photos.files import (
    list_photos,
    read_photo,
    save_picture,
    to_picture,
    to_tensor,
)


def ramp(width: int = 48, height: int = 32) -> Image.Image:
    """A smooth picture in which every corner differs."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=2).astype(np.uint8))


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def refusal(path: Path) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(InputError) as caught:
        read_photo(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = ramp()
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "phone.jpg", quality=95, subsampling=0, exif=exif)
    read = read_photo(tmp_path / "phone.jpg")
    assert read.size == upright.size
    assert np.abs(levels(read) - levels(upright)).max() <= 8
    assert not read.info
    assert not read.getexif()


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "RGBA", "CMYK", "YCbCr"])
def test_modes_keep_their_colours(tmp_path: Path, mode: str) -> None:
    grey = mode in ("L", "LA", "1")
    source = ramp().convert("L") if grey else ramp()
    if mode == "1":
        source = source.point(lambda value: 255 * (value > 127))
    stored = source.quantize(256) if mode == "P" else source.convert(mode)
    path = tmp_path / ("photo.jpg" if mode in ("CMYK", "YCbCr") else "photo.png")
    stored.save(path, **({"quality": 100, "subsampling": 0} if path.suffix == ".jpg" else {}))
    read = read_photo(path)
    assert read.mode == "RGB"
    assert np.abs(levels(read) - levels(source.convert("RGB"))).mean() < (6 if mode == "P" else 2)


def test_16_bit_is_scaled_not_clipped(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 40 * 30).reshape(30, 40).astype(np.uint16)
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(values).save(tmp_path / name)
        read = levels(read_photo(tmp_path / name))
        assert np.abs(read[:, :, 0] - values / 257.0).max() <= 0.51
        assert (read[:, :, 0] == read[:, :, 2]).all()


def test_a_deep_tiff_that_pillow_would_misread_is_refused(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 40 * 30).reshape(30, 40).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "negative.tif", tiffinfo={262: 0})
    assert "white as 0" in refusal(tmp_path / "negative.tif")
    Image.fromarray((values >> 8).astype(np.uint8)).save(tmp_path / "shallow.tif", tiffinfo={262: 0})
    assert read_photo(tmp_path / "shallow.tif").size == (40, 30)
    Image.fromarray(values).save(tmp_path / "planes.tif", tiffinfo={284: 2})
    assert "a plane of its own" in refusal(tmp_path / "planes.tif")


@pytest.mark.parametrize("white", [1.0, 255.0, 4000.0])
def test_floating_point_is_scaled(tmp_path: Path, white: float) -> None:
    values = np.linspace(0, white, 40 * 30, dtype=np.float32).reshape(30, 40)
    Image.fromarray(values).save(tmp_path / "float.tif")
    read = levels(read_photo(tmp_path / "float.tif"))[:, :, 0]
    assert np.abs(read - values * 255 / white).max() <= 0.51


def test_transparency_becomes_white(tmp_path: Path) -> None:
    picture = ramp().convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    picture.save(tmp_path / "cut.png")
    read = levels(read_photo(tmp_path / "cut.png"))
    alpha = levels(picture)[:, :, 3:] / 255
    assert np.abs(read - (levels(picture)[:, :, :3] * alpha + 255 * (1 - alpha))).max() <= 1


def test_transparent_palette_entry_becomes_white(tmp_path: Path) -> None:
    picture = Image.new("P", (20, 20), 1)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.paste(0, (0, 0, 10, 20))
    picture.save(tmp_path / "palette.png", transparency=0)
    read = read_photo(tmp_path / "palette.png")
    assert read.getpixel((2, 2)) == (255, 255, 255)
    assert read.getpixel((15, 2)) == (200, 100, 50)


def display_profile() -> bytes:
    """An RGB profile with sRGB's primaries in another order: red and green change places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = bytearray(profile)
    count = struct.unpack(">I", profile[128:132])[0]
    places = {profile[at : at + 4]: at for at in range(132, 132 + 12 * count, 12)}
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(swapped).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_colour_profile_is_converted(tmp_path: Path, mode: str) -> None:
    Image.new("RGB", (20, 20), (200, 40, 90)).convert(mode).save(
        tmp_path / "wide.png", icc_profile=display_profile()
    )
    red, green, blue = read_photo(tmp_path / "wide.png").getpixel((5, 5))
    expected = (40, 200, 90) if mode != "L" else (red, red, red)
    assert np.abs(np.array([red, green, blue]) - expected).max() <= 3


def test_broken_or_foreign_profile_is_ignored(tmp_path: Path) -> None:
    for profile in (b"not a profile at all" * 10, display_profile()[:200]):
        Image.new("RGB", (20, 20), (200, 40, 90)).save(tmp_path / "a.png", icc_profile=profile)
        assert read_photo(tmp_path / "a.png").getpixel((5, 5)) == (200, 40, 90)
    cmyk = Image.new("CMYK", (20, 20), (0, 255, 255, 0))
    cmyk.save(tmp_path / "a.tif", icc_profile=display_profile())
    assert read_photo(tmp_path / "a.tif").getpixel((5, 5)) == cmyk.convert("RGB").getpixel((5, 5))


def test_first_picture_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    assert read_photo(tmp_path / "film.gif").getpixel((5, 5)) == (255, 0, 0)


def test_text_called_png(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("hello " * 100)
    assert "not a picture" in refusal(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("<!doctype html><p>Not found")
    assert "web page" in refusal(tmp_path / "b.png")
    (tmp_path / "me.inversion.safetensors").write_bytes(b"\x10" * 64)
    assert "no photo; if it is a record, `edit " in refusal(tmp_path / "me.inversion.safetensors")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".tif"])
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.9])
def test_truncated_file(tmp_path: Path, suffix: str, kept: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    path = tmp_path / f"photo{suffix}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    message = refusal(path)
    assert "damaged or incomplete" in message or "not a picture" in message


def test_too_small(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    assert "1x1" in refusal(tmp_path / "dot.png")


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises much and holds almost nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(30_000, 30_000), (14_143, 14_143)])
def test_bomb_is_refused_from_its_header(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bomb.png").write_bytes(png_header(*size))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded the bomb"))
    assert "200 million" in refusal(tmp_path / "bomb.png")


def test_pillows_own_limit_and_warnings_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    ramp().save(tmp_path / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_photo(tmp_path / "a.png").size == (48, 32)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_heic_of_a_phone_is_read(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    ramp().save(tmp_path / "IMG_1.HEIC", format="HEIF", quality=100)
    photo = read_photo(tmp_path / "IMG_1.HEIC")
    assert photo.mode == "RGB"
    assert photo.size == ramp().size


def test_heic_without_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_module, "_registered_formats", lambda: ["JPEG", "PNG"])
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    assert "pillow-heif" in refusal(tmp_path / "IMG_1.HEIC")


def test_postscript_is_never_run(tmp_path: Path) -> None:
    ramp().save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.png")
    assert "not a picture" in refusal(tmp_path / "a.png")


def test_list_photos(tmp_path: Path) -> None:
    for name in ("b.JPG", "A.png", "notes.txt", ".hidden.png", "c.webp"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_photos(tmp_path)] == ["A.png", "b.JPG", "c.webp"]


def test_list_photos_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="holds no photo"):
        list_photos(tmp_path / "empty")
    with pytest.raises(InputError, match="is a file"):
        list_photos(tmp_path / "file")
    with pytest.raises(InputError, match="no folder"):
        list_photos(tmp_path / "nowhere")

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        list_photos(tmp_path / "empty")


def test_tensor_and_back_is_exact() -> None:
    picture = ramp(32, 32)
    tensor = to_tensor(picture)
    assert tensor.dtype == torch.float32
    assert tensor.shape == (1, 3, 32, 32)
    assert (tensor.min(), tensor.max()) == (-1, 1)
    assert np.array_equal(np.asarray(to_picture(tensor)[0]), np.asarray(picture))


def test_tensor_is_resized_without_aliasing() -> None:
    stripes = Image.fromarray(np.tile(np.array([[0, 255]], dtype=np.uint8), (64, 32))).convert("RGB")
    assert to_tensor(stripes, 16)[..., 2:-2].abs().max() < 0.03
    with pytest.raises(ValueError, match="crop it first"):
        to_tensor(ramp(48, 32), 16)


def test_to_picture_rounds_clamps_and_refuses() -> None:
    values = torch.tensor([-5.0, -1.0, 0.499 / 127.5 - 1, 0.501 / 127.5 - 1, 1.0, 9.0])
    pictures = to_picture(values.reshape(1, 1, 1, 6).expand(2, 3, 1, 6))
    assert len(pictures) == 2
    assert [pixel[0] for pixel in np.asarray(pictures[0])[0]] == [0, 0, 0, 1, 255, 255]
    with pytest.raises(InputError, match="not finite"):
        to_picture(torch.full((1, 3, 2, 2), float("nan")))
    with pytest.raises(ValueError, match="must be"):
        to_picture(torch.zeros(3, 2, 2))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp", ".tif", ".bmp"])
def test_save_in_the_format_of_the_suffix(tmp_path: Path, suffix: str) -> None:
    save_picture(ramp(), tmp_path / f"a{suffix}", overwrite=False)
    assert np.abs(levels(read_photo(tmp_path / f"a{suffix}")) - levels(ramp())).mean() < 3
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


def test_save_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"\.gif names no known"):
        save_picture(ramp(), tmp_path / "a.gif", overwrite=False)
    with pytest.raises(InputError, match="without a suffix"):
        save_picture(ramp(), tmp_path / "a", overwrite=False)
    with pytest.raises(InputError, match=r"choose \.png"):
        save_picture(Image.new("RGB", (70_000, 2)), tmp_path / "a.jpg", overwrite=False)
    save_picture(ramp(), tmp_path / "a.png", overwrite=False)
    with pytest.raises(InputError, match="exists already"):
        save_picture(ramp(), tmp_path / "a.png", overwrite=False)
    before = (tmp_path / "a.png").read_bytes()

    def full(_: Image.Image, target: Path, **_options: object) -> None:
        Path(target).write_bytes(b"half a pic")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(InputError, match="No space left"):
        save_picture(ramp(), tmp_path / "a.png", overwrite=True)
    assert (tmp_path / "a.png").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_reading_from_bytes_leaves_the_file_alone(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    ramp().save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    read_photo(tmp_path / "a.png").putpixel((0, 0), (1, 2, 3))
    assert (tmp_path / "a.png").read_bytes() == buffer.getvalue()
