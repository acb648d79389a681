"""Regions of a picture as soft masks: from a file, or shapes around the landmarks of a face."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.photos.person_mask import PersonMask

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

Mask = npt.NDArray[np.float32]
Blend = Literal["image", "features"]
"""Where a region is joined: in the pictures, or in the network's features."""

Points = npt.NDArray[np.float64]
REGIONS = ("eyes", "nose", "mouth", "hair", "face", "background")
"""The regions that landmarks give."""

WITHIN_SKIN = ("eyes", "nose", "mouth")
"""Those whose edges lie in skin."""

FEATHER = {"eyes": 0.02, "nose": 0.02, "mouth": 0.02, "hair": 0.035, "face": 0.03, "background": 0.035}
"""Standard deviation of each region's soft edge, as a fraction of the picture's side."""

MASK_FEATHER = 0.01
"""Standard deviation of the soft edge of a mask from a file."""

LOCAL_SCORES = {"smile": "face", "mouth-open": "face", "eyes-open": "eyes"}
"""Scores of faces whose change stays in a region, with that region."""

FACE_SCORES = {*LOCAL_SCORES, "pose", "pitch", "age", "gender"}
"""Scores of faces that an edit of the face alone changes, if the generator joins it to the head."""

BY_PERSON = ("hair", "background")
"""The regions that a person's mask gives, see ``region_masks``."""

_READING_SIDE = 512
_AROUND = ("outline", "left_brow", "right_brow")
_NEEDED = {
    "eyes": ("outline", "left_eye", "right_eye"),
    "nose": ("outline", "nose_bridge", "nose_base"),
    "mouth": ("outline", "outer_lips"),
}


def check_regions(regions: Sequence[str], others: Sequence[str] = ()) -> None:
    """Raise InputError for what is neither among ``REGIONS`` nor a mask that can be read.

    Args:
        regions: to check.
        others: names that may be given in place of a region.
    """
    for region in regions:
        if not is_named(region):
            read_mask(_mask_path(region, others), _READING_SIDE)


def local_region(scores: Sequence[str]) -> str | None:
    """The region that holds changes of all these scores of faces; None if one changes more."""
    regions = {LOCAL_SCORES.get(score) for score in scores}
    return None if not regions or None in regions else max(regions, key=lambda one: one == "face")


def of_face(regions: Sequence[str]) -> bool:
    """Whether these regions, at least one, lie in a face."""
    kinds = {region.strip().lower() for region in regions}
    return bool(kinds) and kinds <= {"face", *WITHIN_SKIN}


def own_region(
    scores: Sequence[str], draw: Callable[[int], Image.Image], joins: Callable[[], bool]
) -> tuple[str, Blend] | None:
    """The region of an edit that is pasted back, so that hair and collar stay; None for the whole picture.

    Args:
        scores: of faces, that the edit's directions change.
        draw: from a side in pixels to the unedited picture, in which a face has to be found.
        joins: whether the model joins faces, see ``joining``.

    Returns:
        The region, and where it is joined: see ``OpenRecord.edited``.
    """
    from stylegan_latents.invert.faces.find import landmarks_of_crop

    region = local_region(scores)
    joined = region is None and bool(scores) and FACE_SCORES.issuperset(scores) and joins()
    region = "face" if joined else region
    if region is None or landmarks_of_crop(draw(_READING_SIDE)) is None:
        return None
    return region, "features" if joined else "image"


def region_masks(
    regions: Sequence[str],
    pictures: Sequence[Image.Image],
    *,
    feather: float | None = None,
    name: str = "the picture",
    people: Sequence[PersonMask] | None = None,
) -> Mask:
    """The union of regions as one soft mask that covers them in every picture (an open and a closed mouth).

    Args:
        regions: each one of ``REGIONS``, or a mask's file of any size: white where to change.
        pictures: of one square size, showing the same face before and after.
        feather: softness of the edges as a fraction of the side, 0 for none; None for each region's own.
        name: what messages call the picture.
        people: the person in each picture, which give hair and background their outlines; None for shapes around
            landmarks.

    Returns:
        float32 ``[side, side]`` in 0 to 1, exactly 0 away from the regions.

    Raises:
        InputError: a region is unknown, its file cannot be read or is all black, or no face is found.
    """
    side = pictures[0].width
    mask: Mask = np.zeros((side, side), dtype=np.float32)
    for region in regions:
        if is_named(region):
            kind = region.strip().lower()
            if people is not None and kind in BY_PERSON:
                found = [_outlined(one.of(kind), side) for one in people]
            else:
                found = [face_region(kind, face_landmarks(picture, kind, name), side) for picture in pictures]
            # Background is what is background in all pictures; other regions are where any picture has them.
            part = np.minimum.reduce(found) if kind == "background" else np.maximum.reduce(found)
            part = soften(part, FEATHER[kind] if feather is None else feather)
        else:
            part = soften(read_mask(_mask_path(region), side), MASK_FEATHER if feather is None else feather)
        mask = np.maximum(mask, part)
    return mask


