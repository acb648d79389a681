"""Masks that are painted on a picture in the page."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

_LARGEST = 2048
_PAINT = "#d946ef99"  # a colour that no face has, through which the face is seen


def paint_box(label: str, name: str, canvas: tuple[int, int], **options: Any) -> gr.ImageEditor:
    """A canvas to paint on.

    Args:
        label: of the control.
        name: the element's id.
        canvas: its width and height in pixels, until it shows a picture.
        options: of ``gr.ImageEditor``.
    """
    brush = gr.Brush(default_size=48, colors=[_PAINT], default_color=_PAINT, color_mode="fixed")
    return gr.ImageEditor(
        label=label, type="pil", sources=(), transforms=(), layers=False, brush=brush, canvas_size=canvas,
        buttons=[], elem_id=name, **options,
    )  # fmt: skip


def painted_mask(edited: Any) -> "Image":
    """The mask painted in an image editor, white on black.

    Args:
        edited: the editor's value with PIL pictures.

    Raises:
        InputError: nothing was painted.
    """
    mask = mask_if_painted(edited)
    if mask is None:
        raise InputError("Nothing is painted yet: paint over what may change, or choose a region instead.")
    return mask


def mask_if_painted(edited: Any) -> "Image | None":
    """As ``painted_mask``; None if nothing was painted."""
    from PIL import Image, ImageChops

    layers = [layer for layer in (edited or {}).get("layers") or [] if layer is not None]
    if not layers or max(layers[0].size) > _LARGEST:
        return None
    mask = Image.new("L", layers[0].size, 0)
    for layer in layers:
        mask = ImageChops.lighter(
            mask, layer.convert("RGBA").getchannel("A").point(lambda value: 255 * (value > 0))
        )
    return None if mask.getbbox() is None else mask


def save_mask(visit: Visit, mask: "Image", stem: str = "mask", *, slot: str = "mask") -> Path:
    """Save a mask in the visit's folder, under this name; ``slot`` is that of ``VisitFiles.store``."""
    return Path(visit.files.store(mask, slot, suffix=".png", stem=stem))
