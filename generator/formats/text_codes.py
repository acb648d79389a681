"""The texts of a StyleGAN-T: CLIP's codes of them, which its file lacks and its mapping network needs."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.formats.arrays import read_arrays
from stylegan_latents.generator.networks.stylegan_t import StyleGANTConfig

TEXTS = "mapping.texts"
"""The name of the texts' codes among a generator's tensors."""
_LONGEST = 8192  # numbers of a code; CLIP's have 512 to 1280
_OF_TEXTS = (TEXTS, "w_avg", "class_w_avg")


def read_text_codes(path: Path) -> Tensor:
    """Codes of texts ``[texts, length]``, in the order of the file, each scaled to the length 1, as CLIP's are.

    Args:
        path: a .npy, .npz, .pt or .safetensors file of one code ``[length]`` or several ``[texts, length]``; of
            several arrays, one after another.

    Raises:
        InputError: the file cannot be read, or holds no codes.
    """
    arrays = [array for array in read_arrays(path).values() if array.numel()]
    rows = [array.reshape(-1, array.shape[-1]) for array in arrays if array.ndim in (1, 2)]
    if len(rows) != len(arrays) or not rows or len({part.shape[1] for part in rows}) != 1:
        raise InputError(
            f"{printable(path.name)} holds no codes of texts; give numbers of the shape [texts, length]."
        )
    if rows[0].shape[1] > _LONGEST:
        raise InputError(f"{printable(path.name)} holds no codes of texts, which have at most {_LONGEST} numbers.")
    # No more copies than needed: a small archive can hold an array of many megabytes.
    codes = torch.cat(rows) if len(rows) > 1 else rows[0]
    lengths = torch.linalg.vector_norm(codes, dim=1, keepdim=True)
    if not bool((lengths.isfinite() & (lengths > 0)).all()):
        raise InputError(f"{printable(path.name)} holds codes of texts that are 0 or no numbers.")
    scaled: Tensor = codes / lengths
    return scaled


def with_texts(
    config: Any, tensors: Mapping[str, Tensor], texts: Tensor | None, name: str
) -> tuple[Any, dict[str, Tensor]]:
    """A generator's sizes and tensors with these texts; several become the classes of the model.

    Args:
        config, tensors: as for ``build``, with or without texts.
        texts: ``[texts, text_dim]``; None for those among the tensors.
        name: of the model, for messages.

    Raises:
        InputError: the model draws no texts, has none, or takes codes of another length.
    """
    tensors = dict(tensors)
    if not isinstance(config, StyleGANTConfig) or not config.text_dim:
        if texts is None:
            return config, tensors
        raise InputError(f"'{name}' takes no texts; leave --text-codes and --text out.")
    if texts is None:
        if TEXTS in tensors:
            return config, tensors
        raise InputError(
            f"'{name}' needs a text; give one with --text 'a dog' or --text-codes FILE to `edit sample`, or store "
            "one with the model by `stylegan-latents convert`, for all other commands."
        )
    if texts.shape[1] != config.text_dim:
        raise InputError(
            f"'{name}' takes codes of texts of {config.text_dim} numbers, and these have {texts.shape[1]}; encode "
            "the texts by the CLIP that it was trained with (OpenAI's ViT-L/14 for the official settings)."
        )
    count = len(texts) if len(texts) > 1 else 0
    config = replace(config, label_dim=count, label_width=config.text_dim if count else 0)
    x_avg = tensors["w_avg"][: config.x_dim]
    tensors |= {TEXTS: texts, "w_avg": torch.cat([x_avg, texts.mean(dim=0)])}
    tensors.pop("class_w_avg", None)
    if count:
        tensors["class_w_avg"] = torch.cat([x_avg.expand(count, -1), texts], dim=1)
    return config, tensors


def without_texts(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that are the same for all texts: W is the same space in models that differ in the others."""
    return {name: tensor for name, tensor in tensors.items() if name not in _OF_TEXTS}
