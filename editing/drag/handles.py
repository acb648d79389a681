"""Handles: points of a picture with the targets to drag them to; checked, marked, and given room in masks."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from stylegan_latents.generator.errors import InputError

Point = tuple[float, float]
"""x to the right and y down, in pixels of the full image; the first pixel's centre is (0, 0)."""

MOST_HANDLES = 64
_POINT, _TARGET, _EDGE = (220, 40, 40), (40, 90, 230), (255, 255, 255)
_RADIUS = 1 / 150
# Radius of the room that a point has about its way, at least, as a fraction of the side.
_ROOM = 0.04


@dataclass(frozen=True)
class Handle:
    """A point to drag, and its target."""

    start: Point
    target: Point


def check_handles(handles: Sequence[Handle], side: int) -> None:
    """Raise InputError for no or too many points, one outside of the image, or none that is to move."""
    if not 1 <= len(handles) <= MOST_HANDLES:
        raise InputError(f"Give from 1 to {MOST_HANDLES} points to drag, not {len(handles)}.")
    for handle in handles:
        for x, y in (handle.start, handle.target):
            if not (0 <= x <= side - 1 and 0 <= y <= side - 1):
                raise InputError(
                    f"The point {x:g},{y:g} is outside of the picture; x and y go from 0 to {side - 1}."
                )
    if all(handle.start == handle.target for handle in handles):
        raise InputError("No point is to move: give each --from another --to.")


def marked(
    picture: Image.Image, points: Sequence[Point], targets: Sequence[Point], *, side: int | None = None
) -> Image.Image:
    """A copy of a square picture with a red dot at each point, a blue one at its target, and a line between them.

    Points and targets are in pixels of a picture of ``side``, the picture's own if None; the last points may lack a
    target.
    """
    shown = picture.convert("RGB")
    scale = picture.width / (side or picture.width)
    draw, radius = ImageDraw.Draw(shown), max(1.0, picture.width * _RADIUS)

    def placed(point: Point) -> Point:
        return (point[0] + 0.5) * scale - 0.5, (point[1] + 0.5) * scale - 0.5

    for index, point in enumerate(map(placed, points)):
        dots = [(point, _POINT)]
        if index < len(targets):
            target = placed(targets[index])
            draw.line([point, target], fill=_EDGE, width=max(1, round(radius / 2)))
            dots.append((target, _TARGET))
        for (x, y), ink in dots:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink, outline=_EDGE)
    return shown


def begins_in(mask: Tensor, start: Tensor) -> bool:
    """Whether a mask ``[h, w]`` has anything at a point, ``[2]`` in fractions of the side, or close to it."""
    return bool((mask[_away(mask, start).norm(dim=2) <= _ROOM / 2] > 0).any())


def with_ways(mask: Tensor, positions: Tensor) -> Tensor:
    """The mask ``[h, w]``, grown by the ways of the points that begin in it: what is pulled needs room there.

    Args:
        mask: in [0, 1], 1 where the picture may change.
        positions: start and target of each point, ``[n, 2, 2]`` in fractions of the side.
    """
    grown = mask = mask.to(positions)
    for start, target in positions:
        way, away = target - start, _away(mask, start)
        if not bool(way.any()) or not begins_in(mask, start):
            continue
        share = ((away @ way) / way.square().sum()).clamp(0, 1)[..., None]
        room = max(_ROOM, float(way.norm()) / 2)
        grown = torch.maximum(grown, ((away - share * way).norm(dim=2) <= room).to(grown))
    return grown


def _away(mask: Tensor, start: Tensor) -> Tensor:
    """From a point to each place of a mask, ``[h, w, 2]`` in fractions of the side."""
    height, width = mask.shape
    y = (torch.arange(height, device=mask.device) + 0.5) / height
    x = (torch.arange(width, device=mask.device) + 0.5) / width
    return torch.stack([x.expand(height, -1), y[:, None].expand(-1, width)], dim=2) - start.to(mask.device)