def _outlined(share: Mask, side: int) -> Mask:
    """Where a share is more than half, 0 or 1, ``[side, side]``."""
    resized = Image.fromarray(share).resize((side, side), Image.Resampling.BILINEAR)
    return (np.asarray(resized) > 0.5).astype(np.float32)


def masks_of_codes(
    G: "Generator", ws: "Tensor", regions: Sequence[str], progress: Callable[[int, int], None] | None = None
) -> "tuple[Tensor, Tensor]":
    """Masks of regions in the pictures of codes: one for all from a file, one for each face from landmarks.

    Args:
        G, ws: the generator and codes ``[N, num_ws, w_dim]``.
        regions: each one of ``REGIONS``, or a mask's file.
        progress: called with the number of codes done and in all.

    Returns:
        The codes in whose pictures the regions are, ``[M, num_ws, w_dim]``, and float32 ``[1 or M, 1, S, S]`` in
        [0, 1] with hard edges.

    Raises:
        InputError: no picture has the regions, or a file cannot be read.
    """
    import torch

    from stylegan_latents.invert.photos.files import to_picture

    side = min(_READING_SIDE, G.resolution)
    if not any(is_named(region) for region in regions):
        blank = Image.new("RGB", (side, side))
        return ws, torch.from_numpy(region_masks(regions, [blank], feather=0.0))[None, None]
    kept, masks, missing = [], [], None
    for index in range(len(ws)):
        with torch.inference_mode():
            picture = to_picture(G.synthesize(ws[index : index + 1], size=side))[0]
        try:
            masks.append(torch.from_numpy(region_masks(regions, [picture], feather=0.0, name="the samples")))
            kept.append(index)
        except InputError as error:  # a sample without a face; others may have one
            missing = error
        if progress is not None:
            progress(index + 1, len(ws))
    if not kept:
        raise missing or InputError("Regions need at least one code.")
    return ws[kept], torch.stack(masks)[:, None]


def is_named(region: str) -> bool:
    """Whether this is one of ``REGIONS``, and not a mask's file."""
    return region.strip().lower() in REGIONS


def _mask_path(region: str, others: Sequence[str] = ()) -> Path:
    path = Path(region).expanduser()
    if not path.suffix and not path.is_file():
        raise InputError(
            f"'{region}' is no region: give {', '.join([*REGIONS, *others])}, or a mask's file such as mask.png."
        )
    return path


def read_mask(path: Path, side: int) -> Mask:
    """The brightness of a picture as a mask in 0 to 1, resized to ``[side, side]``.

    Raises:
        InputError: it cannot be read, is not square, or is black all over.
    """
    from stylegan_latents.invert.photos.crop import mask_picture

    picture = mask_picture(path)
    if picture.width != picture.height:
        raise InputError(
            f"The mask {path} is {picture.width}x{picture.height} pixels; it has to be square, as the aligned "
            "picture is."
        )
    mask = np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR), dtype=np.float32) / np.float32(255)
    if not mask.any():
        raise InputError(f"The mask {path} is black all over; paint white what is to change.")
    return mask


def face_landmarks(picture: Image.Image, region: str, name: str = "the picture") -> Landmarks:
    """The landmarks of the largest face, in fractions of the side, or InputError if there is none."""
    from stylegan_latents.invert.faces.find import landmarks_of_crop

    small = picture.convert("RGB").resize((_READING_SIDE, _READING_SIDE), Image.Resampling.LANCZOS)
    found = landmarks_of_crop(small)
    if found is None:
        raise InputError(
            f"No face was found in {name}, so there is no region '{region}'; give a mask's file instead, such as "
            "mask.png, white where to change."
        )
    return found.mapped(lambda points: (points + 0.5) / _READING_SIDE)


