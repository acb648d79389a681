"""Moves points of an image to targets by its code.

Pan et al., "Drag Your GAN: Interactive Point-based Manipulation on the Generative Image Manifold", 2023: what a
feature map shows about each point is pulled a step towards the target (motion supervision, section 3.2), and the
point is then looked for anew by its first features (point tracking, section 3.3). Five things differ: places
between the samples of the map are interpolated, so that the map need not be enlarged to the image; steps are
taken in coordinates in which W is a standard normal, so that one learning rate suits every model; what is outside
of a mask is held less strongly than the points are pulled, so that they arrive about as soon as without; points do
not slide along edges (see ``editing.drag.point_tracker``); and a search ends where its points come no nearer.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan_latents.editing.drag.handles import Handle, Point, check_handles
from stylegan_latents.editing.drag.search import PATIENCE, Reached, Search
from stylegan_latents.editing.records.codes import changed_record
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.features import FeatureMap, feature_maps
from stylegan_latents.generator.generator import Generator, Noise
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.invert.record.inversion import Inversion

_RESOLUTION = 128


@dataclass(frozen=True, eq=False)
class DragProgress:
    """What a search tells after each step.

    Attributes:
        step, steps: how many steps are done, of how many at most.
        points: where the handles are.
        distance: of the farthest handle from its target, in pixels.
        ws: the code now, ``[1, num_ws, w_dim]``.
    """

    step: int
    steps: int
    points: tuple[Point, ...]
    distance: float
    ws: Tensor


@dataclass(frozen=True, eq=False)
class Dragged:
    """What a search found: the step at which its points were nearest to their targets, or, if stopped, the last.

    Attributes:
        ws: the code, ``[1, num_ws, w_dim]``.
        points: where the handles are.
        distance: of the farthest handle from its target, in pixels.
        steps: how many were made.
        kept: after how many of them the code was found.
        reached: whether every handle is at its target.
        stalled: whether it ended because the handles came no nearer.
        stopped: whether Ctrl-C ended it.
    """

    ws: Tensor
    points: tuple[Point, ...]
    distance: float
    steps: int
    kept: int
    reached: bool
    stalled: bool = False
    stopped: bool = False

    @property
    def summary(self) -> str:
        """A sentence on how near it came, and why no nearer."""
        places = ", ".join(f"{x:.0f},{y:.0f}" for x, y in self.points)
        how = "Reached" if self.reached else f"Up to {self.distance:.0f} pixels short of"
        nearest = f"; nearest, and kept, is step {self.kept}" if self.kept < self.steps else ""
        if self.stalled:
            vain = f", the last {PATIENCE} of which brought the points hardly any nearer"
            why = f"{vain}: this model may not draw them there"
        elif self.reached or self.stopped:
            why = ""
        else:
            why = ", and more steps may bring the points nearer"
        return f"{how} the targets after {self.steps} steps{why}{nearest}; the points are at {places}."


class Drag:
    """Drags points of images.

    Args:
        G: any generator; it is left as it is.
        steps: most steps of Adam; the search ends before where all points are at their targets, or where the
            farthest came no nearer for ``PATIENCE`` steps.
        learning_rate: in standard deviations of W.
        rows: rows of ws that move; None for the coarse and middle ones.
        resolution: of the feature map; None for the finest up to 128.
        mask_weight: of the change in features outside of the mask, as far as the pull on the points stays stronger.
        seed: of the samples that W's statistics come from; the search itself draws nothing.

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
    ) -> None:
        G.check_square("Dragging")
        if steps < 1:
            raise InputError(f"Dragging needs at least 1 step, not {steps}.")
        if not (math.isfinite(learning_rate) and learning_rate > 0):
            raise InputError(f"The learning rate has to be above 0, not {learning_rate}.")
        if not (math.isfinite(mask_weight) and mask_weight >= 0):
            raise InputError(f"The mask's weight has to be 0 or above, not {mask_weight}.")
        self.G = G
        self.steps = steps
        self.learning_rate = learning_rate
        self.map = choose_map(G, resolution)
        groups = G.ws_groups
        self.rows = list(rows) if rows is not None else [i for i, group in enumerate(groups) if group != "fine"]
        self.mask_weight = mask_weight
        self.seed = seed

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
        """Search the code whose image has the points at their targets.

        Args:
            ws: the code to start from, ``[1, num_ws, w_dim]``.
            handles: the points.
            mask: what may change, ``[h, w]`` in [0, 1] over the whole image, 1 where it may; None for all.
            noise: as for ``Generator.synthesize``.
            on_step: called after each step; a KeyboardInterrupt that it raises is Ctrl-C.
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
            places = torch.tensor([[handle.start, handle.target] for handle in handles])
            search = Search(
                self.G,
                self.map,
                ws,
                (places + 0.5) / self.G.resolution,
                rows=self.rows,
                learning_rate=self.learning_rate,
                mask=mask,
                mask_weight=self.mask_weight,
                noise=noise,
                seed=self.seed,
            )
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
        # Who stops it chose what was shown last.
        found = search.now() if stopped or search.best is None else search.best
        points, distance = self._in_pixels(found)
        return Dragged(
            found.ws, points, distance, search.done, found.after, search.reached, search.stalled, stopped
        )

    def provenance(self, handles: Sequence[Handle], ended: Dragged) -> dict[str, JSON]:
        """What a record keeps of a search."""
        return {
            "handles": [[*handle.start, *handle.target] for handle in handles],
            "points": [[*point] for point in ended.points],
            "steps": ended.steps,
            "kept_step": ended.kept,
            "learning_rate": self.learning_rate,
            "rows": list(self.rows),
            "resolution": self.map.resolution,
            "mask_weight": self.mask_weight,
            "seed": self.seed,
        }


def choose_map(G: Generator, resolution: int | None) -> FeatureMap:
    """The feature map of a resolution; None for the finest up to 128.

    Raises:
        InputError: there is none.
    """
    maps = {one.resolution: one for one in feature_maps(G)}
    if resolution is None:
        return maps[max((side for side in maps if side <= _RESOLUTION), default=min(maps))]
    if resolution not in maps:
        listed = ", ".join(map(str, maps))
        raise InputError(f"The model '{G.name}' has no features of {resolution} pixels a side; it has {listed}.")
    return maps[resolution]


def dragged_record(record: Inversion, drag: Drag, handles: Sequence[Handle], ended: Dragged) -> Inversion:
    """The record of a dragged picture: edits, and pasting back into the photo, go on from it."""
    settings = {"dragged_from": record.method, **drag.provenance(handles, ended)}
    return changed_record(record, drag.G, ended.ws, "drag", settings)
