"""NVIDIA's PyTorch pickles: the official code's numbers come out, and the text inside is never run."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.checkpoint import read_checkpoint
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.safe_pickle.inert_torch import InertObject
from stylegan_latents.generator.reading.budget import Budget
from tests.generator.formats.mutated import check_mutated_files
from tests.generator.stylegan2_files import NVIDIA, check_parity, expected, nvidia_pickle


class _Call:
    """Pickles as a call of any function by its name."""

    def __init__(self, module: str, name: str, *arguments: object) -> None:
        self.function = type("_Named", (), {"__module__": module, "__qualname__": name})
        self.arguments = arguments


class _Pickler(pickle._Pickler):  # type: ignore[name-defined]  # the Python one: names need not exist here
    def save(self, thing: Any, save_persistent_id: bool = True) -> None:
        if isinstance(thing, _Call):
            self.write(b"c" + f"{thing.function.__module__}\n{thing.function.__qualname__}\n".encode())
            self.save(thing.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(thing, save_persistent_id)


def _module(name: str, state: dict[str, object]) -> _Call:
    meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": name, "state": state}
    return _Call("torch_utils.persistence", "_reconstruct_persistent_obj", meta)


def _write(path: Path, contents: object) -> Path:
    with path.open("wb") as file:
        _Pickler(file, protocol=4).dump(contents)
    return path


@pytest.mark.parametrize("reference", [False, True], ids=["fast", "reference"])
@pytest.mark.parametrize("name", NVIDIA)
def test_parity_with_the_official_code(name: str, reference: bool) -> None:
    check_parity(generator.load(nvidia_pickle(name)), expected(name), reference=reference)


def test_sizes_come_from_the_file() -> None:
    config, tensors = read_checkpoint(nvidia_pickle())
    assert (config.z_dim, config.w_dim, config.label_dim, config.mapping_widths) == (6, 8, 3, (8, 8))
    assert (config.channels, config.architecture, config.clamp) == ((9, 9, 8), "skip", 0.8)
    assert all(tensor.dtype == torch.float32 for tensor in tensors.values())
    G = generator.load(nvidia_pickle())
    assert (G.resolution, G.num_ws, G.image_channels, G.label_dim) == (16, 6, 3, 3)
    assert [layer.ws_index for layer in G.layers] == [0, 1, 1, 2, 3, 3, 4, 5]


def test_a_discriminator_only_is_named(tmp_path: Path) -> None:
    critic = _module("Discriminator", {"_modules": {}, "_parameters": {}, "_buffers": {}})
    with pytest.raises(InputError, match="discriminator only"):
        generator.load(_write(tmp_path / "d.pkl", {"D": critic}))


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ({"weights": [1.0]}, "a checkpoint with the entries weights;"),
        ([1, 2], "holds a list;"),
        ({"G_ema": _module("UNet", {"_modules": {}})}, "holds the network 'UNet'; give a file with a generator"),
    ],
)
def test_other_pickles_are_named(tmp_path: Path, contents: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        generator.load(_write(tmp_path / "other.pkl", contents))


ATTACKS: dict[str, object] = {
    "system": _Call("os", "system", "touch PWNED"),
    "posix": _Call("posix", "system", "touch PWNED"),
    "eval": _Call("builtins", "eval", "open('PWNED', 'w')"),
    "exec": _Call("builtins", "exec", "open('PWNED', 'w')"),
    "getattr": _Call("builtins", "getattr", "".join, "__class__"),
    "import": _Call("importlib", "import_module", "os"),
    "torch load": _Call("torch.serialization", "load", "x"),
    "numpy load": _Call("numpy", "load", "x"),
    "partial": _Call("functools", "partial", len),
    "nested in the state": _module("Generator", {"_modules": {"a": _Call("os", "system", "touch PWNED")}}),
    "source text": _module("Generator", {"z_dim": 4}),
    "storage bytes": _Call(
        "torch.storage", "_load_from_bytes", pickle.dumps(len) + b"cos\nsystem\n(S'touch PWNED'\ntR."
    ),
    "hidden behind a storage": _Call(
        "torch.storage",
        "_load_from_bytes",
        b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.cos\nsystem\n(S'touch PWNED'\ntR.",
    ),
    "module without end": _module(
        "G", {"_modules": {str(i): i for i in range(3)}, "_parameters": _Call("os", "system", "touch PWNED")}
    ),
    "code in dill": _Call("dill._dill", "_create_function", _Call("dill._dill", "_create_code", b"abc"), {}),
    "import in dill": _Call("dill._dill", "_import_module", "os"),
    "attribute in dill": _Call("dill._dill", "_get_attr", "os", "system"),
    "type in dill": _Call("dill._dill", "_load_type", "os"),
    "array in dill": _Call("dill._dill", "_create_array", _Call("os", "system", "touch PWNED"), ("x",), (), None),
    "bad array in dill": _Call("dill._dill", "_create_array", 3, (), ()),
    "method of an ignored package": _Call("timm.models", "os.system", "touch PWNED"),
    "bad meta": _Call("torch_utils.persistence", "_reconstruct_persistent_obj", 7),
    "bad tensor": _Call("torch._utils", "_rebuild_tensor_v2", 1, 2, 3, 4, 5, 6),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = _write(tmp_path / "attack.pkl", {"G_ema": ATTACKS[name]})
    with pytest.raises(InputError) as caught:
        generator.load(path)
    assert str(caught.value).startswith("attack.pkl")
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == [path]


def test_modules_that_contain_themselves_end() -> None:
    module: Any = object.__new__(InertObject)
    module.class_name, module.state = "G", {}
    module.state["_modules"] = {"a": module, "b": module}
    with pytest.raises(InputError, match="without end"):
        NetworkWeights(module, Budget(0))


@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.999])
def test_truncated_files_are_refused(tmp_path: Path, part: float) -> None:
    whole = nvidia_pickle().read_bytes()
    path = tmp_path / "cut.pkl"
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(InputError, match=r"cut\.pkl"):
        generator.load(path)


def test_mutated_files_never_do_more_than_fail(tmp_path: Path) -> None:
    check_mutated_files(nvidia_pickle("orig-four-channels").read_bytes(), tmp_path / "mutated.pkl")
