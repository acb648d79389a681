"""Encoders that come with this package."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.generator import Generator


def shipped_encoder(G: "Generator") -> Path | None:
    """The file of the encoder that this package has for a generator; None where it has none.

    A generator with another one's W, such as a tuned copy, takes the encoder of that W.
    """
    for path, spaces in _known().items():
        if G.fingerprint in spaces or G.latent_space in spaces:
            return path
    return None


@cache
def _known() -> dict[Path, tuple[str, str]]:
    """The fingerprint and the latent space that each file's codes belong to."""
    from encoders.formats.native import read_header

    found = {}
    for path in sorted(Path(str(files("encoders"))).joinpath("trained").glob("*.safetensors")):
        header = read_header(path)
        found[path] = (str(header["fingerprint"]), str(header["latent_space"]))
    return found
