"""Writing films frame by frame: MP4, GIF, WebP, or a folder of pictures, whole or not at all.

No frame is kept once it is written, except for what WebP's own encoder holds in its compressed form.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_folder, atomic_path, check_writable
from stylegan_latents.invert.films.background import in_background
from stylegan_latents.invert.films.read import CopiedSound

if TYPE_CHECKING:
    from av.container import OutputContainer


Frame = npt.NDArray[np.uint8]
"""uint8 ``[H, W, 3]``, RGB."""

SUFFIXES = (".mp4", ".gif", ".webp")
_CODECS = {".mp4": "libx264", ".gif": "gif", ".webp": "libwebp_anim"}
_PIXELS = {"libx264": "yuv420p", "libx265": "yuv420p", "gif": "pal8", "libwebp_anim": "yuv420p"}
_FRAMES = "frame_*.png"

_OPTIONS = {
    # Visually lossless at a third of the slower presets' time; the index at the front lets browsers start at once.
    "libx264": {"preset": "veryfast", "crf": "16"},
    "libx265": {"preset": "fast", "crf": "20"},
    "libwebp_anim": {"quality": "85", "compression_level": "2", "loop": "0"},
}

_PNG = "frame_{:05d}.png"
_TICKS = 90_000  # a second, where times are given
_HD, _LIMITED = 720, 1
_GIF_FPS = 50  # its times are hundredths of a second, and players take one hundredth for ten


def check_film(path: Path, *, codec: str | None = None, overwrite: bool = False, fps: float | None = None) -> None:
    """Refuse, before the work, a film that could not be written after it.

    Args:
        path: ``.mp4``, ``.gif``, ``.webp``, or a name without a suffix for a folder of PNG pictures.
        codec: the encoder, by FFmpeg's name; None for the format's own.
        overwrite: whether an existing film may be replaced; of a folder, only frames written by this module are.
        fps: frames a second, where they are evenly spaced.

    Raises:
        InputError: the suffix is not known, the encoder is not there, something is in the way, the folder may not
            be written, or the frame rate is not between 1 and 120, or is above 50 for a GIF.
    """
    if fps is not None and not 1 <= fps <= 120:
        raise InputError(f"A film has 1 to 120 frames a second, not {fps:g}.")
    kind = path.suffix.lower()
    if kind == ".gif" and fps is not None and fps > _GIF_FPS:
        raise InputError(
            f"A GIF has up to {_GIF_FPS} frames a second, as browsers slow down faster ones; write a .webp or an "
            ".mp4, or take a smaller --fps."
        )
    if kind not in (*SUFFIXES, ""):
        raise InputError(
            f"Cannot write a film to {path}: end the name with {', '.join(SUFFIXES)}, or give a folder's name "
            "for single pictures."
        )
    check_writable(path.parent)
    if kind:
        check_codec(codec or _CODECS[kind])
        if path.is_dir():
            raise InputError(f"Cannot write {path}: it is a folder.")
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists already; add --overwrite to replace it, or name another with --out.")
        return
    if codec is not None:
        raise InputError(f"A codec is for films, and {path} is a folder of pictures; leave out --codec.")
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"Cannot write frames to {path}: it is a file; end the name with .mp4, .gif or .webp.")
    entries = list(path.iterdir())
    frames = [entry for entry in entries if _is_frame(entry)]
    if entries and (not overwrite or len(frames) < len(entries)):
        raise InputError(f"The folder {path} is not empty; give a new folder for the frames.")


def check_codec(name: str) -> None:
    """Raise InputError where there is no video encoder of this name on this machine."""
    import av
    from av.codec.codec import UnknownCodecError

    try:
        kind = av.codec.Codec(name, "w").type
    except UnknownCodecError as error:
        raise InputError(
            f"There is no video encoder '{name}' on this machine; leave out --codec, or write a .gif or a folder "
            "of pictures."
        ) from error
    if kind != "video":
        raise InputError(f"'{name}' encodes {kind}, not video; leave out --codec.")


@contextlib.contextmanager
def write_film(
    path: Path,
    *,
    fps: float,
    codec: str | None = None,
    overwrite: bool = False,
    times: Sequence[float] | None = None,
    sound: Path | None = None,
) -> Iterator[Callable[[Frame], None]]:
    """Give a function that takes one frame after the other; a block without an error ends with the film.

    Frames are encoded on another thread, of which at most a few are waiting. When the block fails, also by Ctrl-C,
    nothing is left of the film, and what was there before stays.

    Args:
        path, codec, overwrite: as in ``check_film``.
        fps: frames a second.
        times: when each frame begins, in seconds, for a film whose frames are not evenly spaced.
        sound: a film whose sound is copied as far as this one goes, into an ``.mp4``.

    Raises:
        InputError: as ``check_film``; the encoder refuses the frames; or the film cannot be written.
    """
    check_film(path, codec=codec, overwrite=overwrite, fps=fps if times is None else None)
    if not path.suffix:
        with atomic_folder(path, _FRAMES) as folder, in_background(_Pictures(folder)) as write:
            yield write
        return
    kind = path.suffix.lower()
    with atomic_path(path, overwrite=overwrite) as temporary:
        encoder = _Encoder(temporary, codec or _CODECS[kind], fps, times, sound if kind == ".mp4" else None)
        with in_background(encoder) as write:
            yield write


class _Pictures:
    """Numbered PNG files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def __call__(self, frame: Frame) -> None:
        from PIL import Image

        Image.fromarray(frame).save(self.folder / _PNG.format(self.count), compress_level=3)
        self.count += 1

    def close(self) -> None:
        """Nothing is open between two frames."""


