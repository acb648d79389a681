"""The command ``python -m demo``."""

import sys
from dataclasses import dataclass, fields
from typing import Annotated

import typer

from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.cli.options import takes

demo_app = new_app()


@dataclass(frozen=True)
class DemoSettings:
    """What is served, where, and to whom."""

    model: Annotated[str, typer.Option(help="The generator.", metavar="NAME|PATH")] = "ffhq"
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="A free one from 7860 up by default.")] = None
    host: Annotated[
        str, typer.Option(help="Who may connect: this machine alone by default; 0.0.0.0 for the network.")
    ] = "127.0.0.1"
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(help="A name by which browsers reach the page, such as a proxy's.", metavar="NAME"),
    ] = None
    share: Annotated[
        bool, typer.Option("--share", help="Also open a public address through Gradio's servers, for 72 hours.")
    ] = False
    queue_size: Annotated[int, typer.Option(min=1, help="How many requests may wait; more are refused.")] = 64
    steps: Annotated[
        int | None, typer.Option(min=1, help="Of a search; what the page's quality means by default.")
    ] = None
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ...; a GPU when there is one by default.", metavar="DEVICE")
    ] = None
    browse: Annotated[bool, typer.Option("--browse", help="Open the page in this machine's browser.")] = False


@demo_app.command(epilog="Example: python -m demo --port 7860; then open the address that it prints.")
@takes(DemoSettings)
def demo(settings: DemoSettings) -> None:
    """Open the browser demo: drop a photo, see yourself, move the sliders."""
    from stylegan_latents.demo.server.serve import serve

    given = {field.name: getattr(settings, field.name) for field in fields(settings)}
    serve(**given | {"allowed_host": settings.allowed_host or ()})


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    return run(demo_app, "python -m demo", sys.argv[1:] if arguments is None else arguments)
