"""StyleGAN3's pickles: the official code's numbers come out, here and after saving in our own format."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.nvidia.torch_stylegan3 import stylegan3
from stylegan_latents.generator.formats.safe_pickle.checkpoint_names import CHECKPOINT
from stylegan_latents.generator.formats.safe_pickle.inert_torch import InertObject
from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert
from stylegan_latents.generator.networks.alias_free import StyleGAN3Config
from stylegan_latents.generator.reading.budget import Budget
from tests.generator.formats.mutated import check_mutated_files
from tests.generator.stylegan2_files import check_parity
from tests.generator.stylegan3_files import PICKLES, expected, stylegan3_pickle


@pytest.mark.parametrize("reference", [False, True], ids=["fast", "reference"])
@pytest.mark.parametrize("name", PICKLES)
def test_parity_with_the_official_code(name: str, reference: bool) -> None:
    G, wanted = generator.load(stylegan3_pickle(name)), expected(name)
    check_parity(G, wanted, reference=reference)
    if "image_moved" not in wanted:
        return
    moved = G.synthesize(wanted["ws_plus"].detach(), translate=(0.1, -0.25), rotate=30, reference=reference)
    assert float((moved - wanted["image_moved"]).abs().max()) <= 2e-5 * float(wanted["image_moved"].abs().max())


def test_sizes_come_from_the_file() -> None:
    G = generator.load(stylegan3_pickle())
    config = G.synthesis.config
    assert (G.resolution, G.num_ws, G.w_dim, G.z_dim, G.label_dim, G.image_channels) == (32, 9, 8, 6, 3, 3)
    assert (config.radial, config.kernel, config.clamp, config.critical) == (False, 3, 0.8, 2)
    other = generator.load(stylegan3_pickle("r-four-channels")).synthesis.config
    assert (other.radial, other.kernel, other.sizes) == (True, 1, (24, 24, 24, 24, 16, 16))


@pytest.mark.parametrize("name", PICKLES)
def test_a_stylegan3_survives_saving(tmp_path: Path, name: str) -> None:
    G = generator.load(stylegan3_pickle(name))
    path = tmp_path / "ours.safetensors"
    generator.save(G, path)
    again = generator.load(path)
    assert (again.fingerprint, again.latent_space) == (G.fingerprint, G.latent_space)
    assert again.synthesis.config == G.synthesis.config
    check_parity(again, expected(name))


def test_a_stylegan_xl_has_stages_and_a_mean_for_each_class() -> None:
    G, wanted = generator.load(stylegan3_pickle("xl-two-stages")), expected("xl-two-stages")
    assert (G.resolution, G.label_dim, G.num_ws) == (32, 3, 8)
    assert G.class_w_avg is not None
    label = torch.eye(3)
    means = G.map(torch.randn(3, G.z_dim), label, truncation=0)
    torch.testing.assert_close(means[:, 0], G.class_w_avg)
    torch.testing.assert_close(G.w_avg, G.class_w_avg.mean(dim=0))
    with pytest.raises(ValueError, match="classes"):
        G.map(wanted["z"])


@pytest.mark.parametrize(
    ("name", "value"),
    [("mapping.embed.weight", (2, 4)), ("mapping.embed.weight", (5, 3)), ("mapping.w_avg", (3, 7))],
)
def test_classes_that_do_not_fit_are_refused(name: str, value: tuple[int, int]) -> None:
    weights = NetworkWeights(_network("xl-two-stages"), Budget(1 << 20))
    stored = weights.tensors[name]
    stored.shape, stored.size = value, 4 * value[0] * value[1]
    with pytest.raises(InputError, match="fit"):
        stylegan3(weights)


def _network(name: str = PICKLES[0]) -> Any:
    contents: Any = load_inert(stylegan3_pickle(name), stand_ins=CHECKPOINT)
    return contents["G_ema"]


def _read(network: InertObject) -> StyleGAN3Config:
    return stylegan3(NetworkWeights(network, Budget(1 << 20)))[0]


def _synthesis(network: Any) -> Any:
    return network.state["_modules"]["synthesis"].state


def _layer(network: Any, index: int) -> Any:
    synthesis = _synthesis(network)
    return synthesis["_modules"][synthesis["layer_names"][index]].state


def test_a_model_saved_moved_stays_so() -> None:
    network, wanted = _network(), expected("t-conditional")
    config, tensors = stylegan3(NetworkWeights(network, Budget(1 << 20)))
    tensors["synthesis.input.transform"] = torch.tensor([[1.0, 0, -0.3], [0, 1, 0.2], [0, 0, 1]])
    G = generator.formats.native.build(config, tensors, name="moved")
    still = generator.load(stylegan3_pickle()).synthesize(wanted["ws_plus"], translate=(0.3, -0.2))
    torch.testing.assert_close(G.synthesize(wanted["ws_plus"]), still, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("index", "name", "value", "sentence"),
    [
        (0, "out_cutoff", 3.0, "other frequencies"),
        (2, "out_cutoff", 6.5, "is not the filter of its sizes"),
        (2, "out_cutoff", float("nan"), "is no number"),
        (2, "out_cutoff", 1e9, "sizes do not fit"),
        (2, "out_half_width", 2.0, "is not the filter of its sizes"),
        (3, "out_sampling_rate", 48, "sizes do not fit|do not agree"),
        (3, "out_sampling_rate", 1.5, "is no size"),
        (3, "out_size", 7, "is no size"),
        (3, "out_size", (60, 60), "do not follow"),
        (3, "out_size", (60, 52), "not square"),
        (3, "in_size", (60, 60), "do not follow"),
        (4, "down_radial", True, "radial"),
        (4, "conv_clamp", 3.0, "do not agree"),
        (4, "up_taps", 24, "do not agree"),
        (4, "padding", [1, 2, 3, 4], "other margins"),
        (4, "is_torgb", True, "not where a picture is made"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(index: int, name: str, value: object, sentence: str) -> None:
    network = _network()
    _layer(network, index)[name] = value
    with pytest.raises(InputError, match=sentence):
        _read(network)


@pytest.mark.parametrize("names", [None, 5, [], ["L0_36_6"], ["nothing", "here"], [1, 2], ["L0_36_6"] * 70])
def test_layers_that_are_not_there_are_refused(names: object) -> None:
    network = _network()
    _synthesis(network)["layer_names"] = names
    with pytest.raises(InputError, match=r"which layers|lacks the layer|do not"):
        _read(network)


def test_mutated_files_never_do_more_than_fail(tmp_path: Path) -> None:
    check_mutated_files(stylegan3_pickle("xl-two-stages").read_bytes(), tmp_path / "mutated.pkl")
