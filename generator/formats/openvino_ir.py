"""Reads the MobileStyleGAN that OpenVINO's intermediate representation holds: an XML graph and a file of constants.

Nothing is run: the graph is walked to find which constant is whose, and each is read as plain numbers.
"""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.mobile import MobileConfig
from stylegan_latents.generator.reading.files import read_regular, refusing_damage

_NUMPY_TYPES = {"f32": "<f4", "f16": "<f2", "i64": "<i8", "i32": "<i4"}
# The network of 1024 x 1024 pixels has 1,100 layers in 0.9 MB of XML.
_LARGEST_XML, _MOST_LAYERS, _MOST_BLOCKS, _LONGEST_CHAIN = 16 << 20, 20_000, 12, 16


@dataclass(frozen=True)
class _Node:
    kind: str
    name: str
    constant: NDArray[np.generic] | None
    inputs: tuple[str, ...]


def _read_graph(xml: Path) -> dict[str, _Node]:
    """Layer id to node, constants included."""
    if not xml.is_file():
        raise InputError(f"The folder {xml.parent} holds no MobileStyleGAN ({xml.name}); give a generator's file.")
    try:
        root = ElementTree.fromstring(read_regular(xml, largest=_LARGEST_XML))
        weights = np.frombuffer(read_regular(xml.with_suffix(".bin")), dtype=np.uint8)
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(f"{xml.name} is no readable OpenVINO network: {error}.") from error
    inputs: dict[str, list[tuple[int, str]]] = {}
    for edge in root.iterfind("./edges/edge"):
        source, target = edge.attrib["from-layer"], edge.attrib["to-layer"]
        inputs.setdefault(target, []).append((int(edge.attrib["to-port"]), source))
    nodes: dict[str, _Node] = {}
    left = 2 * len(weights) + (1 << 20)  # a constant may serve twice
    for layer in root.iterfind("./layers/layer"):
        identifier, kind = layer.attrib["id"], layer.attrib["type"]
        constant = None
        if kind == "Const":
            data = layer.find("data")
            if data is None:
                raise InputError(f"{xml.name} is no readable OpenVINO network: a constant has no data.")
            shape = tuple(int(part) for part in data.attrib["shape"].split(",") if part.strip())
            start, size = int(data.attrib["offset"]), int(data.attrib["size"])
            raw = weights[max(start, 0) : start + size]
            left -= size
            if data.attrib["element_type"] not in _NUMPY_TYPES or len(raw) != size or left < 0:
                raise InputError(f"{xml.name} does not fit its .bin file; fetch both again.")
            constant = np.asarray(raw).view(_NUMPY_TYPES[data.attrib["element_type"]]).reshape(shape)
        if len(nodes) == _MOST_LAYERS:
            raise InputError(f"{xml.name} has more than {_MOST_LAYERS:,} layers: no MobileStyleGAN.")
        sources = tuple(source for _, source in sorted(inputs.get(identifier, [])))
        nodes[identifier] = _Node(kind, layer.attrib["name"], constant, sources)
    return nodes


class _Graph:
    def __init__(self, xml: Path) -> None:
        self.nodes = _read_graph(xml)
        self.consumers: dict[str, list[str]] = {}
        for identifier, node in self.nodes.items():
            for source in node.inputs:
                self.consumers.setdefault(source, []).append(identifier)

    def constant_input(self, identifier: str) -> NDArray[np.generic]:
        """The one constant that feeds a node, shape changes in between left out."""
        for source in self.nodes[identifier].inputs:
            node = self.nodes[source]
            for _ in range(_LONGEST_CHAIN):  # a damaged graph may have circles
                if node.kind not in ("Reshape", "Unsqueeze", "Squeeze"):
                    break
                node = self.nodes[node.inputs[0]]
            if node.constant is not None:
                return node.constant
        raise InputError(f"The network's node {self.nodes[identifier].name} has no constant where one is needed.")

    def next_of_kind(self, identifier: str, kind: str) -> str:
        """The consumer of a node that has this kind."""
        for consumer in self.consumers.get(identifier, []):
            if self.nodes[consumer].kind == kind:
                return consumer
        raise InputError(f"The network has no {kind} after {self.nodes[identifier].name}: no MobileStyleGAN.")

    def first_of_kind(self, kind: str) -> str:
        """The first node of this kind, in the file's order."""
        for identifier, node in self.nodes.items():
            if node.kind == kind:
                return identifier
        raise InputError(f"The network has no {kind}: no MobileStyleGAN.")

    def constant(self, name: str) -> NDArray[np.generic]:
        """The constant of this name."""
        for node in self.nodes.values():
            if node.name == name and node.constant is not None:
                return node.constant
        raise InputError(f"The network has no constant {name}: no MobileStyleGAN.")

    def consumer_of_constant(self, name: str) -> str:
        """The node that uses the constant of this name."""
        for identifier, node in self.nodes.items():
            if node.name == name:
                return self.consumers[identifier][0]
        raise InputError(f"The network has no constant {name}: no MobileStyleGAN.")


