"""Eyes, nose, mouth or hair of one picture on another, with their outline and their colour.

The donor is turned to the receiver's pose, its part is laid over the receiver by masks and landmarks, and a short
search brings that collage back to what the generator draws, which closes its seams (after Zhu et al., "Barbershop:
GAN-based Image Compositing using Segmentation Masks", 2021). Outside of the parts the receiver's picture stays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from stylegan_latents.editing.directions.apply import apply_edits
from stylegan_latents.editing.directions.catalogue import find_direction, known_directions
from stylegan_latents.editing.discovery.scorers.head_pose import fit_head
from stylegan_latents.editing.mixing.collage import SIDE, Array, Points, Portrait, in_colours_of
from stylegan_latents.editing.mixing.features import lay_feature
from stylegan_latents.editing.mixing.hair import HAIR, lay_hair
from stylegan_latents.editing.mixing.mixing import check_crossfade
from stylegan_latents.editing.regions.blending import blend_pictures
from stylegan_latents.editing.regions.person import person_guess, shows_people
from stylegan_latents.editing.regions.regions import region_masks
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.find import landmarks_of_crop
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.person_mask import person_mask

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.records.codes import Code
    from stylegan_latents.editing.regions.parts import Parts
    from stylegan_latents.generator.generator import Generator, Noise

TRANSPLANTED = ("eyes", "nose", "mouth", "hair")
"""The parts that can be transplanted."""

_STEPS = 32
# Turning the donor: degrees that are near enough, the largest strength, first slopes in degrees per strength.
_NEAR, _FURTHEST, _TURNS = 1.5, 3.0, 4
_SLOPES = {"pose": 10.0, "pitch": 5.0}


@dataclass(frozen=True, eq=False)
class Transplant:
    """What a donor gives.

    Attributes:
        code: the donor.
        parts: some of ``TRANSPLANTED``.
        strength: 0 keeps the receiver's, 1 takes the donor's; codes are interpolated in between, and pictures,
            where the receiver has noise or tuned weights of its own.
    """

    code: "Code"
    parts: Sequence[str]
    strength: float = 1.0


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
    own = receiver.own_generator(G)
    before = _draw(own, receiver.ws, receiver.noise_or_const, G.resolution)
    with keep_freed_memory():
        base = _portrait(G, before, receiver.ws, parts, receiver.name)
        collage, seams = base.picture, np.zeros((SIDE, SIDE), np.float32)
        coloured = np.zeros((SIDE, SIDE), np.float32)
        changed: dict[float, Array] = {}
        for donor in donors:
            theirs = _turned(G, donor.code, base, parts)
            # Hair first: eyes lie over it.
            for name in sorted(donor.parts, key=lambda part: part != HAIR):
                lay = lay_hair if name == HAIR else lay_feature
                collage, here, edges, colours = lay(collage, base, theirs, name)
                seams, coloured = np.maximum(seams, edges), np.maximum(coloured * (1 - here), colours)
                changed[donor.strength] = np.maximum(changed.get(donor.strength, np.float32(0)), here)
        ws = _searched(G, collage, 1 - seams, receiver.ws, steps, on_step)
    after = before
    for strength, mask in changed.items():
        between = receiver.ws.lerp(ws, strength)
        drawn = in_colours_of(_draw(G, between, "const", G.resolution), collage, strength * coloured)
        if strength < 1 and (own is not G or receiver.noise is not None):
            # The search knows nothing of the receiver's noise and tuned weights, which a strength of 0 keeps.
            drawn = Image.blend(_draw(own, between, receiver.noise_or_const, G.resolution), drawn, strength)
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


def _portrait(G: "Generator", picture: Image.Image, ws: "Tensor", parts: "Parts", name: str) -> Portrait:
    import cv2

    picture = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    landmarks = landmarks_of_crop(picture)
    if landmarks is None:
        raise InputError(f"No face was found in {name}; take a picture of one, or --by channels.")
    shares = person_mask(picture, person_guess(parts, G, ws)[0]).shares
    grown = [cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for one in shares]
    return Portrait(np.asarray(picture, dtype=np.float32), landmarks, np.stack(grown).astype(np.float32))


def _turned(G: "Generator", code: "Code", like: Portrait, parts: "Parts") -> Portrait:
    """The donor in another portrait's pose, by the directions of the model if it has them."""
    size = min(SIDE, G.resolution)
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


def _searched(
    G: "Generator",
    collage: Image.Image,
    compared: Array,
    start: "Tensor",
    steps: int,
    on_step: Callable[[int, int], None] | None,
) -> "Tensor":
    """The code whose picture is nearest to a collage where ``compared`` is 1."""
    import torch

    from stylegan_latents.invert.inverters.base import Progress
    from stylegan_latents.invert.inverters.by_name import make_inverter
    from stylegan_latents.invert.photos.files import to_tensor

    def report(progress: Progress) -> None:
        if on_step is not None:
            on_step(progress.step, progress.steps)

    inverter = make_inverter(G, steps=steps, identity_weight=0.0)
    # An encoder's code of the collage is nearer than the receiver's own.
    begin = None if inverter.method == "hybrid" else start
    mask = torch.from_numpy(compared)[None, None]
    return inverter.invert(to_tensor(collage), mask=mask, start=begin, on_step=report).ws.to(start.device)
