"""The command ``edit discover``: directions found anew, each in a file, and a sheet of what they do."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.command import new_app
from generator.errors import InputError

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from editing.direction import Direction
    from generator.generator import Generator, Noise

discover_app = new_app()

STRENGTHS = (-3, -2, -1, 0, 1, 2, 3)
"""The columns of the sheet."""
_CELL = 256
_GANSPACE_SAMPLES, _MASK_SAMPLES = 200_000, 8
_TRUNCATION = 0.7

Progress = Callable[[int, int], None]


class Method(StrEnum):
    """The finders."""

    SEFA = "sefa"
    GANSPACE = "ganspace"
    STYLESPACE = "stylespace"
    EXAMPLES = "examples"


@dataclass(frozen=True)
class Wish:
    """What the user asked for, beside the method."""

    count: int
    layers: str | None
    samples: int | None
    seed: int
    before: Path | None
    after: Path | None
    mask: Path | None
    name: str | None


@discover_app.command(
    epilog="Examples: edit discover --method sefa --count 10   "
    "edit discover --method examples --before neutral/ --after smiling/ --name smile   "
    "edit discover --method stylespace --mask mouth.png"
)
def discover(
    method: Annotated[Method, typer.Option("--method", "-m", help="How to find them.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=999, help="How many directions.")] = 10,
    layers: Annotated[
        str | None,
        typer.Option(help="Only these: coarse, middle, fine, all, or rows such as 0-3,7.", metavar="LAYERS"),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="How many samples to look at; each method's own number by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the samples.")] = 0,
    before: Annotated[
        Path | None, typer.Option(help="Folder of records without what is wanted.", metavar="FOLDER")
    ] = None,
    after: Annotated[
        Path | None, typer.Option(help="Folder of records with it; equal names are pairs.", metavar="FOLDER")
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Where the picture is to change: a picture, white there.", metavar="PICTURE")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call a direction from examples.")] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for the files; this one by default.", metavar="FOLDER")
    ] = Path(),
    record: Annotated[
        Path | None, typer.Option(help="Show them on this inversion instead of a sample.", metavar="RECORD")
    ] = None,
    show: Annotated[int, typer.Option(min=0, help="Seed of the sample that they are shown on.")] = 0,
    sheet: Annotated[bool, typer.Option(help="Whether to draw the sheet.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    model: Annotated[
        str | None, typer.Option(help="The generator; the record's, or the default one.", metavar="NAME|PATH")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ...; a GPU when there is one by default.", metavar="DEVICE")
    ] = None,
) -> None:
    """Find directions without scores, write each to a file for --direction, and show what they do."""
    wish = Wish(count, layers, samples, seed, before, after, mask, name)
    check(method, wish)
    names = file_names(method, wish)
    picture = out / f"{_stem(method, wish)}.png"
    for path in [*(out / f"{one}.safetensors" for one in names), *([picture] if sheet else [])]:
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists already; add --overwrite to replace it, or name a folder with --out.")
    G, ws, noise = _shown(record, model, device, show)
    with _bar() as progress:
        found = find_directions(G, method, wish, progress)
        for direction in found:
            direction.save(out / f"{direction.name}.safetensors", overwrite=overwrite)
        if sheet:
            from invert.photo import save_picture

            save_picture(strips(G, ws, noise, found, progress("drawing the sheet")), picture, overwrite=overwrite)
    written = [out / f"{direction.name}.safetensors" for direction in found]
    print(f"Wrote {written[0]}" + (f" to {written[-1].name}" if len(written) > 1 else ""))
    if sheet:
        print(f"Wrote {picture}")


def check(method: Method, wish: Wish) -> None:
    """Refuse, before a model is loaded, what a method cannot do.

    Raises:
        InputError: an option is missing, or is for another method.
    """
    pair = wish.before is not None and wish.after is not None
    if (wish.before is None) != (wish.after is None):
        raise InputError("--before and --after go together: give a folder of records for each.")
    if method is Method.EXAMPLES and not pair:
        raise InputError("--method examples needs two folders of records: --before FOLDER --after FOLDER.")
    if method is Method.STYLESPACE and pair == (wish.mask is not None):
        raise InputError("--method stylespace needs either --mask PICTURE, or --before FOLDER --after FOLDER.")
    if method in (Method.SEFA, Method.GANSPACE) and (pair or wish.mask is not None):
        raise InputError(f"--method {method.value} takes no examples and no mask; leave --before and --mask out.")
    if wish.name is not None and (method is not Method.EXAMPLES or not _is_file_name(wish.name)):
        raise InputError("--name is for --method examples, and has to be usable as a file's name, such as smile.")


def file_names(method: Method, wish: Wish) -> list[str]:
    """What the directions are called, and their files."""
    if method is Method.EXAMPLES:
        return [_stem(method, wish)]
    return [f"{method.value}-{index:02d}" for index in range(wish.count)]


def find_directions(
    G: "Generator", method: Method, wish: Wish, progress: Callable[[str], Progress]
) -> "list[Direction]":
    """Run a finder.

    Args:
        progress: given what is going on, gives what is to be called with the number done and in all.

    Raises:
        InputError: as the finder says.
    """
    if method is Method.SEFA:
        from editing.discovery.sefa import SeFa

        return SeFa(G, wish.layers).find(wish.count)
    if method is Method.GANSPACE:
        from editing.discovery.ganspace import GANSpace

        finder = GANSpace(G, wish.layers, samples=wish.samples or _GANSPACE_SAMPLES, seed=wish.seed)
        return finder.find(wish.count, progress("sampling W"))
    from editing.discovery.examples import Examples, read_examples

    pairs = None if wish.before is None or wish.after is None else read_examples(wish.before, wish.after, G)
    if method is Method.EXAMPLES and pairs is not None:
        return [Examples(G, pairs, wish.layers).find(_stem(method, wish))]
    from editing.discovery.stylespace import StyleSpace

    space = StyleSpace(G, wish.layers)
    if pairs is not None:
        if not pairs.names:
            raise InputError("Ranking style channels needs pairs: records of the same names in both folders.")
        return space.find(space.rank_by_examples(pairs.after, pairs.before), wish.count)
    ws = G.sample(range(wish.seed, wish.seed + (wish.samples or _MASK_SAMPLES)), truncation=_TRUNCATION)
    ranked = space.rank_by_mask(ws, read_mask(wish.mask or Path()), progress=progress("looking at samples"))
    return space.find(ranked, wish.count)


def read_mask(path: Path) -> "Tensor":
    """A picture's lightness as a mask, ``[1, 1, H, W]`` in [0, 1].

    Raises:
        InputError: it cannot be read.
    """
    import numpy as np
    import torch

    from invert.photo import read_photo

    lightness = np.asarray(read_photo(path).convert("L"), dtype=np.float32) / 255
    return torch.from_numpy(lightness)[None, None]


def strips(
    G: "Generator",
    ws: "Tensor",
    noise: "Noise",
    directions: "Sequence[Direction]",
    progress: Progress | None = None,
) -> "Image.Image":
    """One row of pictures for each direction, at :data:`STRENGTHS`.

    Args:
        ws: the code to show them on, ``[1, num_ws, w_dim]``.
    """
    import torch

    from editing.edit import edited_styles
    from editing.sheet import contact_sheet
    from invert.photo import to_picture

    size = G.resolution
    while size > _CELL:
        size //= 2
    rows = []
    with torch.inference_mode():
        # The middle of every row is the same picture.
        middle = to_picture(G.synthesize(ws, noise, size=size))[0]
        for index, direction in enumerate(directions):
            row = []
            for strength in STRENGTHS:
                styles = edited_styles(G, ws, [(direction, float(strength))])
                row.append(to_picture(G.synthesize_styles(styles, noise, size=size))[0] if strength else middle)
            rows.append(row)
            if progress is not None:
                progress(index + 1, len(directions))
    titles = [f"{strength:+d}" if strength else "0" for strength in STRENGTHS]
    return contact_sheet(rows, titles, [direction.name for direction in directions], cell=_CELL)


def _stem(method: Method, wish: Wish) -> str:
    return wish.name or method.value if method is Method.EXAMPLES else method.value


def _is_file_name(name: str) -> bool:
    return bool(name) and not set(name) & set('/\\:*?"<>|') and name not in (".", "..") and name.isprintable()


def _shown(
    record: Path | None, model: str | None, device: str | None, seed: int
) -> "tuple[Generator, Tensor, Noise]":
    """The generator, and the code and noise to show the directions on."""
    if record is not None:
        from editing.opened import OpenRecord, resolve_record

        opened = OpenRecord(resolve_record(record), model=model, device=device)
        maps = opened.inversion.noise
        noise: Noise = "const" if maps is None else [one.to(opened.generator.device) for one in maps]
        return opened.generator, opened.ws, noise
    from generator.command import choose_device
    from generator.loading import DEFAULT_MODEL, load

    G = load(model or DEFAULT_MODEL).to(choose_device(device))
    return G, G.sample([seed], truncation=_TRUNCATION), "const"


@contextmanager
def _bar() -> Iterator[Callable[[str], Progress]]:
    """A progress bar: given what is going on, gives a function of the number done and in all."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:

        def begin(what: str) -> Progress:
            task = bar.add_task(what, total=None)
            return lambda done, whole: bar.update(task, completed=done, total=whole)

        yield begin
