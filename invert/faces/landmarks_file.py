"""Landmarks placed by hand: a file in place of a detector, for paintings, drawings and profile views.

Three formats are read, in pixels of the upright picture:

- ``.json``: an object with points ``[x, y]`` by the names of ``Landmarks``, such as ``{"left_eye": [310, 402],
  "right_eye": [455, 398], "mouth_left": [330, 560], "mouth_right": [440, 556]}``; or a list of them, one per face.
  An eye is its centre or its 6 points; ``mouth_corners`` may replace the two corners of the mouth.
- ``.pts``: the text format of iBUG's 300-W, which counts pixels from 1, with 68 or 5 points.
- ``.npy``: ``[68, 2]`` or ``[5, 2]``, and for several faces ``[N, 68, 2]`` or ``[N, 5, 2]``.

Five points are the centres of the left and right eye, the tip of the nose, which is not used, and the left and
right corner of the mouth. Left and right are as the viewer sees them.
"""

import io
import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.reading.files import read_regular
from stylegan_latents.generator.reading.headers import parse_json
from stylegan_latents.generator.reading.numpy_file import read_npy
from stylegan_latents.invert.faces.align import ffhq_quad
from stylegan_latents.invert.faces.detector import Face, FaceDetector
from stylegan_latents.invert.faces.dlib_landmarks import aligned_box
from stylegan_latents.invert.faces.landmarks import COUNTS, Landmarks
from stylegan_latents.invert.photos.crop import Array

SUFFIXES = (".json", ".pts", ".npy")
_MOST_BYTES = 4 << 20
_FARTHEST_OUTSIDE = 0.5  # of the picture's longer side: landmarks farther outside are another picture's
_LEAST_DISTANCE = 2.0  # pixels between the eyes, and between the corners of the mouth


class GivenLandmarks(FaceDetector):
    """A detector that finds the faces with these landmarks.

    Args:
        landmarks: of each face, in pixels of the upright picture.
        name: of the landmarks in error messages, such as their file's.

    Raises:
        InputError: landmarks are not a face's: eyes that coincide, left and right swapped, or not finite.
    """

    def __init__(self, landmarks: Sequence[Landmarks], name: str = "The landmarks") -> None:
        self.landmarks, self.name = tuple(landmarks), name
        for number, one in enumerate(self.landmarks):
            _check_shape(one, name if len(self.landmarks) == 1 else f"{name}, face {number}")

    def find(self, image: Image.Image) -> list[Face]:
        """The faces, largest first.

        Raises:
            InputError: landmarks lie far outside of the picture.
        """
        farthest = _FARTHEST_OUTSIDE * max(image.size)
        for one in self.landmarks:
            points = one.points
            outside = np.maximum(-points, points - image.size).max()
            middle = np.concatenate([one.left_eye, one.right_eye, one.mouth_corners]).mean(axis=0)
            if outside > farthest or (middle < 0).any() or (middle > image.size).any():
                x, y = points[np.maximum(-points, points - image.size).max(axis=1).argmax()]
                raise InputError(
                    f"{self.name}: the point {x:g}, {y:g} is not in the picture, which is "
                    f"{image.width}x{image.height} pixels; give pixels of the upright picture."
                )
        faces = [Face(_box(one), one, 1.0) for one in self.landmarks]
        return sorted(faces, key=lambda face: -face.size)


