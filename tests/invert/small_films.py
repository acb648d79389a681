"""Films of a few small frames, made here."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.films.write import write_film
from stylegan_latents.invert.photos.files import to_picture

RATE = 48_000  # of sound


def save_film(path: Path, pictures: Sequence[Image.Image], *, fps: float = 10.0) -> None:
    """A film of these pictures, nearly without loss for its size."""
    with write_film(path, fps=fps, overwrite=True) as write:
        for picture in pictures:
            write(np.asarray(picture))


def encode(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    turn: tuple[int, bool] = (0, False),
    aspect: Fraction = Fraction(1),
    transfer: int | None = None,
) -> None:
    """A film of these pixels as a camera writes it.

    Args:
        turn: the display matrix: degrees anticlockwise, and whether it mirrors.
        aspect: how many times as wide as high a pixel is.
        transfer: FFmpeg's number of the transfer function; 18 is HLG's.
    """
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.codec_context.sample_aspect_ratio = "yuv420p", aspect
        if transfer is not None:
            stream.codec_context.color_trc = transfer
        if turn != (0, False):
            stream.set_display_rotation(turn[0], hflip=turn[1])
        for pixels in frames:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        film.mux(stream.encode(None))


def flash_and_beep(path: Path, *, offset: float = 0.0, late: float = 0.0) -> None:
    """Two seconds with a white frame and a beep at second 1; timestamps begin at ``offset``, frames at ``late``."""
    ticks, packets = Fraction(1, 90_000), []
    with av.open(str(path), "w", format="mpegts" if path.suffix == ".mts" else None) as film:
        video = film.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt, video.time_base = 96, 80, "yuv420p", ticks
        audio = film.add_stream("aac", rate=RATE, layout="mono")
        for number in range(round(25 * late), 50):
            frame = av.VideoFrame.from_ndarray(np.full((80, 96, 3), 255 * (number == 25), np.uint8), format="rgb24")
            frame.pts, frame.time_base = round((number / 25 + offset) * 90_000), ticks
            packets += video.encode(frame)
        tone = np.zeros(2 * RATE, np.float32)
        tone[RATE : RATE + 1920] = 0.8 * np.sin(np.arange(1920) / 8)
        for start in range(0, len(tone), 1024):
            sound = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], "fltp", "mono")
            sound.sample_rate, sound.pts, sound.time_base = RATE, start + round(offset * RATE), Fraction(1, RATE)
            packets += audio.encode(sound)
        packets += [*video.encode(None), *audio.encode(None)]
        for packet in sorted(packets, key=lambda packet: float((packet.dts or 0) * packet.time_base)):
            film.mux(packet)


def times_of_flash_and_beep(path: Path) -> tuple[float, float]:
    """When the flash and the beep of a film begin."""
    with av.open(str(path)) as film:
        flash = next(f.time for f in film.decode(video=0) if f.to_ndarray(format="gray").mean() > 100)
    with av.open(str(path)) as film:
        for frame in film.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.1)
            if len(loud) and frame.time is not None:
                return float(flash or 0), frame.time + loud[0] / RATE
    raise AssertionError("nothing is heard")


def morphing(G: Generator, count: int, *, side: int = 64) -> list[Image.Image]:
    """What a generator draws on the way from one seed to another."""
    codes = G.sample([1, 2])
    return [
        to_picture(G.synthesize(codes[:1].lerp(codes[1:], i / max(1, count - 1))))[0].resize((side, side))
        for i in range(count)
    ]


def with_sound(film: Path, path: Path, seconds: float, *, codec: str = "aac") -> None:
    """The same film with a tone."""
    rate = RATE
    with av.open(str(film)) as source, av.open(str(path), "w") as target:
        video = target.add_stream_from_template(source.streams.video[0])
        audio = target.add_stream(codec, rate=rate)
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = video
                target.mux(packet)
        tone = 0.2 * np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * 440 / rate)
        for start in range(0, len(tone), 1024):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024].astype(np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = rate, start
            target.mux(audio.encode(frame))
        target.mux(audio.encode(None))
