"""Pasting an edited face back into its photo, at the photo's full resolution.

Outside the crop every pixel is the photo's. Inside it the residual photo - reference, where the reference is the
generator's picture before the edit, is kept where the edit moves nothing, so that pores, loose hair and background
stay the photo's. Where the edit moves things it moves with them. Where the edit shows something else it would leave
a ghost of the old face: there only its smooth part is kept, as a colour correction, and a cut separates the edited
crop from the photo.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.paste_back.cut import change_between, cut, warp_lower_edge, within_crop
from stylegan_latents.invert.paste_back.fields import SIDE, Array, blur, coordinates, dilated, small, smoothstep
from stylegan_latents.invert.paste_back.fill import patterned
from stylegan_latents.invert.paste_back.flow import followed, led_back, lying, sampled
from stylegan_latents.invert.paste_back.joined_face import JoinedFace, joined_face
from stylegan_latents.invert.paste_back.outline import INNER, MARGIN
from stylegan_latents.invert.paste_back.person_layer import drawn_photo, person_layer
from stylegan_latents.invert.paste_back.whole_head import HeadMove, whole_head
from stylegan_latents.invert.photos.crop import Alignment, crop_of, softened_margin
from stylegan_latents.invert.photos.person_mask import PersonMask

_CORNER = 0.3
_STRIP = 256
_RIM = 4
# Of the crop's side: the width over which the generator is compared with the photo, and that of a mere shade.
# Levels of 255 up to which they show the same.
_DETAIL, _SHADE, _UNLIKE = 0.01, 0.1, np.float32(8.0)
# The length of a visible cut, in sides of the crop, and the area of guessed background, from which they are told.
_VISIBLE, _GUESSED = 0.1, 0.01


def paste_back(
    photo: Image.Image,
    edited: Image.Image,
    alignment: Alignment,
    *,
    feather: float = 0.12,
    reference: Image.Image | None = None,
    people: tuple[PersonMask, PersonMask] | None = None,
    head_move: HeadMove | None = None,
    face: JoinedFace | None = None,
    on_visible_seam: Callable[[], None] | None = None,
    on_guessed_background: Callable[[], None] | None = None,
) -> Image.Image:
    """Paste an edited crop back into its photo.

    Args:
        photo: the upright photo that the crop came from, from ``read_photo``.
        edited: the edited crop, a square of any resolution.
        alignment: of the crop.
        feather: width of the mask's soft edge as a fraction of the crop's side, in (0, 0.5].
        reference: the generator's picture before the edit, as large as ``edited``. None pastes ``edited`` as a
            whole, with its colours shifted smoothly to agree with the photo's at the mask's edge.
        people: the person in ``reference`` and in ``edited``. With them what goes on outside the crop, such as
            hair, moves with the edit, the background that becomes free is filled, and the background stays the
            photo's up to the person's outline. For crops of faces alone; others take no notice.
        head_move: how the head of ``people`` moves; None finds it. Those of a scene of a film change smoothly and
            agree in ``turned``, so that nothing jumps.
        face: says that ``edited`` shows an edited face, joined to the head of ``reference``. What is around it
            stays the photo's.
        on_visible_seam: called if the seam cuts visibly through the person of ``people``, because the edit changes
            what the crop cuts through, or takes hair away from the midst of hair.
        on_guessed_background: called if the person uncovers background with a pattern, of which it is not known how
            it goes on.

    Returns:
        A new RGB picture of the photo's size, equal to the photo where ``edited`` and ``reference`` are equal in a
        neighbourhood, and without ``people`` or ``reference`` also outside the crop.

    Raises:
        InputError: the photo's size is not the alignment's.
        ValueError: ``edited`` is not square, ``reference`` has another size, or ``feather`` is out of range.
    """
    if photo.size != alignment.photo_size:
        width, height = alignment.photo_size
        raise InputError(
            f"The photo is {photo.width}x{photo.height} pixels but the inversion was made from one of "
            f"{width}x{height}; give the same photo."
        )
    if edited.width != edited.height:
        raise ValueError(f"the edited crop must be a square, not {edited.width}x{edited.height}")
    if reference is not None and reference.size != edited.size:
        raise ValueError(f"the reference is {reference.size}, the edited crop {edited.size}")
    if not 0 < feather <= 0.5:
        raise ValueError(f"feather must be in (0, 0.5], not {feather}")
    photo, edited = photo.convert("RGB"), edited.convert("RGB")
    head = None
    if people is not None and reference is not None and alignment.method == "ffhq":
        pictures = reference.convert("RGB"), edited
        if face is not None:
            head = joined_face(photo, alignment, pictures, people, face)
        else:
            head = whole_head(photo, alignment, pictures, people, head_move)
        alignment = alignment if head is None else head.alignment
    window = _window(alignment)
    result = photo.copy()
    if window[0] >= window[2] or window[1] >= window[3]:
        return result

    crop = small(crop_of(photo, alignment, SIDE))
    before = change = inside = same = None
    visible = guessed = 0.0
    if head is not None:
        edited, inside, shift, visible, guessed = head.picture, head.inside, head.shift, head.visible, head.guessed
        before = _to_photo(head.reference, alignment, window)
    elif reference is None:
        shift = _shift_at_edge(crop - small(edited), feather)
    else:
        reference = reference.convert("RGB")
        then: Array | None = None
        if alignment.method == "ffhq":
            if people is not None:
                edited, then = led_back(edited, reference, people)
            edited, then = warp_lower_edge(edited, reference, then)
        change = change_between(edited, reference)
        if alignment.method != "ffhq":
            shift = blur(crop - small(reference), 0.06)
        elif people is None or then is None:
            inside, shift, _ = cut(crop, small(edited), small(reference))
        else:
            # From here on the edited crop is pasted into the photo with the person moved.
            layer = person_layer(photo, alignment, (reference, edited), people, then, change)
            drawn = layer.drawn_share
            free = layer.freed[INNER, INNER] * (1 - drawn)
            guessed = patterned(crop, free, 1 - dilated(layer.opaque[INNER, INNER], 2))
            photo = drawn_photo(photo, layer)
            result = photo.copy()
            goal = small(crop_of(photo, alignment, SIDE))
            step = layer.movement[INNER, INNER] * np.float32(1 + 2 * MARGIN)
            then = within_crop(then, drawn, people[1].of("face"))
            reference, same = followed(reference, edited, step, people[1].of("hair"))
            same = np.maximum(same, _foreign(goal, small(reference), small(edited)))
            # Where only one of the two shows the person, the photo's texture is another's.
            same = same * (1 - smoothstep(2 * np.abs(then - drawn)))[:, :, None]
            inside, shift, visible = cut(
                crop, small(edited), small(reference), goal, then, people[1], same, drawn, lying(people[0])
            )
            visible += layer.torn
        before = _to_photo(reference, alignment, window)
    if visible > _VISIBLE and on_visible_seam is not None:
        on_visible_seam()
    if guessed > _GUESSED and on_guessed_background is not None:
        on_guessed_background()
    after = _to_photo(edited, alignment, window)

    for top in range(window[1], window[3], _STRIP):
        strip = (window[0], top, window[2], min(top + _STRIP, window[3]))
        rows = (0, top - window[1], window[2] - window[0], strip[3] - window[1])
        old = np.asarray(photo.crop(strip), dtype=np.float32)
        new = np.asarray(after.crop(rows), dtype=np.float32)
        replaced = new + _field_to_photo(shift, alignment, strip) - old
        sharp = _sharp(alignment, strip)
        mask = _mask(alignment, strip, feather)[:, :, None]
        if head is not None and before is not None:
            # The photo's texture goes along with the face.
            texture = _taken(photo, head.source, alignment, strip) - np.asarray(before.crop(rows), dtype=np.float32)
            shade = _field_to_photo(shift, alignment, strip)
            replaced += _field_to_photo(head.same, alignment, strip) * (texture - shade)
            difference = _field_to_photo(head.inside, alignment, strip) * sharp * replaced
        elif before is None or change is None:
            difference = mask * sharp * replaced
        else:
            added = new - np.asarray(before.crop(rows), dtype=np.float32)
            moved = sharp * _field_to_photo(change, alignment, strip)
            if inside is None:
                difference = mask * (added + moved * (replaced - added))
            else:
                chosen = _field_to_photo(inside, alignment, strip)
                # Outside the cut, leave out what moved and its faint rim.
                kept = mask * (1 - np.minimum(_RIM * moved, 1) * (1 - chosen))
                if same is not None:
                    # What the photo has and the generator lacks goes along with what it belongs to.
                    replaced += _field_to_photo(same, alignment, strip) * (added - replaced)
                difference = kept * (1 - moved) * added + chosen * moved * replaced
        pixels = np.clip(np.rint(old + difference), 0, 255).astype(np.uint8)
        result.paste(Image.fromarray(pixels), strip[:2])
    return result


def _foreign(photo: Array, reference: Array, edited: Array) -> Array:
    """1 where the generator shows something else than the photo and the edit hardly changes that, 0 elsewhere.

    There, such as at an earring or inside a collar, the edited crop is no better than the photo.
    """
    off = photo - reference
    unlike, changed = (
        blur(np.abs(one).max(axis=2, keepdims=True), _DETAIL)
        for one in (off - blur(off, _SHADE), edited - reference)
    )
    return smoothstep(np.asarray(unlike / np.maximum(changed, _UNLIKE) - 1, np.float32))


def _window(alignment: Alignment) -> tuple[int, int, int, int]:
    """The crop's bounding box in the photo: left, top, right, bottom."""
    low = np.maximum(np.floor(alignment.quad.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(alignment.quad.max(axis=0)) + 1, alignment.photo_size).astype(int)
    return (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _affine(
    alignment: Alignment, corner: tuple[int, int], size: float, oversampling: int = 1
) -> tuple[float, float, float, float, float, float]:
    """The map from a window of the photo to the crop at side ``size``, in pixels, as Pillow takes it."""
    across, down = alignment.quad[3] - alignment.quad[0], alignment.quad[1] - alignment.quad[0]
    unit = size / alignment.side**2
    start = np.array(corner, dtype=np.float64) - (alignment.quad[0] + 0.5)
    x, y = across * unit, down * unit
    a, b, d, e = (value / oversampling for value in (x[0], x[1], y[0], y[1]))
    return (float(a), float(b), float(start @ x), float(d), float(e), float(start @ y))


def _to_photo(crop: Image.Image, alignment: Alignment, window: tuple[int, int, int, int]) -> Image.Image:
    """Resample a crop onto the photo's pixels in a window, with antialiasing."""
    width, height = window[2] - window[0], window[3] - window[1]
    # A crop much coarser than the photo is band-limited and needs no oversampling.
    oversampling = 2 if alignment.side <= 1.5 * crop.width else 1
    side = min(max(1, round(oversampling * alignment.side)), 8192)
    source = crop.resize((side, side), Image.Resampling.LANCZOS)
    fine = source.transform(
        (oversampling * width, oversampling * height),
        Image.Transform.AFFINE,
        _affine(alignment, (window[0], window[1]), side, oversampling),
        Image.Resampling.BILINEAR,
    )
    return fine if oversampling == 1 else fine.resize((width, height), Image.Resampling.LANCZOS)


def _field_to_photo(field: Array, alignment: Alignment, window: tuple[int, int, int, int]) -> Array:
    """Interpolate a smooth field ``[side, side, C]`` at the photo's pixels in a window."""
    size = (window[2] - window[0], window[3] - window[1])
    affine = _affine(alignment, (window[0], window[1]), field.shape[0])
    planes = [Image.fromarray(np.ascontiguousarray(field[:, :, channel])) for channel in range(field.shape[2])]
    drawn = [plane.transform(size, Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR) for plane in planes]
    return np.stack([np.asarray(plane) for plane in drawn], axis=2)


def _taken(photo: Image.Image, source: Array, alignment: Alignment, window: tuple[int, int, int, int]) -> Array:
    """The photo, in a window, from other places: ``source`` leads to them, in sides of the crop."""
    import cv2

    axes = np.stack([alignment.quad[3] - alignment.quad[0], alignment.quad[1] - alignment.quad[0]])
    places = np.stack(np.meshgrid(*(np.arange(window[axis], window[axis + 2]) for axis in (0, 1))), axis=2)
    places = places + _field_to_photo(source, alignment, window) @ axes
    return sampled(np.asarray(photo), places.astype(np.float32), cv2.INTER_CUBIC, cv2.BORDER_REFLECT_101)


def _mask(alignment: Alignment, window: tuple[int, int, int, int], feather: float) -> Array:
    """The mask at the photo's pixels: 1 inside a rounded square, falling smoothly to 0 at the crop's edge."""
    a, b, c, d, e, f = np.array(_affine(alignment, (window[0], window[1]), 1.0), dtype=np.float32)
    x = np.arange(window[2] - window[0], dtype=np.float32)[None, :] + 0.5
    y = np.arange(window[3] - window[1], dtype=np.float32)[:, None] + 0.5
    u, v = a * x + b * y + c, d * x + e * y + f
    if alignment.method == "ffhq":
        return _rounded(u, v, feather)
    # Where a crop ends with the photo there is no seam: only sides inside the photo are soft.
    width, height = alignment.photo_size
    depth = np.full_like(u + v, feather)
    for is_cut, along in ((width > height, u), (height > width, v)):
        if is_cut:
            depth = np.minimum(depth, 0.5 - np.abs(along - np.float32(0.5)))
    return smoothstep(depth / np.float32(feather))


def _sharp(alignment: Alignment, window: tuple[int, int, int, int]) -> Array:
    """0 at a photo's edge that the crop crosses, where it was blurred, to 1 inside: ``[height, width, 1]``."""
    margin = np.maximum(softened_margin(alignment), 1e-6).astype(np.float32)
    x = np.arange(window[0], window[2], dtype=np.float32) + 0.5
    y = np.arange(window[1], window[3], dtype=np.float32) + 0.5
    width, height = alignment.photo_size
    across = np.minimum(x / margin[0], (width - x) / margin[2])
    down = np.minimum(y / margin[1], (height - y) / margin[3])
    return smoothstep(np.minimum(across[None, :], down[:, None]))[:, :, None]


def _rounded(u: Array, v: Array, feather: float) -> Array:
    """The mask at coordinates u, v of the crop, from 0 to 1."""
    past_u = np.abs(u - np.float32(0.5)) - np.float32(0.5 - _CORNER)
    past_v = np.abs(v - np.float32(0.5)) - np.float32(0.5 - _CORNER)
    corner = np.hypot(np.maximum(past_u, 0), np.maximum(past_v, 0))
    depth = _CORNER - corner - np.minimum(np.maximum(past_u, past_v), 0)
    return smoothstep(depth / np.float32(feather))


def _shift_at_edge(difference: Array, feather: float) -> Array:
    """The difference along the mask's soft edge, spread smoothly over the whole crop."""
    steps = coordinates()
    mask = _rounded(steps[None, :], steps[:, None], feather)
    weight = (4 * mask * (1 - mask))[:, :, None] + 1e-4
    # Larger differences are other content, such as hair against wall, rather than shade.
    known = np.clip(difference, -40, 40)
    return np.asarray(blur(known * weight, 0.15) / blur(weight, 0.15), dtype=np.float32)
