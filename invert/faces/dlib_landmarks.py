"""dlib's 68 landmarks of a face whose box is known, and landmarks in the form that dlib's networks take them.

An ensemble of regression trees (Kazemi and Sullivan 2014) trained on iBUG 300-W, whose licence excludes
commercial use. Its answer depends on where the box is; here that dependence is averaged out.
"""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.invert.faces.detector import Box
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.crop import Array

# How the detector's box lies about the landmarks, in units of their root-mean-square distance from their
# mean: offset of the centre in x and y, and side. Means over 120 detections on 23 portraits at 10 scales.
_BOX_FROM_LANDMARKS = (0.0, -0.101, 2.744)

# The detector's pyramid has steps of 6/5, so its boxes jump by that much and the landmarks jump with them.
# Averaging over displaced boxes brings the crop's jitter between scales of one photo from 0.39 % of its side
# to 0.13 %.
_DISPLACED = tuple((x, y, size) for x in (-0.05, 0.05) for y in (-0.05, 0.05) for size in (0.93, 1.08))

# The landmarks are read on a copy in which the face's box has about this side, in pixels.
_READING_SIDE = 256


@functools.cache
def _predictor() -> Any:
    import dlib

    from stylegan_latents.generator.weights.zoo import fetch

    return dlib.shape_predictor(str(fetch("dlib-68-landmarks")))


def aligned_box(size: float) -> Box:
    """Where the detector's box lies in an FFHQ-aligned face of this side, on average.

    Makes the detector needless. Measured on 23 aligned portraits; the standard deviation of each edge is
    about 3 % of the side.
    """
    left, top, right, bottom = _ALIGNED_BOX
    return (left * size, top * size, right * size, bottom * size)


_ALIGNED_BOX = (0.215, 0.316, 0.783, 0.884)


def surroundings(image: Image.Image, box: Box) -> tuple[npt.NDArray[np.uint8], Array, float]:
    """A copy of the box and 75 % more on each side, its corner in the photo, and photo pixels per pixel."""
    side = box[2] - box[0]
    left, top = np.floor(np.array(box[:2]) - 0.75 * side).astype(int).tolist()
    extent = int(np.ceil(2.5 * side))
    copy_side = round(2.5 * _READING_SIDE)
    # Image.crop fills what lies outside the photo with black, as dlib itself does.
    crop = image.crop((left, top, left + extent, top + extent))
    crop = crop.resize((copy_side, copy_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.asarray(crop), np.array([left, top], dtype=np.float64), extent / copy_side


def in_copy(points: Array, corner: Array, scale: float) -> Array:
    """Points ``[K, 2]`` of the photo in pixels of the copy that ``surroundings`` made."""
    return (points - corner + 0.5) / scale - 0.5


def read_landmarks(image: Image.Image, box: Box) -> Landmarks:
    """Landmarks in pixels of the photo, of the face in a box of dlib's detector."""
    pixels, corner, scale = surroundings(image, box)
    left, top, right, bottom = in_copy(np.array(box).reshape(2, 2), corner, scale).ravel().tolist()
    landmarks = settle(pixels, (left, top, right, bottom), average=True)
    return landmarks.mapped(lambda points: (points + 0.5) * scale - 0.5 + corner)


def settle(pixels: npt.NDArray[np.uint8], box: Box, *, average: bool) -> Landmarks:
    """Landmarks that depend little on where exactly the box was."""
    return Landmarks.from_ibug(_settled(pixels, box, 2, _DISPLACED if average else ()))


def settle_quickly(pixels: npt.NDArray[np.uint8], box: Box) -> Landmarks:
    """``settle``, averaged, from two readings in place of eleven, for a box that is nearly right.

    They are the one in that box and the one in the box fitted to it. Where the first is, differs from face to face,
    so that their mean takes most of what there is to average out.
    """
    first = _predict(pixels, box)
    return Landmarks.from_ibug(np.asarray((first + _predict(pixels, _fitted_box(first))) / 2))


def to_dlib(landmarks: Landmarks, box: Box) -> Any:
    """A face as dlib's networks take it: a ``full_object_detection`` in whole pixels.

    Raises:
        InputError: not all 68 landmarks are known.
    """
    import dlib

    landmarks.require("face recognition")
    points = [dlib.point(round(x), round(y)) for x, y in landmarks.points.tolist()]
    return dlib.full_object_detection(dlib.rectangle(*(round(edge) for edge in box)), points)


def _settled(
    pixels: npt.NDArray[np.uint8], box: Box, turns: int, displaced: tuple[tuple[float, float, float], ...]
) -> Array:
    """The mean of readings in a box that was fitted some turns, and in displaced ones."""
    landmarks = _predict(pixels, box)
    for _ in range(turns):
        landmarks = _predict(pixels, _fitted_box(landmarks))
    if not displaced:
        return landmarks
    left, top, right, bottom = _fitted_box(landmarks)
    side = right - left
    readings = [landmarks]
    for across, down, grown in displaced:
        x, y, half = (left + right) / 2 + across * side, (top + bottom) / 2 + down * side, side * grown / 2
        readings.append(_predict(pixels, (x - half, y - half, x + half, y + half)))
    return np.asarray(np.mean(readings, axis=0))


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
