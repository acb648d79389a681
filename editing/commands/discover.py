"""The command ``edit discover``: directions found anew, each in a file, and a sheet of what they do."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan_latents.editing.commands.options import Device, Overwrite, RecordsModel
from stylegan_latents.editing.discovery.by_name import codes, find_directions
from stylegan_latents.editing.discovery.options import (
    COUNT,
    Fit,
    Local,
    Method,
    Wish,
    direction_names,
    open_scorer,
    say_mirrored,
)
from stylegan_latents.generator.cli.command import LARGEST_SEED, new_app
from stylegan_latents.generator.cli.progress import show_work
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_writable
from stylegan_latents.generator.ops.memory import keep_freed_memory, share_freed_memory
from stylegan_latents.invert.commands.locks import OutputLocks

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.generator.generator import Generator, Noise

discover_app = new_app()

# Share of held-out samples on the right side of the median: below it, what was found is mostly the samples' chance.
_TELLING = 0.6


@discover_app.command(
    epilog="Examples: edit discover --method sefa --count 10   "
    "edit discover --method examples --before neutral/ --after smiling/ --name smile   "
    "edit discover --method stylespace --mask mouth   edit discover --method lowrank --mask mouth   "
    "edit discover --method text --text 'a smiling face' --neutral 'a face' --name smile   "
    "edit discover --method interfacegan --scorer colour --score lightness"
)
def discover(
    method: Annotated[Method, typer.Option("--method", "-m", help="How to find them.")],
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            "-n",
            min=1,
            max=999,
            help=f"How many directions, or style channels of one that is --together; {COUNT} by default.",
            metavar="N",
        ),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(help="Only these: coarse, middle, fine, all, or rows such as 0-3,7.", metavar="LAYERS"),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="How many samples to look at; each method's own number by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Of the samples.", metavar="N")] = 0,
    before: Annotated[
        Path | None, typer.Option(help="Folder of records without what is wanted.", metavar="FOLDER")
    ] = None,
    after: Annotated[
        Path | None, typer.Option(help="Folder of records with it; equal names are pairs.", metavar="FOLDER")
    ] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            help="Where the picture is to change: a picture, white there, or eyes, nose, mouth, hair, face, "
            "background; repeatable.",
            metavar="FILE|NAME",
        ),
    ] = None,
    local: Annotated[
        Local | None,
        typer.Option(
            help="How lowrank spares the rest of the picture: by the most change within the --mask over that "
            "elsewhere (ratio, the default), or without what changes the rest most (null-space).",
            show_choices=True,
        ),
    ] = None,
    together: Annotated[
        bool, typer.Option("--together", help="The --count best style channels as one direction.")
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(help="What to call a direction from examples or a text, or one --together.", metavar="NAME"),
    ] = None,
    text: Annotated[str | None, typer.Option(help="What the picture is to show: 'a smiling face'.")] = None,
    neutral: Annotated[str | None, typer.Option(help="What it shows without that: 'a face'.")] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="CLIP's weights for texts, ViT-B-32: a file, or open_clip's name.", metavar="FILE|NAME"),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="StyleCLIP's table of this model, fs3.npy, for texts.", metavar="FILE")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="How relevant a style channel of a --table has to be; 0.1 by default.", metavar="X"),
    ] = None,
    scorer: Annotated[
        str | None,
        typer.Option(
            help="What scores pictures: faces, colour, an .onnx or TorchScript file, a .csv of scores, or a folder "
            "with a folder of pictures for each label. What a network wants (size, mean, names) is read from "
            "NAME.json beside NAME.onnx, or from Hugging Face's preprocessor_config.json and config.json.",
            metavar="SCORER",
        ),
    ] = None,
    score: Annotated[
        list[str] | None,
        typer.Option(help="A score to find a direction for; repeatable; all by default.", metavar="NAME"),
    ] = None,
    hold: Annotated[
        list[str] | None, typer.Option(help="A score to leave alone; repeatable.", metavar="NAME")
    ] = None,
    fit: Annotated[
        Fit | None, typer.Option(help="The linear model of the scores; ridge by default.", show_choices=True)
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for the files; this one by default.", metavar="FOLDER", show_default=False)
    ] = Path(),
    record: Annotated[
        Path | None, typer.Option(help="Show them on this inversion instead of a sample.", metavar="RECORD")
    ] = None,
    show: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the sample that they are shown on.", metavar="N")
    ] = 0,
    sheet: Annotated[bool, typer.Option(help="Whether to draw the sheet.")] = True,
    overwrite: Overwrite = False,
    model: RecordsModel = None,
    device: Device = None,
) -> None:
    """Find directions, write each to a file for --direction, and draw a sheet of what they do."""
    wish = Wish(
        method, count, layers, samples, seed, before, after, tuple(mask or ()), name, together, scorer,
        scores=tuple(score or ()), hold=tuple(hold or ()), fit=fit, text=text, neutral=neutral, weights=weights,
        table=table, threshold=threshold, local=local,
    )  # fmt: skip
    wish.check()
    share_freed_memory()  # before there are threads, each of which would get memory of its own
    with show_work() as begin, contextlib.closing(OutputLocks()) as locks, keep_freed_memory():
        scored = open_scorer(wish, begin)
        picture = out / f"{wish.stem}.png"
        check_writable(out)  # minutes of work come before the first file
        files = [out / f"{one}.safetensors" for one in direction_names(wish, scored)]
        for path in [*files, picture] if sheet else files:
            if path.exists() and not overwrite:
                raise InputError(
                    f"{path} exists already; add --overwrite to replace it, or name a folder with --out."
                )
            locks.take(path)
        G, ws, noise = _shown(record, model, device, show)
        found = find_directions(G, wish, scored, begin)
        for direction, path in zip(found, files, strict=True):
            direction.save(path, overwrite=overwrite)
        if sheet:
            from stylegan_latents.editing.strengths.strips import strips
            from stylegan_latents.invert.photos.files import save_picture

            save_picture(strips(G, ws, noise, found, begin("drawing the sheet")), picture, overwrite=overwrite)
    for line in (*(() if scored is None else scored.notes), *say_mirrored(wish, scored)):
        print(line)
    for direction, path in zip(found, files, strict=True):
        print(f"Wrote {path}{_quality(direction)}")
        for line in (*_left_out(direction), *_at_chance(direction)):
            print(line)
    if sheet:
        print(f"Wrote {picture}")


def _left_out(direction: "Direction") -> list[str]:
    """What of the scores has no part in the leakage, as a sentence."""
    tied = direction.provenance.get("leakage_leaves_out")
    if not isinstance(tied, list) or not tied:
        return []
    from stylegan_latents.editing.discovery.scorers.exclusive import say_tied

    return say_tied({str(direction.provenance.get("score")): [str(name) for name in tied]})


def _at_chance(direction: "Direction") -> list[str]:
    """That the samples' codes tell next to nothing of the score, as a sentence."""
    accuracy = direction.provenance.get("held_out_accuracy")
    if not isinstance(accuracy, float) or accuracy >= _TELLING:
        return []
    return [
        f"'{direction.name}' is hardly better than chance: the codes do not tell this score. More samples may, or "
        "another scorer."
    ]


