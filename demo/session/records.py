"""Records kept open for a while: opening one again takes milliseconds, but tuned weights take memory."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.generator import Generator

MOST_PLAIN, MOST_TUNED = 256, 4


class Records:
    """Opens records with a generator, and keeps those open that were asked for last.

    Args:
        G: for full resolution.
        preview_G: for previews.
    """

    def __init__(self, G: "Generator", preview_G: "Generator") -> None:
        self._G, self._preview_G = G, preview_G
        self._plain: OrderedDict[Path, tuple[OpenRecord, OpenRecord]] = OrderedDict()
        self._tuned: OrderedDict[Path, tuple[OpenRecord, OpenRecord]] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, path: Path) -> "tuple[OpenRecord, OpenRecord]":
        """A record with the generator, and with the one for previews.

        Raises:
            InputError: it cannot be read, or belongs to another model.
        """
        from stylegan_latents.editing.records.opened import OpenRecord

        with self._lock:
            for kept in (self._plain, self._tuned):
                if path in kept:
                    kept.move_to_end(path)
                    return kept[path]
        pair = OpenRecord(path, generator=self._G), OpenRecord(path, generator=self._preview_G)
        inversion = pair[0].inversion
        inversion.for_generator(self._G)
        with self._lock:
            kept, most = (self._plain, MOST_PLAIN) if inversion.weights is None else (self._tuned, MOST_TUNED)
            kept[path] = pair
            while len(kept) > most:
                kept.popitem(last=False)
        return pair

    def forget(self, folder: Path) -> None:
        """Close what lies in a folder that is deleted."""
        with self._lock:
            for kept in (self._plain, self._tuned):
                for path in [path for path in kept if path.is_relative_to(folder)]:
                    del kept[path]
