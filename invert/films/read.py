"""Reading films: their frames as a player shows them, upright, with square pixels, in sRGB."""

import contextlib
import statistics
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.hdr import HDR, to_sdr
from stylegan_latents.invert.photos.checks import MAX_PIXELS, MIN_SIDE, check_size, pixel_limit, readable
from stylegan_latents.invert.photos.colour import to_srgb

FILM_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".3gp"}
)
"""Suffixes of films. Besides, an animated GIF, WebP, PNG or AVIF is a film; Pillow reads these."""
_ANIMATED, _ANIMATED_SUFFIXES = ("GIF", "WEBP", "PNG", "AVIF"), {".gif", ".webp", ".png", ".apng", ".avif"}
_SHORTEST = 0.01  # seconds

# Playlists and scripts of FFmpeg's are no films: they name other files and addresses, which FFmpeg would open.
_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,asf,flv,ogg,nut,mxf,dv,ivf,rm,m4v,h264,hevc,"
    "vc1,av1,obu,mjpeg,yuv4mpegpipe,gif,apng"
)
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _DEMUXERS}
_HD = 720  # from this height on, a film without a colour space is in that of BT.709, as players take it
_UNKNOWN = 2  # FFmpeg's number of an unknown colour space
_FASTEST = 240  # frames per second
_WIDEST = 8  # a pixel that is wider or taller than this many times its other side is a damaged header
_TRANSPOSES = {
    (-1, 0, 0, 1): "FLIP_LEFT_RIGHT",
    (1, 0, 0, -1): "FLIP_TOP_BOTTOM",
    (-1, 0, 0, -1): "ROTATE_180",
    (0, 1, -1, 0): "ROTATE_270",
    (0, -1, 1, 0): "ROTATE_90",
    (0, 1, 1, 0): "TRANSPOSE",
    (0, -1, -1, 0): "TRANSVERSE",
}
"""The two columns of a display matrix (where x goes, where y goes; y points down), as Pillow calls them."""
_ON_ITS_SIDE = ("ROTATE_90", "ROTATE_270", "TRANSPOSE", "TRANSVERSE")


def is_film(path: Path) -> bool:
    """Whether a file is a film: by its suffix, or a picture of several frames."""
    suffix = path.suffix.lower()
    if suffix in FILM_SUFFIXES or suffix not in _ANIMATED_SUFFIXES or not path.is_file():
        return suffix in FILM_SUFFIXES
    try:
        with pixel_limit(), Image.open(path, formats=_ANIMATED) as image:
            return bool(getattr(image, "n_frames", 1) > 1)
    # Damaged bytes lead Pillow into errors of any type; the file is then read as a photo, which reports it.
    except Exception:
        return False


@dataclass(frozen=True)
class FilmFacts:
    """The properties of a film.

    Attributes:
        rate: frames per second, on average.
        size: (width, height) of its upright frames, in square pixels.
        count: number of frames according to its header; 0 if that does not say.
        hdr: ``HLG`` or ``PQ`` for a film in HDR, whose frames are read as SDR; else empty.
        begin: timestamp of its first frame in the file, in seconds; sound is timed from the same zero.
    """

    rate: float
    size: tuple[int, int]
    count: int = 0
    hdr: str = ""
    begin: float = 0.0


@dataclass(frozen=True)
class FilmFrame:
    """One frame.

    Attributes:
        number: counted from 0.
        time: when it begins, in seconds from the first.
        size: (width, height) of its picture.
        picture: makes the picture: upright, RGB with 8 bits per channel.
    """

    number: int
    time: float
    size: tuple[int, int]
    picture: Callable[[], Image.Image]


def film_facts(path: Path) -> FilmFacts:
    """The properties of a film.

    Raises:
        InputError: it is missing, cannot be read, or has no video.
    """
    with contextlib.closing(read_film(path, limit=1)) as frames:
        first = next(frames)
    if path.suffix.lower() not in FILM_SUFFIXES:
        seconds = [seconds for seconds, _ in _animated(path)]
        return FilmFacts(1 / statistics.mean(seconds), first.size, len(seconds))
    with open_film(path) as (container, stream):
        begin, hdr = _time(next(container.decode(stream))), HDR.get(stream.codec_context.color_trc, "")
        rate = float(stream.average_rate or 0)
        # Browsers and screen recorders declare their clock's rate, or none.
        if not 1 <= rate <= _FASTEST:
            container.seek(0)
            times = [float(one.pts * one.time_base) for one in container.demux(stream) if one.pts is not None]
            rate = (len(times) - 1) / (max(times) - min(times)) if len(set(times)) > 1 else 0
        if rate <= 0:
            raise InputError(f"{path} has no frame rate; convert it to .mp4 first.")
        return FilmFacts(rate, first.size, int(stream.frames or 0), hdr, begin)


