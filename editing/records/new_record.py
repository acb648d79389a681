"""The record of a picture that a command made from another record."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from stylegan_latents.generator.json_values import JSON

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.record.inversion import Inversion


def changed_record(
    record: "Inversion", G: "Generator", ws: "Tensor", method: str, settings: Mapping[str, JSON]
) -> "Inversion":
    """A record with another code: edits, and pasting back into the photo, go on from it.

    Args:
        record: whose photo, place in it and noise stay; what was measured of it does not hold of the new code.
        G: the generator of the code.
        ws: ``[1, num_ws, w_dim]``.
        method: what found the code.
        settings: how.
    """
    from stylegan_latents.invert.record.inversion import library_version

    return replace(
        record,
        ws=ws,
        model=G.name,
        fingerprint=G.fingerprint,
        latent_space=G.latent_space,
        method=method,
        settings=dict(settings),
        metrics={},
        version=library_version(),
        model_file=record.model_file if record.fingerprint == G.fingerprint else None,
    )
