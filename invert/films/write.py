"""Writing films frame by frame: MP4, GIF, WebP, or a folder of pictures, whole or not at all.

Frames are not kept in memory once they are written; WebP's encoder keeps them compressed.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_folder, atomic_path, check_writable
from stylegan_latents.invert.films.background import in_background
from stylegan_latents.invert.films.encoder import CODECS, Encoder, Frame

__all__ = ["Frame", "check_codec", "check_film", "write_film"]

_PNG, _FRAMES = "frame_{:05d}.png", "frame_*.png"
_GIF_FPS = 50  # its times are hundredths of a second, and players take one hundredth for ten


def check_film(
    path: Path,
    *,
    codec: str | None = None,
    overwrite: bool = False,
    fps: float | None = None,
    frames: str = _FRAMES,
) -> None:
    """Refuse, before the frames are made, a film that could not be written.

    Args:
        path: ``.mp4``, ``.gif``, ``.webp``, or a name without a suffix for a folder of PNG pictures.
        codec: the encoder, by FFmpeg's name; None for the format's own.
        overwrite: whether an existing film may be replaced, or the ``frames`` in a folder.
        fps: frames per second of evenly spaced frames.
        frames: pattern of the names of pictures in a folder.

    Raises:
        InputError: the suffix is unknown, the encoder is missing, the path exists, its folder cannot be written,
            or the frame rate is not between 1 and 120, or is above 50 for a GIF.
    """
    if fps is not None and not 1 <= fps <= 120:
        raise InputError(f"A film has 1 to 120 frames a second, not {fps:g}.")
    kind = path.suffix.lower()
    if kind == ".gif" and fps is not None and fps > _GIF_FPS:
        raise InputError(
            f"A GIF has up to {_GIF_FPS} frames a second, as browsers slow down faster ones; write a .webp or an "
            ".mp4, or take a smaller --fps."
        )
    if kind not in (*CODECS, ""):
        raise InputError(
            f"Cannot write a film to {path}: end the name with {', '.join(CODECS)}, or give a folder's name "
            "for single pictures."
        )
    check_writable(path.parent)
    if kind:
        check_codec(codec or CODECS[kind])
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
    if entries and not (overwrite and all(entry.match(frames) for entry in entries)):
        raise InputError(f"The folder {path} is not empty; give a new folder for the frames.")


def check_codec(name: str) -> None:
    """Raise InputError if there is no video encoder of this name."""
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
    """Give a function that writes the next frame; the film is there when the block ends without an error.

    Frames are encoded on another thread. When the block fails, also by Ctrl-C, nothing is left of the film, and a
    film that was there before is kept.

    Args:
        path, codec, overwrite: as in ``check_film``.
        fps: frames per second.
        times: when each frame begins, in seconds, if they are not evenly spaced.
        sound: a film whose sound is copied into an ``.mp4``, up to its last frame.

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
        encoder = Encoder(temporary, codec, fps, times, sound if kind == ".mp4" else None)
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
        """Do nothing: no file is open between two frames."""
