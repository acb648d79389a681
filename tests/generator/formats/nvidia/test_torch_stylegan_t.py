"""StyleGAN-T's snapshots: the official code's numbers come out, here and after saving in our own format."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.nvidia.torch_stylegan_t import stylegan_t
from stylegan_latents.generator.formats.safe_pickle.checkpoint_names import CHECKPOINT
from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.reading.budget import Budget
from tests.generator.formats.mutated import check_mutated_files
from tests.generator.networks.stylegan_t_files import PICKLES, expected, stylegan_t_pickle
from tests.generator.stylegan2_files import check_parity


def _load(name: str) -> Generator:
    return generator.load(stylegan_t_pickle(name), texts=expected(name).get("texts"))


@pytest.mark.parametrize("reference", [False, True], ids=["fast", "reference"])
@pytest.mark.parametrize("name", PICKLES)
def test_parity_with_the_official_code(name: str, reference: bool) -> None:
    G, wanted = _load(name), expected(name)
    check_parity(G, wanted, reference=reference)
    moved = G.synthesize(wanted["ws_plus"].detach(), translate=(0.1, -0.25), rotate=30, reference=reference)
    assert float((moved - wanted["image_moved"]).abs().max()) <= 1e-4 * float(wanted["image_moved"].abs().max())


def test_sizes_come_from_the_file() -> None:
    G = _load("unconditional")
    assert (G.resolution, G.num_ws, G.w_dim, G.z_dim, G.label_dim, G.image_channels) == (32, 16, 6, 6, 0, 3)
    config = G.synthesis.config
    assert (config.pairs, config.groups, config.pictures, config.clamp) == (2, 4, True, 256.0)
    G = _load("texts")
    assert (G.num_ws, G.w_dim, G.label_dim, G.synthesis.config.clamp) == (7, 30, 3, 0.8)
    config = _load("one-picture-grey").synthesis.config
    assert (config.image_channels, config.pictures, config.has_noise, config.clamp) == (1, False, False, None)
    assert config.taps == pytest.approx((0.25, 0.5, 0.25))


@pytest.mark.parametrize("name", PICKLES)
def test_a_stylegan_t_survives_saving_with_its_texts(tmp_path: Path, name: str) -> None:
    G = _load(name)
    generator.save(G, tmp_path / "ours.safetensors")
    again = generator.load(tmp_path / "ours.safetensors")
    assert (again.fingerprint, again.latent_space) == (G.fingerprint, G.latent_space)
    check_parity(again, expected(name))


def test_a_state_dict_has_the_official_settings(tmp_path: Path) -> None:
    network: Any = _network("unconditional")
    weights = NetworkWeights(network, Budget(1 << 20))
    state = {name: stored.read() for name, stored in weights.tensors.items()}
    torch.save({"G_ema": {name: tensor for name, tensor in state.items() if "norm" not in name}}, tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"groups of equal size"):  # of 32 channels, which these do not have
        generator.load(tmp_path / "a.pt")


def _network(name: str) -> Any:
    contents: Any = load_inert(stylegan_t_pickle(name), stand_ins=CHECKPOINT)
    return contents["G_ema"]


def _module(network: Any, path: str) -> dict[str, Any]:
    for part in path.split(".") if path else []:
        network = network.state["_modules"][part]
    state: dict[str, Any] = network.state
    return state


@pytest.mark.parametrize(
    ("module", "name", "value", "sentence"),
    [
        ("synthesis.b8.input", "bandwidth", 3, "other frequencies"),
        ("synthesis.b8.input", "sampling_rate", 16, "other frequencies"),
        ("synthesis.b16.convs1.1", "activation", "relu", "only 'lrelu'"),
        ("mapping.mlp.fc1", "activation", "lrelu", "only 'linear'"),
        ("synthesis.b16.convs1.2", "conv_clamp", 3.0, "bounded otherwise"),
        ("synthesis.b16.convs1.1.norm", "num_groups", 2, "other groups"),
        ("synthesis.b8.convs1.1.norm", "num_groups", 3, "groups of equal size"),
        ("synthesis.b16.convs1.1.norm", "eps", 1e-3, "normalised otherwise"),
        ("synthesis", "num_ws", 15, "declares num_ws"),
        ("", "w_dim", 70, "declares w_dim"),
    ],
)
def test_other_settings_are_refused(module: str, name: str, value: object, sentence: str) -> None:
    network = _network("unconditional")
    _module(network, module)[name] = value
    with pytest.raises(InputError, match=sentence):
        stylegan_t(NetworkWeights(network, Budget(1 << 20)))


@pytest.mark.parametrize(
    ("module", "name", "sentence"),
    [
        ("mapping", "x_avg", "lacks 'mapping.x_avg'"),
        ("synthesis.b8.convs1.0", "weight", "lacks"),
        ("synthesis.b8.convs1.1", "gamma", "not residual"),
        ("synthesis.b32.torgb", "bias", "lacks"),
        ("mapping.mlp.fc0", "weight", "lacks|no mapping network|fit"),
    ],
)
def test_what_is_missing_is_said(module: str, name: str, sentence: str) -> None:
    network = _network("unconditional")
    state = _module(network, module)
    for kind in ("_parameters", "_buffers"):
        state[kind].pop(name, None)
    with pytest.raises(InputError, match=sentence):
        stylegan_t(NetworkWeights(network, Budget(1 << 20)))


def test_mutated_files_never_do_more_than_fail(tmp_path: Path) -> None:
    check_mutated_files(stylegan_t_pickle("one-picture-grey").read_bytes(), tmp_path / "mutated.pkl")


_SETATTR = b"cbuiltins\ngetattr\n(cdill\n_dill\nS'_setattr'\ncbuiltins\nsetattr\ntR"


def test_hooks_of_a_discriminator_are_read_as_nothing(tmp_path: Path) -> None:
    # As dill fills the closure of a hook: its _setattr of a cell, found with getattr.
    cell = b"cdill._dill\n_create_cell\n(NtR"
    method = b"cdill._dill\n_load_type\n(S'MethodType'\ntR(cnetworks.vit_utils\nforward_flex\nNtR"
    (tmp_path / "a.pkl").write_bytes(
        b"(S'hook'\n" + _SETATTR + b"(" + cell + b"S'cell_contents'\nS'4'\ntRS'flex'\n" + method + b"d."
    )
    contents: Any = load_inert(tmp_path / "a.pkl", stand_ins=CHECKPOINT)
    assert {name: type(value).__mro__[1].__name__ for name, value in contents.items()} == {
        "hook": "InertObject",
        "flex": "InertObject",
    }


@pytest.mark.parametrize(
    "call",
    [
        _SETATTR.replace(b"'_setattr'", b"'_import_module'"),
        _SETATTR.replace(b"cdill\n_dill", b"S'_dill'"),
        _SETATTR.replace(b"cdill\n_dill", b"cbuiltins\nlist"),
        b"cbuiltins\nsetattr\n(NS'a'\nNtR",
        b"cdill._dill\n_load_type\n(S'FunctionType'\ntR",
    ],
)
def test_no_other_attribute_is_got_or_set(tmp_path: Path, call: bytes) -> None:
    (tmp_path / "a.pkl").write_bytes(call + b".")
    with pytest.raises(InputError, match=r"^a\.pkl"):
        load_inert(tmp_path / "a.pkl", stand_ins=CHECKPOINT)
