"""The command ``stylegan-latents demo``."""

import sys
from typing import Annotated

import typer

from stylegan_latents.generator.cli.command import new_app, run

demo_app = new_app()


@demo_app.command(epilog="Example: stylegan-latents demo --port 7860; then open the address that it prints.")
def demo(
    model: Annotated[str, typer.Option(help="The generator.", metavar="NAME|PATH")] = "ffhq",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="A free one from 7860 up by default.")] = None,
    host: Annotated[
        str, typer.Option(help="Who may connect: this machine alone by default; 0.0.0.0 for the network.")
    ] = "127.0.0.1",
    share: Annotated[
        bool, typer.Option("--share", help="Also open a public address through Gradio's servers, for 72 hours.")
    ] = False,
    queue_size: Annotated[int, typer.Option(min=1, help="How many requests may wait; more are refused.")] = 64,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Of a search; what the page's quality means by default.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, ...; a GPU when there is one by default.", metavar="DEVICE")
    ] = None,
    browse: Annotated[bool, typer.Option("--browse", help="Open the page in this machine's browser.")] = False,
) -> None:
    """Open the browser demo: drop a photo, see yourself, move the sliders."""
    from stylegan_latents.demo.serve import serve

    serve(
        model=model,
        port=port,
        host=host,
        share=share,
        queue_size=queue_size,
        steps=steps,
        device=device,
        browse=browse,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    return run(demo_app, "stylegan-latents demo", sys.argv[1:] if arguments is None else arguments)
