"""A record opened for editing: with its generator, and with its photo where that can be found."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from generator.command import choose_device
from generator.errors import InputError
from invert.record_files import RECORD_SUFFIX, newest_record, record_stem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image
    from torch import Tensor

    from editing.edit import Edit
    from generator.generator import Generator, Noise
    from invert.align import Alignment


def resolve_record(named: Path | None, words: tuple[str, ...] = ()) -> Path:
    """The record that a command means.

    Args:
        named: a record; a folder, for its newest; a photo, for the record made from it, here or beside it;
            None for the newest in this folder.
        words: names of commands, to suggest one for a misspelt one.

    Raises:
        InputError: there is no such record.
    """
    if named is None or named.is_dir():
        return newest_record(named or Path())
    if named.name.endswith(".safetensors"):
        return named
    beside = [folder / f"{named.stem}{RECORD_SUFFIX}" for folder in (Path(), named.parent)]
    for record in beside:
        if record.is_file():
            return record
    if named.exists():
        raise InputError(f"{named} is no record; run `invert {named}` first.")
    near = difflib.get_close_matches(str(named), words, n=1)
    hint = f"; did you mean `edit {near[0]}`?" if near else f"; give a file that ends with {RECORD_SUFFIX}."
    raise InputError(f"There is no record {named}{hint}")


class OpenRecord:
    """One inversion with the generator that it belongs to.

    Args:
        path: the record.
        model: the generator's name or file; None for the name in the record.
        device: where to compute, as :func:`generator.command.choose_device` takes it.

    Attributes:
        inversion: a record of one image.
        generator: in float32.
        ws: the code on the generator's device, ``[1, num_ws, w_dim]``.

    Raises:
        InputError: the record cannot be read, holds several images, or belongs to another model.
    """

    def __init__(self, path: Path, *, model: str | None = None, device: str | None = None) -> None:
        from generator.loading import load
        from invert.inversion import Inversion

        self.path = path
        self.inversion = Inversion.load(path)
        if len(self.inversion) != 1:
            raise InputError(f"{path} holds {len(self.inversion)} images; split it into records of one each.")
        if self.inversion.weights is not None:
            raise InputError(f"{path} holds tuned weights, which `edit` cannot use yet; invert without tuning.")
        self.generator: Generator = load(model or self._model()).to(choose_device(device))
        self.ws: Tensor = self.inversion.for_generator(self.generator)

    @property
    def stem(self) -> str:
        """What the names of files made from this record begin with."""
        return record_stem(self.path)

    def check_output(self, path: Path) -> None:
        """Refuse to write over the photo or the record, which no option may replace.

        Raises:
            InputError: ``path`` is one of them.
        """
        sources = [source.path for source in self.inversion.sources if source.path is not None]
        for kept in (self.path, *sources):
            if path.exists() and kept.exists() and path.samefile(kept):
                raise InputError(f"{path} is what this edit is made from; give another name with --out.")

    def picture(self, ws: "Tensor | None" = None) -> "Image.Image":
        """What the generator makes of a code (the record's own by default), at full resolution."""
        import torch

        from invert.photo import to_picture

        with torch.inference_mode():
            return to_picture(self.generator.synthesize(self.ws if ws is None else ws, self._noise()))[0]

    def edited(
        self, edits: "Sequence[Edit]", *, rows: "Sequence[int] | None" = None, raw: bool = False
    ) -> "Image.Image":
        """What the generator makes of the edited code, at full resolution.

        Args:
            edits, rows, raw: as for :func:`editing.edit.edited_styles`, which also says what is raised.
        """
        import torch

        from editing.edit import edited_styles
        from invert.photo import to_picture

        with torch.inference_mode():
            styles = edited_styles(self.generator, self.ws, edits, rows=rows, raw=raw)
            return to_picture(self.generator.synthesize_styles(styles, self._noise()))[0]

    def photo(self, named: Path | None = None) -> "Image.Image":
        """The photo that was inverted.

        Args:
            named: where it is; None looks where it was, beside the record, and in this folder.

        Raises:
            InputError: it is not found, cannot be read, or is another photo.
        """
        from invert.photo import read_photo

        sources = self.inversion.sources
        place = named
        if place is None and sources:
            place = sources[0].find(self.path.absolute().parent, Path.cwd())
        if place is None:
            what = f"The photo {sources[0].name}" if sources else "This record's photo"
            raise InputError(f"{what} was moved or changed since it was inverted; name it with --photo.")
        photo, wanted = read_photo(place), self.alignment().photo_size
        if photo.size != wanted:
            raise InputError(
                f"{place} is {photo.width}x{photo.height} pixels, the photo of this record was "
                f"{wanted[0]}x{wanted[1]}; name that one with --photo."
            )
        return photo

    def crop(self, photo: "Image.Image") -> "Image.Image":
        """The part of the photo that was inverted, a square."""
        from invert.align import crop_of

        return crop_of(photo, self.alignment(), self.generator.resolution)

    def alignment(self) -> "Alignment":
        """How the photo was cropped.

        Raises:
            InputError: the record does not say.
        """
        alignment = self.inversion.alignments[0] if self.inversion.alignments else None
        if alignment is None:
            raise InputError(f"{self.path} does not say where in the photo its face is; invert the photo again.")
        return alignment

    def _noise(self) -> "Noise":
        maps = self.inversion.noise
        return "const" if maps is None else [map.to(self.generator.device) for map in maps]

    def _model(self) -> str:
        """The record's model where the name is enough to load it.

        Raises:
            InputError: it is a file's.
        """
        from generator.zoo import DEFAULT_MODEL, models

        name = self.inversion.model
        if name not in models() and not Path(name).exists():
            raise InputError(
                f"{self.path} was made with the model '{name}', not with '{DEFAULT_MODEL}'; give that "
                "model's file with --model."
            )
        return name
