"""The command ``edit interpolate``: makes a film from key frames."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import DrawingOptions, Overwrite
from stylegan_latents.editing.directions.apply import edit_name
from stylegan_latents.editing.records.outputs import file_name
from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.commands.locks import OutputLocks

interpolate_app = new_app()
_SMALL_FORMATS = (".gif", ".webp")
_SMALL = 512
_TRUNCATION = 0.7


class CurveName(StrEnum):
    """The trajectory between key frames."""

    linear = "linear"
    spline = "spline"
    slerp = "slerp"


class EasingName(StrEnum):
    """The speed between key frames."""

    linear = "linear"
    smooth = "smooth"


@dataclass(frozen=True)
class FilmOutput:
    """Options of the film's file."""

    panel: ClassVar[str] = "Film"
    frames: Annotated[int, typer.Option(help="Number of frames.")] = 60
    fps: Annotated[float, typer.Option(help="Frames per second.")] = 24
    size: Annotated[int | None, typer.Option(help="Side in pixels; the model's, or 512 for GIF and WebP.")] = None
    codec: Annotated[str | None, typer.Option(help="FFmpeg's name of an encoder.", metavar="NAME")] = None
    out: Annotated[
        Path | None,
        typer.Option(help=".mp4, .gif, .webp, or a folder for PNGs; .mp4 by default.", metavar="FILE|DIR"),
    ] = None
    overwrite: Overwrite = False


@dataclass(frozen=True)
class InterpolateSettings:
    """Arguments and options of ``edit interpolate``; InputError if they contradict or require one another."""

    panel: ClassVar[str] = "Trajectory"
    keys: Annotated[
        list[str], typer.Argument(help="Key frames: records, inverted photos, seeds as seed:5.", metavar="A B...")
    ]
    curve: Annotated[CurveName, typer.Option(help="linear or spline through W+; slerp through Z, for seeds.")] = (
        CurveName.linear
    )
    easing: Annotated[EasingName, typer.Option(help="smooth is slow at key frames.")] = EasingName.linear
    even: Annotated[bool, typer.Option("--even", help="The same visible change in every frame.")] = False
    loop: Annotated[bool, typer.Option("--loop", help="Return from the last key frame to the first.")] = False
    ping_pong: Annotated[bool, typer.Option("--ping-pong", help="Play forwards, then backwards.")] = False
    layers: Annotated[
        str | None,
        typer.Option(help="Layers to change: coarse, middle, fine, or rows such as 0-3,7.", metavar="LAYERS"),
    ] = None
    direction: Annotated[
        list[str], typer.Option("--direction", "-d", help="Also sweep this; repeatable.", metavar="NAME")
    ] = field(default_factory=list)
    ends: Annotated[
        tuple[float, float] | None,
        typer.Option("--range", "-r", help="First and last strength of --direction.", metavar="FROM TO"),
    ] = None
    raw: Annotated[bool, typer.Option("--raw", help="Take --range in multiples of the stored vector.")] = False
    truncation: Annotated[
        float | None, typer.Option(help=f"For seeds: 1 as drawn, 0 the mean face; {_TRUNCATION:g} by default.")
    ] = None
    truncation_range: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Sweep the truncation; 1 keeps seeds and records as they are.", metavar="FROM TO"),
    ] = None
    orbit: Annotated[
        bool,
        typer.Option(
            "--orbit",
            help="Swing the camera to both sides, or without one the head; one key frame is enough.",
        ),
    ] = False
    style_range: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="First and last strength of --style: 0 is no style, 1 the full style.", metavar="FROM TO"
        ),
    ] = None
    film: FilmOutput = field(default_factory=FilmOutput)
    on: DrawingOptions = field(default_factory=DrawingOptions)

    def __post_init__(self) -> None:
        if bool(self.direction) != (self.ends is not None):
            missing = "--direction smile" if self.ends is not None else "--range -2 2"
            raise InputError(f"A sweep needs a direction and its strengths; add {missing}.")
        if self.raw and not self.direction:
            raise InputError("--raw is for the --range of a --direction, and there is none; leave it out.")
        if self.truncation is not None and self.truncation_range is not None:
            raise InputError("--truncation-range sweeps the truncation of seeds, too; leave out --truncation.")
        if self.style_range is not None and self.on.style is None:
            raise InputError("--style-range needs a --style; add one, such as --style pencil.")
        if self.style_range is not None and self.on.style_strength is not None:
            raise InputError("--style-range sets the strengths of the style; leave out --style-strength.")


