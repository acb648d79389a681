"""The choice of the precision to compute in."""

import copy
from typing import TYPE_CHECKING, Literal

import torch

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

Precision = Literal["auto", "float32", "bfloat16"]
Computed = Literal["float32", "bfloat16"]
DTYPES: dict[Computed, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def resolve_precision(precision: Precision, device: torch.device) -> Computed:
    """The precision for work that tolerates rounding; ``auto`` is bfloat16 where a device supports it natively."""
    if precision != "auto":
        if precision not in DTYPES:
            raise InputError(f"The precision is auto, float32 or bfloat16, not {precision}.")
        return precision
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    # PyTorch has no public function for this; where these are missing, float32 is safe.
    native = (
        getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
        or getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    )
    return "bfloat16" if device.type == "cpu" and native else "float32"


def in_precision(G: "Generator", dtype: torch.dtype) -> "Generator":
    """``G`` if it already computes in ``dtype``, else a copy that does."""
    return G if G.dtype == dtype else copy.deepcopy(G).to(dtype=dtype)
