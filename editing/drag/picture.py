"""Points and their targets drawn on a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from stylegan_latents.editing.drag.drag import Point

_POINT, _TARGET, _EDGE = (220, 40, 40), (40, 90, 230), (255, 255, 255)
_RADIUS = 1 / 150


def marked(
    picture: Image.Image, points: "Sequence[Point]", targets: "Sequence[Point]", *, side: int | None = None
) -> Image.Image:
    """A copy of a picture with a red dot at each point, a blue one at its target, and a line between them.

    Args:
        picture: a square one.
        points: where the points are, in pixels of a picture of ``side``.
        targets: the same of their targets; the last points may have none yet.
        side: None for the picture's own.
    """
    shown = picture.convert("RGB")
    scale = picture.width / (side or picture.width)
    draw, radius = ImageDraw.Draw(shown), max(1.0, picture.width * _RADIUS)

    def placed(point: "Point") -> "Point":
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
