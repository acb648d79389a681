"""CLIP's text encoder inside a StyleGAN-T's snapshot, by open_clip's names.

It may have been trained further with the generator, so that its codes are not those of the published CLIP.
"""

import re

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.networks.text_encoder import TextEncoderConfig

_THEIRS = "mapping.clip.model"
SIGN = f"{_THEIRS}.token_embedding.weight"
"""A tensor that every such snapshot has."""
_HEAD_WIDTH = 64  # of every published CLIP, for a state dict

_PARTS = {
    "before_attention.weight": "ln_1.weight",
    "before_attention.bias": "ln_1.bias",
    "attention.in_proj_weight": "attn.in_proj_weight",
    "attention.in_proj_bias": "attn.in_proj_bias",
    "attention.out_proj.weight": "attn.out_proj.weight",
    "attention.out_proj.bias": "attn.out_proj.bias",
    "before_layer.weight": "ln_2.weight",
    "before_layer.bias": "ln_2.bias",
    "wide.weight": "mlp.c_fc.weight",
    "wide.bias": "mlp.c_fc.bias",
    "narrow.weight": "mlp.c_proj.weight",
    "narrow.bias": "mlp.c_proj.bias",
}
_OTHERS = {
    "tokens": "token_embedding.weight",
    "positions": "positional_embedding",
    "norm.weight": "ln_final.weight",
    "norm.bias": "ln_final.bias",
    "projection": "text_projection",
}
_UNUSED = r"mapping\.clip\.model\.(logit_scale|logit_bias|attn_mask|visual\..*)|(?!mapping\.clip\.).*"


def text_encoder(weights: NetworkWeights) -> tuple[TextEncoderConfig, dict[str, Tensor]]:
    """Sizes and tensors by the names of ``generator.networks.text_encoder``.

    Raises:
        InputError: something is missing, does not fit, or is left over.
    """
    blocks = rf"{re.escape(_THEIRS)}\.transformer\.resblocks\.\d{{1,3}}\.ln_1\.weight"
    depth = sum(re.fullmatch(blocks, name) is not None for name in weights.tensors)
    tensors: dict[str, Tensor] = {}
    for ours, theirs in _OTHERS.items():
        tensors[ours] = _tensor(weights, f"{_THEIRS}.{theirs}")
    for i in range(depth):
        for ours, theirs in _PARTS.items():
            tensors[f"blocks.{i}.{ours}"] = _tensor(weights, f"{_THEIRS}.transformer.resblocks.{i}.{theirs}")
    weights.check_all_read(_UNUSED)
    vocabulary, width = _matrix(tensors, "tokens")
    heads = weights.whole(f"{_THEIRS}.transformer.resblocks.0.attn", "num_heads", max(width // _HEAD_WIDTH, 1))
    try:
        config = TextEncoderConfig(
            vocabulary=vocabulary,
            context=_matrix(tensors, "positions")[0],
            width=width,
            heads=heads,
            hidden=len(tensors["blocks.0.wide.bias"]) if depth else 0,
            depth=depth,
            text_dim=_matrix(tensors, "projection")[1],
        )
    except ValueError as error:
        raise InputError(f"its text encoder does not fit: {error}") from error
    return config, tensors


def _tensor(weights: NetworkWeights, name: str) -> Tensor:
    return weights.tensor(name, *[0] * min(len(weights.shape(name)), 2))


def _matrix(tensors: dict[str, Tensor], name: str) -> tuple[int, int]:
    if tensors[name].ndim != 2:
        raise InputError(f"its text encoder's {name} do not fit")
    rows, columns = tensors[name].shape
    return rows, columns
