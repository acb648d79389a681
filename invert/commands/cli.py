"""The command ``invert``: photos in, records and pictures out."""

import os
import sys

from stylegan_latents.generator.cli.command import DONE, STOPPED, new_app, run, warn
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.invert.commands.settings import Settings

app = new_app()


@app.command(
    epilog=examples(
        "invert me.jpg",
        "invert photos/ --out results/ --quality best",
        "invert me.jpg --preview me.mp4",
        "invert holiday.mp4 --every 2",
        "invert anna/ --together --name anna",
        "invert new.jpg --person anna.person.safetensors",
        "edit me.inversion.safetensors --direction pose --strength 2",
    )
)
@takes(Settings)
def invert(settings: Settings) -> int:
    """Find the code of a photo in a generator's latent space.

    For me.jpg it writes me.inversion.safetensors, the record that `edit` reads, and me.inverted.png, the picture
    that the generator makes of it. A photo that has a record made with the same model and settings is skipped. A
    film becomes one record of all its frames; an interrupted run continues where it stopped.
    """
    from stylegan_latents.generator.files import check_writable
    from stylegan_latents.generator.reading.remote_files import address_of
    from stylegan_latents.invert.photos.checks import check_file

    # Before PyTorch is imported. (Of a path without permission os.path.exists says False.)
    if not any(os.path.exists(path) or address_of(path) for path in settings.photos):  # noqa: PTH110
        check_file(settings.photos[0])
    from stylegan_latents.invert.commands.jobs import gather
    from stylegan_latents.invert.commands.run_album import run_album
    from stylegan_latents.invert.commands.run_films import run_films
    from stylegan_latents.invert.commands.run_photos import run_jobs
    from stylegan_latents.invert.films.preview import check_preview_path
    from stylegan_latents.invert.films.read import is_film

    if settings.report is not None:
        from stylegan_latents.invert.commands.report_table import check_report

        check_report(settings.report)
    films = [path for path in settings.photos if is_film(path)]
    stills = [path for path in settings.photos if not is_film(path)]
    if films:
        settings.check_for_films()
    else:
        settings.check_no_film()
    jobs = gather(stills) if stills else []
    moving = [job.label for job in jobs if is_film(job.photo)]
    if moving and not settings.quiet:
        names = ", ".join(moving)
        warn("invert", f"only the first frame of {names} is inverted; name the file itself to invert all frames")
    settings.check_masks(len(jobs))
    if settings.preview is not None and len(jobs) == 1:
        check_preview_path(settings.preview, settings.overwrite)
    if address_of(settings.folder) is None:
        check_writable(settings.folder)
    if settings.together:
        return run_album(jobs, settings)
    status = run_jobs(jobs, settings) if jobs else DONE
    if films and status != STOPPED:
        status = max(status, run_films(films, settings, [job.stem for job in jobs]))
    return status


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the console script's entry point."""
    return run(app, "invert", sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
