"""A new style from a visitor's picture, as ``edit stylize`` makes it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from stylegan_latents.demo.page.running import Done, Stage, StepsLeft, run_reporting
from stylegan_latents.demo.session.photos import bounded, shown
from stylegan_latents.demo.session.shared import KeptStyle
from stylegan_latents.demo.session.styles import keep_style, style_name
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.detector import NoFaceError

if TYPE_CHECKING:
    from stylegan_latents.editing.styles.pictures import StylePictures
    from stylegan_latents.generator.styles.style import Style

Quality = Literal["draft", "good"]
STEPS: dict[Quality, int] = {"draft": 30, "good": 60}
_NO_FACE = (
    "No face was found in this picture; take one with an upright face, or crop it as portraits are cropped and "
    "turn “Look for a face” off."
)


@dataclass(frozen=True)
class StyleRequest:
    """A visitor's request.

    Attributes:
        name: of the new style; the picture's by default.
        quality: decides the number of steps.
        align: whether to look for a face; else the central square is taken.
        keep_colour, keep_shape: see ``StylizeSettings``.
    """

    name: str = ""
    quality: Quality = "good"
    align: bool = True
    keep_colour: bool = False
    keep_shape: bool = False


def make_style(visit: Visit, upload: str | None, request: StyleRequest) -> Iterator[Stage | Done[KeptStyle]]:
    """Tune the model to a picture, and keep the style in the visit.

    Args:
        visit: that keeps it.
        upload: the path that Gradio gives.
        request: the settings.

    Yields:
        Stages; finally the style, also that of a stop after which the result is kept.

    Raises:
        InputError: the picture cannot be read or shows no face, or there is no room for another style.
        StoppedError: the visitor stopped it without keeping the result.
    """
    from stylegan_latents.editing.styles.pictures import read_pictures, realistic_codes
    from stylegan_latents.editing.styles.stylize import StylizeSettings, keeping_person, stylize

    studio = visit.studio
    if not upload:
        raise InputError("Drop a style picture first.")
    if request.quality not in get_args(Quality):
        raise InputError(f"The quality is {' or '.join(STEPS)}, not {request.quality}.")
    picture_name = Path(upload).name
    name = style_name(visit, request.name.strip() or Path(upload).stem)
    settings = StylizeSettings(
        steps=studio.steps or STEPS[request.quality],
        keep_colour=request.keep_colour,
        keep_shape=request.keep_shape,
    )
    path = visit.take(upload)
    try:
        with visit.computing():
            path, _, _ = bounded(path)
            pictures = _read(path, picture_name, request.align, read_pictures, studio.G.resolution)
            crop = visit.files.store(shown(pictures.crops[0]), "style-picture")
    finally:
        path.unlink(missing_ok=True)
    yield Stage(f"Step 0 of {settings.steps}", 0, crop)
    timer = StepsLeft()

    def work(report: Callable[[int], None]) -> "Style":
        codes = realistic_codes(studio.G, pictures.images)
        return stylize(
            studio.G, pictures.images, codes, keeping_person(settings, studio.G), name=name,
            provenance={"pictures": pictures.sources},
            on_step=lambda step, _loss: report(step), keep_partial=True,
        )  # fmt: skip

    made_by = visit.studio.command_line(_command(picture_name, name, request, settings.steps))

    def keep(style: "Style") -> KeptStyle:
        return keep_style(visit, style, made_by)

    for now in run_reporting(visit, work, on_left=keep):
        if isinstance(now, Done):
            yield Done(keep(now.result))
        else:
            left = timer.seconds(now, settings.steps)
            yield Stage(f"Step {now} of {settings.steps}", now / settings.steps, None, left)


def _read(
    path: Path, name: str, align: bool, read: "Callable[..., StylePictures]", resolution: int
) -> "StylePictures":
    """The aligned picture, whose source has the visitor's file name."""
    try:
        pictures = read([path], resolution, align=align)
    except NoFaceError as error:
        raise InputError(_NO_FACE) from error
    for source in pictures.sources:
        if isinstance(source, dict):
            source["name"] = name
    return pictures


def _command(picture: str, name: str, request: StyleRequest, steps: int) -> list[str]:
    words = ["edit", "stylize", "--like", picture, "--name", name]
    words += [] if steps == STEPS["good"] else ["--steps", str(steps)]
    words += [] if request.align else ["--no-align"]
    words += ["--keep-colour"] if request.keep_colour else []
    words += ["--keep-shape"] if request.keep_shape else []
    return words
