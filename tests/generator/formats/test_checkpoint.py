"""Layouts of checkpoints that people have: every one gives the pictures of the same network, and nothing is run."""

import collections
import datetime
import functools
import pathlib
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.checkpoint import open_checkpoint
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.safe_pickle.inert_torch import InertObject
from stylegan_latents.generator.reading.budget import Budget
from tests.generator.stylegan2_files import check_parity, expected, nvidia_pickle, rosinality_checkpoint
from tests.generator.stylegan3_files import expected as expected3
from tests.generator.stylegan3_files import stylegan3_pickle

State = dict[str, Tensor]


def rosinality_state() -> tuple[State, Tensor]:
    with torch.serialization.safe_globals([__import__("argparse").Namespace]):
        contents = torch.load(rosinality_checkpoint(), weights_only=True)
    return dict(contents["g_ema"]), contents["latent_avg"]


def nvidia_state(path: Path) -> State:
    with open_checkpoint(path) as contents:
        assert isinstance(contents, dict)
        weights = NetworkWeights(contents["G_ema"], Budget(1 << 30))
        return {name: stored.read() for name, stored in weights.tensors.items()}


def prefixed(state: State, prefix: str) -> State:
    return {f"{prefix}{name}": value for name, value in state.items()}


def module(state: State) -> nn.Module:
    """A module of plain PyTorch with these tensors under their full names."""
    root = nn.Module()
    for name, value in state.items():
        *folders, leaf = name.split(".")
        at = root
        for folder in folders:
            if not hasattr(at, folder):
                at.add_module(folder, nn.Module())
            at = getattr(at, folder)
        at.register_buffer(leaf, value)
    return root


ROSINALITY: dict[str, Callable[[State, Tensor], object]] = {
    "generator. prefix": lambda state, mean: prefixed(state, "generator.") | {"latent_avg": mean},
    "g_ema. prefix beside g.": lambda state, mean: {
        **prefixed({name: value + 1 for name, value in state.items()}, "g."),
        **prefixed(state, "g_ema."),
        "latent_avg": mean,
    },
    "generator_ema.": lambda state, mean: {"state_dict": prefixed(state, "generator_ema."), "latent_avg": mean},
    "compiled": lambda state, mean: {"g_ema": prefixed(state, "_orig_mod."), "latent_avg": mean},
    "parallel": lambda state, mean: {"g_ema": prefixed(state, "module."), "latent_avg": mean},
    "compiled and parallel": lambda state, mean: {"g": prefixed(state, "_orig_mod.module."), "latent_avg": mean},
    "params_ema": lambda state, mean: {"params": {}, "params_ema": state, "latent_avg": mean},
    "ema": lambda state, mean: {"ema": state, "latent_avg": mean, "optimizer": {"state": {0: {"step": 1}}}},
    "netG": lambda state, mean: {"netG": state, "netD": {"conv.weight": mean}, "latent_avg": mean},
    "the network itself": lambda state, mean: {"g_ema": module(state), "latent_avg": mean},
    "list": lambda state, mean: [{"g": prefixed(state, "x.")}, {"g_ema": state, "latent_avg": mean}],
}


