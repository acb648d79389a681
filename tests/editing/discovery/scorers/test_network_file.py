"""Networks of strangers: what they may do, and how those without end or measure end."""

import contextlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stylegan_latents.editing.discovery.scorers import network_file
from stylegan_latents.editing.discovery.scorers.network_file import open_network
from stylegan_latents.generator.errors import InputError

onnx = pytest.importorskip("onnx")

PICTURE = np.ones((1, 3, 8, 8), dtype=np.float32)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


class _Writes(nn.Module):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, x: Tensor) -> Tensor:
        torch.save(x, self.path)
        return x.mean(dim=(1, 2, 3))


class _Reads(_Writes):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum() + torch.from_file(self.path, False, 2, dtype=torch.uint8).float()


class _Maps(_Writes):
    """Writes through a memory map."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum() + torch.from_file(self.path, True, 2, dtype=torch.uint8).fill_(7).float()


class _Endless(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        while bool(x.sum() < 1e30):
            x = x * 1.0
        return x


class _Huge(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean() * torch.ones([1 << 40])


class _Stretched(nn.Module):
    """Many numbers in no memory."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean().expand([1 << 40])


class _Prints(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        print("S\x01\x00\x00\x00abcdefgh")
        return x.mean(dim=(1, 2, 3))


def _script(module: nn.Module, path: Path) -> Path:
    torch.jit.script(module).save(str(path))
    return path


def _graph(path: Path, node: "onnx.NodeProto", constant: np.ndarray, *before: "onnx.NodeProto") -> Path:
    """An ONNX network of a picture ``x`` and a constant ``n``."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    x, y = helper.make_tensor_value_info("x", kind, PICTURE.shape), helper.make_tensor_value_info("y", kind, None)
    graph = helper.make_graph([*before, node], "graph", [x], [y], [onnx.numpy_helper.from_array(constant, "n")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.slow
@on_linux
def test_a_network_writes_no_file_and_still_scores(tmp_path: Path) -> None:
    target = tmp_path / "written"
    network = open_network(_script(_Writes(str(target)), tmp_path / "w.pt"))
    with contextlib.suppress(InputError):  # as PyTorch's version has it
        assert network.run(PICTURE) == pytest.approx([1])
    assert not target.exists()


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("module", [_Reads, _Maps])
def test_a_network_reads_and_changes_no_file(tmp_path: Path, module: type[_Writes]) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"\x01\x02\x03")
    network = open_network(_script(module(str(secret)), tmp_path / "r.pt"))
    with pytest.raises(InputError, match=r"r.pt cannot take a picture of \[1, 3, 8, 8\]"):
        network.run(PICTURE)
    assert secret.read_bytes() == b"\x01\x02\x03"


@pytest.mark.slow
def test_what_a_network_prints_is_no_answer(tmp_path: Path) -> None:
    network = open_network(_script(_Prints(), tmp_path / "p.pt"), trusted=True)
    assert network.run(PICTURE).tolist() == network.run(PICTURE).tolist() == [1.0]


@pytest.mark.slow
def test_torchscript_without_end_ends_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_file.child, "PICTURE_SECONDS", 2)
    network = open_network(_script(_Endless(), tmp_path / "e.pt"), trusted=True)
    with pytest.raises(InputError, match=r"e.pt cannot score a picture .* computes for more than 2 seconds"):
        network.run(PICTURE)


@pytest.mark.slow
@pytest.mark.parametrize("module", [_Huge, _Stretched])
def test_torchscript_without_measure_ends_in_a_sentence(tmp_path: Path, module: type[nn.Module]) -> None:
    network = open_network(_script(module(), tmp_path / "h.pt"), trusted=True)
    with pytest.raises(InputError, match=r"h.pt cannot"):
        network.run(PICTURE)


@pytest.mark.slow
def test_onnx_without_end_ends_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_file.child, "PICTURE_SECONDS", 2)
    helper, kinds = onnx.helper, onnx.TensorProto
    flag = [helper.make_tensor_value_info(name, kinds.BOOL, []) for name in ("go", "on")]
    value = [helper.make_tensor_value_info(name, kinds.FLOAT, None) for name in ("v", "w")]
    index = helper.make_tensor_value_info("i", kinds.INT64, [])
    nodes = [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Sin", ["v"], ["w"])]
    body = helper.make_graph(nodes, "body", [index, flag[0], value[0]], [flag[1], value[1]])
    loop = helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)
    network = open_network(_graph(tmp_path / "e.onnx", loop, np.array(2**62)))
    with pytest.raises(InputError, match=r"e.onnx cannot score a picture .* more than 2 seconds"):
        network.run(PICTURE)


def test_onnx_without_measure_ends_in_a_sentence(tmp_path: Path) -> None:
    shape = onnx.helper.make_node("ConstantOfShape", ["n"], ["y"])
    with pytest.raises(InputError, match=r"h.onnx cannot"):
        open_network(_graph(tmp_path / "h.onnx", shape, np.array([2**40]))).run(PICTURE)


def test_weights_in_a_second_file_are_read(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Mul", ["x", "n"], ["y"])
    path = _graph(tmp_path / "m.onnx", node, np.arange(8 * 8, dtype=np.float32).reshape(8, 8))
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="m.onnx_data", size_threshold=0)
    assert (tmp_path / "m.onnx_data").stat().st_size == 256
    assert open_network(path).run(PICTURE).reshape(-1)[:64] == pytest.approx(np.arange(64))


@pytest.mark.slow
def test_torchscript_without_a_sandbox_needs_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder before the library of the sandbox hides it."""
    (tmp_path / "seccompy.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = _script(_Prints(), tmp_path / "p.pt")
    with pytest.raises(InputError, match="no sandbox for it; export it to ONNX, or add --trust-scorer"):
        open_network(path)
    assert open_network(path, trusted=True).run(PICTURE) == pytest.approx([1])
