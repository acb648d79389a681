"""``edit discover`` as a module; without ``--method`` it finds the face directions that are shipped.

``stylegan-latents discover --out FOLDER`` takes about an hour. What is typed replaces the options of ``SHIPPED``.
"""

import sys
from collections.abc import Sequence

from stylegan_latents.editing.commands.discover import discover_app
from stylegan_latents.editing.discovery.finders.interfacegan_options import Fit
from stylegan_latents.generator.cli.command import run

SHIPPED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("--method", "-m"): ("interfacegan",),
    ("--scorer",): ("faces",),
    ("--samples",): ("8000",),
    ("--reduce-leakage", "--steady"): ("pose",),
    ("--hold-identity", "--keep-person"): ("pitch", "smile", "mouth-open", "eyes-open"),
    ("--least-identity-change", "--spare-person"): ("age", "gender"),
}
"""How the shipped directions are found, by the spellings of each option."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    words = completed(sys.argv[1:] if arguments is None else arguments)
    return run(discover_app, "stylegan-latents discover", words)


def completed(arguments: Sequence[str]) -> list[str]:
    """What is typed, as ``edit discover`` takes it: without ``--method``, with the options of ``SHIPPED``."""
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
