"""Part transfer and retrieval by the style channels that control a part (Collins et al., "Editing in Style", 2020;
Chong et al., "Retrieve in Style", 2021).

Unlike a region that is cut out, the part is synthesized in the receiver's pose, position and light.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.calibration import style_deviations
from stylegan_latents.editing.mixing.mixing import check_crossfade
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

_BATCH = 500  # codes of a few thousand styles each


@dataclass(frozen=True, eq=False)
class PartDonor:
    """A donor of a part.

    Attributes:
        ws: ``[1 or N, num_ws, w_dim]``.
        weights: of the style channels, ``[style channels]`` in 0 to 1, see ``Parts.weights``.
        strength: factor of all weights, 0 to 1.
        rows: the rows of ws whose layers are changed; all when None.
    """

    ws: "Tensor"
    weights: "Tensor"
    strength: float = 1.0
    rows: Sequence[int] | None = None


def mix_parts(G: "Generator", ws: "Tensor", donors: Sequence[PartDonor]) -> "list[Tensor]":
    """The styles of codes with parts of donors.

    Args:
        G: the generator of the receivers.
        ws: the receivers, ``[N, num_ws, w_dim]``; not changed.
        donors: their differences from the receiver's own styles add up in a channel that several change.

    Returns:
        One ``[N, channels]`` for each layer, for ``Generator.synthesize_styles``.

    Raises:
        InputError: a strength is not between 0 and 1.
        ValueError: shapes do not fit.
    """
    own = G.styles(ws)
    mixed = list(own)
    for donor in donors:
        check_crossfade(donor.strength)
        if len(donor.ws) not in (1, len(ws)):
            raise ValueError(f"a donor's ws {list(donor.ws.shape)} does not fit {list(ws.shape)}")
        parts = _by_layer(G, donor.weights)
        theirs = G.styles(donor.ws.to(ws.device, ws.dtype))
        for index, layer in enumerate(G.layers):
            if donor.rows is None or layer.ws_index in donor.rows:
                step = donor.strength * parts[index].to(ws.device) * (theirs[index] - own[index])
                mixed[index] = mixed[index] + step
    return mixed


def part_distances(G: "Generator", ws: "Tensor", others: "Tensor", weights: "Tensor") -> "Tensor":
    """Distances of codes in a part: 0 for the same, 1.4 on average for two random codes of W.

    Args:
        ws: the query, ``[1, num_ws, w_dim]``.
        others: the codes to compare, ``[N, num_ws, w_dim]``.
        weights: of the style channels, see ``PartDonor``; InputError if all are 0.

    Returns:
        float32 ``[N]``: the weighted root mean square difference of the styles, in their standard deviations.
    """
    import torch

    counted = weights.to(ws.device)
    if not bool(counted.any()):
        raise InputError("No style channel is left to compare; give a lower --threshold.")
    spread = style_deviations(G).to(ws.device).clamp_min(1e-12)
    found = []
    with torch.no_grad():
        own = torch.cat(G.styles(ws), dim=1)
        for start in range(0, len(others), _BATCH):
            theirs = torch.cat(G.styles(others[start : start + _BATCH]), dim=1)
            squared = ((theirs - own) / spread).square() * counted
            found.append((squared.sum(dim=1) / counted.sum()).sqrt())
    return torch.cat(found)


def _by_layer(G: "Generator", weights: "Tensor") -> "tuple[Tensor, ...]":
    counts = [layer.channels for layer in G.layers]
    if weights.shape != (sum(counts),):
        raise ValueError(f"weights need one value for each of {sum(counts)} channels, got {list(weights.shape)}")
    import torch

    parts: tuple[Tensor, ...] = torch.split(weights, counts)
    return parts
