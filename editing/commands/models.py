"""The command ``edit models``: lists the models that have names."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from stylegan_latents.generator.cli.command import new_app
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes

models_app = new_app()


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
