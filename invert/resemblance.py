"""What a search is told about who a photo shows, where its face is known and the search asks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image
    from stylegan_latents.invert.faces.align import Alignment
    from stylegan_latents.invert.faces.detector import Face
    from stylegan_latents.invert.inverters.by_name import Inverter
    from stylegan_latents.invert.search.loss import Resemblance


def weighs_identity(inverter: "Inverter") -> bool:
    """Whether an inverter, or what finds the codes that it goes on from, gives any weight to who is seen."""
    parts = (inverter, getattr(inverter, "pivot", None))
    return any(getattr(part, "identity_weight", 0) > 0 for part in parts)


def resemblance_for(
    inverter: "Inverter", faces: "Sequence[Face | None]", alignments: "Sequence[Alignment]"
) -> "Resemblance | None":
    """What to hand to ``invert`` as ``resemblance``.

    Args:
        inverter: of ``make_inverter``.
        faces: of each image, as found in its photo; None for an image that shows none.
        alignments: how the images were cut out of their photos, all of one size.

    Returns:
        None where the inverter gives it no weight or no image shows a face.

    Raises:
        InputError: the recognition network cannot be fetched.
    """
    if not weighs_identity(inverter) or not any(face is not None for face in faces):
        return None
    from stylegan_latents.invert.search.identity_loss import FaceIdentity

    placed = zip(faces, alignments, strict=True)
    landmarks = [None if face is None else alignment.into_crop(face.landmarks) for face, alignment in placed]
    return FaceIdentity.of_landmarks(landmarks, alignments[0].size)


def resemblance_of(inverter: "Inverter", crop: "Image.Image") -> "Resemblance | None":
    """As ``resemblance_for``, for one aligned crop in which the face has to be found first."""
    if not weighs_identity(inverter):
        return None
    from stylegan_latents.invert.faces.detector import find_faces
    from stylegan_latents.invert.search.identity_loss import FaceIdentity

    faces = find_faces(crop)
    return FaceIdentity.of_landmarks([faces[0].landmarks if faces else None], crop.width)
