"""The command ``edit stylize``: draws a photo in the style of a picture."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import Overwrite, RecordModelOptions
from stylegan_latents.editing.records.outputs import file_name, film_target, free, picture_target, sheet_target
from stylegan_latents.generator.cli.command import LARGEST_SEED, choose_device, new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_folder_name, printable
from stylegan_latents.generator.styles.style import SUFFIX, check_style_strength, find_style, names_a_style
from stylegan_latents.invert.commands.locks import OutputLocks

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.editing.styles.pictures import StylePictures
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.styles.style import Style

stylize_app = new_app()


@dataclass(frozen=True, kw_only=True)
class StyleOutput:
    """Output options of ``edit stylize``."""

    panel: ClassVar[str] = "Output"
    name: Annotated[
        str | None, typer.Option(help="Name of the new style; the picture's by default.", metavar="NAME")
    ] = None
    out: Annotated[
        Path | None, typer.Option(help="Folder for the picture and the style's file.", metavar="DIR")
    ] = None
    sheet: Annotated[bool, typer.Option("--sheet", help="Also write style picture, photo and result.")] = False
    film: Annotated[bool, typer.Option("--film", help="Also write a film from no style to all of it.")] = False
    overwrite: Overwrite = False

    def __post_init__(self) -> None:
        if self.out is not None:
            check_folder_name(self.out)


@dataclass(frozen=True, kw_only=True)
class StylizeCommandSettings:
    """Arguments and options of ``edit stylize``."""

    panel: ClassVar[str] = "Style"
    record: Annotated[
        Path | None,
        typer.Argument(
            help="A record of `invert`, or its photo; without one, only the style is made.", metavar="RECORD"
        ),
    ] = None
    like: Annotated[
        list[str],
        typer.Option(
            help="A picture, a folder of them, or a style made earlier; repeat for pictures of one style.",
            metavar="PICTURE|STYLE",
        ),
    ]
    strength: Annotated[
        float, typer.Option("--strength", "-s", help="How much of the style the picture has: 0 none, 1 all.")
    ] = 1.0
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="How many steps of tuning.")] = 60
    keep_person: Annotated[
        bool,
        typer.Option(
            "--keep-person/--no-keep-person",
            help="Keep people apart: random faces take the picture's texture and stay who they are; else only the "
            "picture's own face is tuned to it, as in JoJoGAN.",
        ),
    ] = True
    keep_colour: Annotated[bool, typer.Option("--keep-colour", help="Keep the photo's colours.")] = False
    keep_shape: Annotated[
        bool, typer.Option("--keep-shape", help="Keep the face's shape; else it moves towards the picture's.")
    ] = False
    layers: Annotated[
        str | None,
        typer.Option(
            help="Rows in which codes of other faces are mixed while tuning, by default those of 64 pixels and "
            "finer: coarse, middle, fine, or rows such as 7-15.",
            metavar="LAYERS",
        ),
    ] = None
    align: Annotated[
        bool,
        typer.Option(
            " /--no-align", help="Take the pictures' central squares: for aligned crops.", show_default=False
        ),
    ] = True
    landmarks: Annotated[
        Path | None,
        typer.Option(
            help="Landmarks placed by hand, for pictures in which no face is found: a .json, .pts or .npy file of "
            "the eyes and the mouth, or a folder with one file per picture.",
            metavar="FILE|DIR",
        ),
    ] = None
    encoder: Annotated[
        Path | None,
        typer.Option(help="The encoder; by default the one that comes with the model.", metavar="FILE"),
    ] = None
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Random seed.", metavar="N")] = 0
    output: StyleOutput = field(default_factory=StyleOutput)
    on: RecordModelOptions = field(default_factory=RecordModelOptions)

    def __post_init__(self) -> None:
        check_style_strength(self.strength)
        if self.landmarks is not None and not self.align:
            raise InputError("--landmarks says how to align, and --no-align not to; leave one of them out.")
        if self.output.out is not None and self.output.out.suffix and not self.output.out.is_dir():
            raise InputError(
                f"--out is a folder here, and {self.output.out} seems to be a file; name it with --name."
            )
        if self.output.name is not None and (
            not self.output.name.strip() or Path(self.output.name).name != self.output.name
        ):
            raise InputError(f"A style's name is part of a file's name, which '{self.output.name}' cannot be.")
        if self.record is None and (self.output.sheet or self.output.film):
            raise InputError("--sheet and --film show a photo; name one, such as `edit stylize me.jpg`.")
        if self.made_earlier and len(self.like) > 1:
            raise InputError("Give one style that was made earlier, or pictures to make a new one from.")
        if self.made_earlier and self.record is None:
            raise InputError(f"Name the photo that is to be drawn in the style {self.like[0]}.")

    @property
    def made_earlier(self) -> bool:
        """Whether a style is named, not pictures to make one from."""
        return any(names_a_style(one) for one in self.like)

    @property
    def style_name(self) -> str:
        """The new style's name, or that of the one made earlier."""
        return self.output.name or Path(self.like[0]).name.removesuffix(SUFFIX).partition(".")[0]


