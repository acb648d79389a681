"""``edit discover`` as a module; without ``--method`` it finds the face directions that are shipped.

``stylegan-latents discover --out FOLDER`` takes about an hour. Given options replace those of ``SHIPPED``.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from stylegan_latents.editing.commands.discover import Chosen, discover, settings_with
from stylegan_latents.editing.discovery.by_name import FINDERS
from stylegan_latents.editing.discovery.finders.interfacegan_options import Fit
from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes

SHIPPED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("--method", "-m"): ("interfacegan",),
    ("--scorer",): ("faces",),
    ("--samples",): ("8000",),
    ("--reduce-leakage", "--steady"): ("pose",),
    ("--hold-identity", "--keep-person"): ("pitch", "smile", "mouth-open", "eyes-open", "light"),
    ("--least-identity-change", "--spare-person"): ("age", "gender"),
}
"""The options of the shipped directions, by the spellings of each."""


@dataclass(frozen=True, kw_only=True)
class _Chosen(Chosen):
    method: Annotated[
        str,
        typer.Option(
            "--method", "-m", metavar=" | ".join(FINDERS), show_default=False,
            help="The finder; without it, the shipped face directions are found anew with interfacegan.",
        ),
    ] = "interfacegan"  # fmt: skip


_app = new_app()
_app.command(
    help="Find a generator's face directions anew, in about an hour; with --method, as `edit discover`.",
    epilog=examples(
        "stylegan-latents discover --out found/", "stylegan-latents discover --method sefa --count 10 --out axes/"
    ),
)(takes(settings_with(_Chosen))(discover))


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    words = completed(sys.argv[1:] if arguments is None else arguments)
    return run(_app, "stylegan-latents discover", words)


def completed(arguments: Sequence[str]) -> list[str]:
    """The arguments for ``edit discover``; without ``--method``, with the options of ``SHIPPED``."""
    words = list(arguments)
    for index, word in enumerate(words[1:]):
        # The method of the fit: --method ridge.
        if words[index] == "--method" and word in tuple(Fit):
            words[index] = "--fit"
    given = {word.partition("=")[0] for word in words}
    if not given & {"--method", "-m", "--help", "-h"}:
        missing = [(names[0], values) for names, values in SHIPPED.items() if not given & set(names)]
        preset = [word for name, values in missing for value in values for word in (name, value)]
        words = ["--exact", "--name-by-space", "--no-sheet", *preset, *words]
    return words


if __name__ == "__main__":
    sys.exit(main())
