"""dlib's face detector: a sliding window with HOG + SVM (Dalal and Triggs 2005) for upright frontal faces."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.invert.faces.detector import Box, Face, FaceDetector, no_face, overlap
from stylegan_latents.invert.faces.dlib_landmarks import read_landmarks, stable_landmarks
from stylegan_latents.invert.faces.landmarks import Landmarks

# Faces score 0.3 and more even when dark, tilted by 50 degrees or 40 pixels small; noise and folds of cloth score
# up to 0.17. Faint detections count only where there is no clear one.
_CLEAR_SCORE = 0.2
_FAINT_SCORE = 0.1
_FOLLOWED_SIDE = 400  # pixels, of the surroundings of a followed face, three times its box


@functools.cache
def _detector() -> Any:
    import dlib

    return dlib.get_frontal_face_detector()


class DlibDetector(FaceDetector):
    """Finds upright faces with dlib, whose model is loaded at first use.

    It detects in the picture resized to ``max_side`` pixels and to twice that (faces from about 4 % of the long
    side up), and if both fail in a copy with a margin (a face that fills the picture). Landmarks are then found at
    full resolution.
    """

    def __init__(self, max_side: int = 1000) -> None:
        self.max_side = max_side

    def find(self, image: Image.Image) -> list[Face]:
        """See ``FaceDetector``."""
        image = image.convert("RGB")
        found = [hit for side in (self.max_side, 2 * self.max_side) for hit in _detect(image, side)]
        clear = [hit for hit in found if hit[1] >= _CLEAR_SCORE]
        if not clear:
            clear = [hit for hit in _detect_with_margin(image, self.max_side) if hit[1] >= _CLEAR_SCORE]
        boxes = _without_overlaps(clear or [hit for hit in found if hit[1] > _FAINT_SCORE])
        faces = [Face(box, read_landmarks(image, box), score) for box, score in boxes]
        return sorted(faces, key=lambda face: -face.size)

    def follow(self, image: Image.Image, before: Face) -> Face | None:
        """See ``FaceDetector``; searches only around the last box, which is much quicker."""
        image = image.convert("RGB")
        left, top = np.floor(np.array(before.box[:2]) - before.size).astype(int).tolist()
        extent = int(np.ceil(3 * before.size))
        around = image.crop((left, top, left + extent, top + extent))
        near = [
            ((x0 + left, y0 + top, x1 + left, y1 + top), score)
            for (x0, y0, x1, y1), score in _detect(around, _FOLLOWED_SIDE)
            if score > _FAINT_SCORE
        ]
        near = [hit for hit in near if overlap(hit[0], before.box) > 0.4]
        if not near:
            return None
        box, score = max(near, key=lambda hit: hit[1])
        return Face(box, read_landmarks(image, box), score)

    def read_crop(self, crop: Image.Image) -> Landmarks | None:
        """See ``FaceDetector``; the crop is not resized."""
        return landmarks_of(np.asarray(crop.convert("RGB")))

    def no_face_message(self, image: Image.Image, name: str) -> str:
        """See ``FaceDetector``; names the turn that makes a face upright."""
        turns = (
            (Image.Transpose.ROTATE_270, "90 degrees clockwise"),
            (Image.Transpose.ROTATE_90, "90 degrees anticlockwise"),
            (Image.Transpose.ROTATE_180, "180 degrees"),
        )
        small = image.convert("RGB")
        small.thumbnail((1000, 1000))
        for turn, words in turns:
            if any(score >= _CLEAR_SCORE for _, score in _detect(small.transpose(turn), 1000)):
                return f"{name} shows a face that is not upright; turn the photo by {words} and try again."
        return no_face(name)


def landmarks_of(
    pixels: npt.NDArray[np.uint8], box: Box | None = None, *, average: bool = False
) -> Landmarks | None:
    """The landmarks of one face, in a few milliseconds with a box, at 256 to 512 pixels.

    Args:
        pixels: uint8 ``[H, W, 3]``, RGB; for large photos use ``DlibDetector.find``.
        box: of the face; ``aligned_box`` for an aligned face; None to detect the largest face.
        average: also average over displaced boxes, which takes about four times as long.

    Returns:
        The landmarks in pixels; None if no box is given and no face is found.
    """
    pixels = np.ascontiguousarray(pixels)
    if box is None:
        boxes = _without_overlaps(_run_detector(pixels))
        if not boxes:
            return None
        box = max((box for box, _ in boxes), key=lambda box: box[2] - box[0])
    return stable_landmarks(pixels, box, average=average)


def _run_detector(pixels: npt.NDArray[np.uint8]) -> list[tuple[Box, float]]:
    rectangles, scores, _ = _detector().run(pixels, 0, 0.0)
    edges = [(float(one.left()), float(one.top()), float(one.right()), float(one.bottom())) for one in rectangles]
    return list(zip(edges, map(float, scores), strict=True))


def _detect(image: Image.Image, side: int) -> list[tuple[Box, float]]:
    """Boxes in pixels of the picture, and scores, found in a copy whose long side is ``side``."""
    scale = min(side / max(image.size), 8.0)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    copy = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    across, down = image.width / size[0], image.height / size[1]

    def to_photo(box: Box) -> Box:
        x0, x1 = ((x + 0.5) * across - 0.5 for x in (box[0], box[2]))
        y0, y1 = ((y + 0.5) * down - 0.5 for y in (box[1], box[3]))
        return x0, y0, x1, y1

    return [(to_photo(box), score) for box, score in _run_detector(np.asarray(copy))]


def _detect_with_margin(image: Image.Image, side: int) -> list[tuple[Box, float]]:
    """As ``_detect``, in a copy with a margin that repeats the edge pixels."""
    small = image.copy()
    small.thumbnail((side, side), reducing_gap=2.0)
    scale = image.width / small.width
    margin = round(0.4 * max(small.size))
    padded = Image.fromarray(np.pad(np.asarray(small), ((margin, margin), (margin, margin), (0, 0)), "edge"))

    def to_photo(value: float) -> float:
        return (value - margin + 0.5) * scale - 0.5

    hits = _detect(padded, side)
    return [((to_photo(b[0]), to_photo(b[1]), to_photo(b[2]), to_photo(b[3])), score) for b, score in hits]


def _without_overlaps(hits: list[tuple[Box, float]]) -> list[tuple[Box, float]]:
    """Non-maximum suppression: of overlapping boxes the one with the highest score."""
    kept: list[tuple[Box, float]] = []
    for box, score in sorted(hits, key=lambda hit: -hit[1]):
        if all(overlap(box, other) < 0.4 for other, _ in kept):
            kept.append((box, score))
    return kept
