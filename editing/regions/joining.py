"""A face that an edit changes, joined to a head that stays as it was.

FFHQ's crops hold the face in their middle, so that a head that turns seems to move the other way. Here the features
of the edited face are moved back to where its hair and neck agree with the unedited ones, by whole places of a
coarse feature map, and replace the unedited features there (after Suzuki et al., "Spatially Controllable Image
Synthesis with Internal Representation Collaging", 2018). The layers that follow draw a hairline, a jaw and a neck
that fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stylegan_latents.editing.regions.blending import Displacement, synthesize_blended_styles
from stylegan_latents.editing.regions.person import person_guess, shows_people
from stylegan_latents.editing.regions.regions import Blend, face_region, to_mask_tensor
from stylegan_latents.invert.paste_back.cut import face_oval
from stylegan_latents.invert.paste_back.fields import SIDE, blur, dilated, eroded, moved, smoothstep
from stylegan_latents.invert.paste_back.joined_face import JoinedFace
from stylegan_latents.invert.paste_back.whole_head import HeadMove, head_move
from stylegan_latents.invert.photos.person_mask import PersonMask, person_mask

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from stylegan_latents.editing.regions.parts import Parts
    from stylegan_latents.generator.features import FeatureMap
    from stylegan_latents.generator.generator import Generator, Noise
    from stylegan_latents.invert.faces.landmarks import Landmarks

Array = npt.NDArray[np.float32]
Styles = Sequence["Tensor"]

_PLACES = 32
"""Places along a side of the feature map in which faces are joined: coarser maps join them better, finer ones place
them better.
"""

# Pixels of ``SIDE`` by which the face of a head that does not turn, whose outline stays, is shrunk; and the
# softness of any face's edge, as a fraction of ``SIDE``.
_SHRUNK, _SOFT = 4, 0.015
# Pixels by which strands go beyond what is seen of them.
_STRAND = 2
# The height in the crop below which no chin is moved: beyond the crop's edge nothing is drawn that goes on from it.
_LOWEST = 0.92
# The side of the picture in which landmarks are found.
_READ = 512


def can_join(G: "Generator", parts: "Parts | None") -> bool:
    """Whether faces of a model can be joined: it draws flat, square pictures of people, without margins."""
    from stylegan_latents.generator.features import feature_maps

    if parts is None or not shows_people(parts) or G.camera is not None or G.width != G.resolution:
        return False
    maps = feature_maps(G)
    return all(one.size == one.resolution for one in maps) and any(one.resolution == _PLACES for one in maps)


def joins_face(regions: Sequence[str], blend: Blend) -> bool:
    """Whether these regions, blended so, are a face that is joined."""
    return blend == "features" and [one.strip().lower() for one in regions] == ["face"]


@dataclass(frozen=True, eq=False)
class FaceJoin:
    """Where an edited face goes in the unedited picture.

    Attributes:
        edited: the picture after the edit as a whole.
        people: the people before the edit and in ``edited``.
        guesses: those that the feature maps give, from ``person_guess``, ``[len(CLASSES), side, side]``.
        places: how far the face moves to the right and down, in places of ``_PLACES`` a side.
        share: ``[SIDE, SIDE]`` in 0 to 1, where the edited features are taken.
        shape: as in ``JoinedFace``.
        seen: whether landmarks of a face are found in ``edited``.
    """

    edited: "Image"
    people: tuple[PersonMask, PersonMask]
    guesses: tuple[Array, Array]
    places: tuple[int, int]
    share: Array
    shape: Array
    seen: bool

    @property
    def face(self) -> JoinedFace:
        """What ``paste_back`` has to know of it."""
        right, down = (one / _PLACES for one in self.places)
        return JoinedFace(self.edited, self.people[1], (right, down), self.share, self.shape)

    def draw(
        self, G: "Generator", styles: tuple[Styles, Styles], noise: "Noise", size: int | None = None
    ) -> "Tensor":
        """The joined picture, ``[1, C, H, W]``.

        Args:
            G: the generator.
            styles: before and after the edit, of one picture each.
            noise, size: as for ``Generator.synthesize_styles``.
        """
        mask = to_mask_tensor(self.share, styles[0][0])
        displacement = Displacement(_feature_map(G), *self.places)
        return synthesize_blended_styles(G, *styles, mask, noise, size=size, displacement=displacement)

    def people_in(self, joined: "Image") -> tuple[PersonMask, PersonMask]:
        """The people before the edit and in the joined picture."""
        import cv2

        before, after = self.guesses
        side = before.shape[-1]
        there = moved(after.transpose(1, 2, 0), *(round(one * side / _PLACES) for one in self.places))
        share = cv2.resize(self.share, (side, side), interpolation=cv2.INTER_AREA)
        return self.people[0], person_mask(joined, before + share * (there.transpose(2, 0, 1) - before))


def find_join(
    parts: "Parts",
    G: "Generator",
    styles: tuple[Styles, Styles],
    pictures: "tuple[Image, Image]",
    move: HeadMove | None = None,
) -> FaceJoin | None:
    """Find where the edited face goes; None where no face is seen.

    Args:
        parts: of ``G``, with ``can_join``.
        G: the generator.
        styles, pictures: before and after the edit, of one picture each.
        move: of the head; None finds it.
    """
    guesses = tuple(person_guess(parts, G, one)[0] for one in styles)
    people = tuple(person_mask(picture, guess) for picture, guess in zip(pictures, guesses, strict=True))
    if not all((one.of("face") > 0.5).any() for one in people):
        return None
    before, after = people
    marks = [_landmarks(one) for one in pictures]
    right, down = _places(move or head_move((before, after)))
    if move is None:
        down = _raised(down, *marks)
    across, along = (round(one * SIDE / _PLACES) for one in (right, down))
    turns = right != 0
    shapes = [_shape(found, person if turns else None) for found, person in zip(marks, people, strict=True)]
    face = np.maximum(shapes[0], moved(shapes[1], across, along))
    face = face if turns else eroded(face, _SHRUNK)
    # A fringe, or hair over a cheek, hangs where it hung, and none grows over a face; if the head turns, only where
    # both have hair.
    hair, grown = before.of("hair"), moved(after.of("hair"), across, along)
    hair = np.minimum(hair, grown) if turns else np.maximum(hair, dilated(grown, _STRAND))
    face = face * (1 - hair)
    share = blur(face, _SOFT)
    # What lies beyond the edited picture's edge is not known.
    known = np.zeros((SIDE, SIDE), np.float32)
    known[max(along, 0) : SIDE + min(along, 0), max(across, 0) : SIDE + min(across, 0)] = 1
    if not known.all():
        share = share * smoothstep(2 * blur(eroded(known, 4), 0.01) - 1)
    seen = marks[1] is not None
    return FaceJoin(pictures[1], (before, after), (guesses[0], guesses[1]), (right, down), share, shapes[1], seen)


def _landmarks(picture: "Image") -> "Landmarks | None":
    """In sides of the picture."""
    from stylegan_latents.invert.faces.find import landmarks_of_crop

    found = landmarks_of_crop(picture.convert("RGB").resize((_READ,) * 2))
    return None if found is None else found.mapped(lambda points: (points + 0.5) / _READ)


def _raised(down: int, before: "Landmarks | None", after: "Landmarks | None") -> int:
    """A move down by no more places than leave the chin as high as ``_LOWEST``, or as before the edit."""
    if before is None or after is None:
        return down
    lowest, chin = max(float(before.chin[1]), _LOWEST), float(after.chin[1])
    return next((places for places in range(down, 0, -1) if chin + places / _PLACES <= lowest), min(down, 0))


def _shape(landmarks: "Landmarks | None", person: PersonMask | None) -> Array:
    """``JoinedFace.shape``: by the landmarks, and where none are found an ellipse.

    Args:
        landmarks: in sides.
        person: of a head that turns, whose forehead moves up to the hair.
    """
    if landmarks is None:
        return face_oval().astype(np.float32)
    if person is None:
        return face_region("face", landmarks, SIDE)
    eyes = np.stack([landmarks.left_eye.mean(0), landmarks.right_eye.mean(0)])
    down = landmarks.chin - eyes.mean(0)
    # Above the brows all of the face is forehead; beside them there are ears.
    rows, columns = (np.indices((SIDE, SIDE)) + 0.5) / SIDE
    forehead = columns * down[0] + rows * down[1] < float((landmarks.brows @ down).mean())
    return np.asarray(np.maximum(face_region("face", landmarks, SIDE), person.of("face") * forehead), np.float32)


def _places(move: HeadMove) -> tuple[int, int]:
    right, down = (round(float(one) * _PLACES) for one in move.place) if move.turned else (0, 0)
    return right, down


def _feature_map(G: "Generator") -> "FeatureMap":
    from stylegan_latents.generator.features import feature_maps

    return next(one for one in feature_maps(G) if one.resolution == _PLACES)
