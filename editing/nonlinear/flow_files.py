"""Reads flows: our own files, and the state dicts of StyleFlow's repository."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.nonlinear.attribute_flow import (
    KEY,
    WHITENING,
    AttributeFlow,
    FlowAttribute,
    FlowHeader,
)
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.budget import bounded_tensors
from stylegan_latents.generator.reading.files import UNFITTING, DamagedFileError, refusing_damage
from stylegan_latents.generator.reading.tensor_file import TensorFile

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.nonlinear.flow_network import FlowNetwork

_ROWS = 18  # of the published flows' generator


def _published(
    name: str, low: float, high: float, usual: float, layers: str, gain: float = 1.0, score: str | None = None
) -> FlowAttribute:
    return FlowAttribute(
        name, low, high, usual=usual, layers=layers, layers_of=_ROWS, gain=gain, score=score,
        log_odds=score == "gender",
    )  # fmt: skip


# Ranges, rows and gains are those of the repository's program; usual values are medians of its 1,000 samples, and
# means of the light's coefficients.
PUBLISHED: tuple[FlowAttribute, ...] = (
    *(
        _published(f"light-{index}", -1.5, 1.5, usual, "7-11")
        for index, usual in enumerate((0.854, -0.151, 0.280, -0.041, -0.022, -0.014, -0.163, -0.005, 0.121))
    ),
    _published("gender", 0, 1, 0, "0-7", 1.5, "gender"),
    _published("glasses", 0, 1, 0, "2-3", 2.5),
    _published("yaw", -20, 20, 0.4, "0-3"),
    _published("pitch", -20, 20, -3, "0-3"),
    _published("baldness", 0, 1, 0.04, "0-5", 2.0),
    _published("beard", 0, 1, 0, "5-9", 1.7),
    _published("age", 0, 65, 31, "4-7", 0.93, "age"),
    _published("smile", 0, 1, 1, "4-5"),
)
"""The conditions of StyleFlow's flows of faces, in order: nine coefficients of spherical harmonics of the light,
and attributes as Microsoft's Face API measures them: gender (1 is male), angles in degrees, age in years."""

_PART = re.compile(r"(?:module\.)?chain\.(\d{1,3})\.(.+)")
_NAMES = (
    (r"sqrt_end_time", "sqrt_time"),
    (r"odefunc\.diffeq\.layers\.(\d{1,2})\._layer\.(weight|bias)", r"layers.\1.linear.\2"),
    (r"odefunc\.diffeq\.layers\.(\d{1,2})\._hyper_gate\.(weight|bias)", r"layers.\1.gate.\2"),
    (r"odefunc\.diffeq\.layers\.(\d{1,2})\._hyper_bias\.weight", r"layers.\1.shift.weight"),
    (r"weight", "log_scale"),
    (r"bias", "shift"),
    (r"running_mean", "mean"),
    (r"running_var", "variance"),
)
_LEFT_OUT = ("step", "odefunc._num_evals")


def load_flow(path: Path) -> AttributeFlow:
    """Read a flow, in float32, on the CPU: what ``AttributeFlow.save`` wrote, or weights of StyleFlow's repository.

    Raises:
        InputError: the file is missing, damaged, asks for what weights do not need, or holds no flow that is known.
    """
    from stylegan_latents.generator.formats.checkpoint import open_checkpoint
    from stylegan_latents.generator.formats.file_head import FileHead

    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    with refusing_damage(path, UNFITTING):
        if FileHead.of(path).is_safetensors:
            with TensorFile.open(path) as file:
                if KEY in file.metadata:
                    return _own(file, path)
        with open_checkpoint(path) as contents:
            return _of_repository(contents, path)


