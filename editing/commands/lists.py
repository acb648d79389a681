"""The commands ``edit directions`` and ``edit models``: lists of what has a name."""

import json
from dataclasses import asdict, dataclass, field
from typing import Annotated

import typer

from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.files import printable

directions_app, models_app = new_app(), new_app()


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


@dataclass(frozen=True)
class KnownModel:
    """A model with a name, see ``Entry``; ``cached`` is its size in bytes on this machine, or 0."""

    name: str
    resolution: int
    domain: str
    licence: str
    latent_space: str
    address: str
    cached: int
    note: str


def known_models() -> list[KnownModel]:
    """Every model of the zoo, the default one first; nothing is downloaded."""
    from stylegan_latents.generator.weights import zoo
    from stylegan_latents.generator.weights.fetch import cached_size

    found = []
    for name, one in zoo.models().items():
        source = one.source.url if isinstance(one.source, zoo.UrlSource) else f"pip: {one.source.requirement}"
        known = name, one.resolution, one.domain, one.licence, one.latent_space, source, cached_size(one), one.note
        found.append(KnownModel(*known))
    return found


def table(models: list[KnownModel]) -> str:
    """A table with one line for each model."""
    rows = [("name", "pixels", "domain", "on this machine", "licence")]
    for one in models:
        size = f"{one.cached / 1e6:.0f} MB" if one.cached else "-"
        rows.append((one.name, str(one.resolution), one.domain, size, one.licence))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]) for row in rows
    )


@dataclass(frozen=True)
class ModelsSettings:
    """Options of ``edit models``."""

    as_json: Annotated[bool, typer.Option("--json", help="Print all details as JSON.")] = False


@models_app.command(epilog=examples("edit models", "edit sample --model stylegan3-r-afhqv2-512x512"))
@takes(ModelsSettings)
def models(settings: ModelsSettings) -> None:
    """List the models that have names: what they show, their licences, and which are on this machine.

    The others are downloaded at first use. --model also takes a file.
    """
    found = known_models()
    print(json.dumps([asdict(model) for model in found], indent=1) if settings.as_json else table(found))
