"""Eyes, nose, mouth or hair of one picture on another, with their outline and their colour.

The donor is turned to the receiver's pose, its part is laid over the receiver by masks and landmarks, and a short
search brings that collage back to what the generator draws, which closes its seams (after Zhu et al., "Barbershop:
GAN-based Image Compositing using Segmentation Masks", 2021). Outside of the parts the receiver's picture stays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylegan_latents.editing.directions.apply import apply_edits
from stylegan_latents.editing.directions.catalogue import find_direction, known_directions
from stylegan_latents.editing.discovery.scorers.head_pose import fit_head
from stylegan_latents.editing.mixing.mixing import check_crossfade
from stylegan_latents.editing.regions.blending import blend_pictures
from stylegan_latents.editing.regions.person import person_guess, shows_people
from stylegan_latents.editing.regions.regions import FEATHER, face_region, region_masks, soften
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.find import landmarks_of_crop
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.person_mask import CLASSES, person_mask

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.records.codes import Code
    from stylegan_latents.editing.regions.parts import Parts
    from stylegan_latents.generator.generator import Generator, Noise

Array = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

TRANSPLANTED = ("eyes", "nose", "mouth", "hair")
"""The parts that can be transplanted."""

_SIDE, _STEPS = 512, 60
_HAIR = "hair"
# Turning the donor: degrees that are near enough, the largest strength, first slopes in degrees per strength.
_NEAR, _FURTHEST, _TURNS = 1.5, 3.0, 4
_SLOPES = {"pose": 10.0, "pitch": 5.0}
# Shares of hair: what is surely hair, what may belong to it, and where it begins and ends to be seen.
_SURE, _LIKELY, _FROM, _TO = 0.9, 0.4, 0.2, 0.5
# Pieces of hair: pixels to the next, the least deviation of a colour of Lab, and deviations from the hair's mean.
_GAP, _LEAST_SPREAD, _FARTHEST_COLOUR = 45, 6.0, 1.5
_LID = 2.0  # standard deviation of an open eye's soft edge, in pixels
_BACKGROUND_SIDE = 128  # at which what hair uncovers is filled


@dataclass(frozen=True, eq=False)
class Transplant:
    """What a donor gives.

    Attributes:
        code: the donor.
        parts: some of ``TRANSPLANTED``.
        strength: 0 keeps the receiver's, 1 takes the donor's; codes are interpolated in between.
    """

    code: "Code"
    parts: Sequence[str]
    strength: float = 1.0


@dataclass(frozen=True, eq=False)
class _Portrait:
    """A picture of ``_SIDE`` pixels, its landmarks in pixels, and the share of each of ``CLASSES`` in it."""

    pixels: Array
    landmarks: Landmarks
    shares: Array

    @property
    def picture(self) -> Image.Image:
        return Image.fromarray(np.rint(self.pixels).clip(0, 255).astype(np.uint8))

    def of(self, name: str) -> Array:
        return np.asarray(self.shares[CLASSES.index(name)])

    def warped(self, matrix: Array, landmarks: Landmarks) -> "_Portrait":
        """Moved by an affine map ``[2, 3]`` of pixels."""
        return _Portrait(
            _warp(self.pixels, matrix), landmarks, np.stack([_warp(one, matrix) for one in self.shares])
        )


def can_transplant(G: "Generator", parts: "Parts", names: Sequence[str]) -> bool:
    """Whether a model shows people in flat pictures, and all names are among ``TRANSPLANTED``."""
    return shows_people(parts) and G.camera is None and G.image_channels == 3 and set(names) <= set(TRANSPLANTED)


def transplanted(
    G: "Generator",
    receiver: "Code",
    donors: Sequence[Transplant],
    parts: "Parts",
    *,
    regions: Sequence[str] = (),
    steps: int = _STEPS,
    on_step: Callable[[int, int], None] | None = None,
) -> Image.Image:
    """The receiver's picture with parts of donors, at full resolution.

    Args:
        G: the generator of all codes, see ``can_transplant``.
        receiver: with its noise and tuned weights.
        donors: in order; a later one's part lies over an earlier one's.
        parts: the catalogue of ``G``.
        regions: limit the change to these, see ``region_masks``; only that of the parts when empty.
        steps: of the search.
        on_step: called with the number of steps done and in all.

    Raises:
        InputError: no face is found in a picture, or a strength is not between 0 and 1.
    """
    from stylegan_latents.generator.ops.memory import keep_freed_memory

    for donor in donors:
        check_crossfade(donor.strength)
    before = _draw(receiver.own_generator(G), receiver.ws, receiver.noise_or_const, G.resolution)
    with keep_freed_memory():
        base = _portrait(G, before, receiver.ws, parts, receiver.name)
        collage = base.picture
        changed: dict[float, Array] = {}
        for donor in donors:
            theirs = _turned(G, donor.code, base, parts)
            # Hair first: eyes lie over it.
            for name in sorted(donor.parts, key=lambda part: part != _HAIR):
                lay = _hair_over if name == _HAIR else _feature_over
                collage, here = lay(collage, base, theirs, name)
                changed[donor.strength] = np.maximum(changed.get(donor.strength, np.float32(0)), here)
        ws = _searched(G, collage, receiver.ws, steps, on_step)
    after = before
    for strength, mask in changed.items():
        drawn = _draw(G, receiver.ws.lerp(ws, strength), "const", G.resolution)
        after = blend_pictures(after, drawn, _resized(mask, before.size))
    if not regions:
        return after
    return blend_pictures(before, after, region_masks(regions, [before, after], name=receiver.name))


def _draw(G: "Generator", ws: "Tensor", noise: "Noise", size: int) -> Image.Image:
    import torch

    from stylegan_latents.invert.photos.files import to_picture

    with torch.inference_mode():
        return to_picture(G.synthesize(ws, noise, size=size))[0]


def _resized(mask: Array, size: tuple[int, int]) -> Array:
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR)).clip(0, 1)


def _portrait(G: "Generator", picture: Image.Image, ws: "Tensor", parts: "Parts", name: str) -> _Portrait:
    import cv2

    picture = picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    landmarks = landmarks_of_crop(picture)
    if landmarks is None:
        raise InputError(f"No face was found in {name}; take a picture of one, or --by channels.")
    shares = person_mask(picture, person_guess(parts, G, ws)[0]).shares
    grown = [cv2.resize(one, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR) for one in shares]
    return _Portrait(np.asarray(picture, dtype=np.float32), landmarks, np.stack(grown).astype(np.float32))


def _turned(G: "Generator", code: "Code", like: _Portrait, parts: "Parts") -> _Portrait:
    """The donor in another portrait's pose, by the directions of the model if it has them."""
    size = min(_SIDE, G.resolution)
    own = code.own_generator(G)
    known = known_directions(G.latent_space)
    axes = [find_direction(name, G) for name in _SLOPES] if set(_SLOPES) <= set(known) else []
    wanted = _pose(like.landmarks)
    slopes, strengths = np.array(list(_SLOPES.values())), np.zeros(len(_SLOPES))
    nearest, best = np.inf, code.ws
    before: tuple[Points, Points] | None = None
    for _ in range(_TURNS if axes else 0):
        ws = apply_edits(code.ws, list(zip(axes, strengths.tolist(), strict=True)))
        landmarks = landmarks_of_crop(_draw(own, ws, code.noise_or_const, size))
        if landmarks is None:
            break
        pose = _pose(landmarks)
        missing = wanted - pose
        if (distance := float(np.abs(missing).max())) < nearest:
            nearest, best = distance, ws
        if distance <= _NEAR:
            break
        if before is not None:
            moved = strengths - before[0]
            found = (pose - before[1]) / np.where(np.abs(moved) > 0.2, moved, np.nan)
            slopes = np.where((found > 2) & (found < 30), found, slopes)
        before = strengths, pose
        strengths = np.clip(strengths + missing / slopes, -_FURTHEST, _FURTHEST)
    return _portrait(G, _draw(own, best, code.noise_or_const, size), best, parts, code.name)


