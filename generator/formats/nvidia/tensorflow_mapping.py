"""What the generators of NVIDIA's TensorFlow pickles have in common: the mapping network and the blocks' sizes."""

from typing import NamedTuple

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.nvidia.tensorflow_network import Variables
from stylegan_latents.generator.networks.stylegan2 import MAX_BLOCKS

_HERE = "mapping/"


class MappingPart(NamedTuple):
    """A mapping network's tensors, by our names, with ``w_avg``, and its sizes."""

    tensors: dict[str, Tensor]
    z_dim: int
    widths: tuple[int, ...]
    label_dim: int
    label_width: int


def read_mapping(variables: Variables, *, gain_before: bool) -> MappingPart:
    """Read the mapping network.

    Args:
        variables: of the whole generator.
        gain_before: whether the activation's gain is part of the weight's scale, as in StyleGAN, or follows the
            activation, as in StyleGAN2 and here.

    Raises:
        InputError: variables are missing or do not fit one another, or a setting is not read.
    """
    variables.check_settings(_HERE, {"mapping_nonlinearity": "lrelu", "normalize_latents": True})
    rate = variables.number(_HERE, "mapping_lrmul", 0.01)
    is_scaled = not gain_before or bool(variables.setting(_HERE, "use_wscale", True))
    tensors: dict[str, Tensor] = {}
    label_dim, label_width = _label(variables, tensors)
    widths: list[int] = []
    while (name := f"mapping/Dense{len(widths)}/weight") in variables:
        inputs, outputs = variables.lengths(name, 2)
        gain = inputs**-0.5 if is_scaled else 0.5**0.5
        ours = f"mapping.layers.{len(widths)}"
        tensors[f"{ours}.weight"] = variables.matrix(name, inputs, outputs, rate * gain)
        bias = variables.tensor(f"mapping/Dense{len(widths)}/bias", outputs, factor=rate)
        tensors[f"{ours}.bias"] = bias * 0.5**0.5 if gain_before else bias
        widths.append(outputs)
    if not widths:
        raise InputError("its generator has no mapping network")
    if "dlatent_avg" in variables:
        tensors["w_avg"] = variables.tensor("dlatent_avg", widths[-1])
    z_dim = tensors["mapping.layers.0.weight"].shape[1] - label_width
    return MappingPart(tensors, z_dim, tuple(widths), label_dim, label_width)


def _label(variables: Variables, tensors: dict[str, Tensor]) -> tuple[int, int]:
    """Read what embeds the label, if there are classes; the numbers of classes and of the embedding's values."""
    for scope, is_scaled in (("LabelEmbed", True), ("LabelConcat", False)):
        name = f"mapping/{scope}/weight"
        if name in variables:
            classes, width = variables.lengths(name, 2)
            embed = variables.matrix(name, classes, width, classes**-0.5 if is_scaled else 1.0)
            bias = variables.tensor(f"mapping/{scope}/bias", width) if is_scaled else embed.new_zeros(width)
            tensors |= {"mapping.embed.weight": embed, "mapping.embed.bias": bias}
            return classes, width
    return 0, 0


def sides_of(variables: Variables, prefix: str) -> list[int]:
    """The sides of a network's blocks, in pixels, coarsest first: each has variables named ``SIDExSIDE/...``.

    Raises:
        InputError: there are more than are read.
    """
    found = {name.removeprefix(prefix).partition("/")[0] for name in variables if name.startswith(prefix)}
    sides = [4]
    while f"{2 * sides[-1]}x{2 * sides[-1]}" in found:
        sides.append(2 * sides[-1])
        if len(sides) > MAX_BLOCKS:
            raise InputError(f"it has more than {sides[-2]} pixels, which is not read")
    return sides
