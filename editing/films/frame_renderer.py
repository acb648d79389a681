"""The pictures of a film's frames, before and after an edit, and the people in them."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.directions.apply import Edit
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.paste_back.joined_face import JoinedFace
    from stylegan_latents.invert.paste_back.whole_head import HeadMove
    from stylegan_latents.invert.photos.crop import Alignment
    from stylegan_latents.invert.photos.person_mask import PersonMask


class FrameRenderer:
    """Draws the codes of a film, and codes interpolated between them, with or without the edits."""

    def __init__(
        self,
        opened: "OpenRecord",
        edits: "Sequence[Edit]",
        rows: Sequence[int] | None,
        raw: bool,
        of_faces: bool,
    ) -> None:
        from stylegan_latents.generator.precision import DTYPES, in_precision, resolve_precision

        self.opened, self.edits, self.rows, self.raw, self.of_faces = opened, edits, rows, raw, of_faces
        G, plain = opened.generator, opened.plain
        dtype = DTYPES[resolve_precision("auto", G.device)]
        self.G = in_precision(G, dtype)
        self.plain = self.G if plain is G else in_precision(plain, dtype)

    def __call__(self, place: tuple[int, int, float], *, edited: bool = True) -> "Image.Image":
        """Draw the code at a place among the codes, as ``Footage.between`` gives it; unedited, in no style."""
        import torch

        from stylegan_latents.invert.photos.files import to_picture

        G = self.G if edited else self.plain
        with torch.inference_mode():
            return to_picture(G.synthesize_styles(self._styles(G, place, edited)))[0]

    def _styles(self, G: "Generator", place: tuple[int, int, float], edited: bool) -> "Sequence[Tensor]":
        from stylegan_latents.editing.directions.apply import edited_styles

        first, second, fraction = place
        codes = self.opened.ws
        # Behind the last code the crop's movement is extrapolated, but not the code.
        ws = codes[first : first + 1].lerp(codes[second : second + 1], min(fraction, 1.0))
        return edited_styles(G, ws, self.edits if edited else [], rows=self.rows, raw=self.raw)

    @functools.cached_property
    def joins(self) -> bool:
        """Whether edited faces are joined to their heads, as in photos."""
        from stylegan_latents.editing.regions.joining import can_join
        from stylegan_latents.editing.regions.parts import stored_parts

        G = self.opened.generator
        return self.of_faces and G is self.opened.plain and can_join(G, stored_parts(self.opened.unstyled))

    def join(
        self, place: tuple[int, int, float], pictures: "tuple[Image.Image, Image.Image]", move: "HeadMove"
    ) -> "tuple[Image.Image, tuple[PersonMask, PersonMask], JoinedFace] | None":
        """The picture with the edited face joined, the people before and in it, and the face; None without a face.

        Args:
            place: among the codes.
            pictures: before and after the edit.
            move: of the head.
        """
        import torch

        from stylegan_latents.editing.regions.joining import find_join
        from stylegan_latents.editing.regions.parts import stored_parts
        from stylegan_latents.invert.photos.files import to_picture

        G, parts = self.opened.generator, stored_parts(self.opened.unstyled)
        with torch.inference_mode():
            styles = (self._styles(G, place, edited=False), self._styles(G, place, edited=True))
            found = None if parts is None else find_join(parts, G, styles, pictures, move)
            if found is None:
                return None
            joined = to_picture(found.draw(self.G, styles, "const"))[0]
        return joined, found.people_in(joined), found.face

    def people(
        self, place: tuple[int, int, float], pictures: "tuple[Image.Image, Image.Image]"
    ) -> "tuple[PersonMask, PersonMask] | None":
        """The person in the pictures at a place before and after the edit; None in a style, as for photos."""
        import torch

        from stylegan_latents.editing.regions.parts import stored_parts
        from stylegan_latents.editing.regions.person import people_of_edit

        G = self.opened.generator
        if G is not self.opened.plain:
            return None
        with torch.inference_mode():
            codes = (self._styles(G, place, edited=False), self._styles(G, place, edited=True))
            return people_of_edit(stored_parts(self.opened.unstyled), G, codes, pictures)

    @property
    def changes(self) -> bool:
        """Whether edited pictures may differ from unedited ones."""
        return bool(self.edits) or self.plain is not self.G

    def alignment(self, place: tuple[int, int, float]) -> "Alignment":
        """The crop's alignment at a place among the codes."""
        from stylegan_latents.invert.films.crop_path import quad_between
        from stylegan_latents.invert.photos.crop import Alignment

        first, second, fraction = place
        one, two = (self.opened.alignment(index) for index in (first, second))
        return Alignment(quad_between(one.quad, two.quad, fraction), one.photo_size, one.size, one.method)