def _quality(direction: "Direction") -> str:
    """What is known of how good a direction is, in brackets."""
    said = {
        "held_out_accuracy": "accuracy {:.2f} on held-out samples, where 0.5 is chance",
        "leakage": "leakage {:.2f}",
        "agreement": "agreement {:.2f}",
        "score": "score {:.2f}",
        "share": "share {:.3f}",
    }
    parts = []
    for key, words in said.items():
        value = direction.provenance.get(key)
        if isinstance(value, float):
            parts.append(words.format(value))
    return f" ({', '.join(parts)})" if parts else ""


def _shown(
    record: Path | None, model: str | None, device: str | None, seed: int
) -> "tuple[Generator, Tensor, Noise]":
    """The generator, and the code and noise to show the directions on."""
    if record is not None:
        from stylegan_latents.editing.records.choose import resolve_record
        from stylegan_latents.editing.records.opened import OpenRecord

        opened = OpenRecord(resolve_record(record), model=model, device=device)
        maps = opened.inversion.noise
        noise: Noise = "const" if maps is None else [one.to(opened.generator.device) for one in maps]
        return opened.generator, opened.ws, noise
    from stylegan_latents.generator.cli.command import choose_device
    from stylegan_latents.generator.loading import DEFAULT_MODEL, load

    G = load(model or DEFAULT_MODEL).to(choose_device(device))
    return G, codes(G, [seed]), "const"