@stylize_app.command(
    epilog=examples(
        "edit stylize me.jpg --like painting.jpg",
        "edit stylize me.jpg --like a.jpg --like b.jpg --keep-shape --name ours",
        "edit stylize me.jpg --like pencil --strength 0.7 --film",
        "edit me.jpg --style painting.style.safetensors --direction smile",
    )
)
@takes(StylizeCommandSettings)
def stylize(settings: StylizeCommandSettings) -> None:
    """Draw an inverted photo in the style of one picture, and keep that style for all commands (JoJoGAN)."""
    from stylegan_latents.invert.photos.files import save_picture

    output = settings.output
    style = find_style(settings.like[0]) if settings.made_earlier else None
    opened = None
    if settings.record is not None:
        from stylegan_latents.editing.records.opened import OpenRecord

        opened = OpenRecord.of(settings.record, model=settings.on.model, device=settings.on.device)
    folder = output.out or Path()
    files = _Files.of(settings, opened, folder)
    with contextlib.closing(OutputLocks()) as locks:
        for file in files:
            if opened is not None:
                opened.check_output(file)
            locks.take(file)
        examples_ = None
        if style is None:
            style, examples_ = _made(settings, opened)
            assert files.style is not None
            style.save(files.style, overwrite=output.overwrite)
        if opened is None:
            print(printable(f"Wrote {files.style}"))
            return
        plain = opened.generator
        styled = style.apply(plain, settings.strength)
        after = _drawn(styled, opened)
        assert files.picture is not None
        save_picture(after, files.picture, overwrite=output.overwrite)
        if files.sheet is not None:
            save_picture(_sheet(opened, examples_, after), files.sheet, overwrite=output.overwrite)
        if files.film is not None:
            _film(opened, style, settings.strength, files.film, overwrite=output.overwrite)
    for file in files:
        print(printable(f"Wrote {file}"))


@dataclass(frozen=True)
class _Files:
    """What the command writes."""

    style: Path | None
    picture: Path | None
    sheet: Path | None
    film: Path | None

    @classmethod
    def of(cls, settings: StylizeCommandSettings, opened: "OpenRecord | None", folder: Path) -> "_Files":
        """The paths; InputError for one that exists and may not be replaced."""
        output, name = settings.output, settings.style_name
        style = None
        if not settings.made_earlier:
            style = free(folder / file_name([name], SUFFIX), output.overwrite)
        if opened is None:
            return cls(style, None, None, None)
        label = name if settings.strength == 1 else f"{name}{settings.strength:g}"
        picture = picture_target(folder / file_name([opened.stem, label]), "", output.overwrite)
        sheet = sheet_target(picture, output.overwrite) if output.sheet else None
        film = None
        if output.film:
            film = film_target(folder / file_name([opened.stem, label], ".mp4"), "", output.overwrite)
        return cls(style, picture, sheet, film)

    def __iter__(self) -> Iterator[Path]:
        return iter([file for file in (self.style, self.picture, self.sheet, self.film) if file is not None])


def _made(settings: StylizeCommandSettings, opened: "OpenRecord | None") -> "tuple[Style, StylePictures]":
    """A new style from the pictures, and these aligned."""
    from stylegan_latents.editing.styles.pictures import picture_files, read_pictures, realistic_codes
    from stylegan_latents.editing.styles.stylize import StylizeSettings, keeping_person, stylize
    from stylegan_latents.generator.cli.progress import show_progress
    from stylegan_latents.generator.loading import DEFAULT_MODEL, load

    wanted = StylizeSettings(
        steps=settings.steps, keep_colour=settings.keep_colour, keep_shape=settings.keep_shape,
        exchange=settings.layers, seed=settings.seed,
    )  # fmt: skip
    pictures_of = picture_files([Path(one).expanduser() for one in settings.like])
    if opened is None:
        G = load(settings.on.model or DEFAULT_MODEL).to(choose_device(settings.on.device))
    else:
        G = opened.base
    G.check_square("A style")
    if settings.keep_person:
        wanted = keeping_person(wanted, G)
    pictures = read_pictures(pictures_of, G.resolution, align=settings.align, landmarks=settings.landmarks)
    codes = realistic_codes(G, pictures.images, settings.encoder)
    with show_progress(settings.style_name) as report:
        made = stylize(
            G, pictures.images, codes, wanted, name=settings.style_name, provenance={"pictures": pictures.sources},
            on_step=lambda step, loss: report(step, wanted.steps, loss),
        )  # fmt: skip
    return made, pictures


def _drawn(G: "Generator", opened: "OpenRecord") -> "Image.Image":
    import torch

    from stylegan_latents.invert.photos.files import to_picture

    with torch.inference_mode():
        return to_picture(G.synthesize(opened.ws, opened.noise))[0]


def _sheet(opened: "OpenRecord", examples_: "StylePictures | None", after: "Image.Image") -> "Image.Image":
    from stylegan_latents.invert.photos.contact_sheet import contact_sheet

    shown = [] if examples_ is None else [("style", examples_.crops[0])]
    shown += [("inversion", opened.picture()), ("result", after)]
    return contact_sheet([[picture for _, picture in shown]], [title for title, _ in shown])


def _film(opened: "OpenRecord", style: "Style", strength: float, target: Path, *, overwrite: bool) -> None:
    """Write a film of the photo from no style to ``strength`` of it, and back."""
    from stylegan_latents.editing.films.morph import Morph
    from stylegan_latents.editing.records.codes import record_code
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.films.write import write_film

    G, codes = opened.base, [record_code(opened)]
    morph = Morph(_FRAMES, ping_pong=True, style=style, style_ends=(0.0, strength))
    with (
        write_film(target, fps=_RATE, overwrite=overwrite) as write,
        show_count(target.name, _FRAMES, "frame") as count,
    ):
        for frame in morph.draw(G, codes, morph.times(G, codes), size=min(_FILM_SIDE, G.resolution)):
            write(frame)
            count()


_FRAMES, _RATE, _FILM_SIDE = 60, 20, 512
