"""Blended models: coarse layers of one generator, fine layers of another.

Pinkney and Adler, "Resolution Dependent GAN Interpolation for Controllable Image Generation Between Domains", 2020.
"""

import copy
import math

import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.styles.weights import layers_of_parameters, side

RELATED = 0.5
"""Agreement of the weights below which two models have no common ancestor: blends of those are noise."""


def check_shapes(A: Generator, B: Generator) -> None:
    """Raise InputError unless two generators have the same architecture and the same sizes."""
    ours, theirs = ({name: tuple(one.shape) for name, one in G.synthesis.named_parameters()} for G in (A, B))
    if type(A.synthesis) is type(B.synthesis) and A.synthesis.config == B.synthesis.config and ours == theirs:
        return
    raise InputError(
        f"'{A.name}' ({A.resolution} pixels) and '{B.name}' ({B.resolution} pixels) have other layers and cannot "
        "be blended; give two models of one architecture and size."
    )


def agreement(A: Generator, B: Generator) -> float:
    """How much of two generators' weights agree: the mean over the convolutions of their cosine similarity.

    1 for one model, above 0.9 for one tuned from the other, about 0 for models trained apart.

    Raises:
        InputError: they have other shapes.
    """
    check_shapes(A, B)
    found = []
    others = dict(B.synthesis.named_parameters())
    for name, one in A.synthesis.named_parameters():
        other = others[name]
        # Biases and styles' offsets are alike in unrelated models, too.
        if one.ndim > 1 and one.numel() > 1 and "noise" not in name:
            length = float(one.norm() * other.norm())
            found.append(float((one * other).sum()) / length if length else float(torch.equal(one, other)))
    return sum(found) / max(1, len(found))


def check_transition(at: float, width: float) -> None:
    """Raise InputError unless ``at`` is above 0 and the width 0 or above."""
    if not (math.isfinite(at) and at > 0):
        raise InputError(f"A blend begins at a side in pixels, such as 32, not at {at:g}.")
    if not (math.isfinite(width) and width >= 0):
        raise InputError(f"A blend's width is 0, for a hard one, or above, not {width:g}.")


def shares(A: Generator, at: float, width: float = 0.0, layers: str | None = None) -> dict[str, float]:
    """How much of each parameter of the synthesis network is the second model's, 0 to 1.

    Args:
        A: the first model.
        at: side in pixels where the second model begins: its layers are those finer than this.
        width: of a smooth transition, in doublings of the side: ``1 / (1 + exp(-x / width))`` with x the doublings
            from ``at``; 0 for a hard one.
        layers: rows of ws whose layers are the second model's, in place of ``at`` and ``width``, as
            ``Generator.rows`` reads them.

    Raises:
        InputError: see ``check_transition``, or there are no such layers.
    """
    check_transition(at, width)
    if layers is not None:
        rows = A.rows(layers)
        return {name: float(layer.ws_index in rows) for name, layer in layers_of_parameters(A).items()}
    found = {}
    for name, layer in layers_of_parameters(A).items():
        doublings = math.log2(side(layer) / at)
        found[name] = 1 / (1 + math.exp(-doublings / width)) if width else float(doublings > 0)
    return found


def blend(
    A: Generator, B: Generator, *, at: float = 32, width: float = 0.0, layers: str | None = None, name: str
) -> Generator:
    """A model with the coarse layers of ``A`` and the fine layers of ``B``; a model with itself is itself.

    Mapping, mean code and latent space are those of ``A``.

    Args:
        A, B: two models of one architecture and size; not changed.
        at, width, layers: see ``shares``.
        name: of the new model.

    Raises:
        InputError: the models have other shapes, or see ``shares``.
    """
    check_shapes(A, B)
    share = shares(A, at, width, layers)
    synthesis = copy.deepcopy(A.synthesis)
    others = dict(B.synthesis.named_parameters())
    with torch.no_grad():
        for key, weight in synthesis.named_parameters():
            weight.lerp_(others[key].to(weight), share[f"synthesis.{key}"])
    return Generator(
        copy.deepcopy(A.mapping), synthesis, A.w_avg, name=name, latent_space=A.latent_space, z_dim=A.z_dim,
        label_dim=A.label_dim, class_w_avg=A.class_w_avg,
    )  # fmt: skip
