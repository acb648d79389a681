"""Dragging points of a face, for the tab Drag."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylegan_latents.demo.page.results import command_line, record_name
from stylegan_latents.demo.page.running import Done, run_reporting
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.editing.drag.drag import Dragged, DragProgress
    from stylegan_latents.editing.drag.handles import Handle, Point

EVERYTHING, PAINTED = "everything", "painted"
DEFAULT_RATE = 0.01
"""The default of ``Drag``."""

_DEFAULT_STEPS, _MOST_STEPS = 200, 500
_LARGEST_MASK = 2048
_EVERY = 1.0


@dataclass(frozen=True)
class DragRequest:
    """The visitor's request.

    Attributes:
        points: a point, its target, the next point, and so on, in pixels of the full picture.
        where: what may change: ``EVERYTHING``, a name of ``REGIONS``, or a mask's file.
        steps: the largest number of steps.
        learning_rate: of each step, in standard deviations of W.
    """

    points: "tuple[Point, ...]"
    where: str = EVERYTHING
    steps: int = _DEFAULT_STEPS
    learning_rate: float = DEFAULT_RATE

    def handles(self, side: int) -> "list[Handle]":
        """The points with their targets on a picture of this side.

        Raises:
            InputError: a point has no target or cannot be dragged.
        """
        from stylegan_latents.editing.drag.handles import Handle, check_handles

        if not self.points:
            raise InputError("Click on a point of the picture first, and then on where it is to go.")
        if len(self.points) % 2:
            raise InputError("The last point has no target yet: click on where it is to go, or undo it.")
        if not 1 <= self.steps <= _MOST_STEPS:
            raise InputError(f"Dragging here takes from 1 to {_MOST_STEPS} steps, not {self.steps}.")
        handles = [Handle(*pair) for pair in zip(self.points[::2], self.points[1::2], strict=True)]
        if all(handle.start == handle.target for handle in handles):
            raise InputError("No point is to move: click on a target away from its point.")
        check_handles(handles, side)
        return handles


@dataclass(frozen=True, eq=False)
class DraggedFace:
    """A result: the new face, its picture at full resolution, whether all points are at their targets, and a
    sentence about the distance left.
    """

    face: Face
    picture: "Image"
    reached: bool
    summary: str


@dataclass(frozen=True)
class DragStage:
    """Progress of a search.

    Attributes:
        picture: path of the current face with its points.
        step, steps: steps done, and the largest number of them.
        distance: of the farthest point from its target, in pixels of the full picture.
    """

    picture: str
    step: int
    steps: int
    distance: float


def draw_points(visit: Visit, name: str | None, points: "Sequence[Point]") -> str:
    """Draw points and targets, as in ``DragRequest``, on the face of this name; returns the picture's path."""
    from PIL import Image

    from stylegan_latents.editing.drag.handles import marked

    with Image.open(edited_face(visit, name).before) as before:
        picture = marked(before, points[::2], points[1::2], side=visit.studio.G.resolution)
    return visit.files.store(picture, "drag-points")


def painted_mask(edited: Any) -> "Image":
    """The mask painted in an image editor, white on black.

    Args:
        edited: the editor's value with PIL pictures.

    Raises:
        InputError: nothing was painted.
    """
    from PIL import Image, ImageChops

    nothing = InputError("Nothing is painted yet: paint over what may change, or choose a region instead.")
    layers = [layer for layer in (edited or {}).get("layers") or [] if layer is not None]
    if not layers or max(layers[0].size) > _LARGEST_MASK:
        raise nothing
    mask = Image.new("L", layers[0].size, 0)
    for layer in layers:
        mask = ImageChops.lighter(
            mask, layer.convert("RGBA").getchannel("A").point(lambda value: 255 * (value > 0))
        )
    if mask.getbbox() is None:
        raise nothing
    return mask


def save_mask(visit: Visit, mask: "Image") -> Path:
    """Save a mask in the visit's folder."""
    return Path(visit.files.store(mask, "mask", suffix=".png"))


def drag_face(visit: Visit, name: str | None, request: DragRequest) -> Iterator[DragStage | Done[DraggedFace]]:
    """Drag a face, and add the result to the visit as a face.

    Args:
        visit: with the face.
        name: of the face.
        request: points, targets and settings.

    Yields:
        Stages, and finally the result.

    Raises:
        InputError: there is no such face, point or region.
        StoppedError: the visitor stopped it before the first step.
    """
    import torch

    from stylegan_latents.editing.drag.drag import Drag, dragged_record
    from stylegan_latents.editing.drag.handles import marked
    from stylegan_latents.editing.records.codes import record_code
    from stylegan_latents.editing.regions.regions import region_masks

    studio, face = visit.studio, edited_face(visit, name)
    side = studio.G.resolution
    handles = request.handles(side)
    visit.check_room()
    targets = [handle.target for handle in handles]

    def work(report: "Callable[[DragProgress], None]") -> "tuple[Drag, Dragged]":
        mask = None
        if request.where != EVERYTHING:
            shown = face.record.picture()
            mask = torch.from_numpy(region_masks([request.where], [shown], feather=0.0, name=face.name))
        search = Drag(face.record.generator, steps=request.steps, learning_rate=request.learning_rate)
        code = record_code(face.record)
        ended = search.drag(
            code.ws, handles, mask=mask, noise=code.noise_or_const, on_step=report, keep_partial=True
        )
        return search, ended

    for now in run_reporting(visit, work, every=_EVERY):
        if not isinstance(now, Done):
            with visit.computing():
                picture = face.preview.picture(now.ws, size=studio.preview_size)
            path = visit.files.store(marked(picture, now.points, targets, side=side), "drag-after")
            yield DragStage(path, now.step, now.steps, now.distance)
            continue
        search, ended = now.result
        with visit.computing():
            record = dragged_record(face.record.inversion, search, handles, ended)
        made = visit.add(
            record,
            f"{face.name}-dragged",
            photo=face.photo,
            made_by=_command(face, request),
            writes=f"{face.name}.dragged",
        )
        with visit.computing():
            picture = made.record.picture()
        yield Done(DraggedFace(made, picture, ended.reached, ended.summary))


def _command(face: Face, request: DragRequest) -> str:
    words = ["edit", "drag", record_name(face)]
    for start, target in zip(request.points[::2], request.points[1::2], strict=True):
        words += ["--from", f"{start[0]:g},{start[1]:g}", "--to", f"{target[0]:g},{target[1]:g}"]
    if request.where != EVERYTHING:
        words += ["--mask", Path(request.where).name]
    words += [] if request.steps == _DEFAULT_STEPS else ["--steps", str(request.steps)]
    words += [] if request.learning_rate == DEFAULT_RATE else ["--learning-rate", f"{request.learning_rate:g}"]
    return command_line(words)