@interpolate_app.command(
    epilog=examples(
        "edit interpolate me.jpg you.jpg",
        "edit interpolate seed:1 seed:2 seed:3 --curve slerp --loop",
        "edit interpolate me.jpg --direction smile --range -2 2 --ping-pong --out smile.gif",
        "edit interpolate me.jpg --style pencil --style-range 0 1",
    )
)
@takes(InterpolateSettings)
def interpolate(settings: InterpolateSettings) -> None:
    """Make a film from face to face, along a direction, or into a style."""
    from stylegan_latents.editing.directions.catalogue import find_direction
    from stylegan_latents.editing.films.morph import Morph, film_side
    from stylegan_latents.editing.records.codes import check_not_a_source, read_sources
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.films.write import check_film, write_film

    film, truncation = settings.film, settings.truncation
    morph = Morph(
        film.frames, settings.curve.value, settings.easing.value, settings.even, settings.loop, settings.ping_pong,
        settings.layers, ends=settings.ends, raw=settings.raw, truncation_ends=settings.truncation_range,
        orbit=settings.orbit, style_ends=settings.style_range,
    )  # fmt: skip
    morph.check(len(settings.keys))
    if film.out is not None:
        check_film(film.out, codec=film.codec, overwrite=film.overwrite, fps=film.fps)
    if truncation is None:
        truncation = _TRUNCATION if settings.truncation_range is None else 1.0
    sources = read_sources(settings.keys)
    out = film.out or film_name(settings, [source.name for source in sources])
    if film.out is None:
        check_film(out, codec=film.codec, overwrite=film.overwrite, fps=film.fps)
    check_not_a_source(out, sources)
    found = settings.on.find_style()
    style = found[0] if found is not None and settings.style_range is not None else None
    G, codes = settings.on.open_sources(sources, truncation, styled=style is None)
    morph.turned_by(G)  # may not know how to turn a head
    size = film.size
    if size is None and out.suffix.lower() in _SMALL_FORMATS:
        size = min(_SMALL, G.resolution)
    size = film_side(size, G)
    if style is not None:
        style.check_generator(G)
    morph = replace(morph, directions=[find_direction(name, G) for name in settings.direction], style=style)
    with contextlib.closing(OutputLocks()) as locks:
        locks.take(out)
        if settings.even:
            with show_count("measuring the trajectory", morph.points(len(codes)), "point") as count:
                times = morph.times(G, codes, on_point=count)
        else:
            times = morph.times(G, codes)
        with (
            write_film(out, fps=film.fps, codec=film.codec, overwrite=film.overwrite) as write,
            show_count(out.name, film.frames, "frame") as count,
        ):
            for frame in morph.draw(G, codes, times, size=size):
                write(frame)
                count()
    print(printable(f"Wrote {out}"))


def film_name(settings: InterpolateSettings, keys: Sequence[str]) -> Path:
    """A film's default name, ``me-to-you.mp4`` or ``me.smile-2_to+2.ping-pong.mp4``, from its key frames' names."""
    parts = ["-to-".join(keys)]
    if settings.ends is not None:
        first, last = settings.ends
        swept = [Path(name).stem.replace(":", "-") for name in settings.direction]
        parts += [f"{edit_name([(name, first) for name in swept], raw=settings.raw)}_to{last:+g}"]
    if settings.truncation_range is not None:
        parts.append("truncation{:g}_to{:g}".format(*settings.truncation_range))
    parts += [] if settings.layers is None else [settings.layers]
    parts += [settings.curve.value] if settings.curve is not CurveName.linear else []
    parts += [settings.easing.value] if settings.easing is not EasingName.linear else []
    switches = {"even": settings.even, "loop": settings.loop, "ping-pong": settings.ping_pong}
    switches["orbit"] = settings.orbit
    parts += [*(name for name, is_on in switches.items() if is_on), *settings.on.look_label()]
    if settings.style_range is not None:
        parts[-1] += "{:g}_to{:g}".format(*settings.style_range)
    return Path(file_name(parts, ".mp4"))
