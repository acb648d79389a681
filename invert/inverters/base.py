"""What tuning and noise optimisation begin with: any inverter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.search.loss import Resemblance

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.faces.detector import Face
    from stylegan_latents.invert.photos.crop import Alignment
    from stylegan_latents.invert.record.inversion import Inversion
    from stylegan_latents.invert.search.loss import Resemblance


class Pivot(Protocol):
    """What finds the codes that are kept: any inverter."""

    steps: int

    def invert(
        self,
        images: Tensor,
        *,
        on_step: "Callable[[Progress], None] | None" = None,
        keep_partial: bool = False,
        mask: Tensor | None = None,
        resemblance: Resemblance | None = None,
    ) -> Inversion: ...


Space = Literal["w", "w+"]


@dataclass(frozen=True)
class Progress:
    """What a search tells after each step.

    Attributes:
        step, steps: how many steps are done, of how many.
        loss: the mean over the images of what is being minimised.
        images: ``[N, 3, h, w]`` in about [-1, 1], what the search looks at, detached.
    """

    step: int
    steps: int
    loss: float
    images: Tensor


class Inverter(Protocol):
    """What every method offers; its settings are its attributes."""

    G: "Generator"

    def invert(
        self,
        images: "Tensor",
        *,
        on_step: "Callable[[Progress], None] | None" = None,
        keep_partial: bool = False,
        mask: "Tensor | None" = None,
        resemblance: "Resemblance | None" = None,
    ) -> "Inversion": ...


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
    landmarks = [None if face is None else face.landmarks.mapped(alignment.into_crop) for face, alignment in placed]
    return FaceIdentity.of_landmarks(landmarks, alignments[0].size)


def resemblance_of(inverter: "Inverter", crop: "Image.Image") -> "Resemblance | None":
    """As ``resemblance_for``, for one aligned crop in which the face has to be found first."""
    if not weighs_identity(inverter):
        return None
    from stylegan_latents.invert.faces.find import find_faces
    from stylegan_latents.invert.search.identity_loss import FaceIdentity

    faces = find_faces(crop)
    return FaceIdentity.of_landmarks([faces[0].landmarks if faces else None], crop.width)