def face_region(region: str, landmarks: Landmarks, side: int) -> Mask:
    """One of ``REGIONS`` from landmarks in fractions of the side: 0 or 1, ``[side, side]``."""
    landmarks.require(f"the region '{region}'", *_NEEDED.get(region, _AROUND))
    shape = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(shape)
    left, right = landmarks.left_eye.mean(0), landmarks.right_eye.mean(0)
    middle_of_eyes = (left + right) / 2
    unit = float(np.linalg.norm(right - left))
    outline = landmarks.outline
    down = landmarks.chin - middle_of_eyes
    down /= np.linalg.norm(down)
    if region == "eyes":
        for eye in (landmarks.left_eye, landmarks.right_eye):
            _fill(draw, _grown(eye, 0.22 * unit, down, 0.16 * unit), side)
    elif region == "nose":
        _fill(draw, _grown(landmarks.nose, 0.15 * unit, down, 0.1 * unit), side)
    elif region == "mouth":
        _fill(draw, _grown(landmarks.outer_lips, 0.25 * unit, down, 0.2 * unit), side)
    else:
        face = np.concatenate([outline, landmarks.brows - 0.5 * unit * down])
        if region == "face":
            _fill(draw, face, side)
        else:
            # A head with its hair: an ellipse around the brows, twice the face's width and open downwards.
            across = np.array([down[1], -down[0]])
            turn = np.linspace(0, 2 * np.pi, 72)[:, None]
            crown = middle_of_eyes + 0.1 * unit * down
            head = crown + 1.75 * unit * np.cos(turn) * across + 2.25 * unit * np.sin(turn) * down
            _fill(draw, head, side)
            if region == "hair":
                _fill(draw, face, side, 0)
                low = outline[[2, 14]].mean(0)
                beyond = np.stack([low - 9 * across, low + 9 * across])
                _fill(draw, np.concatenate([beyond, beyond[::-1] + 9 * down]), side, 0)
                for temple, outwards in ((outline[:3], -across), (outline[14:], across)):
                    ear = temple.mean(0) + 0.15 * unit * outwards
                    _fill(draw, ear + unit * (0.35 * np.cos(turn) * across + 0.55 * np.sin(turn) * down), side, 0)
            else:
                shoulders = np.stack([outline[4], outline[12], outline[12] + 9 * down, outline[4] + 9 * down])
                _fill(draw, _grown(shoulders, 1.6 * unit, down, 0.0), side)
                shape = shape.point([255 - value for value in range(256)])
    return np.asarray(shape, dtype=np.float32) / np.float32(255)


def soften(mask: Mask, feather: float) -> Mask:
    """Blur a mask's edge, after growing the mask so that what was inside stays inside."""
    if feather <= 0:
        return mask
    radius = feather * len(mask)
    levels = Image.fromarray((mask * 255).round().astype(np.uint8))
    # On a small copy: a large filter on a large picture takes seconds.
    small = levels.resize((_READING_SIDE // 2,) * 2, Image.Resampling.BOX) if len(mask) > 256 else levels
    scale = small.width / len(mask)
    grown = small.filter(ImageFilter.MaxFilter(2 * max(1, round(radius * scale)) + 1))
    soft = grown.filter(ImageFilter.GaussianBlur(radius * scale)).resize(levels.size, Image.Resampling.BILINEAR)
    return np.asarray(soft, dtype=np.float32) / np.float32(255)


def to_mask_tensor(mask: Mask, like: "Tensor") -> "Tensor":
    """A mask ``[side, side]`` as a tensor ``[1, 1, side, side]`` on the device of ``like``."""
    import torch

    return torch.from_numpy(np.array(mask)).reshape(1, 1, *mask.shape).to(like.device, torch.float32)


def _grown(points: Points, by: float, down: Points, vertically: float) -> Points:
    """Points moved away from their mean: ``by`` across, ``vertically`` along ``down``."""
    across = np.array([down[1], -down[0]])
    away = points - points.mean(0)
    x, y = away @ across, away @ down
    x = x * (1 + by / max(float(np.abs(x).max()), 1e-6))
    y = y * (1 + vertically / max(float(np.abs(y).max()), 1e-6))
    return np.asarray(points.mean(0) + x[:, None] * across + y[:, None] * down)


def _fill(draw: ImageDraw.ImageDraw, points: Points, side: int, value: int = 255) -> None:
    """Fill the convex hull of points in fractions of the side."""
    from scipy.spatial import ConvexHull

    hull = points[ConvexHull(points).vertices] * side - 0.5
    draw.polygon([(float(x), float(y)) for x, y in hull], fill=value)
