"""The command ``edit interpolate``: a film from key frame to key frame."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.command import new_app
from generator.errors import InputError

if TYPE_CHECKING:
    from editing.interpolation import Way
    from editing.pace import EvenPace
    from editing.sources import Code
    from generator.generator import Generator, Noise

interpolate_app = new_app()

DEFAULT_FILM = "morph.mp4"
_SMALL_FORMATS = (".gif", ".webp")
_SMALL = 512
_POINTS = 24


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
        str | None, typer.Option(help="Only these move: coarse, middle, fine, or rows such as 0-3,7.")
    ] = None,
    direction: Annotated[
        list[str] | None, typer.Option("--direction", "-d", help="Sweep this, too; repeatable.", metavar="NAME")
    ] = None,
    ends: _Range = None,
    raw: Annotated[bool, typer.Option("--raw", help="Take --range in multiples of the stored vector.")] = False,
    truncation: Annotated[float, typer.Option(help="Of seeds: 1 as drawn, 0 the mean face.")] = 0.7,
    truncation_range: Annotated[
        tuple[float, float] | None, typer.Option(help="Sweep the truncation of all.", metavar="FROM TO")
    ] = None,
    fps: Annotated[float, typer.Option(help="Frames a second.")] = 24,
    size: Annotated[int | None, typer.Option(help="Side in pixels; the model's, or 512 for GIF and WebP.")] = None,
    codec: Annotated[str | None, typer.Option(help="FFmpeg's name of an encoder.", metavar="NAME")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a film that exists.")] = False,
    model: Annotated[
        str | None, typer.Option(help="The generator; the records' by default.", metavar="NAME|PATH")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...", metavar="DEVICE")] = None,
) -> None:
    """Make a film: from face to face, along a direction, or both."""
    from editing import interpolation
    from editing.animation import draw_frames, noise_between, weights_between
    from editing.counting import show_count
    from editing.sources import check_not_a_source, open_codes
    from invert.film import check_film, write_film

    interpolation.check_frames(frames)
    is_sweep = bool(direction) or truncation_range is not None
    if len(keys) < 2 and (not is_sweep or loop):
        interpolation.check_keys(len(keys), loop)
    if loop and is_sweep:
        raise InputError("A sweep ends elsewhere than it begins; take --ping-pong in place of --loop.")
    if bool(direction) != (ends is not None):
        missing = "--direction smile" if ends is not None else "--range -2 2"
        raise InputError(f"A sweep needs a direction and its strengths; add {missing}.")
    if ends is not None:
        interpolation.check_ends(ends, "--range")
    if truncation_range is not None:
        interpolation.check_ends(truncation_range, "--truncation-range")
    check_film(out, codec=codec, overwrite=overwrite)
    G, codes = open_codes(keys, model=model, device=device, truncation=truncation)
    check_not_a_source(out, codes)
    side = _side(size, out, G)
    way = _way(G, codes, curve, loop=loop, truncation=truncation)
    if layers is not None:
        way = interpolation.only_rows(way, G.rows(layers), codes[0].ws)
    if truncation_range is not None:
        way = interpolation.sweep_truncation(way, G.w_avg, truncation_range)
    if ends is not None:
        from editing.direction import find

        for name in direction or []:
            way = interpolation.sweep(way, find(name, G), ends, raw=raw)
    times = interpolation.frame_times(frames, loop=loop, ping_pong=ping_pong)
    segments = max(1, len(codes) - (not loop))
    if even:
        times = _even(codes[0].drawn_by(G), way, segments, codes[0].noise_or_const)(
            interpolation.ease(times, easing.value)
        )
    else:
        times = interpolation.ease(times, easing.value, segments)
    noise = noise_between([code.noise for code in codes], G.noise_constants(), loop=loop)
    weights = weights_between(G, [code.tuned(G) for code in codes], loop=loop)
    drawn = draw_frames(G, way, times, noise=noise, weights=weights, size=side)
    with (
        write_film(out, fps=fps, codec=codec, overwrite=overwrite) as write,
        show_count(out.name, frames, "frame") as count,
    ):
        for frame in drawn:
            write(frame)
            count()
    print(f"Wrote {out}")


def _way(G: "Generator", codes: "list[Code]", curve: CurveName, *, loop: bool, truncation: float) -> "Way":
    import torch

    from editing import interpolation

    if curve == CurveName.slerp:
        drawn = [code.z for code in codes if code.z is not None]
        if len(drawn) != len(codes):
            record = next(code.name for code in codes if code.z is None)
            raise InputError(
                f"--curve slerp goes through Z, where only seeds are, and {record} is a record; leave it out, or "
                "take --curve spline."
            )
        if len(codes) > 1:
            return interpolation.slerp(G, torch.cat(drawn), truncation=truncation, loop=loop)
    if len(codes) == 1:
        return interpolation.still(codes[0].ws)
    through = interpolation.spline if curve == CurveName.spline else interpolation.linear
    return through(torch.cat([code.ws for code in codes]), loop=loop)


def _side(size: int | None, out: Path, G: "Generator") -> int | None:
    """The frames' side, for :meth:`generator.generator.Generator.synthesize`."""
    if size is None:
        return min(_SMALL, G.resolution) if out.suffix.lower() in _SMALL_FORMATS else None
    if size < 16 or G.resolution % size or (G.resolution // size).bit_count() != 1:
        sides = [G.resolution >> shift for shift in range(4) if G.resolution >> shift >= 16]
        raise InputError(f"--size takes {', '.join(map(str, sides))} or so for this model, not {size}.")
    return size


def _even(G: "Generator", way: "Way", segments: int, noise: "Noise") -> "EvenPace":
    from editing.counting import show_count
    from editing.pace import even_pace

    points = _POINTS * segments + 1
    with show_count("measuring the way", points, "point") as count:
        return even_pace(G, way, points=points, noise=noise, on_point=count)
