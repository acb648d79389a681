"""Checkpoints of a film's inversion, from which an interrupted run continues."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le, Len

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.reading.files import read_regular
from stylegan_latents.generator.reading.headers import STRICT, parse_json, validated
from stylegan_latents.invert.films.crop_path import CropPath
from stylegan_latents.invert.record.files import RECORD_SUFFIX

if TYPE_CHECKING:
    from stylegan_latents.invert.record.inversion import Inversion

PARTS_SUFFIX = ".inversion.parts"
"""Suffix of the folder of checkpoints."""

_LARGEST_PLAN = 1 << 28
_PLAN, _PART = "plan.json", "frame_{:06d}" + RECORD_SUFFIX


_Place = Annotated[float, Ge(-1e10), Le(1e10)]
_Index = Annotated[int, Ge(0), Le(1 << 40)]


@dataclass(frozen=True)
class _Plan:
    """The planned crops; see ``CropPath``."""

    __pydantic_config__: ClassVar[Any] = STRICT
    key: Any
    times: list[float]
    frames: list[_Index]
    quads: list[Annotated[list[tuple[_Place, _Place]], Len(4, 4)]]
    seen: list[bool]
    scenes: list[tuple[_Index, _Index]]


class FilmParts:
    """The folder of a film's checkpoints: the planned crops, and the record of each finished frame.

    Args:
        folder: made at the first write.
        key: the film and the settings of the run; checkpoints of another key are not read.
    """

    def __init__(self, folder: Path, key: dict[str, JSON]) -> None:
        self.folder, self._key = folder, key
        self._plan = self._read_plan()

    def check(self, *, overwrite: bool) -> None:
        """Remove the checkpoints of a run of another key.

        Raises:
            InputError: there are some, and ``overwrite`` is not set.
        """
        if self._plan is not None or not self.folder.exists():
            return
        if not overwrite and any(self.folder.iterdir()):
            raise InputError(
                f"{self.folder} holds a run with other settings that was not finished; repeat that one, or add "
                "--overwrite to drop it."
            )
        self.remove()

    @property
    def exist(self) -> bool:
        """Whether there are checkpoints of this run."""
        return self._plan is not None

    def plan(self) -> tuple[CropPath, list[float]] | None:
        """The crops, and the times of all frames; None if they are not planned yet."""
        if self._plan is None:
            return None
        plan = self._plan
        quads = np.array(plan["quads"], dtype=np.float64).reshape(-1, 4, 2)
        scenes = [slice(*ends) for ends in plan["scenes"]]
        return CropPath(plan["frames"], quads, plan["seen"], scenes), plan["times"]

    def save_plan(self, path: CropPath, times: list[float]) -> None:
        """Save the crops and the times of all frames.

        Raises:
            InputError: they cannot be written.
        """
        self._plan = {
            "key": self._key,
            "times": times,
            "frames": path.frames,
            "quads": path.quads.tolist(),
            "seen": path.seen,
            "scenes": [[scene.start, scene.stop] for scene in path.scenes],
        }
        with atomic_path(self.folder / _PLAN) as temporary:
            temporary.write_text(json.dumps(self._plan), encoding="utf-8")

    def read(self, frame: int) -> "Inversion | None":
        """The record of a frame; None if it is not finished, or damaged."""
        from stylegan_latents.invert.record.inversion import Inversion

        path = self.folder / _PART.format(frame)
        try:
            return Inversion.load(path) if path.is_file() else None
        except InputError:
            return None

    def write(self, frame: int, record: "Inversion") -> None:
        """Save the record of a frame.

        Raises:
            InputError: it cannot be written.
        """
        record.save(self.folder / _PART.format(frame), overwrite=True)

    def remove(self) -> None:
        """Remove the checkpoints, and the folder unless it holds other files."""
        for pattern in (_PLAN, "frame_*" + RECORD_SUFFIX, ".*.part.*"):
            for file in self.folder.glob(pattern):
                file.unlink()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _read_plan(self) -> dict[str, Any] | None:
        try:
            text = read_regular(self.folder / _PLAN, largest=_LARGEST_PLAN)
            checked = validated(_Plan, text, _PLAN)
        except InputError:
            return None
        count, ends = len(checked.frames), [end for scene in checked.scenes for end in scene]
        if not (len(checked.quads) == len(checked.seen) == count and all(end <= count for end in ends)):
            return None
        plan: Any = parse_json(text, _PLAN)
        return plan if plan["key"] == json.loads(json.dumps(self._key)) else None
