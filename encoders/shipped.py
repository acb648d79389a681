"""Encoders that come with this package."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator


def shipped_encoder(G: "Generator") -> Path | None:
    """The file of the encoder that this package has for a generator; None where it has none.

    A generator with another one's W, such as a tuned copy, takes the encoder of that W. An encoder of groups of
    rows (``perceptual``) serves any number of them, so that the default model's is StyleGAN2-FFHQ's, too.
    """
    for path, header in _known().items():
        config = header["config"]
        same_rows = config["num_ws"] == G.num_ws or config["architecture"] == "perceptual"
        fits = same_rows and config["w_dim"] == G.w_dim
        if fits and (header["fingerprint"] == G.fingerprint or header["latent_space"] == G.latent_space):
            return path
    return None


@cache
def _known() -> dict[Path, dict[str, Any]]:
    """The header of each shipped file."""
    from stylegan_latents.encoders.formats.native import read_header

    folder = Path(__file__).with_name("trained")
    return {path: read_header(path) for path in sorted(folder.glob("*.safetensors"))}
