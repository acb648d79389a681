"""The sound of one film, copied into another without being encoded again."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from stylegan_latents.generator.files import printable
from stylegan_latents.invert.films.read import FILM_SUFFIXES, film_facts, open_film

_IN_MP4 = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac"})


class CopiedSound:
    """Packets of a film's first sound track on their way into another film, in step with its frames.

    Args:
        source, track: the film and its track, by PyAV.
        container: the film that is being written.
        begin: timestamp of the source's first frame, in seconds, which is 0 in the film that is written.
        opened: closes the source.
    """

    def __init__(self, source: Any, track: Any, container: Any, begin: float, opened: contextlib.ExitStack) -> None:
        self._container, self._begin, self._opened = container, begin, opened
        self._stream = container.add_stream_from_template(track)
        self._packets: Iterator[Any] = source.demux(track)
        self._next: Any = None

    @classmethod
    def of(cls, film: Path, container: Any) -> Self | None:
        """The sound of a film, to be copied into an MP4 that is being written; None if there is none to copy.

        Sound that MP4 cannot hold is reported on stderr.
        """
        if film.suffix.lower() not in FILM_SUFFIXES:
            return None
        begin = film_facts(film).begin
        with contextlib.ExitStack() as opened:
            source, _ = opened.enter_context(open_film(film))
            track = next(iter(source.streams.audio), None)
            if track is None:
                return None
            if track.codec_context.name in _IN_MP4:
                return cls(source, track, container, begin, opened.pop_all())
            name = track.codec_context.name
            sentence = f"The sound of {film.name} ({name}) does not fit into .mp4 and is left out"
            print(printable(sentence), file=sys.stderr)
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
            begin = float((packet.dts if packet.pts is None else packet.pts) * packet.time_base) - self._begin
            if begin >= until:
                return
            self._next = None
            # A decoder needs the packet before the first that is heard; MP4 hides what lies before time 0.
            if begin + 2 * float((packet.duration or 0) * packet.time_base) <= 0:
                continue
            shift = round(self._begin / packet.time_base)
            packet.dts -= shift
            packet.pts = packet.dts if packet.pts is None else packet.pts - shift
            packet.stream = self._stream
            self._container.mux(packet)

    def close(self) -> None:
        """Close the film that was read."""
        self._opened.close()
