"""What a search is told about who a photo shows, where its face is known and the search asks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

    from invert.comparison import Resemblance
    from invert.landmarks import Array
    from invert.methods import Inverter


def weighs_identity(inverter: "Inverter") -> bool:
    """Whether an inverter, or what finds the codes that it goes on from, gives any weight to who is seen."""
    parts = (inverter, getattr(inverter, "pivot", None))
    return any(getattr(part, "identity_weight", 0) > 0 for part in parts)


def resemblance_for(inverter: "Inverter", landmarks: "Sequence[Array | None]", side: int) -> "Resemblance | None":
    """What to hand to ``invert`` as ``resemblance``.

    Args:
        inverter: of :func:`invert.methods.make_inverter`.
        landmarks: of the face in each image, ``[68, 2]`` in its pixels; None for an image that shows none.
        side: of the images in pixels.

    Returns:
        None where the inverter gives it no weight or no image shows a face.

    Raises:
        InputError: the recognition network cannot be fetched.
    """
    if not weighs_identity(inverter) or not any(points is not None for points in landmarks):
        return None
    from invert.face_identity import FaceIdentity

    return FaceIdentity.of_landmarks(landmarks, side)


def resemblance_of(inverter: "Inverter", crop: "Image.Image") -> "Resemblance | None":
    """As :func:`resemblance_for`, for one aligned crop whose landmarks are not known yet."""
    if not weighs_identity(inverter):
        return None
    from invert.faces import find_faces

    faces = find_faces(crop)
    return resemblance_for(inverter, [faces[0].landmarks if faces else None], crop.width)
