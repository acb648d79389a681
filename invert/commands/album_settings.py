"""The options of ``invert`` for one model of one person."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from stylegan_latents.generator.errors import InputError

_ONE_PHOTO = (
    "face", "landmarks", "mask", "low_resolution", "npz", "preview", "report", "keep_partial", "batch", "shard",
    "cluster",
)  # fmt: skip
"""Options of single photos, which an album does not take."""


@dataclass(frozen=True, kw_only=True)
class AlbumOptions:
    """One model of one person, from an album."""

    panel: ClassVar[str] = "One person"

    together: Annotated[
        bool,
        typer.Option(
            "--together",
            help="Make one model of the person in these photos, or add new photos to it. Needs --name.",
        ),
    ] = False
    name: Annotated[
        str | None,
        typer.Option(help="The model's name: anna is written to anna.person.safetensors.", metavar="NAME"),
    ] = None
    person: Annotated[
        Path | None,
        typer.Option(
            help="Invert with the model of this person, which also fills what --mask hides.", metavar="FILE"
        ),
    ] = None

    def check_album(self, method: str | None, others: Collection[str]) -> None:
        """Raise InputError for options that do not go together.

        Args:
            method: as given.
            others: the names of all options that differ from their defaults.
        """
        if not self.together:
            if self.name is not None:
                raise InputError("--name is for the model that --together makes; add --together, or leave it out.")
            return
        if self.name is None:
            raise InputError("--together needs a name for the person, such as --name anna.")
        if not re.fullmatch(r"[^\W_][\w .-]{0,59}", self.name) or self.name.endswith((" ", ".")):
            raise InputError(f"--name is up to 60 letters, digits, spaces, dots and dashes, not '{self.name}'.")
        if method not in (None, "hybrid", "optimize", "encode"):
            raise InputError(
                "--together tunes the model itself; take --method hybrid, optimize or encode, or leave it out."
            )
        for name in ("person", *_ONE_PHOTO):
            if name in others:
                raise InputError(f"--{name.replace('_', '-')} does not go with --together; leave one of them out.")
