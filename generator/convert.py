"""``stylegan-latents convert IN OUT``: a generator's file into another format."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_replaceable, printable
from stylegan_latents.generator.text_options import TextOptions

app = new_app()


@dataclass(frozen=True, kw_only=True)
class ConvertSettings:
    """The arguments and options of ``convert``; an InputError if the target's format does not support one."""

    source: Annotated[
        str, typer.Argument(help="A generator's file of any known format, or a model's name.", metavar="NAME|PATH")
    ]
    target: Annotated[
        Path,
        typer.Argument(
            help="A .safetensors file, this program's format; or a .pt file, for rosinality's StyleGAN2.",
            metavar="FILE",
        ),
    ]
    name: Annotated[
        str | None, typer.Option(help="Name of the model in a .safetensors; default: unchanged.", metavar="NAME")
    ] = None
    latent_space: Annotated[
        str | None,
        typer.Option(
            help="W space that the model shares with others, such as stylegan2-ffhq-w: it then accepts their codes "
            "and directions.",
            metavar="NAME",
        ),
    ] = None
    any_widths: Annotated[
        bool,
        typer.Option(
            "--any-widths", help="Write a .pt even with channel numbers that rosinality's code does not support."
        ),
    ] = False
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False
    texts: TextOptions = field(default_factory=TextOptions)

    def __post_init__(self) -> None:
        if self.target.suffix not in (".safetensors", ".pt"):
            raise InputError(f"Cannot write {self.target}: give a name that ends with .safetensors or .pt.")
        if self.target.suffix == ".pt" and (self.name or self.latent_space):
            raise InputError("A .pt holds no name and no latent space; leave --name and --latent-space out.")
        check_replaceable(self.target, self.overwrite)


@app.command(
    epilog=examples(
        "stylegan-latents convert network-snapshot-025000.pkl mine.safetensors",
        "stylegan-latents convert stylegan-t.pkl dog.safetensors --text 'a dog on a beach'",
    )
)
@takes(ConvertSettings)
def convert(settings: ConvertSettings) -> None:
    """Convert a generator to another format; its images stay the same."""
    from stylegan_latents.generator.formats.native import save_native
    from stylegan_latents.generator.formats.rosinality_export import save_rosinality
    from stylegan_latents.generator.loading import load

    target = settings.target
    generator = load(settings.source, texts=settings.texts.codes(settings.source))
    if target.suffix == ".pt":
        how = save_rosinality(generator, target, any_widths=settings.any_widths, overwrite=settings.overwrite)
        print(printable(f"Wrote {target} for {how}"))
        return
    generator.name = settings.name or generator.name
    generator.latent_space = settings.latent_space or generator.latent_space
    save_native(generator, target, overwrite=settings.overwrite)
    facts = f"'{generator.name}', {generator.resolution} pixels, latent space {generator.latent_space}"
    print(printable(f"Wrote {target}: {facts}"))


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    return run(app, "stylegan-latents convert", sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