def read_film(path: Path, *, limit: int | None = None) -> Generator[FilmFrame, None, None]:
    """The frames of a film, in order.

    Args:
        path: the film.
        limit: the maximum number of frames.

    Raises:
        InputError: it is missing, cannot be read, has no video, or is damaged after some frames.
    """
    import av

    frames = _decoded(path) if path.suffix.lower() in FILM_SUFFIXES else _composed(path)
    last, number = -1.0, 0
    with contextlib.closing(frames):
        while limit is None or number < limit:
            try:
                time, size, picture = next(frames)
            except StopIteration:
                break
            except (av.error.FFmpegError, ValueError) as error:
                if isinstance(error, InputError):
                    raise
                again = "copy or download it again"
                where = f"after {number} frames; {again}, or take those with --max-frames {number}"
                raise InputError(f"{path} is damaged {where if number else f'from its start; {again}'}.") from error
            if number == 0:
                _check_size(path, *size)
            # Two frames of one time, as some cameras write them, follow each other all the same.
            last = max(time, last + 1e-3)
            yield FilmFrame(number, last, size, picture)
            number += 1
    if not number:
        raise InputError(f"{path} has no frame; export it again as .mp4.")


@contextlib.contextmanager
def open_film(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open a film file, and nothing else: PyAV's container, and its first stream of moving pictures.

    Raises:
        InputError: it is missing, cannot be read, or has no video.
    """
    import av

    if not path.is_file():
        raise InputError(f"There is no film {path}.")
    try:
        # Without a protocol, the name 12:30.mp4 is one of the protocol 12.
        container = av.open(f"file:{path}", container_options=_OPTIONS)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise InputError(f"{path} is no film that can be read; convert it to .mp4 with H.264 first.") from error
    with container:
        covers = av.stream.Disposition.attached_pic
        streams = [
            one for one in container.streams.video if one.codec_context is not None and not one.disposition & covers
        ]
        if not streams:
            raise InputError(f"{path} shows no moving picture; give a film.")
        streams[0].thread_type = "AUTO"
        yield container, streams[0]


_Decoded = tuple[float, tuple[int, int], Callable[[], Image.Image]]


def _decoded(path: Path) -> Generator[_Decoded, None, None]:
    """The time, the size and the picture of each frame, by FFmpeg's libraries."""
    with open_film(path) as (container, stream):
        aspect = float(stream.sample_aspect_ratio or 1)
        hdr = HDR.get(stream.codec_context.color_trc, "")
        begin: float | None = None
        for number, frame in enumerate(container.decode(stream)):
            time = number / float(stream.average_rate or 25) if frame.pts is None else _time(frame)
            begin = time if begin is None else begin
            matrix = frame.side_data.get("DISPLAYMATRIX")
            transpose = None if matrix is None else _transpose(bytes(matrix))
            width, height = size = _in_square_pixels(frame.width, frame.height, aspect)
            upright = (height, width) if transpose in _ON_ITS_SIDE else size
            yield time - begin, upright, partial(_picture, frame, size, transpose, hdr)


def _in_square_pixels(width: int, height: int, aspect: float) -> tuple[int, int]:
    """A frame's size once its pixels, ``aspect`` times as wide as high, are stretched to squares."""
    if not 1 / _WIDEST <= aspect <= _WIDEST:
        return width, height
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def _picture(frame: Any, size: tuple[int, int], transpose: str | None, hdr: str) -> Image.Image:
    if hdr:
        pixels = to_sdr(frame.reformat(format="rgb48le").to_ndarray(), hdr)
    else:
        untagged = frame.colorspace == _UNKNOWN and frame.height >= _HD
        pixels = frame.reformat(format="rgb24", src_colorspace="ITU709" if untagged else None).to_ndarray()
    picture = Image.fromarray(pixels)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return picture if transpose is None else picture.transpose(Image.Transpose[transpose])


def _composed(path: Path) -> Generator[_Decoded, None, None]:
    """The same of an animated picture, by Pillow."""
    time = 0.0
    for seconds, picture in _animated(path):
        yield time, picture.size, picture.copy
        time += seconds


def _animated(path: Path) -> Generator[tuple[float, Image.Image], None, None]:
    """The frames of an animated picture, and for how many seconds each is shown."""
    with readable(path):
        with pixel_limit():
            image = Image.open(path, formats=_ANIMATED)
        with image:
            check_size(path, image.size)
            for number in range(getattr(image, "n_frames", 1)):
                image.seek(number)
                image.load()
                seconds = float(image.info.get("duration") or 0) / 1000
                picture = to_srgb(ImageOps.exif_transpose(image), image.format or "")
                # Browsers show a frame of one hundredth of a second or less for a tenth.
                yield seconds if seconds > _SHORTEST else 0.1, picture


def _time(frame: Any) -> float:
    return 0.0 if frame.pts is None else float(frame.pts * frame.time_base)


def _transpose(matrix: bytes) -> str | None:
    """How a frame is turned and mirrored to stand upright; None for not at all, or not by right angles."""
    turn = np.frombuffer(matrix, np.int32)[[0, 1, 3, 4]] / 65536
    return _TRANSPOSES.get(tuple(int(value) for value in np.rint(turn)))  # type: ignore[arg-type]


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE:
        raise InputError(f"{path} is {width}x{height} pixels; convert it to another size first.")
