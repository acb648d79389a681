"""A record opened for editing, with its generator and its photo."""

import copy
import shlex
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from stylegan_latents.editing.records.camera import look_from
from stylegan_latents.editing.records.choose import model_of, read_record
from stylegan_latents.editing.records.code_files import adopted, code_name
from stylegan_latents.editing.samples.sampling import Seed
from stylegan_latents.generator.cli.command import choose_device
from stylegan_latents.generator.cli.progress import show_status
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_writable
from stylegan_latents.generator.layers import Layer, parse_layers
from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL
from stylegan_latents.invert.record.files import record_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image
    from torch import Tensor

    from stylegan_latents.editing.directions.apply import Edit
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.directions.published import PublishedDirection
    from stylegan_latents.editing.records.drawn import DrawnEdit
    from stylegan_latents.editing.regions.regions import Blend
    from stylegan_latents.generator.generator import Generator, Noise
    from stylegan_latents.generator.networks.camera import Camera
    from stylegan_latents.generator.styles.style import Style
    from stylegan_latents.invert.photos.crop import Alignment
    from stylegan_latents.invert.record.inversion import Inversion
    from stylegan_latents.invert.search.span import Span


class OpenRecord:
    """An inversion with its generator, which is loaded at first use.

    Args:
        path: the record.
        model: the generator's name or file; None for the record's.
        device: where to compute, see ``choose_device``.
        generator: a loaded one, in place of ``model`` and ``device``.
        film: also accept a film's record, of many images.
        inversion: the record, if it was read already.
        loaded: generators by name, to take from and to add to.

    Raises:
        InputError: the record cannot be read, holds several images, or its model is not found.
    """

    def __init__(
        self,
        path: Path,
        *,
        model: str | None = None,
        device: str | None = None,
        generator: "Generator | None" = None,
        film: bool = False,
        inversion: "Inversion | None" = None,
        loaded: "dict[str, Generator] | None" = None,
    ) -> None:
        if inversion is None:
            path, inversion = read_record(path)
        self.path = path
        self.inversion = inversion
        if self.inversion.footage is not None and not film:
            raise InputError(
                f"{path} is a film's; films take "
                f"`edit {shlex.quote(str(path))} --direction smile --strength 1.5` alone."
            )
        from stylegan_latents.invert.record.person import METHOD as ALBUM

        if self.inversion.method == ALBUM:
            raise InputError(
                f"{path} is one person's model; `invert PHOTO --person {path.name}` makes a record to edit."
            )
        if len(self.inversion) != 1 and self.inversion.footage is None:
            raise InputError(f"{path} holds {len(self.inversion)} images; split it into records of one each.")
        self._style: tuple[Style, float] | None = None
        self._camera: Camera | None = None
        self._label = ""
        self._own_model = model is None
        self._device = device
        self._loaded = {} if loaded is None else loaded
        if generator is None:
            self._name = model or model_of(path, self.inversion)
        else:
            self._name, self.unstyled = generator.name, generator
        if not self.inversion.fingerprint:
            file = Path(self._name).expanduser()
            known = file.absolute() if generator is None and file.exists() else None
            self.inversion = adopted(self.inversion, self.unstyled, known)

    @classmethod
    def of(
        cls,
        named: str | Path | None,
        *,
        model: str | None = None,
        device: str | None = None,
        film: bool = False,
        loaded: "dict[str, Generator] | None" = None,
    ) -> Self:
        """The record that an argument names, see ``read_record``; or a seed's, as ``edit sample`` draws it."""
        seed = None if named is None else Seed.named(str(named))
        if seed is not None:
            loaded, model = {} if loaded is None else loaded, model or DEFAULT_MODEL
            path, inversion = Path(record_name(seed.name)), seed.record(_loaded(model, device, loaded))
        else:
            path, inversion = read_record(named)
        return cls(path, model=model, device=device, inversion=inversion, film=film, loaded=loaded)

    def look(self, camera: "Camera | None", label: "Sequence[str]") -> None:
        """Draw everything from a camera; to be called before the generator is used.

        Args:
            camera: None for the model's own.
            label: what the camera and the style add to the names of files.
        """
        self._camera, self._label = camera, "".join(f".{one}" for one in label)

    def seen_from(self, camera: "Camera") -> Self:
        """A copy that draws from a camera, also after the generator was used; the weights are shared.

        Raises:
            InputError: the model has no camera.
        """
        generator = self.generator.seen_from(camera)
        other = copy.copy(self)
        other._camera, other.generator = camera, generator
        return other

    def draw_in(self, style: "Style", strength: float) -> None:
        """Draw everything in a style from now on; to be called before the generator is used.

        Args:
            style, strength: as for ``Style.apply``.

        Raises:
            InputError: the style belongs to another model than the record, as far as that is known before loading.
        """
        other = self.inversion.fingerprint not in ("", style.fingerprint)
        if self._own_model and other and self.inversion.model != style.model:
            raise InputError(
                f"The style '{style.name}' belongs to the model '{style.model}', and {self.path} was made with "
                f"'{self.inversion.model}'; take a style of that model, or give the style's model with --model."
            )
        self._style = style, strength

    @cached_property
    def unstyled(self) -> "Generator":
        """The generator without tuned weights and style, in float32 on the chosen device.

        Raises:
            InputError: it cannot be loaded, there is no such device, the record's file now holds another model, or
                a camera was given and the model has none.
        """
        generator = _loaded(self._name, self._device, self._loaded)
        file = self.inversion.model_file
        if self._own_model and file is not None and not generator.has_fingerprint(self.inversion.fingerprint):
            raise InputError(
                f"{self._name} holds another model than {self.path} was made with; give that one with --model."
            )
        return generator

    @cached_property
    def base(self) -> "Generator":
        """``unstyled``, in the record's style if there is one, seen from its camera; InputError as there."""
        generator = self.unstyled
        generator = generator if self._style is None else self._style[0].apply(generator, self._style[1])
        return look_from(generator, self._camera)

    @cached_property
    def plain(self) -> "Generator":
        """The generator as the record was made: with its tuned weights and its own camera, in no style.

        Raises:
            InputError: see ``unstyled``; or the weights were tuned on another generator.
        """
        from stylegan_latents.invert.record.tuned_weights import tuned_generator

        return tuned_generator(self.unstyled, self.inversion)

    @cached_property
    def generator(self) -> "Generator":
        """``plain``, or a copy of it in the style and from the camera that were asked for; InputError as there."""
        from stylegan_latents.invert.record.tuned_weights import tuned_generator

        if self._camera is None:
            return self.plain if self.base is self.unstyled else tuned_generator(self.base, self.inversion)
        # A camera that was asked for counts more than the photo's.
        return tuned_generator(self.base, self.inversion).seen_from(self._camera)

    @cached_property
    def ws(self) -> "Tensor":
        """The code on the generator's device, ``[1, num_ws, w_dim]``, or a film's; InputError for another model."""
        return self.inversion.for_generator(self.base)

    @property
    def noise(self) -> "Noise":
        """The record's own noise maps, or the model's."""
        maps = self.inversion.noise
        return "const" if maps is None else [map.to(self.generator.device) for map in maps]

    def lookup(self, directions: "Sequence[str]") -> "list[Direction | PublishedDirection]":
        """Directions by names or files, to ``bind`` to ``generator``; mostly found without loading the model.

        Raises:
            InputError: a direction is unknown, cannot be read or belongs to another latent space.
        """
        from stylegan_latents.editing.directions.catalogue import lookup

        if not self._fits_model:
            _ = self.ws  # loads the model and raises what does not fit
        return [lookup(name, self.inversion.latent_space, self.inversion.model) for name in directions]

    def check_layers(self, layers: str | None) -> None:
        """Raise InputError for layers that do not exist, as far as that needs no model."""
        ws = self.inversion.ws
        # A code of W also fits models with another number of rows than the record's.
        in_w = bool((ws == ws[:, :1]).all())
        if layers is not None and self._fits_model and (self._own_model or not in_w):
            # All models have the same groups.
            count = ws.shape[1]
            parse_layers(layers, [Layer(str(row), 4, row, 0) for row in range(count)], count)

    @property
    def _fits_model(self) -> bool:
        """Whether the record's latent space is the model's, judged by its file's header."""
        from stylegan_latents.generator.loading import latent_space_of

        return latent_space_of(self._name) in (None, self.inversion.latent_space)

    @property
    def stem(self) -> str:
        """The start of the names of files made from this record."""
        return code_name(self.path, self.inversion) + self._label

    def check_output(self, path: Path) -> None:
        """Raise InputError for an output that is the photo or the record, or in a folder that is not writable."""
        record = self.inversion
        sources = record.sources if record.footage is None else [record.footage.source]
        kept = (self.path, *(source.path for source in sources if source.path is not None))
        is_kept = path.exists() and any(one.exists() and path.samefile(one) for one in kept)
        # Photos may have been moved with their records.
        if is_kept or any(source.is_copy(path) for source in sources):
            raise InputError(f"{path} is what this edit is made from; give another name with --out.")
        check_writable(path.parent)

    def picture(
        self, ws: "Tensor | None" = None, *, size: int | None = None, G: "Generator | None" = None
    ) -> "Image.Image":
        """The picture of a code, the record's own by default.

        Args:
            ws: ``[1, num_ws, w_dim]``.
            size: side in pixels; None, or more than the resolution, for full resolution.
            G: that draws it, ``generator`` or ``plain``; None for ``generator``.
        """
        import torch

        from stylegan_latents.invert.photos.files import to_picture

        G = self.generator if G is None else G
        with torch.inference_mode():
            side = None if size is None or size >= G.resolution else size
            images = G.synthesize(self.ws if ws is None else ws, self.noise, size=side)
            return to_picture(images)[0]

    def edited(
        self,
        edits: "Sequence[Edit]",
        *,
        rows: "Sequence[int] | None" = None,
        raw: bool = False,
        size: int | None = None,
        regions: "Sequence[str]" = (),
        blend: "Blend" = "image",
        span: "Span | None" = None,
    ) -> "DrawnEdit":
        """The edited code, drawn, with what pasting back has to know; for arguments see ``draw_edit``."""
        from stylegan_latents.editing.records.drawn import draw_edit
        from stylegan_latents.editing.regions.parts import stored_parts

        return draw_edit(
            self.generator, self.ws, self.noise, edits, rows=rows, raw=raw, size=size, regions=regions, blend=blend,
            span=span, parts=stored_parts(self.unstyled) if regions else None, name=self.stem,
        )  # fmt: skip

    def photo(self, named: Path | None = None) -> "Image.Image":
        """The photo that was inverted.

        Args:
            named: its path; None for the path in the record, or a file of that name beside it or in this folder.

        Raises:
            InputError: it is not found, cannot be read, or is another photo.
        """
        from stylegan_latents.editing.records.photo import find_photo, looks_like
        from stylegan_latents.invert.photos.files import read_photo

        path = find_photo(self.inversion, self.path.absolute().parent, named, self.stem)
        photo, wanted = read_photo(path), self.alignment().photo_size
        if photo.size != wanted:
            raise InputError(
                f"{path} is {photo.width}x{photo.height} pixels, the photo of this record was "
                f"{wanted[0]}x{wanted[1]}; name that one with --photo."
            )
        sources = self.inversion.sources
        is_copy = not sources or sources[0].is_copy(path)
        if not is_copy and not looks_like(self.crop(photo), self.picture(G=self.plain)):
            raise InputError(
                f"{path} shows something else than the photo of this record; name that one with --photo."
            )
        return photo

    def crop(self, photo: "Image.Image") -> "Image.Image":
        """The crop of the photo that was inverted."""
        from stylegan_latents.invert.photos.crop import crop_of

        return crop_of(photo, self.alignment(), self.generator.resolution)

    def alignment(self, image: int = 0) -> "Alignment":
        """The alignment of the photo, or of one of a film's frames; InputError if the record has none."""
        alignment = self.inversion.alignments[image] if self.inversion.alignments else None
        if alignment is None:
            raise InputError(f"{self.path} does not say where in the photo its face is; invert the photo again.")
        return alignment


def _loaded(name: str, device: str | None, loaded: "dict[str, Generator]") -> "Generator":
    """A generator of ``loaded``, to which it is added if it is not among them."""
    from stylegan_latents.generator.loading import is_cached, load

    place = choose_device(device)
    # A download shows its own progress.
    if name not in loaded:
        with show_status(f"Loading {name}", quiet=not is_cached(name)):
            loaded[name] = load(name).to(place)
    return loaded[name]
