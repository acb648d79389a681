"""Knowing weights again, and the codes that belong to them."""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError
from torch import Tensor

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator


def fingerprint(tensors: Iterable[tuple[str, Tensor]]) -> str:
    """sha256, in hexadecimal, over names, shapes and float32 values, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().float().contiguous().numpy().data)
    return digest.hexdigest()


def check_same_space(generator: "Generator", name: str, latent_space: str, its_fingerprint: str, what: str) -> None:
    """Refuse a code or direction that was made with another generator.

    Raises:
        InputError: neither the fingerprint nor the latent space is this generator's. Both are named.
    """
    if its_fingerprint != generator.fingerprint and latent_space != generator.latent_space:
        raise InputError(
            f"{what} belongs to the model '{name}' ({latent_space}), not to '{generator.name}' "
            f"({generator.latent_space}); give the model it was made with."
        )