@pytest.mark.parametrize("zipped", [True, False], ids=["archive", "stream"])
@pytest.mark.parametrize("layout", ROSINALITY)
def test_layouts_of_rosinalitys_names(tmp_path: Path, layout: str, zipped: bool) -> None:
    torch.save(ROSINALITY[layout](*rosinality_state()), tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    check_parity(generator.load(tmp_path / "a.pt"), expected("rosinality"))


NVIDIA: dict[str, Callable[[State], object]] = {
    "state dict": lambda state: state,
    "G_ema": lambda state: {"G_ema": state, "D": {"b4.out.weight": torch.zeros(1)}},
    "decoder of an encoder": lambda state: {
        "state_dict": prefixed(state, "decoder.") | {"encoder.input_layer.0.weight": torch.zeros(2)},
        "opts": {"exp_dir": pathlib.PurePosixPath("/somewhere")},
    },
    "network": module,
    "tuple, the last": lambda state: (module({k: v + 1 for k, v in state.items()}), module(state)),
}


@pytest.mark.parametrize("layout", NVIDIA)
def test_layouts_of_nvidias_names(tmp_path: Path, layout: str) -> None:
    torch.save(NVIDIA[layout](nvidia_state(nvidia_pickle("resnet-grey"))), tmp_path / "a.pt")
    check_parity(generator.load(tmp_path / "a.pt"), expected("resnet-grey"))


@pytest.mark.parametrize("layout", ["state dict", "decoder of an encoder"])
def test_a_stylegan3_without_attributes_follows_the_papers_rules(tmp_path: Path, layout: str) -> None:
    source = generator.load(stylegan3_pickle("t-conditional"))
    torch.save(NVIDIA[layout](nvidia_state(stylegan3_pickle("t-conditional"))), tmp_path / "a.pt")
    G = generator.load(tmp_path / "a.pt")
    config, wanted = G.synthesis.config, source.synthesis.config
    assert (config.rates, config.sizes, config.channels) == (wanted.rates, wanted.sizes, wanted.channels)
    ws = expected3("t-conditional")["ws"]
    torch.testing.assert_close(G.map(expected3("t-conditional")["z"], expected3("t-conditional")["label"]), ws)


def test_safetensors_of_both_names(tmp_path: Path) -> None:
    state, mean = rosinality_state()
    save_file(
        {name: value.contiguous() for name, value in state.items()} | {"latent_avg": mean},
        tmp_path / "a.safetensors",
    )
    check_parity(generator.load(tmp_path / "a.safetensors"), expected("rosinality"))
    save_file(nvidia_state(nvidia_pickle("resnet-grey")), tmp_path / "b.safetensors")
    check_parity(generator.load(tmp_path / "b.safetensors"), expected("resnet-grey"))


class Settings(dict[str, object]):
    """A settings object of a package that is not installed where the file is read."""


BYSTANDERS: dict[str, object] = {
    "path": pathlib.PurePosixPath("/data/faces"),
    "windows path": pathlib.PureWindowsPath("C:/faces"),
    "defaultdict": collections.defaultdict(list, {"loss": [1.0]}),
    "counter": collections.Counter("abc"),
    "deque": collections.deque([1, 2]),
    "date": datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC),
    "python random": random.Random(0),
    "python random state": random.Random(0).getstate(),
    "numpy random": np.random.RandomState(0),
    "numpy generator": np.random.default_rng(0),
    "torch random": torch.get_rng_state(),
    "partial": functools.partial(nn.functional.leaky_relu, negative_slope=0.2),
    "version": torch.__version__,
    "dtype": [torch.float64, torch.complex64],
    "settings": Settings(size=3),
    "optimiser": torch.optim.Adam([torch.zeros(1, requires_grad=True)]),
    "criterion": nn.MSELoss(),
}


@pytest.mark.parametrize("zipped", [True, False], ids=["archive", "stream"])
@pytest.mark.parametrize("name", BYSTANDERS)
def test_bystanders_are_inert(tmp_path: Path, name: str, zipped: bool) -> None:
    state, mean = rosinality_state()
    contents = {"g_ema": state, "latent_avg": mean, "extra": [BYSTANDERS[name]]}
    torch.save(contents, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    assert generator.load(tmp_path / "a.pt").resolution == 16


def test_bystanders_of_old_protocols_are_inert(tmp_path: Path) -> None:
    for protocol in range(6):
        path = tmp_path / f"{protocol}.pkl"
        path.write_bytes(
            pickle.dumps({"a": list(BYSTANDERS.values())[:7], "s": Settings(size=3)}, protocol=protocol)
        )
        if protocol > 1:  # what a file of weights begins with
            with open_checkpoint(path) as contents:
                assert isinstance(contents, dict)
                assert isinstance(contents["s"], InertObject)
                assert contents["s"].state == {"size": 3}


@pytest.mark.parametrize("module_name", ["torch_utils", "ada.torch_utils", "third_party.stylegan2.torch_utils"])
def test_persistence_of_forks(tmp_path: Path, module_name: str) -> None:
    name = b"torch_utils.persistence"
    data = nvidia_pickle("resnet-grey").read_bytes()
    longer = f"{module_name}.persistence".encode()
    prefixes = [b"\x8c" + bytes([len(name)]) + name, b"c" + name]
    assert any(prefix in data for prefix in prefixes)
    data = data.replace(prefixes[0], b"\x8c" + bytes([len(longer)]) + longer).replace(prefixes[1], b"c" + longer)
    frame = data.find(b"\x95")
    if 0 <= frame < 4:  # without its length, which has changed
        data = data[:frame] + data[frame + 9 :]
    (tmp_path / "fork.pkl").write_bytes(data)
    check_parity(generator.load(tmp_path / "fork.pkl"), expected("resnet-grey"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda state: {**state, "attention.weight": torch.zeros(3)}, "attention.weight"),
        (lambda state: {k: v for k, v in state.items() if not k.startswith("convs.2.")}, "convs.3"),
        (
            lambda state: {**state, "style.1.weight": torch.cat([state["style.1.weight"]] * 2, dim=1)},
            "style.1.weight",
        ),
        (lambda state: {**state, "style.9.weight": torch.zeros(6, 6)}, "style.9.weight"),
        (lambda state: {**state, "convs.2.conv.blur.kernel": torch.ones(4, 4)}, "several filters"),
    ],
)
def test_tensors_that_are_left_over_or_do_not_fit_are_named(
    tmp_path: Path, change: Callable[[State], State], named: str
) -> None:
    torch.save({"g_ema": change(rosinality_state()[0])}, tmp_path / "a.pt")
    with pytest.raises(InputError, match=named):
        generator.load(tmp_path / "a.pt")


