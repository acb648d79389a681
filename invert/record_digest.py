"""What tells whether a record was changed since it was written."""

import hashlib
import json
from collections.abc import Mapping

import torch
from stylegan_latents.generator.json_values import JSON
from torch import Tensor


def canonical(header: Mapping[str, JSON]) -> str:
    """The same text for the same header, before and after a file."""
    return json.dumps(header, sort_keys=True, allow_nan=False)


def digest(header: Mapping[str, JSON], tensors: Mapping[str, Tensor]) -> str:
    """sha256 over the header and every tensor's name, type, shape and bytes."""
    found = hashlib.sha256(canonical(header).encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()
