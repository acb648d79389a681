"""``python -m generator.convert IN OUT``: a generator's file into another format."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

app = new_app()


@app.command(epilog="Example: python -m generator.convert network-snapshot-025000.pkl mine.safetensors")
def convert(
    source: Annotated[
        str, typer.Argument(help="A generator's file of any known format, or a model's name.", metavar="NAME|PATH")
    ],
    target: Annotated[
        Path,
        typer.Argument(
            help="A .safetensors, ours, or a .pt as rosinality's StyleGAN2 and its descendants read it.",
            metavar="FILE",
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(help="What to call the model in a .safetensors; its own name by default.", metavar="NAME"),
    ] = None,
    latent_space: Annotated[
        str | None,
        typer.Option(
            help="Say that its W is the same space as other models', such as stylegan2-ffhq-w: then it takes their "
            "codes and directions.",
            metavar="NAME",
        ),
    ] = None,
    any_widths: Annotated[
        bool,
        typer.Option("--any-widths", help="Write a .pt of channels that rosinality's own table does not have."),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Write a generator in another format; its pictures stay the same."""
    if target.suffix not in (".safetensors", ".pt"):
        raise InputError(f"Cannot write {target}: give a name that ends with .safetensors or .pt.")
    if target.suffix == ".pt" and (name or latent_space):
        raise InputError("A .pt holds no name and no latent space; leave --name and --latent-space out.")
    if target.exists() and not overwrite:
        raise InputError(f"{target} exists already; add --overwrite to replace it, or choose another name.")

    from stylegan_latents.generator.formats.native import save_native
    from stylegan_latents.generator.formats.rosinality_export import save_rosinality
    from stylegan_latents.generator.loading import load

    generator = load(source)
    if target.suffix == ".pt":
        how = save_rosinality(generator, target, any_widths=any_widths, overwrite=overwrite)
        print(printable(f"Wrote {target}, for {how}"))
        return
    generator.name = name or generator.name
    generator.latent_space = latent_space or generator.latent_space
    save_native(generator, target, overwrite=overwrite)
    print(
        f"Wrote {target}: '{generator.name}', {generator.resolution} pixels, latent space {generator.latent_space}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    return run(app, "python -m generator.convert", sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
