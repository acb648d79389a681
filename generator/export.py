"""Networks as files that other programs run: ONNX, and the archives of ``torch.export``."""

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path, utf8_path
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan2 import Synthesis as StyleGAN2Synthesis
from stylegan_latents.generator.seeds import z_of_seeds

TOLERANCE = 1e-3
"""Largest difference between the output of a file and PyTorch's."""

Precision = Literal["float32", "float16"]
_FREE = 3  # samples that a graph of any number of them is traced with
_SMALL = 1024  # values; smaller tensors are kept in float32


class SynthesisFromWs(nn.Module):
    """ws ``[N, num_ws, w_dim]`` to images ``[N, image_channels, size, size]``, by the network's own noise maps.

    Args:
        G: the generator.
        size: as for ``Generator.synthesize``.
    """

    def __init__(self, G: Generator, size: int | None = None) -> None:
        super().__init__()
        self.network, self.size = G.synthesis, size
        # Fast operations with backward passes of their own, or that work part by part, are no graph.
        self.reference = not isinstance(G.synthesis, StyleGAN2Synthesis)

    def forward(self, ws: Tensor) -> Tensor:
        noise = self.network.noise_constants()
        image: Tensor = self.network(self.network.styles(ws), noise, size=self.size, reference=self.reference)
        return image


class MappingFromZ(nn.Module):
    """z ``[N, z_dim]``, and a label where there are classes, to ws: ``Generator.map`` at one truncation."""

    def __init__(self, G: Generator, truncation: float = 1.0) -> None:
        super().__init__()
        self.mapping, self.num_ws, self.truncation = G.mapping, G.num_ws, truncation
        self.register_buffer("w_avg", G.w_avg.clone())
        self.register_buffer("class_w_avg", None if G.class_w_avg is None else G.class_w_avg.clone())

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        w = self.mapping(z) if label is None else self.mapping(z, label)
        ws: Tensor = w.unsqueeze(1).repeat(1, self.num_ws, 1) if w.ndim == 2 else w
        mean = cast(Tensor, self.w_avg)
        if self.class_w_avg is not None and label is not None:
            mean = (label @ cast(Tensor, self.class_w_avg)).unsqueeze(1)
        return ws if self.truncation == 1 else mean + self.truncation * (ws - mean)


def sample_inputs(G: Generator, batch: int | None = None) -> dict[str, Tensor]:
    """z, and labels where there are classes: of ``batch`` samples, or of some where their number is to be free."""
    seeds = range(batch or _FREE)
    inputs = {"z": z_of_seeds(seeds, G.z_dim)}
    if G.label_dim:
        classes = torch.tensor([seed % G.label_dim for seed in seeds])
        inputs["label"] = nn.functional.one_hot(classes, G.label_dim).float()
    return inputs


@torch.no_grad()
def export_network(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    output: str,
    target: Path,
    *,
    free_batch: bool = True,
    precision: Precision = "float32",
    opset: int = 20,
    overwrite: bool = False,
) -> float:
    """Write a network and check the file: it is run, an ONNX file by onnxruntime, and compared with PyTorch.

    Args:
        network: on the CPU, in float32.
        inputs: what it is called with, in order, by the names that they get in the file: several samples of each.
        output: the output's name.
        target: a file that ends with ``.onnx`` or, for the archive of ``torch.export``, with ``.pt2``.
        free_batch: whether the file takes any number of samples; else just as many as ``inputs`` has.
        precision: ``float16`` rounds the weights of an ONNX file, which halves it; it is computed in float32.
        opset: version of ONNX's operations.
        overwrite: whether ``target`` may be replaced.

    Returns:
        The largest difference from PyTorch, of the same weights, in any value.

    Raises:
        InputError: a package is missing, ``target`` may not be written, or the difference exceeds ``TOLERANCE``.
    """
    is_onnx = target.suffix == ".onnx"
    if is_onnx:
        _check_packages()
    network = copy.deepcopy(network).eval().requires_grad_(False)
    if precision == "float16":
        _round(network)
    dims = ({0: torch.export.Dim("batch")},) * len(inputs) if free_batch else None
    program = torch.export.export(network, tuple(inputs.values()), dynamic_shapes=dims, strict=False)
    with atomic_path(target, overwrite=overwrite) as temporary:
        if is_onnx:
            _write_onnx(program, temporary, list(inputs), output, opset)
            if precision == "float16":
                _store_in_float16(temporary)
        else:
            # Opened here, as PyTorch's writer takes no path that is not UTF-8.
            with temporary.open("wb") as file:
                torch.export.save(program, file)
        apart = 0.0
        run = _onnx_session(temporary) if is_onnx else _archived(temporary)
        for count in (1, None) if free_batch else (None,):
            given = {name: tensor[:count] for name, tensor in inputs.items()}
            found = run(given) if is_onnx else run(*given.values())
            apart = max(apart, float((found - network(*given.values())).abs().max()))
        if not apart <= TOLERANCE:
            raise InputError(
                f"The file's output differs from PyTorch's by {apart:.2g}, more than {TOLERANCE:g}; it is not "
                "written. Try another --opset, or another version of onnxruntime."
            )
    return apart


def _check_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise InputError(
            f"Writing ONNX needs {', '.join(missing)}, not installed: pip install 'stylegan-latents[export]'."
        )


def _write_onnx(
    program: "torch.export.ExportedProgram", path: Path, inputs: Sequence[str], output: str, opset: int
) -> None:
    torch.onnx.export(
        program,
        (),
        str(path),
        input_names=inputs,
        output_names=[output],
        opset_version=opset,
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def _onnx_session(path: Path) -> Callable[..., Tensor]:
    import onnxruntime

    with utf8_path(path) as name:
        session = onnxruntime.InferenceSession(name, providers=["CPUExecutionProvider"])

    def run(inputs: Mapping[str, Tensor]) -> Tensor:
        (found,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
        return torch.from_numpy(found)

    return run


def _archived(path: Path) -> Callable[..., Tensor]:
    with path.open("rb") as file:
        return torch.export.load(file).module()


def _round(network: nn.Module) -> None:
    """Round the weights, in place, to what float16 holds."""
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.dtype == torch.float32 and tensor.numel() >= _SMALL:
            rounded = tensor.half().float()
            tensor.copy_(torch.where(rounded.isfinite(), rounded, tensor))


def _store_in_float16(path: Path) -> None:
    """Keep the tensors of an ONNX file in float16 that lose nothing by it, each with a cast to float32 after it."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    graph: Any = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if values.size < _SMALL or not np.array_equal(half.astype(np.float32), values):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.float16"))
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)
