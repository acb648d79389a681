"""The command ``invert``: photos in, records and pictures out."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from stylegan_latents.generator.cli.command import DONE, LARGEST_SEED, STOPPED, new_app, run
from stylegan_latents.generator.errors import InputError

app = new_app()


@app.command(epilog="Example: invert me.jpg --preview me.mp4; then: edit --direction pose --strength 2")
def invert(
    photos: Annotated[
        list[Path],
        # One that may not be read is told with the other bad ones, not in place of all.
        typer.Argument(help="Photos, folders of photos, or films.", metavar="PHOTO|FOLDER|FILM", readable=False),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; this one by default.", metavar="DIR")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="A model's name or a generator's file; ffhq, or an encoder's own, by default.", metavar="NAME|PATH"
        ),
    ] = None,
    method: Annotated[
        Literal["hybrid", "optimize", "pivotal", "noise", "encode"] | None,
        typer.Option(
            help="hybrid: ask an encoder and search on from there, the default; optimize: search without one; "
            "pivotal: then tune the model; noise: then its noise; encode: ask an encoder alone.",
            show_default=False,
        ),
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(
            help="Of `stylegan-latents train`, or a .pt of pSp, e4e or ReStyle; the model's own by default.",
            metavar="FILE",
        ),
    ] = None,
    quality: Annotated[Literal["draft", "good", "best"], typer.Option(help="How long the method works.")] = "good",
    weights: Annotated[
        Literal["full", "low-rank", "channels"],
        typer.Option(help="What pivotal keeps in the record: all, nearest; or little, for a small file."),
    ] = "full",
    pivot: Annotated[
        Literal["hybrid", "optimize", "encode"] | None,
        typer.Option(
            help="What pivotal and noise begin with; hybrid where there is an encoder by default.",
            show_default=False,
        ),
    ] = None,
    space: Annotated[
        Literal["w", "w+"],
        typer.Option(help="w: one code for all layers, easiest to edit; w+: one for each, closer to the photo."),
    ] = "w+",
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of the search, or looks of a ReStyle; its own by default.")
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=LARGEST_SEED, help="Seed of what is random; equal seeds, equal results.", metavar="N"
        ),
    ] = 0,
    identity_weight: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="How much a search looks at who is seen, beside how; its own by default.",
            show_default=False,
        ),
    ] = None,
    face: Annotated[
        str,
        typer.Option(help="largest, all, or a number counted from 0, left to right.", metavar="largest|all|N"),
    ] = "largest",
    no_align: Annotated[
        bool,
        typer.Option("--no-align", help="Take the photo's central square as it is: aligned crops, no faces."),
    ] = False,
    landmarks: Annotated[
        Path | None,
        typer.Option(
            help="Where eyes and mouth are, for paintings and profiles: .json, .pts or .npy, or a folder of them.",
            metavar="FILE|DIR",
        ),
    ] = None,
    preview: Annotated[
        Path | None,
        typer.Option(help="Film of the search: a name ending with .mp4 or .gif, or a folder for frames."),
    ] = None,
    npz: Annotated[bool, typer.Option("--npz", help="Write the code as .npz, too, for other tools.")] = False,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ...; a GPU when there is one by default.", metavar="DEVICE")
    ] = None,
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        typer.Option(
            help="Of the search; auto is bfloat16 where the device is fast in it. Results are computed in float32."
        ),
    ] = "auto",
    mask: Annotated[
        Path | None,
        typer.Option(help="A picture of the photo's size: what is white is ignored, and filled by the model."),
    ] = None,
    keep_unchanged: Annotated[
        Path | None,
        typer.Option(
            help="For pivotal: a picture of the photo's size; what is white stays as the untuned model draws it.",
            metavar="MASK",
        ),
    ] = None,
    low_resolution: Annotated[
        int | None,
        typer.Option(min=8, help="Compare at this side: for small or blurred faces, which the model sharpens."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Measure more, into this table; other methods' rows stay in it.", metavar="FILE.csv"),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, help="How many photos at once; 1 on a CPU, where more gain nothing, 8 on a GPU."),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Of a film: search only every Nth frame.")] = 1,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Of a film: only so many first frames.")] = None,
    smooth: Annotated[
        bool, typer.Option("--smooth/--no-smooth", help="Of a film: whether crop and code are kept steady.")
    ] = True,
    keep_partial: Annotated[
        bool, typer.Option("--keep-partial", help="On Ctrl-C, keep the best code so far.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> int:
    """Find the code of a photo in a generator's latent space.

    For me.jpg it writes me.inversion.safetensors, the record that `edit` reads, and me.inverted.png, what the
    generator makes of it. A photo that has a record made with the same model and settings is skipped. A film
    becomes one record of all its frames, and a run that was ended goes on where it was.
    """
    from stylegan_latents.generator.files import check_writable
    from stylegan_latents.invert.commands.jobs import gather
    from stylegan_latents.invert.commands.run_films import check_film_settings, run_films
    from stylegan_latents.invert.commands.run_photos import run_jobs
    from stylegan_latents.invert.commands.settings import Settings
    from stylegan_latents.invert.films.preview import check_preview_path
    from stylegan_latents.invert.films.read import is_film

    if face not in ("largest", "all") and not face.isdecimal():
        raise InputError(f"--face takes largest, all or a number counted from 0, not '{face}'.")
    _check_method(method, encoder, preview, precision, weights, pivot)
    if identity_weight is not None and (no_align or method == "encode"):
        raise InputError("--identity-weight is of a search for a face that was found; leave it out.")
    if landmarks is not None and no_align:
        raise InputError("--landmarks says how to align, and --no-align not to; leave one of them out.")
    if keep_unchanged is not None and method != "pivotal":
        raise InputError("--keep-unchanged is about tuning; add --method pivotal, or leave it out.")
    settings = Settings(
        folder=out or Path(),
        model=model or _own_model(encoder),
        method=method,
        encoder=encoder,
        quality=quality,
        weights=weights,
        pivot=pivot,
        space=space,
        steps=steps,
        seed=seed,
        identity_weight=identity_weight,
        face=face,
        align=not no_align,
        landmarks=landmarks,
        preview=preview,
        npz=npz,
        device=device,
        precision=precision,
        mask=mask,
        keep_unchanged=keep_unchanged,
        low_resolution=low_resolution,
        report=report,
        batch=batch,
        every=every,
        max_frames=max_frames,
        smooth=smooth,
        keep_partial=keep_partial,
        overwrite=overwrite,
        quiet=quiet,
    )
    if report is not None:
        from stylegan_latents.invert.commands.report_table import check_report

        check_report(report)
    films = [path for path in photos if is_film(path)]
    stills = [path for path in photos if not is_film(path)]
    if films:
        check_film_settings(settings)
    elif every != 1 or max_frames is not None or not smooth:
        raise InputError(
            "--every, --max-frames and --no-smooth are of films, and there is none here; leave them out."
        )
    jobs = gather(stills) if stills else []
    for one in (mask, keep_unchanged):
        if one is not None and len(jobs) > 1:
            raise InputError(f"A mask is for one photo, and there are {len(jobs)}; name the one it belongs to.")
        if one is not None and not one.is_file():
            raise InputError(f"There is no mask {one}; give a picture of the photo's size.")
    if preview is not None and len(jobs) == 1:
        check_preview_path(preview, overwrite)
    check_writable(settings.folder)
    status = run_jobs(jobs, settings) if jobs else DONE
    if films and status != STOPPED:
        status = max(status, run_films(films, settings, [job.stem for job in jobs]))
    return status


def _check_method(
    method: str | None, encoder: Path | None, preview: Path | None, precision: str, weights: str, pivot: str | None
) -> None:
    """Refuse options that the method has no use for."""
    if method == "optimize" and encoder is not None:
        raise InputError("--encoder is of no use to --method optimize; take --method hybrid.")
    if pivot == "optimize" and encoder is not None:
        raise InputError("--encoder is of no use to --pivot optimize; leave one of them out.")
    if method == "encode" and preview is not None:
        raise InputError("--preview films a search, and --method encode has none; leave it out.")
    if method == "encode" and precision == "bfloat16":
        raise InputError("--precision is of a search, and encoding is done in float32; leave it out.")
    if weights != "full" and method != "pivotal":
        raise InputError("--weights is about tuning; add --method pivotal, or leave it out.")
    if pivot is not None and method not in ("pivotal", "noise"):
        raise InputError("--pivot is what pivotal and noise begin with; add one as --method, or leave it out.")


def _own_model(encoder: Path | None) -> str:
    """The model to take where none is named."""
    if encoder is None:
        return "ffhq"
    from stylegan_latents.invert.inverters.encode import model_of

    return model_of(encoder)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the console script's entry point."""
    return run(app, "invert", sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
