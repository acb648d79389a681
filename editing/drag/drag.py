"""Dragging: optimizes the code of an image so that chosen points move to targets.

Pan et al., "Drag Your GAN: Interactive Point-based Manipulation on the Generative Image Manifold", 2023: motion
supervision on a feature map (section 3.2) alternates with point tracking (section 3.3). Here the map is not
enlarged but interpolated; Adam works in coordinates in which W is a standard normal, so that one learning rate
suits every model; the mask loss is kept weaker than motion supervision; points do not slide along edges (see
``editing.drag.point_tracker``); points of a face end with moves that landmarks measure (see
``editing.drag.landing``); and a search ends when its points come no nearer.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan_latents.editing.drag.face_points import FacePoints
from stylegan_latents.editing.drag.handles import Handle, Point, check_handles
from stylegan_latents.editing.drag.search import PATIENCE, Reached, Search
from stylegan_latents.editing.records.codes import changed_record
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.features import FeatureMap, feature_maps
from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.invert.faces.detector import FaceDetector
from stylegan_latents.invert.faces.find import DLIB
from stylegan_latents.invert.record.inversion import Inversion

_RESOLUTION = 128


@dataclass(frozen=True, eq=False)
class DragProgress:
    """The state of a search: steps made, largest number of steps, points, their largest distance from a target in
    pixels, and the code ``[1, num_ws, w_dim]``.
    """

    step: int
    steps: int
    points: tuple[Point, ...]
    distance: float
    ws: Tensor


@dataclass(frozen=True, eq=False)
class Dragged:
    """The result of a search: the step with its points nearest to their targets, or, if stopped, the last.

    Attributes:
        ws, points, distance: see ``DragProgress``.
        steps: the number of steps made.
        kept: the step at which the code was found.
        reached: whether every point is at its target: by the landmarks for points of a face, else by features.
        stalled: whether the search ended because the points came no nearer.
        stopped: whether Ctrl-C ended it.
        by_landmarks: of each point, whether its place is that of landmarks in the picture.
        lost: of each point, whether the search lost track of it.
    """

    ws: Tensor
    points: tuple[Point, ...]
    distance: float
    steps: int
    kept: int
    reached: bool
    stalled: bool = False
    stopped: bool = False
    by_landmarks: tuple[bool, ...] = ()
    lost: tuple[bool, ...] = ()

    @property
    def summary(self) -> str:
        """A sentence on how near the points came, and why not nearer."""
        places = [f"{x:.0f},{y:.0f}" for x, y in self.points]
        how = "Reached" if self.reached else f"Up to {self.distance:.0f} pixels short of"
        nearest = f"; nearest, and kept, is step {self.kept}" if self.kept < self.steps else ""
        why = "" if self.reached or self.stopped else ", and more steps may bring the points nearer"
        if self.stalled:
            vain = f", the last {PATIENCE} of which brought the points hardly any nearer"
            why = f"{vain}: this model may not draw them there"
        by = " by the landmarks" if any(self.by_landmarks) else ""
        told = (
            f"{how} the targets after {self.steps} steps{why}{nearest}; the points are at {', '.join(places)}{by}."
        )
        lost = [place for place, unsure in zip(places, self.lost, strict=False) if unsure]
        if lost:
            told += f" The search lost track of {', '.join(lost)}: check in the picture where it is."
        return told


class Drag:
    """Drags points of images.

    Args:
        G: any generator; it is not changed.
        steps: largest number of steps of Adam; fewer when all points are at their targets, or when the farthest
            came no nearer for ``PATIENCE`` steps.
        learning_rate: in standard deviations of W.
        rows: rows of ws that change; None for the coarse and middle ones.
        resolution: of the feature map; None for the finest up to 128.
        mask_weight: of the mask loss, the change in features outside of the mask.
        seed: of the samples that W's statistics come from.
        detector: of faces, whose landmarks say where points of a face are.

    Raises:
        InputError: a setting is out of its range, or there is no feature map of that resolution.
    """

    def __init__(
        self,
        G: Generator,
        *,
        steps: int = 200,
        learning_rate: float = 0.01,
        rows: Sequence[int] | None = None,
        resolution: int | None = None,
        mask_weight: float = 10.0,
        seed: int = 0,
        detector: FaceDetector = DLIB,
    ) -> None:
        G.check_square("Dragging")
        if steps < 1:
            raise InputError(f"Dragging needs at least 1 step, not {steps}.")
        if not (math.isfinite(learning_rate) and learning_rate > 0):
            raise InputError(f"The learning rate has to be above 0, not {learning_rate}.")
        if not (math.isfinite(mask_weight) and mask_weight >= 0):
            raise InputError(f"The mask's weight has to be 0 or above, not {mask_weight}.")
        self.G, self.map = G, _feature_map(G, resolution)
        self.steps, self.learning_rate, self.mask_weight, self.seed = steps, learning_rate, mask_weight, seed
        self.detector = detector
        groups = G.ws_groups
        self.rows = list(rows) if rows is not None else [i for i, group in enumerate(groups) if group != "fine"]

    def drag(
        self,
        ws: Tensor,
        handles: Sequence[Handle],
        *,
        mask: Tensor | None = None,
        noise: Noise = "const",
        on_step: Callable[[DragProgress], None] | None = None,
        keep_partial: bool = False,
    ) -> Dragged:
        """Search for the code whose image has the points at their targets.

        Args:
            ws: the code to start from, ``[1, num_ws, w_dim]``.
            handles: the points.
            mask: ``[h, w]`` in [0, 1] over the whole image, 1 where it may change; None for everywhere.
            noise: see ``Generator.synthesize``.
            on_step: called after each step; a KeyboardInterrupt that it raises counts as Ctrl-C.
            keep_partial: on Ctrl-C, return the code so far in place of raising KeyboardInterrupt.

        Raises:
            InputError: a point lies outside of the image, no point is to move, or the search diverges.
            ValueError: ws or the mask has another shape.
        """
        if ws.shape != (1, self.G.num_ws, self.G.w_dim):
            raise ValueError(f"ws needs the shape [1, {self.G.num_ws}, {self.G.w_dim}], got {list(ws.shape)}")
        if mask is not None and mask.ndim != 2:
            raise ValueError(f"mask needs the shape [h, w], got {list(mask.shape)}")
        check_handles(handles, self.G.resolution)
        with keep_freed_memory():
            pixels = torch.tensor([[handle.start, handle.target] for handle in handles])
            positions = (pixels + 0.5) / self.G.resolution
            face = FacePoints(self.G, ws, positions[:, 0], noise, self.detector)
            search = Search(
                self.G, self.map, ws, positions,
                rows=self.rows, learning_rate=self.learning_rate, mask=mask, mask_weight=self.mask_weight,
                noise=noise, seed=self.seed, face=face if bool(face.known.any()) else None,
            )  # fmt: skip
            try:
                while search.done < self.steps and not (search.reached or search.stalled):
                    search.step()
                    if on_step is not None:
                        now = search.now()
                        points, distance = self._in_pixels(now)
                        on_step(DragProgress(now.after, self.steps, points, distance, now.ws))
            except KeyboardInterrupt:
                if not keep_partial or not search.done:
                    raise
                return self._result(search, stopped=True)
        return self._result(search)

    def _in_pixels(self, found: Reached) -> tuple[tuple[Point, ...], float]:
        side = self.G.resolution
        points = (found.points * side - 0.5).tolist()
        return tuple((round(x, 2), round(y, 2)) for x, y in points), found.away * side

    def _result(self, search: Search, stopped: bool = False) -> Dragged:
        # A user who stops the search chose what was shown last.
        found = search.verified(search.now() if stopped or search.best is None else search.best)
        points, distance = self._in_pixels(found)
        lost = [] if found.lost is None else found.lost.tolist()
        reached = search.arrived(found)
        return Dragged(
            found.ws, points, distance, search.done, found.after, reached, search.stalled and not reached, stopped,
            tuple(search.known.tolist()), tuple(lost),
        )  # fmt: skip

    def provenance(self, handles: Sequence[Handle], ended: Dragged) -> dict[str, JSON]:
        """The settings and the outcome of a search, for a record."""
        return {
            "handles": [[*handle.start, *handle.target] for handle in handles],
            "points": [[*point] for point in ended.points],
            "by_landmarks": list(ended.by_landmarks),
            "lost": list(ended.lost),
            "steps": ended.steps,
            "kept_step": ended.kept,
            "learning_rate": self.learning_rate,
            "rows": list(self.rows),
            "resolution": self.map.resolution,
            "mask_weight": self.mask_weight,
            "seed": self.seed,
        }


def _feature_map(G: Generator, resolution: int | None) -> FeatureMap:
    maps = {one.resolution: one for one in feature_maps(G)}
    if resolution is None:
        return maps[max((side for side in maps if side <= _RESOLUTION), default=min(maps))]
    if resolution not in maps:
        listed = ", ".join(map(str, maps))
        raise InputError(f"The model '{G.name}' has no features of {resolution} pixels a side; it has {listed}.")
    return maps[resolution]


def dragged_record(record: Inversion, drag: Drag, handles: Sequence[Handle], ended: Dragged) -> Inversion:
    """The record of a dragged picture, which can be edited and pasted back as the original can."""
    settings = {"dragged_from": record.method, **drag.provenance(handles, ended)}
    return changed_record(record, drag.G, ended.ws, "drag", settings)
