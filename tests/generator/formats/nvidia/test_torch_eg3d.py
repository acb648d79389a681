"""NVIDIA's pickles of EG3D: sizes come from the file, and what is not read is said."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.nvidia.torch_eg3d import eg3d
from stylegan_latents.generator.formats.safe_pickle.checkpoint_names import CHECKPOINT
from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert
from stylegan_latents.generator.networks.eg3d import EG3DConfig
from stylegan_latents.generator.reading.budget import Budget
from tests.generator.formats.mutated import check_mutated_files
from tests.generator.networks.eg3d_files import PICKLES, eg3d_pickle


def _network(name: str = PICKLES[0]) -> Any:
    contents: Any = load_inert(eg3d_pickle(name), stand_ins=CHECKPOINT)
    return contents["G_ema"]


def _read(network: Any) -> EG3DConfig:
    return eg3d(NetworkWeights(network, Budget(1 << 20)))[0]


def _module(network: Any, *names: str) -> Any:
    for name in names:
        network = network.state["_modules"][name]
    return network.state


def test_sizes_come_from_the_file() -> None:
    config = _read(_network())
    assert (config.z_dim, config.w_dim, config.label_dim, config.backbone.label_dim) == (4, 6, 0, 25)
    assert (config.hidden, config.colours, config.rendering.side) == (64, 32, 8)
    assert (config.super_resolution.sides, config.super_resolution.clamp) == ([16, 32], 256.0)
    assert (config.distance, config.pivot, config.label_scale) == (2.7, (0.0, 0.0, 0.2), 1.0)
    assert config.rendering.axes == ((0, 1), (0, 2), (2, 0)), "as published, the third repeats the second"
    cars, cats = _read(_network("cars")), _read(_network("cats"))
    assert (cars.label_scale, cars.rendering.white, cars.super_resolution.doubles) == (0.0, True, (False, True))
    assert cars.fov == pytest.approx(52, abs=0.1)
    assert (cats.label_scale, cats.super_resolution.has_noise) == (0.5, True)
    assert cats.rendering.axes == ((0, 1), (0, 2), (2, 1)), "as the file has them"


def test_a_loaded_model_has_no_classes_and_a_camera() -> None:
    G = generator.load(eg3d_pickle())
    assert (G.resolution, G.num_ws, G.image_channels, G.label_dim) == (32, 6, 3, 0)
    assert G.camera is not None
    assert {layer.ws_index for layer in G.layers[-6:]} == {5}
    assert G.synthesize(G.sample([0])).shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ray_start", "auto", "'ray_start' is 'auto'"),
        ("ray_end", None, "lack 'ray_end'"),
        ("box_warp", "wide", "no number"),
        ("box_warp", float("nan"), "no number"),
        ("clamp_mode", "relu", "other densities"),
        ("disparity_space_sampling", True, "other densities or depths"),
        ("avg_camera_pivot", [0, 0], "looks at no point"),
        ("avg_camera_pivot", [0, 0, []], "no number"),
        ("c_gen_conditioning_zero", 3, "no conditioning"),
    ],
)
def test_other_settings_of_rendering_are_refused(name: str, value: object, sentence: str) -> None:
    network = _network()
    network.state["rendering_kwargs"][name] = value
    with pytest.raises(InputError, match=sentence):
        _read(network)


@pytest.mark.parametrize(
    ("place", "name", "value", "sentence"),
    [
        ((), "neural_rendering_resolution", 0, "no size"),
        ((), "rendering_kwargs", None, "without its settings of rendering"),
        ((), "img_resolution", 64, "declares img_resolution 64"),
        (("superresolution",), "input_resolution", 5, "goes from 5 to"),
        (("superresolution", "block1"), "resolution", 31, "goes from 8 to"),
        (("superresolution", "block1", "conv0"), "conv_clamp", 3, "clamps only some"),
        (("superresolution", "block0", "conv1"), "activation", "relu", "only 'lrelu'"),
        (("decoder", "net", "0"), "weight_gain", "x", "no number"),
    ],
)
def test_other_networks_are_refused(place: tuple[str, ...], name: str, value: object, sentence: str) -> None:
    network = _network()
    _module(network, *place)[name] = value
    with pytest.raises(InputError, match=sentence):
        _read(network)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda frames: frames[0], "other than three planes"),
        (lambda frames: 0.5 * frames, "along the axes"),
        (lambda frames: frames * 0, "along the axes"),
    ],
)
def test_other_planes_are_refused(change: Any, sentence: str) -> None:
    network = _network()
    stored = _module(network, "renderer")["plane_axes"]
    changed = change(stored.read())
    stored.shape, stored.read = tuple(changed.shape), lambda: changed
    with pytest.raises(InputError, match=sentence):
        _read(network)


def test_a_tensor_that_no_eg3d_has_is_named() -> None:
    network = _network()
    parameters = _module(network, "superresolution", "block0", "conv0")["_parameters"]
    parameters["extra"] = parameters["bias"]
    with pytest.raises(InputError, match=r"superresolution\.block0\.conv0\.extra"):
        _read(network)


def test_a_state_dict_says_what_is_missing(tmp_path: Path) -> None:
    torch.save({"G_ema": {"backbone.synthesis.b4.const": torch.zeros(4, 4, 4)}}, tmp_path / "state.pt")
    with pytest.raises(InputError, match="EG3D without its settings of rendering"):
        generator.load(tmp_path / "state.pt")


@pytest.mark.slow
def test_mutated_files_never_do_more_than_fail(tmp_path: Path) -> None:
    check_mutated_files(eg3d_pickle().read_bytes(), tmp_path / "mutated.pkl")