class _Encoder:
    """One film in one file, by FFmpeg's libraries; opened at the first frame, which says its size."""

    def __init__(
        self, path: Path, codec: str, fps: float, times: Sequence[float] | None = None, sound: Path | None = None
    ) -> None:
        # Such as 30000/1001.
        self.path, self.codec, self.fps = path, codec, Fraction(fps).limit_denominator(1001)
        self.time_base = 1 / self.fps if times is None else Fraction(1, _TICKS)
        self.times, self.sound_of = times, sound
        self.sound: CopiedSound | None = None
        self.container: OutputContainer | None = None
        self.stream: Any = None
        self.palettes: Any = None
        self.count = 0

    def __call__(self, frame: Frame) -> None:
        import av

        with self._said():
            if self.container is None:
                self._open(frame)
            picture = self._in_its_colours(av.VideoFrame.from_ndarray(frame, format="rgb24"))
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
        """Write what the encoder still holds, and the file's end."""
        if self.container is None:
            raise InputError("A film needs a frame at least.")
        with self._said():
            self._encode(None)
            if self.sound is not None:
                last = self.count - 1 if self.times is None else round(self.times[self.count - 1] * _TICKS)
                self.sound.copy(float(last * self.time_base + 1 / self.fps))
                self.sound.close()
            self.container.close()

    def _open(self, frame: Frame) -> None:
        import av

        options = {"movflags": "faststart"} if self.path.suffix.lower() == ".mp4" else {}
        container = av.open(str(self.path), "w", options={**options, "loop": "0"} if self._loops else options)
        self.container = container
        stream: Any = container.add_stream(self.codec, rate=self.fps, options=_OPTIONS.get(self.codec, {}))
        stream.height, stream.width = frame.shape[:2]
        stream.pix_fmt = _PIXELS.get(self.codec, stream.codec_context.codec.video_formats[0].name)
        stream.time_base = self.time_base
        self.stream = stream
        if self._has_colours:
            # Said aloud: players take what says nothing for one or the other by its height.
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = self._colours[0]
            context.color_range = _LIMITED
        if self.sound_of is not None:
            self.sound = CopiedSound.of(self.sound_of, container)
        if stream.pix_fmt == "pal8":
            self.palettes = palettes(stream.width, stream.height, 1 / self.fps)

    @property
    def _loops(self) -> bool:
        return self.path.suffix.lower() in (".gif", ".webp")

    @property
    def _has_colours(self) -> bool:
        return bool(self.stream.pix_fmt.startswith("yuv")) and self.path.suffix.lower() == ".mp4"

    @property
    def _colours(self) -> tuple[int, str]:
        """BT.709's number and name, or for small pictures those of BT.601, as players expect."""
        return (1, "ITU709") if self.stream.height >= _HD else (6, "ITU601")

    def _in_its_colours(self, picture: Any) -> Any:
        if not self._has_colours:
            return picture
        return picture.reformat(format=self.stream.pix_fmt, dst_colorspace=self._colours[1], dst_color_range="MPEG")

    def _encode(self, picture: Any) -> None:
        container = self.container
        assert container is not None
        for packet in self.stream.encode(picture):
            container.mux(packet)

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """FFmpeg's refusals in a sentence; what the operating system refused goes on as it is."""
        import av

        try:
            yield
        # PyAV raises the first for a format that does not take the codec, the second for what FFmpeg refuses.
        except (ValueError, av.error.FFmpegError) as error:
            if isinstance(error, OSError) and not isinstance(error, ValueError):
                raise
            raise InputError(
                f"The encoder '{self.codec}' cannot write {self.path.suffix} ({error}); leave out --codec."
            ) from error


def _is_frame(path: Path) -> bool:
    return path.match(_FRAMES)


def palettes(width: int, height: int, time_base: Fraction) -> Any:
    """A filter that gives every frame its own 256 colours: one frame in, one frame out."""
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