def _tensor(array: NDArray[np.generic], *shape: int) -> Tensor:
    return torch.from_numpy(np.array(array, dtype=np.float32)).reshape(shape)


def _mapping_tensors(graph: _Graph) -> dict[str, Tensor]:
    tensors = {}
    products = [identifier for identifier, node in graph.nodes.items() if node.kind == "MatMul"]
    for i, product in enumerate(products):
        weight = graph.constant_input(product)
        bias = graph.constant_input(graph.next_of_kind(product, "Add"))
        tensors[f"mapping.layers.{i}.weight"] = _tensor(weight, *weight.shape)
        tensors[f"mapping.layers.{i}.bias"] = _tensor(bias, bias.size)
    return tensors


def _affine(graph: _Graph, prefix: str, name: str) -> tuple[dict[str, Tensor], float]:
    """A style's affine layer under our name, and the factor that the network applies to the style afterwards."""
    product = graph.consumer_of_constant(f"{prefix}.modulation.weight")
    addition = graph.next_of_kind(product, "Add")
    weight, bias = graph.constant_input(product), graph.constant_input(addition)
    factor = 1.0
    if not prefix.endswith(".up"):
        reshape = graph.next_of_kind(addition, "Reshape")
        factor = float(graph.constant_input(graph.next_of_kind(reshape, "Multiply")).item())
    tensors = {f"{name}.weight": _tensor(weight, *weight.shape), f"{name}.bias": _tensor(bias, bias.size)}
    return tensors, factor


def _after_convolution(graph: _Graph, convolution: str, name: str) -> dict[str, Tensor]:
    noise_addition = graph.next_of_kind(convolution, "Add")
    noise = graph.constant_input(noise_addition)
    bias = graph.constant_input(graph.next_of_kind(noise_addition, "Add"))
    return {f"{name}.noise": _tensor(noise, *noise.shape), f"{name}.bias": _tensor(bias, bias.size)}


def _bands_in_blocks(channels: int) -> Tensor:
    """Where each channel of four blocks (low, vertical, horizontal, diagonal) is in the file's order.

    The file has the low band first and then the three details of each channel side by side.
    """
    quarter = channels // 4
    details = torch.arange(quarter, channels).reshape(quarter, 3).T.reshape(-1)
    return torch.cat([torch.arange(quarter), details])


def _order_bands(tensors: dict[str, Tensor], blocks: int) -> None:
    before_block = [("synthesis.input", "weight")]
    before_block += [(f"synthesis.blocks.{i}.conv2", "pointwise") for i in range(blocks - 1)]
    for i, (layer, weight) in enumerate(before_block):
        style = f"synthesis.blocks.{i}.up_style"
        order = _bands_in_blocks(len(tensors[f"{style}.bias"]))
        for name in (f"{layer}.{weight}", f"{layer}.bias", f"{style}.weight", f"{style}.bias"):
            tensors[name] = tensors[name][order]
    for name in ("synthesis.to_rgb.weight", "synthesis.to_rgb.bias"):
        tensors[name] = tensors[name][_bands_in_blocks(len(tensors[name]))]


