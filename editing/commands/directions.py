"""The command ``edit directions``: lists directions with their effects and useful strengths."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.files import printable

directions_app = new_app()


@dataclass(frozen=True)
class DirectionsSettings:
    """Arguments and options of ``edit directions``."""

    names: Annotated[
        list[str],
        typer.Argument(help="Names, or files of directions; all of the model by default.", metavar="NAME|FILE..."),
    ] = field(default_factory=list)
    details: Annotated[bool, typer.Option("--details", help="Also show layers, accuracy and leakage.")] = False
    model: Annotated[str, typer.Option(help="The generator.", metavar="NAME|PATH")] = "ffhq"


@directions_app.command(
    epilog=examples("edit directions", "edit directions age pose --details", "edit directions boundary.npy")
)
@takes(DirectionsSettings)
def directions(settings: DirectionsSettings) -> None:
    """List the directions of a model: what they change, by how much, and up to which strength."""
    from stylegan_latents.editing.directions.catalogue import known_directions, lookup
    from stylegan_latents.editing.directions.describe import describe
    from stylegan_latents.editing.directions.direction import Direction
    from stylegan_latents.generator.loading import latent_space_of, load

    model, G = settings.model, None
    space = latent_space_of(model)
    if space is None:
        G = load(model)
        space = G.latent_space
    found = [lookup(name, space, model) for name in settings.names] or list(known_directions(space).values())
    if not found:
        none = f"No direction is known for the model '{model}' ({space})"
        print(printable(f"{none}; `edit discover --method sefa` finds some."))
        return
    print("Strengths, of which 1 is one standard deviation: 0.5 is slight, 2 is clear.\n")
    for one in found:
        if not isinstance(one, Direction):  # a published file, which only the model calibrates
            G = G or load(model)
            one = one.bind(G)
        for line in describe(one, details=settings.details).split("\n"):
            print(printable(line))
        if note := one.provenance.get("note"):
            print(f"{' ' * 13}{printable(note)}")
