"""The command ``edit repose``: a photo's person in another pose, or in another person's clothes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from stylegan_latents.editing.commands.options import Device, PictureOutput
from stylegan_latents.editing.records.outputs import file_name, picture_target
from stylegan_latents.generator.cli.command import LARGEST_SEED, choose_device, new_app, warn
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

repose_app = new_app()
_IUV, _SILHOUETTE = "_iuv.png", "_sil.png"


@dataclass(frozen=True)
class ReposeModel:
    """The files of Pose With Style, and the device."""

    panel: ClassVar[str] = "Model and device"
    model: Annotated[Path, typer.Option(help="The model, such as posewithstyle.pt.", metavar="FILE")]
    completion: Annotated[
        Path | None,
        typer.Option(help="Its coordinate completion; by default CCM_epoch50.pt beside it.", metavar="FILE"),
    ] = None
    lookup: Annotated[
        Path | None,
        typer.Option(
            help="The table from body parts to one texture; by default dp_uv_lookup_256.npy beside it.",
            metavar="FILE",
        ),
    ] = None
    device: Device = None


@dataclass(frozen=True, kw_only=True)
class ReposeSettings:
    """Arguments and options of ``edit repose``."""

    panel: ClassVar[str] = "Person"
    photo: Annotated[Path, typer.Argument(help="The photo of a whole person, taller than wide.", metavar="PHOTO")]
    iuv: Annotated[
        Path | None,
        typer.Option(help=f"The photo's IUV map by DensePose; by default me{_IUV} of me.jpg.", metavar="FILE"),
    ] = None
    silhouette: Annotated[
        Path | None,
        typer.Option(
            help=f"White where body, hair and clothes are; by default me{_SILHOUETTE} of me.jpg, or, without one, "
            "the body alone.",
            metavar="FILE",
        ),
    ] = None
    to: Annotated[
        Path | None, typer.Option(help="The IUV map of the new pose; else the pose stays.", metavar="FILE")
    ] = None
    wear: Annotated[
        Path | None,
        typer.Option(
            help=f"The photo of a person whose clothes are put on; its maps lie beside it, as you{_IUV} and "
            f"you{_SILHOUETTE}.",
            metavar="PHOTO",
        ),
    ] = None
    part: Annotated[
        Literal["upper-body", "lower-body", "full-body", "face"] | None,
        typer.Option(help="What is taken over from --wear; upper-body by default."),
    ] = None
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the noise.", metavar="N")] = 0
    output: PictureOutput = field(default_factory=PictureOutput)
    on: ReposeModel

    def __post_init__(self) -> None:
        if self.to is None and self.wear is None:
            raise InputError("Say what changes: the pose with --to FILE, or the clothes with --wear PHOTO.")
        if self.part is not None and self.wear is None:
            raise InputError("--part says which clothes of --wear are put on; name a photo with it.")


@repose_app.command(
    epilog=examples(
        "edit repose me.png --to you_iuv.png --model posewithstyle.pt",
        "edit repose me.png --wear you.png --part upper-body --model posewithstyle.pt",
    )
)
@takes(ReposeSettings)
def repose(settings: ReposeSettings) -> None:
    """Draw a photo's person in another pose, or in another's clothes, from DensePose's maps (Pose With Style)."""
    from stylegan_latents.editing.repose.repose import Person, Reposer, read_iuv
    from stylegan_latents.generator.cli.progress import show_status
    from stylegan_latents.invert.photos.files import save_picture

    photo, on = settings.photo, settings.on
    changes = [path.stem.removesuffix("_iuv") for path in (settings.to, settings.wear) if path is not None]
    part = settings.part or "upper-body"
    # Every other drawing has another name.
    more = [part] * (settings.wear is not None) + [f"seed{settings.seed}"] * (settings.seed != 0)
    name = file_name([photo.stem, "repose", *changes, *more])
    target = picture_target(settings.output.out, name, settings.output.overwrite)
    iuv = settings.iuv or _beside(photo, _IUV)
    silhouette = settings.silhouette or _silhouette_of(photo)
    inputs = [photo, iuv, silhouette, settings.to, settings.wear]
    if settings.wear is not None:
        inputs += [_beside(settings.wear, _IUV), _silhouette_of(settings.wear)]
    if target.exists() and any(path is not None and path.exists() and path.samefile(target) for path in inputs):
        raise InputError(f"{target} is one of the pictures that are read; name another with --out.")
    person = Person.read(photo, iuv, silhouette)
    if silhouette is None:
        warn("edit repose", f"{photo} has no silhouette, so hair and clothes beyond the body are left out.")
    pose = None if settings.to is None else read_iuv(settings.to)
    other = None
    if settings.wear is not None:
        other = Person.read(settings.wear, _beside(settings.wear, _IUV), _silhouette_of(settings.wear))
    if on.model.is_dir():
        raise InputError(f"{on.model} is a folder; name the model in it, such as posewithstyle.pt.")
    reposer = Reposer.load(
        on.model,
        on.completion or on.model.with_name("CCM_epoch50.pt"),
        on.lookup or on.model.with_name("dp_uv_lookup_256.npy"),
        choose_device(on.device),
    )
    with show_status("Drawing"):
        drawn = reposer.repose(person, pose, other=other, part=part, seed=settings.seed)
    save_picture(drawn, target, overwrite=settings.output.overwrite)
    print(printable(f"Wrote {target}"))


def _beside(photo: Path, ending: str) -> Path:
    if photo.is_dir():
        raise InputError(f"{photo} is a folder; name a photo.")
    return photo.with_name(f"{photo.stem}{ending}")


def _silhouette_of(photo: Path) -> Path | None:
    path = _beside(photo, _SILHOUETTE)
    return path if path.exists() else None