def _own(file: TensorFile, path: Path) -> AttributeFlow:
    header = file.header(KEY, FlowHeader)
    tensors = {name: value.float() for name, value in file.tensors().items()}
    found = {name: tensors.pop(f"whitening.{name}") for name in WHITENING if f"whitening.{name}" in tensors}
    network = _network(
        {name.removeprefix("network."): value for name, value in tensors.items()},
        header.hidden,
        header.blocks,
        path,
    )
    if network.conditions != len(header.attributes):
        raise DamagedFileError(f"{path.name} is damaged: its attributes do not fit its network.")
    whitening, width = None, network.width
    if found:
        from stylegan_latents.generator.statistics import WStatistics

        shapes = [tuple(found[name].shape) for name in WHITENING if name in found]
        if shapes != [(width,), (width, width), (width,)] or not bool((found["deviations"] > 0).all()):
            raise DamagedFileError(f"{path.name} is damaged: its whitening does not fit its network.")
        whitening = WStatistics(**found)
    return AttributeFlow(
        path.name, network, header.attributes, header.latent_space, header.scorer, whitening, header.provenance
    )


def _of_repository(contents: object, path: Path) -> AttributeFlow:
    from stylegan_latents.generator.formats.safe_pickle.inert_torch import StoredTensor

    refused = InputError(
        f"{path.name} holds no flow; give weights of StyleFlow, or a file of `edit discover --method flow`."
    )
    if not isinstance(contents, dict):
        raise refused
    inner = contents.get("state_dict", contents)
    tensors: dict[str, Tensor] = {}
    for name, value in (inner if isinstance(inner, dict) else {}).items():
        match = _PART.fullmatch(str(name)[:200])
        if match is None or not isinstance(value, StoredTensor):
            raise refused
        if match[2] not in _LEFT_OUT:
            place = int(match[1])
            where = f"velocities.{place // 2}" if place % 2 else f"normalisations.{place // 2}"
            tensors[f"{where}.{_renamed(match[2], path)}"] = value.read()
    if not tensors:
        raise refused
    hidden = [len(tensors[name]) for name in sorted(_biases(tensors), key=_place)]
    blocks = len({name.split(".")[1] for name in tensors if name.startswith("velocities.")})
    network = _network(tensors, hidden[:-1], blocks, path)
    if network.conditions != len(PUBLISHED):
        raise InputError(
            f"{path.name} is a flow of {network.conditions} attributes; of StyleFlow's the {len(PUBLISHED)} of its "
            "faces are known."
        )
    return AttributeFlow(path.name, network, PUBLISHED, provenance={"finder": "StyleFlow"})


def _biases(tensors: Mapping[str, "Tensor"]) -> list[str]:
    return [name for name in tensors if re.fullmatch(r"velocities\.0\.layers\.\d+\.linear\.bias", name)]


def _place(name: str) -> int:
    return int(name.split(".")[3])


def _renamed(name: str, path: Path) -> str:
    for pattern, ours in _NAMES:
        if match := re.fullmatch(pattern, name):
            return match.expand(ours)
    raise InputError(f"{path.name} holds a flow with '{name[:80]}', which is not known.")


def _network(
    tensors: Mapping[str, "Tensor"], hidden: "tuple[int, ...] | list[int]", blocks: int, path: Path
) -> "FlowNetwork":
    """The network with these tensors, whose sizes the first layer says."""
    import torch

    from stylegan_latents.editing.nonlinear.flow_network import FlowNetwork

    gate, linear = (tensors.get(f"velocities.0.layers.0.{name}.weight") for name in ("gate", "linear"))
    if gate is None or linear is None or gate.ndim != 2 or linear.ndim != 2 or gate.shape[1] < 2:
        raise DamagedFileError(f"{path.name} is damaged: its flow lacks its first layer.")
    if not all(value.is_floating_point() and bool(torch.isfinite(value).all()) for value in tensors.values()):
        raise DamagedFileError(f"{path.name} is damaged: it holds values that are not finite.")
    with bounded_tensors(path.name, sum(4 * value.numel() for value in tensors.values())):
        network = FlowNetwork(linear.shape[1], gate.shape[1] - 1, hidden, blocks)
    network.load_state_dict(dict(tensors))
    return network.eval().requires_grad_(False)
