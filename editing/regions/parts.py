"""Parts of a generator's pictures, as clusters of its feature maps, with the style channels that control each
(Collins et al., "Editing in Style: Uncovering the Local Semantics of GANs", 2020; Chong et al., "Retrieve in Style:
Unsupervised Facial Feature Transfer and Retrieval", 2021).

``editing.mixing.find_parts`` makes the catalogue of parts of a network once. Each style channel's share in each
part is measured in the picture by gradients, which works for every architecture.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Len, MaxLen

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.reading.budget import check_declared
from stylegan_latents.generator.reading.files import DamagedFileError, refusing_damage
from stylegan_latents.generator.reading.headers import STRICT
from stylegan_latents.generator.reading.tensor_file import TensorFile

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator


_KEY = "stylegan-latents-parts"
_SUFFIX = ".parts.safetensors"
_SHIPPED = Path(__file__).parent / "catalogues"
_SIDE = 32
"""Largest side of the clustered feature maps."""


@dataclass(frozen=True)
class _Header:
    """What a file says of its catalogue; see ``Parts``."""

    __pydantic_config__: ClassVar[Any] = STRICT
    names: Annotated[tuple[Annotated[str, MaxLen(200)], ...], Len(1, 255)]
    model: Annotated[str, MaxLen(1024)]
    fingerprint: Annotated[str, MaxLen(1024)]


@dataclass(frozen=True, eq=False)
class Parts:
    """The catalogue of parts of one network.

    Attributes:
        names: of the parts; numbers from 0 if there are no faces to name them by.
        centres: float32 ``[clusters, features]``, unit vectors.
        owners: int64 ``[clusters]``, the part that each cluster belongs to.
        shares: float32 ``[len(names), style channels]`` in 0 to 1: the part's share of the change that a channel
            makes in the picture, see ``evened``.
        model, fingerprint: of the generator.
    """

    names: tuple[str, ...]
    centres: "Tensor"
    owners: "Tensor"
    shares: "Tensor"
    model: str
    fingerprint: str

    def masks(self, G: "Generator", codes: "Tensor | Sequence[Tensor]") -> "Tensor":
        """The mask of each part, float32 ``[N, len(names), side, side]`` of 0 and 1.

        Args:
            G: the generator of the parts, or one tuned from it.
            codes: ws ``[N, num_ws, w_dim]``, or their styles.
        """
        import torch

        found = part_features(G, codes)
        owners = self.owners[(found.cpu() @ self.centres.T).argmax(dim=-1)]
        return torch.nn.functional.one_hot(owners, len(self.names)).permute(0, 3, 1, 2).float()

    def weights(self, names: Sequence[str], threshold: float) -> "Tensor":
        """Weights of the style channels for the transfer of these parts, ``[style channels]`` in 0 to 1.

        0 for a share in the parts up to the threshold, 1 from halfway between the threshold and 1, linear between.

        Raises:
            InputError: there is no such part, or no channel has so large a share.
        """
        import torch

        share = self.shares[[self.index(name) for name in dict.fromkeys(names)]].sum(dim=0)
        weights: Tensor = torch.clamp((share - threshold) / max(0.5 * (1 - threshold), 1e-6), 0.0, 1.0)
        if not bool(weights.any()):
            raise InputError(
                f"No style channel has {threshold:.0%} of its change in {', '.join(names)}; the largest share is "
                f"{float(share.max()):.2f}, so give a lower --threshold."
            )
        return weights

    def index(self, name: str) -> int:
        """The index of a part, or InputError if there is none of that name."""
        text = name.strip().lower()
        if text not in self.names:
            raise InputError(
                f"The model '{self.model}' has no part '{name}': give {', '.join(self.names)}; `edit parts` shows "
                "them."
            )
        return self.names.index(text)

    def save(self, path: Path, *, overwrite: bool = True) -> None:
        """Write one safetensors file, in float16; ``load`` reads it."""
        import torch
        from safetensors.torch import save

        header = {"names": self.names, "model": self.model, "fingerprint": self.fingerprint}
        tensors = {
            "centres": self.centres.to(torch.float16).contiguous(),
            "owners": self.owners.to(torch.uint8).contiguous(),
            "shares": self.shares.to(torch.float16).contiguous(),
        }
        with atomic_path(path, overwrite=overwrite) as temporary:
            temporary.write_bytes(save(tensors, metadata={_KEY: json.dumps(header)}))


def load(path: Path) -> Parts:
    """Read what ``Parts.save`` wrote; InputError for a file that is missing, damaged, or no catalogue of parts."""
    import torch

    try:
        with refusing_damage(path), TensorFile.open(path) as file:
            header, wanted = file.header(_KEY, _Header), ("centres", "owners", "shares")
            if [file.dtype(name) for name in wanted] != [torch.float16, torch.uint8, torch.float16]:
                raise DamagedFileError("its numbers are of other types")
            check_declared(path.name, 2 * file.size, file.size)
            centres, owners, shares = (file.tensor(name) for name in wanted)
            if (
                (centres.ndim, owners.ndim, shares.ndim) != (2, 1, 2)
                or (len(shares), len(owners)) != (len(header.names), len(centres))
                or not len(owners)
                or int(owners.max()) >= len(header.names)
                or not (bool(centres.isfinite().all()) and bool(shares.isfinite().all()))
            ):
                raise DamagedFileError("its shapes do not fit")
            return Parts(
                header.names, centres.float(), owners.long(), shares.float(), header.model, header.fingerprint
            )
    except InputError as error:
        raise InputError(f"{path} cannot be read as a catalogue of parts: {str(error).rstrip('.')}.") from error


def stored_parts(G: "Generator") -> Parts | None:
    """The catalogue of a generator without tuned weights, if it is in the package or the cache folder."""
    return _shipped().get(G.fingerprint) or _cached(cache_path(G))


def cache_path(G: "Generator") -> Path:
    """Where the catalogue of a generator is kept that does not come with the package."""
    from stylegan_latents.generator.weights.fetch import cache_folder

    return cache_folder() / "parts" / f"{G.fingerprint[:24]}{_SUFFIX}"


def _cached(path: Path) -> Parts | None:
    """None where there is no catalogue, or a damaged one, which is made again."""
    try:
        return load(path) if path.is_file() else None
    except InputError:
        return None


@functools.cache
def _shipped() -> dict[str, Parts]:
    """The catalogues in the package's own folder, by fingerprint."""
    return {parts.fingerprint: parts for parts in map(load, sorted(_SHIPPED.glob(f"*{_SUFFIX}")))}


def part_features(G: "Generator", codes: "Tensor | Sequence[Tensor]") -> "Tensor":
    """The features to cluster, ``[N, side, side, features]``: those of two neighbouring maps, as a unit vector.

    The finer map separates materials, such as hair and skin; the coarser one encodes the position in the face.
    """
    import torch
    from torch.nn import functional as F

    from stylegan_latents.generator.features import feature_maps, features

    maps = [one for one in feature_maps(G) if one.resolution <= _SIDE][-2:] or list(feature_maps(G)[:1])
    side = maps[-1].resolution
    found = []
    with torch.no_grad():
        for one in maps:
            maps_of = features(G, codes, one).float()
            # Cut off the equal margins that lie outside of the picture.
            margin = (one.size - one.resolution) // 2
            inner = maps_of[:, :, margin : margin + one.resolution, margin : margin + one.resolution]
            if one.resolution != side:
                inner = F.interpolate(inner, (side, side), mode="bilinear")
            found.append(F.normalize(inner, dim=1))
    joined: Tensor = torch.cat(found, dim=1).permute(0, 2, 3, 1) / len(found) ** 0.5
    return joined