def _pose(landmarks: Landmarks) -> Points:
    """Yaw and pitch in degrees."""
    values, _ = fit_head(Landmarks.stack([landmarks]))
    return np.asarray(np.degrees(values[0, :2]))


def _hair_over(collage: Image.Image, base: _Portrait, donor: _Portrait, name: str) -> tuple[Image.Image, Array]:
    """The donor's hair on the head of a collage, and where the picture changes.

    What the receiver's own hair uncovers shows what the donor has there, skin and background in the receiver's
    colours.
    """
    import cv2

    del name
    points = np.concatenate([donor.landmarks.outline, donor.landmarks.brows])
    goal = np.concatenate([base.landmarks.outline, base.landmarks.brows])
    lifted = np.hstack([points, np.ones((len(points), 1))])
    matrix = np.linalg.lstsq(lifted, goal, rcond=None)[0].T.astype(np.float32)
    theirs = donor.warped(matrix, base.landmarks)
    new, old = _hair(theirs), _hair(base)
    uncovered = cv2.dilate((old - new).clip(0, 1), np.ones((9, 9))) > 0.3
    freed = cv2.GaussianBlur(uncovered.astype(np.float32), (0, 0), 2)
    background, face, neck = theirs.of("background"), theirs.of("face"), theirs.of("neck")
    skin = (face + neck)[:, :, None]
    filling = (
        background[:, :, None] * _background(base)
        + skin * _recoloured(theirs, base)
        + (1 - background[:, :, None] - skin) * theirs.pixels
    )
    pixels = np.asarray(collage, dtype=np.float32)
    pixels = pixels + freed[:, :, None] * (filling - pixels)
    # Not the donor's own pixels, whose skin and background shine through the edge of the hair.
    pixels = pixels + new[:, :, None] * (filling - pixels)
    touched = (np.maximum(np.maximum(new, old), freed) > 0.3).astype(np.float32)
    changed = cv2.GaussianBlur(cv2.dilate(touched, np.ones((13, 13))), (0, 0), 4)
    return Image.fromarray(np.rint(pixels).clip(0, 255).astype(np.uint8)), np.asarray(changed, dtype=np.float32)


