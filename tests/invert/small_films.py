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


def morphing(G: Generator, count: int, *, side: int = 64) -> list[Image.Image]:
    """What a generator draws on the way from one seed to another."""
    codes = G.sample([1, 2])
    return [
        to_picture(G.synthesize(codes[:1].lerp(codes[1:], i / max(1, count - 1))))[0].resize((side, side))
        for i in range(count)
    ]


def with_sound(film: Path, path: Path, seconds: float, *, codec: str = "aac") -> None:
    """The same film with a tone."""
    rate = 48_000
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