def _synthesis_tensors(graph: _Graph) -> dict[str, Tensor]:
    # The factor 1/sqrt(fan-in) follows each style in the file; here it is part of the weights, so that a style is
    # the plain output of its affine layer, as everywhere in the StyleGAN family.
    tensors: dict[str, Tensor] = {}
    constant = graph.constant("m.input.input")
    tensors["synthesis.input.constant"] = _tensor(constant, *constant.shape)
    affine, factor = _affine(graph, "m.conv1.conv", "synthesis.input.style")
    first = graph.first_of_kind("Convolution")
    weight = graph.constant_input(first)
    tensors |= affine | {"synthesis.input.weight": _tensor(weight, *weight.shape) * factor}
    tensors |= _after_convolution(graph, first, "synthesis.input")
    names = {node.name for node in graph.nodes.values()}
    blocks = sum(f"m.layers.{i}.up.modulation.weight" in names for i in range(_MOST_BLOCKS))
    for i in range(blocks):
        tensors |= _affine(graph, f"m.layers.{i}.up", f"synthesis.blocks.{i}.up_style")[0]
        for conv in ("conv1", "conv2"):
            ours, theirs = f"synthesis.blocks.{i}.{conv}", f"m.layers.{i}.{conv}.conv"
            affine, factor = _affine(graph, theirs, f"{ours}.style")
            depthwise_node = graph.consumer_of_constant(f"{theirs}.weight_dw")
            pointwise_node = graph.next_of_kind(depthwise_node, "Convolution")
            depthwise, pointwise = graph.constant_input(depthwise_node), graph.constant_input(pointwise_node)
            tensors |= affine | {
                f"{ours}.depthwise": _tensor(depthwise, len(depthwise), 1, 3, 3),
                f"{ours}.pointwise": _tensor(pointwise, *pointwise.shape[:2]) * factor,
            }
            tensors |= _after_convolution(graph, pointwise_node, ours)
    last = f"m.layers.{blocks - 1}.to_img"
    affine, factor = _affine(graph, f"{last}.conv", "synthesis.to_rgb.style")
    convolution = graph.consumer_of_constant(f"{last}.conv.weight")
    weight = graph.constant_input(convolution)
    bias = graph.constant_input(graph.next_of_kind(convolution, "Add"))
    tensors |= affine | {
        "synthesis.to_rgb.weight": _tensor(weight, *weight.shape[:2]) * factor,
        "synthesis.to_rgb.bias": _tensor(bias, bias.size),
    }
    _order_bands(tensors, blocks)
    return tensors


def read_mobile_stylegan(folder: Path) -> tuple[MobileConfig, dict[str, Tensor]]:
    """Read MobileStyleGAN from ``MappingNetwork.xml|.bin`` and ``SynthesisNetwork.xml|.bin`` in a folder.

    Returns:
        The network's sizes, and its tensors under the names of
        ``Mapping`` (``mapping.``) and ``Synthesis`` (``synthesis.``).

    Raises:
        InputError: a file is missing, damaged, or holds another network.
    """
    with refusing_damage(folder, "fetch its four files again"):
        mapping = _mapping_tensors(_Graph(folder / "MappingNetwork.xml"))
        synthesis = _synthesis_tensors(_Graph(folder / "SynthesisNetwork.xml"))
        return _config(mapping, synthesis), mapping | synthesis


def _config(mapping: dict[str, Tensor], synthesis: dict[str, Tensor]) -> MobileConfig:
    depth = len(mapping) // 2
    channels = [len(synthesis["synthesis.input.bias"])]
    while (name := f"synthesis.blocks.{len(channels) - 1}.conv2.bias") in synthesis:
        channels.append(len(synthesis[name]))
    w_dim, z_dim = mapping["mapping.layers.0.weight"].shape
    return MobileConfig(
        z_dim=z_dim,
        w_dim=w_dim,
        mapping_depth=depth,
        channels=tuple(channels),
        image_channels=len(synthesis["synthesis.to_rgb.bias"]) // 4,
    )