def _feature_over(collage: Image.Image, base: _Portrait, donor: _Portrait, name: str) -> tuple[Image.Image, Array]:
    """The donor's eyes, nose or mouth on the face of a collage, and where the picture changes."""
    matrix = _similarity(*(_anchors(one.landmarks) for one in (donor, base)))
    moved = donor.landmarks.mapped(lambda points: points @ matrix[:, :2].T + matrix[:, 2])
    theirs = donor.warped(matrix, moved)
    sides = [one.landmarks.mapped(lambda points: (points + 0.5) / _SIDE) for one in (base, theirs)]
    mask = soften(np.maximum(*(face_region(name, one, _SIDE) for one in sides)), FEATHER[name])
    laid = blend_pictures(collage, theirs.picture, mask, match_colours=True)
    if name == "eyes":
        # Between the lids the donor's own colours: irises are not skin.
        laid = blend_pictures(laid, theirs.picture, _between_lids(moved) * mask)
    return laid, mask


def _between_lids(landmarks: Landmarks) -> Array:
    """The open eyes, 0 to 1."""
    import cv2

    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    for eye in (landmarks.left_eye, landmarks.right_eye):
        cv2.fillConvexPoly(mask, np.rint(eye).astype(np.int32), 1)
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _LID), dtype=np.float32)


def _anchors(landmarks: Landmarks) -> Points:
    """Points that stay when lids and lips move, ``[4, 2]``."""
    eyes = [landmarks.left_eye.mean(0), landmarks.right_eye.mean(0)]
    return np.stack([*eyes, landmarks.nose_bridge[-1], landmarks.mouth_corners.mean(0)])


def _similarity(points: Points, goal: Points) -> Array:
    """The rotation, scaling and shift ``[2, 3]`` that moves points nearest to others; shapes stay."""
    centre, end = points.mean(0), goal.mean(0)
    ours, theirs = (points - centre) @ (1, 1j), (goal - end) @ (1, 1j)
    turn = (ours.conj() @ theirs) / (ours.conj() @ ours).real
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, end - linear @ centre]).astype(np.float32)


