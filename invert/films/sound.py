"""The sound of a film, copied into another as it is."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

_IN_MP4 = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac"})


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
            print(f"The sound of {film.name} ({name}) does not fit into .mp4 and is left out", file=sys.stderr)
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
