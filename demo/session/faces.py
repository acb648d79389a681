"""The faces of visits: their records, a cache of opened records, and the history of edits."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.editing.regions.regions import Mask
    from stylegan_latents.generator.generator import Generator

Strengths = dict[str, float]
"""Strengths other than 0 by the directions' names."""

_LONGEST_HISTORY = 200


class History:
    """The undo history of one face's edits; it starts without any."""

    def __init__(self) -> None:
        self._states: list[Strengths] = [{}]
        self._position = 0
        self._moved: Strengths = {}
        self._left: list[Strengths] = []

    @property
    def current(self) -> Strengths:
        """The edits of the last step."""
        return dict(self._states[self._position])

    @property
    def moving(self) -> Strengths:
        """The edits of the last step with the sliders moved since."""
        strengths = self._states[self._position] | self._moved
        return {name: strength for name, strength in strengths.items() if strength}

    def move(self, name: str, strength: float) -> None:
        """Note one slider's position until the next step."""
        self._moved[name] = strength
        self._left = []

    @property
    def can_undo(self) -> bool:
        return self._position > 0

    @property
    def can_redo(self) -> bool:
        return self._position < len(self._states) - 1

    def push(self, strengths: Strengths) -> None:
        """Add a step after the current one, if it changes anything; undone steps are dropped.

        Until a slider moves, edits that ``undo``, ``redo`` or ``reset`` left are no step: their drawing came late.
        """
        self._moved = {}
        changed = {name: strength for name, strength in strengths.items() if strength}
        if changed in (self._states[self._position], *self._left):
            return
        self._left = []
        self._states[self._position + 1 :] = [changed]
        del self._states[:-_LONGEST_HISTORY]
        self._position = len(self._states) - 1

    def undo(self) -> Strengths:
        """Go one step back, if there is one; sliders moved since the last step are a step of their own."""
        self._leave(max(0, self._step() - 1))
        return self.current

    def redo(self) -> Strengths:
        """Go one step forward, if there is one."""
        self._leave(min(len(self._states) - 1, self._step() + 1))
        return self.current

    def reset(self) -> None:
        """Add a step without edits."""
        self._step()
        left, self._left = self.current, []
        self.push({})
        self._left = [left]

    def _step(self) -> int:
        """Make a step of sliders moved since the last one; its position."""
        if self._moved:
            self.push(self.moving)
        return self._position

    def _leave(self, position: int) -> None:
        if position != self._position:
            self._left.append(self.current)
            self._position = position


MOST_PLAIN, MOST_TUNED = 256, 4


class Records:
    """Opens records, and keeps those used last open.

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
        """The record with the generator, and with the one for previews.

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
        """Close the records in a folder."""
        with self._lock:
            for kept in (self._plain, self._tuned):
                for path in [path for path in kept if path.is_relative_to(folder)]:
                    del kept[path]


@dataclass(eq=False)
class Regions:
    """What of a picture edits change.

    Attributes:
        chosen: names of regions or files of masks; the whole picture changes if empty.
        masks: in a preview, by the regions that they are of, once they were made.
    """

    chosen: tuple[str, ...] = ()
    masks: "dict[tuple[str, ...], Mask]" = field(default_factory=dict)

    def choose(self, chosen: Sequence[str]) -> None:
        """Limit edits to these from now on."""
        self.chosen, self.masks = tuple(chosen), {}


@dataclass(frozen=True, eq=False)
class Face:
    """A face of a visit.

    Attributes:
        name: unique in the visit.
        path: the record's file.
        records: opens it.
        before: a picture of the unedited face in preview size.
        photo: the photo that it was found in, for pasting back, if any.
        made_by: the command line that makes the record; empty for an uploaded one.
        history: the edits made on the tab Edit.
        regions: of the picture, to which these edits are limited.
    """

    name: str
    path: Path
    records: Records
    before: Path
    photo: Path | None = None
    made_by: str = ""
    history: History = field(default_factory=History)
    regions: Regions = field(default_factory=Regions)

    @property
    def record(self) -> "OpenRecord":
        """Opened with the studio's generator, for full resolution."""
        return self.records.open(self.path)[0]

    @property
    def preview(self) -> "OpenRecord":
        """Opened with the generator for previews."""
        return self.records.open(self.path)[1]
