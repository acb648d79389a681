"""One film in one file, encoded by FFmpeg's libraries: MP4, GIF or WebP."""

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.sound import CopiedSound

if TYPE_CHECKING:
    from av.container import OutputContainer

Frame = npt.NDArray[np.uint8]
"""uint8 ``[H, W, 3]``, RGB."""

CODECS = {".mp4": "libx264", ".gif": "gif", ".webp": "libwebp_anim"}
"""The encoder of each suffix, by FFmpeg's name."""

_PIXELS = {"libx264": "yuv420p", "libx265": "yuv420p", "gif": "pal8", "libwebp_anim": "yuv420p"}
_OPTIONS = {
    # Visually lossless at a third of the slower presets' time; the index at the front lets browsers start at once.
    "libx264": {"preset": "veryfast", "crf": "16"},
    "libx265": {"preset": "fast", "crf": "20"},
    "libwebp_anim": {"quality": "85", "compression_level": "2", "loop": "0"},
}
_TICKS = 90_000  # per second, for frames that are not evenly spaced
_HD, _LIMITED = 720, 1


class Encoder:
    """Writes frames to a file that is opened at the first one, which has the film's size.

    Args:
        path, fps, times, sound: as in ``write_film``; ``path`` ends with ``.mp4``, ``.gif`` or ``.webp``.
        codec: the encoder, by FFmpeg's name; None for the format's own.
        file: written in place of ``path``, whose suffix then gives the format.
    """

    def __init__(
        self,
        path: Path,
        codec: str | None,
        fps: float,
        times: Sequence[float] | None = None,
        sound: Path | None = None,
        file: BinaryIO | None = None,
    ) -> None:
        self.path, self._file, self._chosen = path, file, codec is not None
        self.codec = codec or CODECS[path.suffix.lower()]
        self.fps = Fraction(fps).limit_denominator(1001)  # such as 30000/1001
        self.time_base = 1 / self.fps if times is None else Fraction(1, _TICKS)
        self.times, self.sound_of = times, sound
        self.sound: CopiedSound | None = None
        self.container: OutputContainer | None = None
        self.stream: Any = None
        self.palettes: Any = None
        self.count = 0

    def __call__(self, frame: Frame) -> None:
        import av

        with self._errors_in_words():
            if self.path.suffix.lower() == ".mp4":
                # Players take H.264 of even sides only: an odd one is lengthened by its last row or column.
                frame = np.pad(frame, [(0, side % 2) for side in frame.shape[:2]] + [(0, 0)], mode="edge")
            if self.container is None:
                self._open(*frame.shape[:2])
            picture = self._in_its_colour_space(av.VideoFrame.from_ndarray(frame, format="rgb24"))
            time = self.count if self.times is None else round(self.times[self.count] * _TICKS)
            picture.pts, picture.time_base = time, self.time_base
            self.count += 1
            if self.sound is not None:
                self.sound.copy(float(time * self.time_base))
            if self.palettes is None:
                self._encode(picture)
            else:
                self.palettes.vpush(picture)
                self._encode(self.palettes.vpull())

    def close(self) -> None:
        """Write the remaining packets and the end of the file."""
        if self.container is None:
            raise InputError("A film needs a frame at least.")
        with self._errors_in_words():
            self._encode(None)
            if self.sound is not None:
                last = self.count - 1 if self.times is None else round(self.times[self.count - 1] * _TICKS)
                self.sound.copy(float(last * self.time_base + 1 / self.fps))
                self.sound.close()
            self.container.close()

    def _open(self, height: int, width: int) -> None:
        import av

        kind = self.path.suffix.lower()
        # The index is moved to the front in a second pass, which reads the file by its name.
        options = {"movflags": "faststart"} if kind == ".mp4" and self._file is None else {}
        container = av.open(
            self._file or f"file:{self.path}",
            "w",
            format=kind[1:],
            options={**options, "loop": "0"} if self._loops else options,
        )
        self.container = container
        stream: Any = container.add_stream(self.codec, rate=self.fps, options=_OPTIONS.get(self.codec, {}))
        stream.height, stream.width = height, width
        stream.pix_fmt = _PIXELS.get(self.codec, stream.codec_context.codec.video_formats[0].name)
        stream.time_base = self.time_base
        self.stream = stream
        if self._is_yuv:
            # Players guess the colour space of a film that has no tag from its height.
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = self._colour_space[0]
            context.color_range = _LIMITED
        if self.sound_of is not None:
            self.sound = CopiedSound.of(self.sound_of, container)
        if stream.pix_fmt == "pal8":
            self.palettes = _palettes(stream.width, stream.height, 1 / self.fps)

    @property
    def _loops(self) -> bool:
        return self.path.suffix.lower() in (".gif", ".webp")

    @property
    def _is_yuv(self) -> bool:
        return bool(self.stream.pix_fmt.startswith("yuv")) and self.path.suffix.lower() == ".mp4"

    @property
    def _colour_space(self) -> tuple[int, str]:
        """FFmpeg's number and PyAV's name: BT.709, or BT.601 below 720 lines, as players expect."""
        return (1, "ITU709") if self.stream.height >= _HD else (6, "ITU601")

    def _in_its_colour_space(self, picture: Any) -> Any:
        if not self._is_yuv:
            return picture
        return picture.reformat(
            format=self.stream.pix_fmt, dst_colorspace=self._colour_space[1], dst_color_range="MPEG"
        )

    def _encode(self, picture: Any) -> None:
        container = self.container
        assert container is not None
        for packet in self.stream.encode(picture):
            container.mux(packet)

    @contextlib.contextmanager
    def _errors_in_words(self) -> Iterator[None]:
        """One InputError for FFmpeg's errors; those of the operating system are raised as they are."""
        import av

        try:
            yield
        # PyAV raises the first for a format that does not take the codec, the second for what FFmpeg refuses.
        except (ValueError, av.error.FFmpegError) as error:
            if isinstance(error, InputError) or (isinstance(error, OSError) and not isinstance(error, ValueError)):
                raise
            remedy = "leave out --codec" if self._chosen else "make the film smaller"
            raise InputError(
                f"The encoder '{self.codec}' cannot write {self.path.suffix} ({error}); {remedy}."
            ) from error


def _palettes(width: int, height: int, time_base: Fraction) -> Any:
    """A filter that gives each frame a palette of its own: one frame in, one frame out."""
    import av

    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgb24"), time_base=time_base)
    split = graph.add("split")
    make = graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
    use = graph.add("paletteuse", "new=1:dither=sierra2_4a")
    sink = graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(make, 1, 0)
    make.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph
