"""A photo's own features in the places that a generator cannot draw: hats, hands, microphones, what lies behind.

After Cao et al., "What Decreases Editing Capability? Domain-Specific Hybrid Refinement for Improved GAN Inversion",
2023, where one feature map takes what lies outside a generator's domain. Here it counts in the places where an edit
leaves the generator's own features as they were, and fades where they move.

A record keeps a patch beside its tuned weights, with a leading axis for its images, under ``features.RESOLUTION``:

- ``:ws`` ``[num_ws, w_dim]``, the code that the patch was made at;
- ``:share`` ``[h, w]`` in 0 to 1, how far each place of the feature map is the photo's;
- ``:values`` ``[K, C]``, added to that code's features in the places whose share is above 0, row by row.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.features import FeatureMap, feature_maps, features
from stylegan_latents.generator.generator import Generator

_PREFIX = "features."
_FINEST = 64  # pixels; a patch of the default model takes up to 4 MB there
# The mean squared change of standardised features up to which a place has not moved, and from which it has.
_STILL, _MOVED = 0.25, 1.0
_WINDOW = 5  # places a side over which that change is averaged


class PatchHook:
    """Adds to a layer's output in the places where it stays as it was.

    Args:
        resolution: of the feature map.
        own: the features without the patch, ``[1, C, h, w]``.
        share: ``[1, 1, h, w]`` in 0 to 1, how far each place becomes ``own`` plus ``difference``.
        difference: ``[1, C, h, w]``.
    """

    def __init__(self, resolution: int, own: Tensor, share: Tensor, difference: Tensor) -> None:
        self.resolution, self.own, self.share, self.difference = resolution, own, share, difference

    def __call__(self, _module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        own = self.own.to(output)
        kept = self.share.to(output.device) * unmoved(output, own)
        return output + kept.to(output) * (own + self.difference.to(output) - output)


@dataclass(frozen=True, eq=False)
class FeaturePatch:
    """The patch of one photo, without leading axes; the module's text says what its tensors are."""

    resolution: int
    ws: Tensor
    share: Tensor
    values: Tensor

    @classmethod
    def of(cls, ws: Tensor, hook: PatchHook) -> "FeaturePatch":
        """The patch of a hook that was made at the code ``ws``, ``[1, num_ws, w_dim]``."""
        share = hook.share[0, 0].half().float()
        return cls(hook.resolution, ws[0], share, hook.difference[0].permute(1, 2, 0)[share > 0])

    def hook(self, G: Generator) -> PatchHook:
        """The hook for a generator, with the features that it has at ``ws``.

        Raises:
            InputError: the patch belongs to another generator.
        """
        places = self.share > 0
        if self.ws.shape == (G.num_ws, G.w_dim):
            with torch.no_grad():
                own = features(G, self.ws[None].to(G.device), map_of(G, self.resolution)).float()
            if own.shape[2:] == self.share.shape and self.values.shape[1:] == own.shape[1:2]:
                difference = torch.zeros(*self.share.shape, own.shape[1])
                difference[places] = self.values[: int(places.sum())].float().cpu()
                share = self.share[None, None].float().to(G.device)
                return PatchHook(self.resolution, own, share, difference.permute(2, 0, 1)[None].to(G.device))
        raise InputError(f"The record's feature patch does not fit the generator '{G.name}'.")


def attach(G: Generator, hooks: Iterable[PatchHook]) -> None:
    """Let a generator draw with patches from now on, each near the code that it was made at."""
    for hook in hooks:
        map_of(G, hook.resolution).module.register_forward_hook(hook)


def with_patches(G: Generator, hooks: Sequence[PatchHook]) -> Generator:
    """A copy of ``G`` with the patches, or ``G`` if there are none."""
    if hooks:
        G = copy.deepcopy(G)
        attach(G, hooks)
    return G


def unmoved(now: Tensor, before: Tensor) -> Tensor:
    """Where features stay as they were: ``[N, 1, h, w]``, 1 in still places and 0 in moved ones.

    Each channel is standardised, so that another light or colour of the whole picture does not count.

    Args:
        now, before: ``[N or 1, C, h, w]``.
    """
    change = (_standardised(now) - _standardised(before)).square().mean(dim=1, keepdim=True)
    change = F.avg_pool2d(F.pad(change, (_WINDOW // 2,) * 4, mode="replicate"), _WINDOW, stride=1)
    t = ((_MOVED - change) / (_MOVED - _STILL)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def _standardised(x: Tensor) -> Tensor:
    x = x.float()
    centred = x - x.mean(dim=(2, 3), keepdim=True)
    return centred / centred.square().mean(dim=(2, 3), keepdim=True).sqrt().clamp_min(1e-6)


def patched_map(G: Generator) -> FeatureMap:
    """The feature map that patches are made for: the finest up to 64 pixels and an eighth of the resolution.

    Raises:
        InputError: the generator is three-dimensional; its feature maps are not places of the picture.
    """
    if G.camera is not None:
        raise InputError(
            f"--method layered needs a model of flat pictures, and '{G.name}' is three-dimensional; take pivotal."
        )
    maps = feature_maps(G)
    fitting = [one for one in maps if one.resolution <= min(_FINEST, G.resolution // 8)]
    return fitting[-1] if fitting else maps[0]


def map_of(G: Generator, resolution: int) -> FeatureMap:
    """The feature map of a resolution; InputError if there is none."""
    for one in feature_maps(G):
        if one.resolution == resolution:
            return one
    raise InputError(f"The record's feature patch does not fit the generator '{G.name}'.")


def packed(patches: Sequence[FeaturePatch]) -> dict[str, Tensor]:
    """Patches of N images and of one resolution as a record keeps them: in half precision, but for the codes."""
    prefix = f"{_PREFIX}{patches[0].resolution}"
    rows = max(1, *(len(patch.values) for patch in patches))
    values = [F.pad(patch.values, (0, 0, 0, rows - len(patch.values))) for patch in patches]
    return {
        f"{prefix}:ws": torch.stack([patch.ws for patch in patches]).float().cpu(),
        f"{prefix}:share": torch.stack([patch.share for patch in patches]).half().cpu(),
        f"{prefix}:values": torch.stack(values).half().cpu(),
    }


def unpacked(parts: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[FeaturePatch]]:
    """The tuned weights and the patches of one image's tensors, which are without the leading axis.

    Raises:
        InputError: the tensors of a patch do not fit each other.
    """
    weights = {name: part for name, part in parts.items() if not name.startswith(_PREFIX)}
    patches = []
    for prefix in sorted({name.partition(":")[0] for name in parts if name not in weights}):
        number = prefix.removeprefix(_PREFIX)
        damage = "The record's feature patch is damaged; invert the photo again."
        try:
            ws, share, values = (parts[f"{prefix}:{name}"] for name in ("ws", "share", "values"))
        except KeyError as error:
            raise InputError(damage) from error
        fits = (share.ndim, values.ndim) == (2, 2) and len(values) >= int((share > 0).sum())
        if not number.isdecimal() or not fits:
            raise InputError(damage)
        patches.append(FeaturePatch(int(number), ws, share, values))
    return weights, patches