def read_landmarks_file(path: Path) -> GivenLandmarks:
    """Read a ``.json``, ``.pts`` or ``.npy`` file of landmarks.

    Raises:
        InputError: it cannot be read, or does not hold a face's landmarks.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"Landmarks are read from {', '.join(SUFFIXES)}, not from {path.name}.")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path} is too large for a file of landmarks; name another one.")
    except FileNotFoundError:
        raise InputError(f"There is no file {path}; write the landmarks into it, or name another one.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} may not be read: {getattr(error, 'strerror', None) or error}.") from error
    data = read_regular(path, largest=_MOST_BYTES)
    readers = {".json": _from_json, ".pts": _from_pts, ".npy": _from_npy}
    return GivenLandmarks(readers[suffix](data, str(path)), str(path))


def landmarks_of_photos(path: Path, photos: Sequence[Path]) -> dict[Path, GivenLandmarks]:
    """The landmarks for photos from a file or a folder.

    Args:
        path: a file for the only photo; or a folder with files named after photos, ``me.json`` for ``me.jpg``.
        photos: all of the run.

    Raises:
        InputError: a file is for one photo, and there are several; the folder has none for these photos, or two for
            one; or one cannot be used.
    """
    if not path.is_dir():
        if len(photos) > 1:
            raise InputError(
                f"A file of landmarks is for one photo, and there are {len(photos)}; name a folder of them."
            )
        return {photo: read_landmarks_file(path) for photo in photos}
    found = {}
    for photo in photos:
        files = [file for suffix in SUFFIXES if (file := path / f"{photo.stem}{suffix}").is_file()]
        if len(files) > 1:
            raise InputError(f"{files[0]} and {files[1]} are both for {photo.name}; keep one of them.")
        if files:
            found[photo] = read_landmarks_file(files[0])
    if not found:
        raise InputError(
            f"The folder {path} has no landmarks for these photos; name them as the photos are, "
            f"such as {photos[0].stem}.json."
        )
    return found


def _from_json(data: bytes, name: str) -> list[Landmarks]:
    try:
        values = parse_json(data.removeprefix(BOM_UTF8), name)
    except InputError as error:
        raise InputError(
            f"{name} is not JSON, or a number is not finite; write points such as {_EXAMPLE}."
        ) from error
    faces = values if isinstance(values, list) else [values]
    if not faces or not all(isinstance(face, dict) for face in faces):
        raise InputError(f"{name} holds no landmarks by name; write them such as {_EXAMPLE}.")
    return [landmarks_by_name(face, name) for face in faces if isinstance(face, dict)]


_EXAMPLE = '{"left_eye": [310, 402], "right_eye": [455, 398], "mouth_left": [330, 560], "mouth_right": [440, 556]}'


def landmarks_by_name(values: dict[str, Any], name: str = "The landmarks") -> Landmarks:
    """Landmarks of one face from points by name, as in a ``.json`` file and from ``Landmarks.to_dict``.

    Args:
        values: ``[x, y]`` or a list of them, by name.
        name: of the landmarks in error messages.

    Raises:
        InputError: a name is unknown, a value is not a point, the number of points is wrong, or an eye or corner is
            missing.
    """
    known = (*COUNTS, "mouth_left", "mouth_right")
    for key in values:
        if key not in known:
            raise InputError(
                f"{name}: '{printable(key[:80])}' names no landmark; the names are {', '.join(known)}."
            )
    points = {key: _points(value, key, name) for key, value in values.items()}
    left, right = points.pop("mouth_left", None), points.pop("mouth_right", None)
    if left is not None and right is not None:
        points["mouth_corners"] = np.concatenate([left, right])
    elif "outer_lips" in points and len(points["outer_lips"]) == COUNTS["outer_lips"]:
        points.setdefault("mouth_corners", points["outer_lips"][[0, 6]])
    missing = [key for key in ("left_eye", "right_eye") if key not in points]
    if "mouth_corners" not in points:
        missing += [key for key, one in (("mouth_left", left), ("mouth_right", right)) if one is None]
    if missing:
        raise InputError(
            f"{name} lacks {' and '.join(missing)}; both eyes and both corners of the mouth are needed."
        )
    try:
        return Landmarks(**points)
    except ValueError as error:
        raise InputError(f"{name}: {error}.") from error


def _points(value: object, key: str, name: str) -> Array:
    """``[x, y]``, or a list of them, as ``[k, 2]``."""
    rows = [value] if isinstance(value, list) and value and not isinstance(value[0], list) else value
    one = key in ("mouth_left", "mouth_right")
    if (
        not isinstance(rows, list)
        or not rows
        or (one and len(rows) != 1)
        or not all(isinstance(row, list) and len(row) == 2 for row in rows)
        or not all(isinstance(x, int | float) and not isinstance(x, bool) for row in rows for x in row)
    ):
        raise InputError(f"{name}: {key} takes [x, y]{'' if one else ', or a list of them'}; correct it.")
    try:
        return np.array(rows, dtype=np.float64)
    except OverflowError:
        raise InputError(f"{name}: {key} is not finite; correct it.") from None


def _from_pts(data: bytes, name: str) -> list[Landmarks]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not text, as a .pts file is; write it again.") from error
    found = re.fullmatch(r"\s*(?:version:.*\s+)?n_points:\s*(\d{1,6})\s*\{([^{}]*)\}\s*", text)
    try:
        if found is None:
            raise ValueError
        points = np.array([[float(word) for word in line.split()] for line in found[2].strip().splitlines()])
        if points.shape != (int(found[1]), 2):
            raise ValueError
    except ValueError:
        raise InputError(
            f"{name} is not a .pts file of 300-W: n_points, then {{ a line 'x y' for each }}."
        ) from None
    return [_from_array(points - 1, name)]


def _from_npy(data: bytes, name: str) -> list[Landmarks]:
    try:
        values = read_npy(io.BytesIO(data), name, len(data), _MOST_BYTES)
    except InputError as error:
        raise InputError(f"{name} is not a .npy file of numbers that can be read; save it again.") from error
    if values.dtype.kind not in "iuf":
        raise InputError(f"{name} holds {values.dtype} and no plain numbers; save it as float64.")
    faces = values[None] if values.ndim == 2 else values
    if faces.ndim != 3 or not len(faces):
        raise InputError(
            f"{name} is {list(values.shape)}; landmarks are [68, 2], [5, 2], or [N, 68, 2] of N faces."
        )
    return [_from_array(np.asarray(face, dtype=np.float64), name) for face in faces]


def _from_array(points: Array, name: str) -> Landmarks:
    if points.shape == (68, 2):
        return Landmarks.from_ibug(points)
    if points.shape == (5, 2):
        return Landmarks(left_eye=points[:1], right_eye=points[1:2], mouth_corners=points[3:])
    raise InputError(f"{name} has points of the shape {list(points.shape)}; 68 or 5 are read, of x and y each.")


def _check_shape(landmarks: Landmarks, name: str) -> None:
    """Raise InputError for landmarks that are not a face's."""
    if not np.isfinite(landmarks.points).all() or np.abs(landmarks.points).max() > 1e7:
        raise InputError(f"{name}: a point is not finite, or far too large; give pixels of the picture.")
    left, right = landmarks.left_eye.mean(axis=0), landmarks.right_eye.mean(axis=0)
    mouth_left, mouth_right = landmarks.mouth_corners
    across, smile = right - left, mouth_right - mouth_left
    down = (mouth_left + mouth_right) / 2 - (left + right) / 2
    if np.hypot(*across) < _LEAST_DISTANCE or np.hypot(*smile) < _LEAST_DISTANCE:
        same = "eyes" if np.hypot(*across) < _LEAST_DISTANCE else "corners of the mouth"
        raise InputError(f"{name}: the two {same} are at the same place; give each its own.")
    if across @ smile <= 0 or across[0] * down[1] - across[1] * down[0] <= 0:
        raise InputError(
            f"{name}: eyes and mouth do not lie as in a face; left and right are as you see them, x grows to the "
            "right and y down."
        )


def _box(landmarks: Landmarks) -> tuple[float, float, float, float]:
    """The box that dlib's detector would find, from the mean box in an aligned crop."""
    quad = ffhq_quad(landmarks)
    left, top, right, bottom = aligned_box(1.0)
    middle = quad[0] + (left + right) / 2 * (quad[3] - quad[0]) + (top + bottom) / 2 * (quad[1] - quad[0])
    half = (right - left) / 2 * float(np.hypot(*(quad[3] - quad[0])))
    return (float(middle[0] - half), float(middle[1] - half), float(middle[0] + half), float(middle[1] + half))