@pytest.mark.parametrize(
    "name", ["synthesis.b8.attention.weight", "mapping.fc9.weight", "synthesis.b32.conv1.bias"]
)
def test_nvidias_tensors_that_are_left_over_are_named(tmp_path: Path, name: str) -> None:
    torch.save({**nvidia_state(nvidia_pickle("resnet-grey")), name: torch.zeros(3)}, tmp_path / "a.pt")
    with pytest.raises(InputError, match=name):
        generator.load(tmp_path / "a.pt")


def test_a_network_that_declares_other_sizes_is_refused(tmp_path: Path) -> None:
    network: Any = module(nvidia_state(nvidia_pickle("resnet-grey")))
    network.img_resolution = 1024
    torch.save({"G_ema": network}, tmp_path / "a.pt")
    with pytest.raises(InputError, match="declares img_resolution 1024, its tensors make 8"):
        generator.load(tmp_path / "a.pt")


def test_a_discriminator_saved_by_torch(tmp_path: Path) -> None:
    with open_checkpoint(
        nvidia_pickle("skip-conditional").parents[1] / "discriminators" / "skip-grey.pkl"
    ) as contents:
        assert isinstance(contents, dict)
        weights = NetworkWeights(contents["D"], Budget(1 << 30))
        state = {name: stored.read() for name, stored in weights.tensors.items()}
    torch.save({"D": module(state)}, tmp_path / "d.pt")
    assert generator.load_discriminator(tmp_path / "d.pt").config.image_channels == 1


@pytest.mark.parametrize("width", [2, 8])
def test_networks_that_draw_no_squares(tmp_path: Path, width: int) -> None:
    def stretched(state: State) -> State:
        found = dict(state)
        for name, value in state.items():
            if "noise_const" in name or name.startswith("noises.") or name.endswith((".const", "input.input")):
                found[name] = value.repeat(*[1] * (value.ndim - 1), 2)[..., : value.shape[-1] * width // 4]
        return {name: value.contiguous() for name, value in found.items()}

    torch.save(stretched(nvidia_state(nvidia_pickle("resnet-grey"))), tmp_path / "nvidia.pt")
    torch.save({"g_ema": stretched(rosinality_state()[0])}, tmp_path / "rosinality.pt")
    for name in ("nvidia.pt", "rosinality.pt"):
        G = generator.load(tmp_path / name)
        assert G.width == G.resolution * width // 4
        ws = G.sample([0])
        images = G.synthesize(ws)
        assert images.shape[-2:] == (G.resolution, G.width)
        torch.testing.assert_close(images, G.synthesize(ws, reference=True), rtol=1e-4, atol=1e-5)
        half = G.synthesize(ws, size=G.resolution // 2)
        torch.testing.assert_close(half, nn.functional.avg_pool2d(images, 2), rtol=1e-4, atol=1e-5)
        generator.save(G, tmp_path / "ours.safetensors", overwrite=True)
        again = generator.load(tmp_path / "ours.safetensors")
        assert (again.fingerprint, again.width) == (G.fingerprint, G.width)
        with pytest.raises(InputError, match=f"Dragging needs .* draws {G.width}x{G.resolution}"):
            G.check_square("Dragging")
