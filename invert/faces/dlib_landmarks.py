"""dlib's 68 landmarks of a face in a given box, and landmarks as dlib's networks take them.

An ensemble of regression trees (Kazemi and Sullivan 2014) trained on iBUG 300-W, whose licence excludes commercial
use. Its landmarks depend on the box's exact position; here that is averaged out.
"""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.invert.faces.detector import Box
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.crop import Array

# The detector's box relative to the landmarks, in units of their root-mean-square distance from their mean: offset
# of the centre in x and y, and side. Means over 120 detections in 23 portraits at 10 scales.
_BOX_FROM_LANDMARKS = (0.0, -0.101, 2.744)

# The detector's image pyramid has steps of 6/5, so that boxes and landmarks jump. Averaging over displaced boxes
# brings the crop's jitter between scales of one photo from 0.39 % of its side to 0.13 %.
_DISPLACED = tuple((x, y, size) for x in (-0.05, 0.05) for y in (-0.05, 0.05) for size in (0.93, 1.08))

_READING_SIDE = 256  # pixels of the box in the copy in which landmarks are found


@functools.cache
def _predictor() -> Any:
    import dlib

    from stylegan_latents.generator.weights.zoo import fetch

    return dlib.shape_predictor(str(fetch("dlib-68-landmarks")))


def release_predictor() -> None:
    """Free the memory of the landmarks' model, which is loaded again when it is needed."""
    _predictor.cache_clear()


def aligned_box(size: float) -> Box:
    """The mean box of a face in an FFHQ-aligned crop of this side, which saves the detector.

    Measured on 23 aligned portraits; the standard deviation of each edge is about 3 % of the side.
    """
    return (0.215 * size, 0.316 * size, 0.783 * size, 0.884 * size)


def surroundings(image: Image.Image, box: Box) -> tuple[npt.NDArray[np.uint8], Array, float]:
    """A resized copy of the box and 75 % more on each side, its corner in the photo, and photo pixels per pixel."""
    side = box[2] - box[0]
    left, top = np.floor(np.array(box[:2]) - 0.75 * side).astype(int).tolist()
    extent = int(np.ceil(2.5 * side))
    copy_side = round(2.5 * _READING_SIDE)
    # Image.crop fills what lies outside the photo with black, as dlib itself does.
    crop = image.crop((left, top, left + extent, top + extent))
    crop = crop.resize((copy_side, copy_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.asarray(crop), np.array([left, top], dtype=np.float64), extent / copy_side


def in_copy(points: Array, corner: Array, scale: float) -> Array:
    """Points ``[K, 2]`` of the photo in pixels of the copy from ``surroundings``."""
    return (points - corner + 0.5) / scale - 0.5


def read_landmarks(image: Image.Image, box: Box) -> Landmarks:
    """Landmarks, in pixels of the photo, of the face in a box of dlib's detector."""
    pixels, corner, scale = surroundings(image, box)
    left, top, right, bottom = in_copy(np.array(box).reshape(2, 2), corner, scale).ravel().tolist()
    landmarks = stable_landmarks(pixels, (left, top, right, bottom), average=True)
    return landmarks.mapped(lambda points: (points + 0.5) * scale - 0.5 + corner)


def stable_landmarks(pixels: npt.NDArray[np.uint8], box: Box, *, average: bool) -> Landmarks:
    """Landmarks that depend little on the box's exact position: the box is fitted to them twice.

    ``average`` also takes the mean over eight displaced boxes.
    """
    points = _predict(pixels, box)
    for _ in range(2):
        points = _predict(pixels, _fitted_box(points))
    if not average:
        return Landmarks.from_ibug(points)
    left, top, right, bottom = _fitted_box(points)
    side = right - left
    found = [points]
    for across, down, grown in _DISPLACED:
        x, y, half = (left + right) / 2 + across * side, (top + bottom) / 2 + down * side, side * grown / 2
        found.append(_predict(pixels, (x - half, y - half, x + half, y + half)))
    return Landmarks.from_ibug(np.asarray(np.mean(found, axis=0)))


def quick_landmarks(pixels: npt.NDArray[np.uint8], box: Box) -> Landmarks:
    """The mean of two predictions instead of eleven, in a box that is nearly right and in the one fitted to it."""
    first = _predict(pixels, box)
    return Landmarks.from_ibug(np.asarray((first + _predict(pixels, _fitted_box(first))) / 2))


def to_dlib(landmarks: Landmarks, box: Box) -> Any:
    """A face as dlib's networks take it: a ``full_object_detection`` in integer pixels.

    Raises:
        InputError: not all 68 landmarks are known.
    """
    import dlib

    landmarks.require("face recognition")
    points = [dlib.point(round(x), round(y)) for x, y in landmarks.points.tolist()]
    return dlib.full_object_detection(dlib.rectangle(*(round(edge) for edge in box)), points)


def _fitted_box(landmarks: Array) -> Box:
    centre = landmarks.mean(axis=0)
    spread = float(np.sqrt(((landmarks - centre) ** 2).sum(axis=1).mean()))
    across, down, side = _BOX_FROM_LANDMARKS
    x, y, half = centre[0] + across * spread, centre[1] + down * spread, side * spread / 2
    return (float(x - half), float(y - half), float(x + half), float(y + half))


def _predict(pixels: npt.NDArray[np.uint8], box: Box) -> Array:
    import dlib

    shape = _predictor()(pixels, dlib.rectangle(*(round(edge) for edge in box)))
    return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)
