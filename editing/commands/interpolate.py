"""The command ``edit interpolate``: a film from key frame to key frame."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import Overwrite, RecordsModelOptions
from stylegan_latents.editing.directions.apply import edit_name
from stylegan_latents.editing.records.outputs import file_name
from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.locks import OutputLocks

interpolate_app = new_app()
_SMALL_FORMATS = (".gif", ".webp")
_SMALL = 512
_TRUNCATION = 0.7


class CurveName(StrEnum):
    """How a trajectory goes from key to key."""

    linear = "linear"
    spline = "spline"
    slerp = "slerp"


class EasingName(StrEnum):
    """How the speed changes between keys."""

    linear = "linear"
    smooth = "smooth"


@dataclass(frozen=True)
class FilmOutput:
    """What film is written, and where."""

    panel: ClassVar[str] = "Film"
    frames: Annotated[int, typer.Option(help="How many frames, in all.")] = 60
    fps: Annotated[float, typer.Option(help="Frames a second.")] = 24
    size: Annotated[int | None, typer.Option(help="Side in pixels; the model's, or 512 for GIF and WebP.")] = None
    codec: Annotated[str | None, typer.Option(help="FFmpeg's name of an encoder.", metavar="NAME")] = None
    out: Annotated[
        Path | None,
        typer.Option(
            help=".mp4, .gif, .webp; without a suffix a folder of PNGs; an .mp4 named after its keys by default.",
            metavar="FILE|DIR",
        ),
    ] = None
    overwrite: Overwrite = False


@dataclass(frozen=True)
class InterpolateSettings:
    """What ``edit interpolate`` takes.

    Raises:
        InputError: options contradict one another, or miss one another.
    """

    panel: ClassVar[str] = "Trajectory"
    keys: Annotated[
        list[str], typer.Argument(help="Key frames: records, inverted photos, seeds as seed:5.", metavar="A B...")
    ]
    curve: Annotated[CurveName, typer.Option(help="linear or spline through W+; slerp through Z, for seeds.")] = (
        CurveName.linear
    )
    easing: Annotated[EasingName, typer.Option(help="smooth is slow at key frames.")] = EasingName.linear
    even: Annotated[bool, typer.Option("--even", help="The same visible change from frame to frame.")] = False
    loop: Annotated[bool, typer.Option("--loop", help="Go on from the last key frame to the first.")] = False
    ping_pong: Annotated[bool, typer.Option("--ping-pong", help="There and back again.")] = False
    layers: Annotated[
        str | None,
        typer.Option(
            help="Only these move, along a --direction, too: coarse, middle, fine, or rows such as 0-3,7.",
            metavar="LAYERS",
        ),
    ] = None
    direction: Annotated[
        list[str], typer.Option("--direction", "-d", help="Sweep this, too; repeatable.", metavar="NAME")
    ] = field(default_factory=list)
    ends: Annotated[
        tuple[float, float] | None,
        typer.Option("--range", "-r", help="The strengths of --direction, first and last.", metavar="FROM TO"),
    ] = None
    raw: Annotated[bool, typer.Option("--raw", help="Take --range in multiples of the stored vector.")] = False
    truncation: Annotated[
        float | None, typer.Option(help=f"Of seeds: 1 as drawn, 0 the mean face; {_TRUNCATION:g} by default.")
    ] = None
    truncation_range: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Sweep the truncation: 1 is a seed as drawn, or a record as it is.", metavar="FROM TO"),
    ] = None
    film: FilmOutput = field(default_factory=FilmOutput)
    on: RecordsModelOptions = field(default_factory=RecordsModelOptions)

    def __post_init__(self) -> None:
        if bool(self.direction) != (self.ends is not None):
            missing = "--direction smile" if self.ends is not None else "--range -2 2"
            raise InputError(f"A sweep needs a direction and its strengths; add {missing}.")
        if self.raw and not self.direction:
            raise InputError(
                "--raw says how the --range of a --direction is taken, and there is none; leave it out."
            )
        if self.truncation is not None and self.truncation_range is not None:
            raise InputError("--truncation-range sweeps the truncation of seeds, too; leave out --truncation.")


@interpolate_app.command(
    epilog="Examples:\n\nedit interpolate me.jpg you.jpg\n\n"
    "edit interpolate seed:1 seed:2 seed:3 --curve slerp --loop\n\n"
    "edit interpolate me.jpg --direction smile --range -2 2 --ping-pong --out smile.gif"
)
@takes(InterpolateSettings)
def interpolate(settings: InterpolateSettings) -> None:
    """Make a film: from face to face, along a direction, or both."""
    from stylegan_latents.editing.directions.catalogue import find_direction
    from stylegan_latents.editing.films.morph import Morph, film_side
    from stylegan_latents.editing.records.codes import check_not_a_source, open_sources, read_sources
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.films.write import check_film, write_film

    film, truncation = settings.film, settings.truncation
    morph = Morph(
        film.frames, settings.curve.value, settings.easing.value, settings.even, settings.loop, settings.ping_pong,
        settings.layers, ends=settings.ends, raw=settings.raw, truncation_ends=settings.truncation_range,
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
    G, codes = open_sources(sources, model=settings.on.model, device=settings.on.device, truncation=truncation)
    size = film.size
    if size is None and out.suffix.lower() in _SMALL_FORMATS:
        size = min(_SMALL, G.resolution)
    size = film_side(size, G)
    morph = replace(morph, directions=[find_direction(name, G) for name in settings.direction])
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
    print(f"Wrote {out}")


def film_name(settings: InterpolateSettings, keys: Sequence[str]) -> Path:
    """What a film is called: ``me-to-you.mp4``, ``me.smile-2_to+2.ping-pong.mp4``.

    Args:
        settings: of the film.
        keys: names of the key frames.
    """
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
    return Path(file_name([*parts, *(name for name, is_on in switches.items() if is_on)], ".mp4"))
