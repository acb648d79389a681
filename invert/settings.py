"""What one run of the command ``invert`` is told, and what it works on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from invert.jobs import Outputs

if TYPE_CHECKING:
    from PIL import Image

    from invert.align import Face
    from invert.methods import Method, Quality
    from invert.tuned_weights import Form


@dataclass(frozen=True)
class Settings:
    """What the command line says about a run; each attribute is the option of that name."""

    folder: Path
    model: str = "ffhq"
    method: "Method | None" = None
    encoder: Path | None = None
    quality: "Quality" = "good"
    weights: "Form" = "full"
    space: Literal["w", "w+"] = "w+"
    steps: int | None = None
    seed: int = 0
    face: str = "largest"
    align: bool = True
    preview: Path | None = None
    npz: bool = False
    device: str | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    mask: Path | None = None
    low_resolution: int | None = None
    report: Path | None = None
    keep_partial: bool = False
    overwrite: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Target:
    """One face of one photo (or a photo's middle), and the files to make from it."""

    photo: Path
    image: "Image.Image"
    face: "Face | None"
    label: str
    outputs: Outputs