def _hair(portrait: _Portrait) -> Array:
    """The hair, 0 to 1: what hangs together with its surest part, and pieces of its colour near that.

    Clothes of a colour near the hair's are taken for hair in places, below the hair and apart from it.
    """
    import cv2
    from scipy.ndimage import label

    share = portrait.of(_HAIR)
    sure, count = label(share > _SURE)
    if not count:
        return np.zeros_like(share)
    core = sure == 1 + int(np.argmax(np.bincount(sure.ravel())[1:]))
    lab = cv2.cvtColor((portrait.pixels / 255).clip(0, 1), cv2.COLOR_RGB2LAB)
    colour, spread = lab[core].mean(0), lab[core].std(0).clip(_LEAST_SPREAD)
    pieces, count = label(share > _LIKELY)
    kept = np.isin(pieces, np.unique(pieces[core]))
    near = cv2.dilate(kept.astype(np.uint8), np.ones((2 * _GAP + 1,) * 2)) > 0
    for piece in np.setdiff1d(np.unique(pieces[near]), np.unique(pieces[kept])):
        there = pieces == piece
        # What goes on beyond the sides is rather clothes or background.
        aside = there[:, [0, -1]].any()
        if piece and not aside and np.abs((lab[there].mean(0) - colour) / spread).max() < _FARTHEST_COLOUR:
            kept |= there
    seen = ((share - _FROM) / (_TO - _FROM)).clip(0, 1)
    return np.asarray(seen * cv2.dilate(kept.astype(np.float32), np.ones((9, 9))), dtype=np.float32)


def _background(portrait: _Portrait) -> Array:
    """The background as it may go on behind the person, ``[side, side, 3]``."""
    import cv2

    size = (_BACKGROUND_SIDE, _BACKGROUND_SIDE)
    small = cv2.resize(portrait.pixels, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(portrait.of("background"), size, interpolation=cv2.INTER_AREA)
    hidden = cv2.dilate((share < 0.9).astype(np.uint8), np.ones((3, 3)))
    filled = cv2.inpaint(small.clip(0, 255).astype(np.uint8), hidden, 5, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(filled, (_SIDE, _SIDE)), dtype=np.float32)


def _recoloured(portrait: _Portrait, like: _Portrait) -> Array:
    """The pixels of a portrait with the mean skin colour of another, ``[side, side, 3]``."""
    import cv2

    labs, means = [], []
    for one in (portrait, like):
        lab = cv2.cvtColor((one.pixels / 255).clip(0, 1), cv2.COLOR_RGB2LAB)
        labs.append(lab)
        means.append(np.average(lab, axis=(0, 1), weights=np.broadcast_to(one.of("face")[:, :, None], lab.shape)))
    shifted = (labs[0] + (means[1] - means[0])).astype(np.float32)
    return np.asarray(255 * cv2.cvtColor(shifted, cv2.COLOR_LAB2RGB), dtype=np.float32)


def _searched(
    G: "Generator", collage: Image.Image, start: "Tensor", steps: int, on_step: Callable[[int, int], None] | None
) -> "Tensor":
    """The code whose picture is nearest to a collage."""
    from stylegan_latents.invert.inverters.base import Progress
    from stylegan_latents.invert.inverters.by_name import make_inverter
    from stylegan_latents.invert.photos.files import to_tensor

    def report(progress: Progress) -> None:
        if on_step is not None:
            on_step(progress.step, progress.steps)

    inverter = make_inverter(G, steps=steps, identity_weight=0.0)
    # An encoder's code of the collage is nearer than the receiver's own.
    begin = None if inverter.method == "hybrid" else start
    return inverter.invert(to_tensor(collage), start=begin, on_step=report).ws.to(start.device)


def _warp(values: Array, matrix: Array) -> Array:
    import cv2

    size = (values.shape[1], values.shape[0])
    warped = cv2.warpAffine(values, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.float32)
