"""The command ``edit interpolate``: a film from key frame to key frame."""

import contextlib
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stylegan_latents.editing.commands.options import Device, Overwrite, RecordsModel
from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.commands.locks import Claims

interpolate_app = new_app()
DEFAULT_FILM = "morph.mp4"
_SMALL_FORMATS = (".gif", ".webp")
_SMALL = 512
_TRUNCATION = 0.7


class CurveName(StrEnum):
    """How a way goes from key to key."""

    linear = "linear"
    spline = "spline"
    slerp = "slerp"


class EasingName(StrEnum):
    """How the speed changes between keys."""

    linear = "linear"
    smooth = "smooth"


_Range = Annotated[
    tuple[float, float] | None,
    typer.Option("--range", "-r", help="The strengths of --direction, first and last.", metavar="FROM TO"),
]


@interpolate_app.command(
    epilog="Examples: edit interpolate me.jpg you.jpg --out morph.mp4   "
    "edit interpolate seed:1 seed:2 seed:3 --curve slerp --loop   "
    "edit interpolate me.jpg --direction smile --range -2 2 --ping-pong --out smile.gif"
)
def interpolate(
    keys: Annotated[
        list[str],
        typer.Argument(help="Key frames: records, inverted photos, seeds as seed:5.", metavar="A B..."),
    ],
    frames: Annotated[int, typer.Option(help="How many frames, in all.")] = 60,
    out: Annotated[
        Path,
        typer.Option(help=".mp4, .gif, .webp; without a suffix a folder of PNGs.", metavar="FILE|DIR"),
    ] = Path(DEFAULT_FILM),
    curve: Annotated[
        CurveName, typer.Option(help="linear or spline through W+; slerp through Z, for seeds.")
    ] = CurveName.linear,
    easing: Annotated[EasingName, typer.Option(help="smooth is slow at key frames.")] = EasingName.linear,
    even: Annotated[bool, typer.Option("--even", help="The same visible change from frame to frame.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Go on from the last key frame to the first.")] = False,
    ping_pong: Annotated[bool, typer.Option("--ping-pong", help="There and back again.")] = False,
    layers: Annotated[
        str | None,
        typer.Option(
            help="Only these move, along a --direction, too: coarse, middle, fine, or rows such as 0-3,7.",
            metavar="LAYERS",
        ),
    ] = None,
    direction: Annotated[
        list[str] | None, typer.Option("--direction", "-d", help="Sweep this, too; repeatable.", metavar="NAME")
    ] = None,
    ends: _Range = None,
    raw: Annotated[bool, typer.Option("--raw", help="Take --range in multiples of the stored vector.")] = False,
    truncation: Annotated[
        float | None,
        typer.Option(
            help=f"Of seeds: 1 as drawn, 0 the mean face; {_TRUNCATION:g} by default.", show_default=False
        ),
    ] = None,
    truncation_range: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Sweep the truncation: 1 is a seed as drawn, or a record as it is.", metavar="FROM TO"),
    ] = None,
    fps: Annotated[float, typer.Option(help="Frames a second.")] = 24,
    size: Annotated[int | None, typer.Option(help="Side in pixels; the model's, or 512 for GIF and WebP.")] = None,
    codec: Annotated[str | None, typer.Option(help="FFmpeg's name of an encoder.", metavar="NAME")] = None,
    overwrite: Overwrite = False,
    model: RecordsModel = None,
    device: Device = None,
) -> None:
    """Make a film: from face to face, along a direction, or both."""
    from stylegan_latents.editing.films.morph import Morph, film_side
    from stylegan_latents.editing.records.codes import check_not_a_source, open_codes
    from stylegan_latents.generator.cli.progress import show_count
    from stylegan_latents.invert.films.write import check_film, write_film

    if bool(direction) != (ends is not None):
        missing = "--direction smile" if ends is not None else "--range -2 2"
        raise InputError(f"A sweep needs a direction and its strengths; add {missing}.")
    if raw and not direction:
        raise InputError("--raw says how the --range of a --direction is taken, and there is none; leave it out.")
    if truncation is not None and truncation_range is not None:
        raise InputError("--truncation-range sweeps the truncation of seeds, too; leave out --truncation.")
    morph = Morph(
        frames, curve.value, easing.value, even, loop, ping_pong, layers,
        ends=ends, raw=raw, truncation_ends=truncation_range,
    )  # fmt: skip
    morph.check(len(keys))
    check_film(out, codec=codec, overwrite=overwrite, fps=fps)
    if truncation is None:
        truncation = _TRUNCATION if truncation_range is None else 1.0
    G, codes = open_codes(keys, model=model, device=device, truncation=truncation)
    check_not_a_source(out, codes)
    if size is None and out.suffix.lower() in _SMALL_FORMATS:
        size = min(_SMALL, G.resolution)
    size = film_side(size, G)
    if direction:
        from stylegan_latents.editing.directions.catalogue import find

        morph = replace(morph, directions=[find(name, G) for name in direction])
    with contextlib.closing(Claims()) as claims:
        claims.take(out)
        if even:
            with show_count("measuring the way", morph.points(len(codes)), "point") as count:
                times = morph.times(G, codes, on_point=count)
        else:
            times = morph.times(G, codes)
        with (
            write_film(out, fps=fps, codec=codec, overwrite=overwrite) as write,
            show_count(out.name, frames, "frame") as count,
        ):
            for frame in morph.draw(G, codes, times, size=size):
                write(frame)
                count()
    print(printable(f"Wrote {out}"))
