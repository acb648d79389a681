"""What is done of a film so far, on disk: a run that is killed goes on from there."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.films.crop_path import CropPath
from stylegan_latents.invert.record.files import RECORD_SUFFIX

if TYPE_CHECKING:
    from stylegan_latents.invert.record.inversion import Inversion

PARTS_SUFFIX = ".inversion.parts"
"""What the name of the folder ends with."""

_PLAN, _PART = "plan.json", "frame_{:06d}" + RECORD_SUFFIX


class FilmParts:
    """A folder with where the crops are, and with the code of each frame that is done.

    Args:
        folder: where; made at the first write.
        key: what the run is told and of which film, in the types of JSON: parts of another run are not these.
    """

    def __init__(self, folder: Path, key: dict[str, JSON]) -> None:
        self.folder, self._key = folder, key
        self._plan = self._read_plan()

    def check(self, *, overwrite: bool) -> None:
        """Refuse to go on where the folder holds parts of another run; with ``overwrite`` they give way.

        Raises:
            InputError: it does.
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
        """Whether something of this run is done."""
        return self._plan is not None

    def plan(self) -> tuple[CropPath, list[float]] | None:
        """The crops and the times of all frames that were looked at; None before they are known."""
        if self._plan is None:
            return None
        plan = self._plan
        quads = np.array(plan["quads"], dtype=np.float64).reshape(-1, 4, 2)
        scenes = [slice(*ends) for ends in plan["scenes"]]
        return CropPath(plan["frames"], quads, plan["seen"], scenes), plan["times"]

    def save_plan(self, path: CropPath, times: list[float]) -> None:
        """Keep the crops.

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
        """The record of a frame; None where it is not done, or damaged."""
        from stylegan_latents.invert.record.inversion import Inversion

        path = self.folder / _PART.format(frame)
        try:
            return Inversion.load(path) if path.is_file() else None
        except InputError:
            return None

    def write(self, frame: int, record: "Inversion") -> None:
        """Keep the record of a frame.

        Raises:
            InputError: it cannot be written.
        """
        record.save(self.folder / _PART.format(frame), overwrite=True)

    def remove(self) -> None:
        """Remove the folder, when what it is for is done; anything else that is in it stays."""
        for pattern in (_PLAN, "frame_*" + RECORD_SUFFIX, ".*.part.*"):
            for file in self.folder.glob(pattern):
                file.unlink()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _read_plan(self) -> dict[str, Any] | None:
        try:
            plan = json.loads((self.folder / _PLAN).read_text(encoding="utf-8"))
            return plan if plan["key"] == json.loads(json.dumps(self._key)) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
