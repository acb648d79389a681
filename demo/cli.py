"""The command ``stylegan-latents demo``."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes

demo_app = new_app()


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """The options of ``stylegan-latents demo``."""

    model: Annotated[
        str, typer.Option(help="The generator: a name that `edit models` lists, or a file.", metavar="NAME|PATH")
    ] = "ffhq"
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port; by default the first free one from 7860 up.")
    ] = None
    host: Annotated[
        str, typer.Option(help="Address to listen on: by default only this machine can connect; 0.0.0.0: anyone.")
    ] = "127.0.0.1"
    allowed_host: Annotated[
        list[str],
        typer.Option(help="A host name that browsers use, such as a proxy's; repeatable.", metavar="NAME"),
    ] = field(default_factory=list)
    auth: Annotated[
        Path | None,
        typer.Option(
            help="Let only these users in: a CSV file with one name,password a line.",
            metavar="PATH",
            dir_okay=False,
        ),
    ] = None
    class_code: Annotated[
        str | None,
        typer.Option(help="Let in everyone who types this word, under any name.", metavar="WORD"),
    ] = None
    per_hour: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many searches, films and drags a visitor may begin in an hour; by default any number."
        ),
    ] = None
    share: Annotated[
        bool, typer.Option("--share", help="Also open a public address through Gradio's servers, for 72 hours.")
    ] = False
    queue_size: Annotated[int, typer.Option(min=1, help="How many requests may wait; more are refused.")] = 64
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Steps of a search; by default the quality chosen in the page decides."),
    ] = None
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ...; a GPU by default, if there is one.", metavar="DEVICE")
    ] = None
    clip: Annotated[
        str | None,
        typer.Option(
            help="Also change faces by a text, with these weights of CLIP ViT-B-32: a file, or open_clip's name.",
            metavar="FILE|NAME",
        ),
    ] = None
    browse: Annotated[bool, typer.Option("--browse", help="Open the page in this machine's browser.")] = False


@demo_app.command(epilog=examples("stylegan-latents demo --browse", "stylegan-latents demo --port 7860"))
@takes(DemoSettings)
def demo(settings: DemoSettings) -> None:
    """Open the browser demo: drop a photo, see yourself, move the sliders."""
    from stylegan_latents.demo.server.serve import serve

    serve(**vars(settings))


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    return run(demo_app, "stylegan-latents demo", sys.argv[1:] if arguments is None else arguments)
