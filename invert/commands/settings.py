"""What one run of the command ``invert`` is told, and what it works on."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.jobs import Outputs

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.invert.faces.align import Face
    from stylegan_latents.invert.faces.identity import Embedding
    from stylegan_latents.invert.inverters.by_name import Method, PivotMethod, Quality
    from stylegan_latents.invert.photos.crop import Alignment
    from stylegan_latents.invert.record.source import Source
    from stylegan_latents.invert.record.tuned_weights import Form

_OF_THE_SEARCH = frozenset(
    {
        "model", "encoder", "weights", "pivot", "space", "steps", "seed", "identity_weight", "precision", "mask",
        "keep_unchanged", "low_resolution",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What the command line says about a run; each attribute is the option of that name."""

    folder: Path
    model: str = "ffhq"
    method: "Method | None" = None
    encoder: Path | None = None
    quality: "Quality" = "good"
    weights: "Form" = "full"
    pivot: "PivotMethod | None" = None
    space: Literal["w", "w+"] = "w+"
    steps: int | None = None
    seed: int = 0
    identity_weight: float | None = None
    face: str = "largest"
    align: bool = True
    landmarks: Path | None = None
    preview: Path | None = None
    npz: bool = False
    device: str | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    mask: Path | None = None
    keep_unchanged: Path | None = None
    low_resolution: int | None = None
    report: Path | None = None
    batch: int | None = None
    every: int = 1
    max_frames: int | None = None
    smooth: bool = True
    keep_partial: bool = False
    overwrite: bool = False
    quiet: bool = False

    def options(self) -> str:
        """What the search is told beside method and quality, in words; empty for what it does by itself."""
        told = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name in _OF_THE_SEARCH and value != field.default:
                name = field.name.replace("_", "-")
                told.append(f"{name} {Path(str(value)).name}")  # of a file, the name is enough
        return ", ".join(told)


class SettingsError(InputError):
    """What was given cannot be used for any photo of a run; trying the next one is of no use."""


@dataclass(frozen=True)
class Target:
    """One face of one photo (or a photo's middle), and the files to make from it."""

    photo: Path
    image: "Image.Image"
    face: "Face | None"
    label: str
    outputs: Outputs


@dataclass(frozen=True, eq=False)
class Prepared:
    """A target that is ready for a search: its crop, in place of the photo, which may be large.

    Attributes:
        photo, label, outputs: the target's.
        source: the photo, to know it again.
        crop, alignment: what is inverted, and where it came from.
        masks: what the inverter is told of masks, by its argument, ``[1, 1, side, side]`` each.
        face: as found in the photo; None for a photo taken as it is.
        person: who is seen; None for a photo taken as it is, and where no face is found in the crop.
    """

    photo: Path
    label: str
    outputs: Outputs
    source: "Source"
    crop: "Image.Image"
    alignment: "Alignment"
    masks: "dict[str, Tensor]"
    person: "Embedding | None"
    face: "Face | None"
