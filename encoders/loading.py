"""Load an encoder from a file, or find the one that comes with this package."""

from functools import cache
from pathlib import Path

from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.encoders.formats.native import EncoderHeader, read_encoder, read_header
from stylegan_latents.encoders.formats.native import save_encoder as save
from stylegan_latents.encoders.formats.public import has_generator, read_public_encoder
from stylegan_latents.encoders.restyle import ReStyle
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.file_head import FileHead
from stylegan_latents.generator.formats.read import read_generator
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.weights.hub import on_this_machine

__all__ = ["contains_generator", "is_native", "load", "read", "save", "shipped_encoder"]


def load(path: str | Path, G: Generator | None = None, *, iterations: int | None = None) -> Encoder | ReStyle:
    """Load an encoder: ``load(path).encode(images)`` gives ws.

    Args:
        path: a file of ``stylegan-latents train``, or a checkpoint of pSp, e4e or ReStyle, recognised by its
            contents; also one of the Hugging Face hub, ``hf://owner/repository/file@revision``.
        G: its generator; None for the one in the file, if a ReStyle needs it.
        iterations: number of passes of a ReStyle; None for its own number.

    Returns:
        On the generator's device, or else the CPU: a ``ReStyle`` for a network of 6 channels, otherwise an encoder.

    Raises:
        InputError: there is no such file, it holds no encoder, the encoder belongs to another generator, a ReStyle
            has no generator, or another encoder is asked for more than one pass.
    """
    path, _ = on_this_machine(path)
    encoder = read(path, G)
    if G is None and encoder.config.is_restyle:
        if not contains_generator(path):
            raise InputError(f"{path.name} is a ReStyle encoder without its generator; give that to --model.")
        G = read_generator(path)
    if G is not None:
        encoder = encoder.regrouped(G)
        encoder.check_generator(G)
        encoder.to(G.device)
    if G is not None and encoder.config.is_restyle:
        return ReStyle(encoder, G, iterations)
    if iterations not in (None, 1):
        raise InputError(f"'{encoder.name}' encodes in one pass; leave the number of steps out.")
    return encoder


def read(path: Path, G: Generator | None = None) -> Encoder:
    """Read an encoder's file; ``G`` gives the mean code if the file lacks it. Errors are those of ``load``."""
    return read_encoder(path) if is_native(path) else read_public_encoder(path, mean=None if G is None else G.w_avg)


def contains_generator(path: str | Path) -> bool:
    """Whether an encoder's file includes its generator; raises InputError if it is no encoder's file."""
    path, _ = on_this_machine(path)
    return not is_native(path) and has_generator(path)


def is_native(path: Path) -> bool:
    """Whether an encoder's file has this project's format, safetensors; raises InputError if it is no such file."""
    head = FileHead.of(path, "the encoder")
    if head.is_safetensors:
        return True
    if head.is_torch:
        return False
    raise InputError(
        f"{path.name} is {head.kind}, not an encoder's file; give one of `stylegan-latents train`, or a .pt."
    )


def shipped_encoder(G: Generator) -> Path | None:
    """The file of this package's encoder for a generator, or None.

    It serves every generator with the same W, such as a tuned copy, and an encoder of groups of rows
    (``perceptual``) any number of rows: the default model's is StyleGAN2-FFHQ's, too.
    """
    for path, header in _known().items():
        config = header.config
        same_rows = config.num_ws == G.num_ws or config.architecture == "perceptual"
        fits = same_rows and config.w_dim == G.w_dim
        if fits and (header.fingerprint == G.fingerprint or header.latent_space == G.latent_space):
            return path
    return None


@cache
def _known() -> dict[Path, EncoderHeader]:
    folder = Path(__file__).with_name("trained")
    return {path: read_header(path) for path in sorted(folder.glob("*.safetensors"))}
