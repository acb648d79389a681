"""From a file to an encoder."""

from pathlib import Path

from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.encoders.formats.native import read_encoder
from stylegan_latents.encoders.formats.native import save_encoder as save
from stylegan_latents.encoders.formats.public import has_generator, read_public_encoder
from stylegan_latents.encoders.restyle import ReStyle
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.file_head import FileHead
from stylegan_latents.generator.formats.read import read_generator
from stylegan_latents.generator.generator import Generator

__all__ = ["contains_generator", "is_native", "load", "read", "save"]


def load(path: str | Path, G: Generator | None = None, *, iterations: int | None = None) -> Encoder | ReStyle:
    """Load an encoder: ``load(path).encode(images)`` gives ws.

    Args:
        path: a file of ``stylegan-latents train``, or a checkpoint of pSp, e4e or ReStyle. What a file is, is
            read from its contents, not its name.
        G: the generator that it is for; the one in the file, where there is one and one is needed.
        iterations: number of passes of a ReStyle; its own number when None.

    Returns:
        On the generator's device, or on the CPU without one: an encoder, or for a network of 6 channels a ReStyle.

    Raises:
        InputError: there is no such file, it holds no encoder, the encoder belongs to another generator, or it is
            a ReStyle and there is no generator; or another encoder is asked for more than one pass.
    """
    path = Path(path).expanduser()
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
    """Read an encoder's file; ``G`` gives the mean code where the file lacks it.

    Raises:
        InputError: see ``load``.
    """
    return read_encoder(path) if is_native(path) else read_public_encoder(path, mean=None if G is None else G.w_avg)


def contains_generator(path: str | Path) -> bool:
    """Whether an encoder's file holds its generator, too: ``load`` then reads it.

    Raises:
        InputError: there is no such file, or it is no encoder's.
    """
    path = Path(path).expanduser()
    return not is_native(path) and has_generator(path)


def is_native(path: Path) -> bool:
    """Whether an encoder's file is of our own format, a safetensors file.

    Raises:
        InputError: there is no such file, or it is neither that nor of PyTorch.
    """
    head = FileHead.of(path, "the encoder")
    if head.is_safetensors:
        return True
    if head.is_torch:
        return False
    raise InputError(
        f"{path.name} is {head.kind}, not an encoder's file; give one of `stylegan-latents train`, or a .pt."
    )
