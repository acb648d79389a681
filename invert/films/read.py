"""Reading films: their frames, upright and in their colours, and their sound, to be copied as it is."""

import contextlib
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.photos.files import MAX_PIXELS, MIN_SIDE

if TYPE_CHECKING:
    from PIL import Image

FILM_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".3gp"}
)
"""What names of films end with. GIF, WebP and APNG are read as photos: their first picture."""

_IN_MP4 = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac"})
_HD = 720  # from this height on, a film that does not say is in BT.709's colours, as players take it
_UNKNOWN = 2  # FFmpeg's number of colours that are not told


def is_film(path: Path) -> bool:
    """Whether a file is a film, by its name."""
    return path.suffix.lower() in FILM_SUFFIXES


@dataclass(frozen=True)
class FilmFacts:
    """What a film says of itself.

    Attributes:
        rate: frames a second, on average.
        size: (width, height) of its upright frames.
        count: of its frames, as far as it says; 0 where it does not.
    """

    rate: float
    size: tuple[int, int]
    count: int = 0


class FilmFrame:
    """One frame, whose picture is made when it is asked for.

    Attributes:
        number: counted from 0.
        time: when it begins, in seconds from the first.
    """

    def __init__(self, number: int, time: float, frame: Any) -> None:
        self.number, self.time, self._frame = number, time, frame

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the upright picture."""
        frame = self._frame
        return (frame.height, frame.width) if frame.rotation % 180 else (frame.width, frame.height)

    def picture(self) -> "Image.Image":
        """The frame, upright: RGB with 8 bits a channel."""
        from PIL import Image

        frame = self._frame
        untagged = frame.colorspace == _UNKNOWN and frame.height >= _HD
        rgb = frame.reformat(format="rgb24", src_colorspace="ITU709" if untagged else None)
        picture = Image.fromarray(rgb.to_ndarray())
        # The frame's own rotation is anticlockwise, as Pillow's is.
        return picture.rotate(frame.rotation, expand=True) if frame.rotation % 360 else picture


def film_facts(path: Path) -> FilmFacts:
    """Look at a film.

    Raises:
        InputError: it is missing, cannot be read, or shows no moving picture.
    """
    with contextlib.closing(read_film(path, limit=1)) as frames:
        first = next(frames)
    with _opened(path) as (_, stream):
        rate, count = stream.average_rate or stream.guessed_rate, int(stream.frames or 0)
    if not rate or rate <= 0:
        raise InputError(f"{path} does not say how many frames it has a second; convert it to .mp4 first.")
    return FilmFacts(float(rate), first.size, count)


def read_film(path: Path, *, limit: int | None = None) -> Generator[FilmFrame, None, None]:
    """The frames of a film, in order.

    Args:
        path: the film.
        limit: at most so many.

    Raises:
        InputError: it is missing, cannot be read, shows no moving picture, or is damaged after some frames.
    """
    import av

    number, begin, last = 0, None, -1.0
    with _opened(path) as (container, stream):
        decoded = container.decode(stream)
        while limit is None or number < limit:
            try:
                frame = next(decoded)
            except StopIteration:
                break
            except (av.error.FFmpegError, ValueError) as error:
                again = "copy or download it again"
                where = f"after {number} frames; {again}, or take those by --max-frames {number}"
                raise InputError(f"{path} is damaged {where if number else f'from its start; {again}'}.") from error
            time = (
                float(frame.pts * frame.time_base) if frame.pts is not None else number / float(stream.average_rate)
            )
            begin = time if begin is None else begin
            # Two frames at one time, as some cameras write, follow each other all the same.
            last = max(time - begin, last + 1e-3)
            if number == 0:
                _check_size(path, frame.width, frame.height)
            yield FilmFrame(number, last, frame)
            number += 1
    if not number:
        raise InputError(f"{path} holds no frame; export it again as .mp4.")


class CopiedSound:
    """Packets of one film's first sound track on their way into another, in step with its frames."""

    def __init__(self, source: Any, track: Any, container: Any) -> None:
        self._source, self._container = source, container
        self._stream = container.add_stream_from_template(track)
        self._packets: Iterator[Any] = source.demux(track)
        self._begin = float(source.start_time or 0) / 1e6
        self._next: Any = None

    @classmethod
    def of(cls, film: Path, container: Any) -> Self | None:
        """The sound of a film, to be copied into an MP4 that is being written; None where there is none to copy.

        What cannot be copied is said on stderr.
        """
        import av

        source = av.open(str(film))
        track = next(iter(source.streams.audio), None)
        if track is not None and track.codec_context.name in _IN_MP4:
            return cls(source, track, container)
        if track is not None:
            name = track.codec_context.name
            told = f"The sound of {film.name} ({name}) does not fit into .mp4 and is left out"
            print(printable(told), file=sys.stderr)
        source.close()
        return None

    def copy(self, until: float) -> None:
        """Copy what begins before a time, in seconds from the film's first frame."""
        while True:
            if self._next is None:
                self._next = next(self._packets, None)
            packet = self._next
            # The last packet of a track is an empty one without a time.
            if packet is None or packet.dts is None:
                return
            if packet.pts is not None and float(packet.pts * packet.time_base) - self._begin >= until:
                return
            self._next = None
            packet.stream = self._stream
            self._container.mux(packet)

    def close(self) -> None:
        """Leave the film that was read."""
        self._source.close()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    import av

    if not path.is_file():
        raise InputError(f"There is no film {path}.")
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise InputError(f"{path} is no film that can be read; convert it to .mp4 with H.264 first.") from error
    with container:
        streams = [one for one in container.streams.video if one.codec_context is not None]
        if not streams:
            raise InputError(f"{path} shows no moving picture; give a film.")
        streams[0].thread_type = "AUTO"
        yield container, streams[0]


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE:
        raise InputError(f"{path} is {width}x{height} pixels; convert it to another size first.")
