"""What all visits share: the generator, its directions, the queues, and the folder of uploads."""

import functools
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.demo.session.faces import Records
from stylegan_latents.demo.session.files import own_prefix
from stylegan_latents.demo.session.queue import Allowance, WaitingQueue
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.editing.text.image_text import ImageTextModel
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.styles.style import Style

_PREVIEW_SIZE = 512
_SEARCHES, _WORKS = 1, 2
_STYLES_OPEN = 8


@dataclass(frozen=True)
class Example:
    """An example that one click opens: either a sample or a photo.

    Attributes:
        title: shown.
        picture: file of a small picture.
        seed: of the sample; None for a photo.
        photo: file of the photo; None for a sample.
    """

    title: str
    picture: Path
    seed: int | None = None
    photo: Path | None = None


@dataclass(frozen=True)
class Texts:
    """The image-text model, and what names its weights in command lines: a file's name or open_clip's."""

    model: "ImageTextModel"
    weights: str


@dataclass(frozen=True, eq=False)
class KeptStyle:
    """A style of the model.

    Attributes:
        name: of the style.
        path: its file.
        made_by: the command line that makes the file; empty for one that comes with the package or was uploaded.
        shipped: whether it comes with the package, so that its name is enough on the command line.
    """

    name: str
    path: Path
    made_by: str = ""
    shipped: bool = False

    @property
    def style(self) -> "Style":
        """The weights, of which those used last stay in memory."""
        return _opened_style(self.path)

    @property
    def word(self) -> str:
        """The value of ``--style``."""
        return self.name if self.shipped else self.path.name


@functools.lru_cache(maxsize=_STYLES_OPEN)
def _opened_style(path: Path) -> "Style":
    from stylegan_latents.generator.styles.style import read_style

    return read_style(path)


@dataclass(frozen=True)
class KeptFilm:
    """An uploaded film.

    Attributes:
        upload: the path that Gradio gave.
        path: the file in the visit's folder.
        record: of its inversion, beside it; None until that is done.
        drawn: the film that the generator makes of the record.
        made_by: the command line that makes the record.
        notes: sentences about what the visitor should know of it: HDR, frames without a face.
    """

    upload: str
    path: Path
    record: Path | None = None
    drawn: Path | None = None
    made_by: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeptPerson:
    """One person's model.

    Attributes:
        name: of the person.
        path: the file.
        made_by: the command line that makes it; empty for an uploaded one.
    """

    name: str
    path: Path
    made_by: str = ""


class Shared:
    """The generator, and what belongs to it rather than to a visitor.

    Args:
        G: the generator in float32, on its device.
        folder: for all temporary files; the system's by default.
        steps: of a search; None for those of the quality chosen in the page.
        queue_size: how many requests of a kind may wait.
        per_hour: how much long work a visitor may begin in an hour; None for any number.
        by_user: whether users, who then have passwords of their own, take turns, instead of addresses.
        model: the generator's name or file, for command lines; empty for the default one.
        texts: changes faces by texts; None where there is no CLIP.

    Attributes:
        preview_G: draws previews, in bfloat16 if the device supports it.
        preview_size: their side in pixels: half the model's, at most 512.
        directions: the model's, bound to it, by name.
        styles: those of the model that come with the package, by name.
        records: the opened records of all visits.
        computing: queue for one computation at a time, which bounds memory.
        allowance: counts the long work of visitors.
        searches, works: queues for searches, and for other long work.
        examples: made by ``examples``.
        uploads: Gradio's folder of uploads, which also holds the visits' folders.
    """

    def __init__(
        self,
        G: "Generator",
        *,
        folder: Path | None = None,
        steps: int | None = None,
        queue_size: int = 64,
        per_hour: int | None = None,
        by_user: bool = False,
        model: str = "",
        texts: "Texts | None" = None,
    ) -> None:
        from stylegan_latents.editing.directions.catalogue import known_directions
        from stylegan_latents.generator.precision import DTYPES, in_precision, resolve_precision
        from stylegan_latents.generator.styles.style import read_style, shipped_styles
        from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL, models

        self.G = G
        # Of a file the name alone: where it lies on this machine is not the visitor's to know.
        named = model if model in models() or "://" in model else Path(model).name
        self._model_words = [] if model in ("", DEFAULT_MODEL) else ["--model", named]
        dtype = DTYPES[resolve_precision("auto", G.device)]
        self.preview_G = in_precision(G, dtype)
        half = G.resolution // 2 if G.resolution % 2 == 0 else G.resolution
        self.preview_size = next(
            (half >> i for i in range(half.bit_length()) if half >> i <= _PREVIEW_SIZE and not half % (1 << i)),
            half,
        )
        self.directions: dict[str, Direction] = {
            name: direction.bind(G) for name, direction in known_directions(G.latent_space).items()
        }
        self.styles: dict[str, KeptStyle] = {}
        for name, path in shipped_styles().items():
            if G.has_fingerprint(read_style(path).fingerprint):
                self.styles[name] = KeptStyle(name, path, shipped=True)
        self.records = Records(G, self.preview_G)
        self.computing = WaitingQueue(1, None)
        self.queue_size = queue_size
        self.searches, self.works = WaitingQueue(_SEARCHES, queue_size), WaitingQueue(_WORKS, queue_size)
        self.allowance = Allowance(per_hour)
        self.by_user = by_user
        self.steps = steps
        self.texts = texts
        self.uploads = Path(tempfile.mkdtemp(prefix=own_prefix(), dir=folder)).resolve()
        self.examples: list[Example] = []

    def warm_up(self) -> None:
        """Draw a preview of the mean face, so that the first visitor's preview is not delayed by set-up."""
        import torch

        with self.computing.turn(), torch.inference_mode():
            ws = self.preview_G.w_avg.repeat(1, self.preview_G.num_ws, 1)
            self.preview_G.synthesize(
                ws, size=None if self.preview_size == self.G.resolution else self.preview_size
            )

    def command_line(self, words: Sequence[str]) -> str:
        """The words of a command of ``invert`` or ``edit``, quoted for a shell, with this model."""
        return shlex.join([*words, *self._model_words])

    def uploaded(self, path: str) -> Path:
        """The file of an upload.

        Raises:
            InputError: it does not exist, or was not uploaded.
        """
        file = Path(path).resolve()
        if not file.is_relative_to(self.uploads) or not file.is_file():
            raise InputError("The upload has been deleted; upload the file again.")
        return file
