"""Pickles of StyleNeRF: sizes and settings come from the file, and variants that are not read are named."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.formats.safe_pickle.checkpoint_names import CHECKPOINT
from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert
from stylegan_latents.generator.formats.stylenerf import stylenerf
from stylegan_latents.generator.networks.stylenerf import StyleNeRFConfig
from stylegan_latents.generator.reading.budget import Budget
from tests.generator.formats.mutated import check_mutated_files
from tests.generator.networks.stylenerf_files import PICKLES, stylenerf_pickle


def _network(name: str = PICKLES[0]) -> Any:
    contents: Any = load_inert(stylenerf_pickle(name), stand_ins=CHECKPOINT)
    return contents["G_ema"]


def _read(network: Any) -> StyleNeRFConfig:
    return stylenerf(NetworkWeights(network, Budget(1 << 20)))[0]


def _settings(network: Any) -> Any:
    return network.state["_init_kwargs"]["synthesis_kwargs"]


def _module(network: Any, *names: str) -> Any:
    for name in names:
        network = network.state["_modules"][name]
    return network.state


def test_sizes_come_from_the_file() -> None:
    faces = _read(_network())
    assert (faces.z_dim, faces.w_dim, faces.resolution, faces.channels) == (5, 6, 32, (8, 8))
    assert (faces.foreground.width, faces.foreground.depth, faces.foreground.frequencies) == (12, 3, 4)
    assert (faces.background.width, faces.background_dim, faces.features) == (8, 4, 6)
    assert (faces.marching.samples, faces.marching.background_samples, faces.marching.grid) == (6, 4, 0)
    assert (faces.distance, faces.fov, faces.upsampling, faces.clamp) == (1.0, 12.0, "neighbours", 256.0)
    cars = _read(_network("cars"))
    assert (cars.fov, cars.upsampling, cars.marching.near) == (16.0, "shuffle", 0.8)
    assert cars.marching.samples == 20, "of a network that never grew"
    older = _read(_network("older"))
    assert (older.fov, older.features, older.marching.grid, older.marching.samples) == (12.0, 5, 32, 6)


def test_a_loaded_model_has_a_camera() -> None:
    G = generator.load(stylenerf_pickle())
    assert (G.resolution, G.num_ws, G.image_channels, G.label_dim) == (32, 10, 3, 0)
    assert G.camera is not None
    assert G.synthesize(G.sample([0])).shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("", "kernel_size", 3),
        ("", "use_noise", True),
        ("", "margin", 16),
        ("", "architecture", "resnet"),
        ("", "rectangular", [384, 512]),
        ("camera_kwargs", "depth_transform", "LogWarp"),
        ("camera_kwargs", "dists_normalized", True),
        ("renderer_kwargs", "hierarchical", False),
        ("renderer_kwargs", "no_background", True),
        ("renderer_kwargs", "sigma_type", "shiftedsoftplus"),
        ("upsampler_kwargs", "no_2d_renderer", True),
        ("upsampler_kwargs", "shared_rgb_style", True),
        ("foreground_kwargs", "use_viewdirs", True),
        ("foreground_kwargs", "positional_encoding", "gauss"),
        ("foreground_kwargs", "use_sdf", "volsdf"),
        ("foreground_kwargs", "predict_rgb", False),
        ("background_kwargs", "inverse_sphere", False),
        ("background_kwargs", "use_skip", True),
    ],
)
def test_a_variant_that_is_not_read_is_named(group: str, name: str, value: object) -> None:
    network = _network()
    settings = _settings(network)
    (settings[group] if group else settings)[name] = value
    with pytest.raises(InputError, match=f"variant that is not read: '{name}'"):
        _read(network)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda given: given.update(upsample_mode="liif"), "up-samples by 'liif' instead"),
        (lambda given: given.update(upsample_mode=[]), "up-samples by"),
        (lambda given: given.update(input_kwargs={"output_mode": "tri_plane_reshape"}), "'tri_plane_reshape'"),
        (lambda given: given["camera_kwargs"].update(fov="wide"), "'fov' is no number"),
        (lambda given: given["camera_kwargs"].update(fov=float("nan")), "'fov' is no number"),
        (lambda given: given["camera_kwargs"].update(depth_range=[1.0]), "'depth_range' is no pair"),
        (lambda given: given["camera_kwargs"].update(depth_range=[1.2, 0.8]), "do not fit one another"),
        (lambda given: given["renderer_kwargs"].update(n_ray_samples=1.5), "'n_ray_samples' is no size"),
        (lambda given: given.update(resolution_vol=64), "does not draw more than 64 pixels"),
        (lambda given: given["foreground_kwargs"].pop("predict_rgb"), "'predict_rgb' .* is 'left out'"),
        (lambda given: given["foreground_kwargs"].update(n_freq_posenc=5), "does not fit"),
    ],
)
def test_other_settings_are_refused(change: Any, sentence: str) -> None:
    network = _network()
    change(_settings(network))
    with pytest.raises(InputError, match=sentence):
        _read(network)


@pytest.mark.parametrize(
    ("place", "name", "value", "sentence"),
    [
        ((), "_init_kwargs", {}, "without its settings"),
        ((), "img_resolution", 64, "declares img_resolution 64"),
        (("synthesis",), "num_ws", 11, "declares num_ws 11"),
        (("synthesis", "b16", "conv0"), "activation", "relu", "only 'lrelu'"),
        (("synthesis", "fg_nerf", "fc_in"), "activation", "relu", "only 'lrelu'"),
    ],
)
def test_other_networks_are_refused(place: tuple[str, ...], name: str, value: object, sentence: str) -> None:
    network = _network()
    _module(network, *place)[name] = value
    with pytest.raises(InputError, match=sentence):
        _read(network)


@pytest.mark.parametrize("grown", [0.0, 0.5])
def test_a_network_that_is_still_growing_is_refused(grown: float) -> None:
    network = _network()
    alpha = _module(network, "synthesis")["_buffers"]["alpha"]
    alpha.read = lambda: torch.tensor(grown)
    with pytest.raises(InputError, match="while it was growing"):
        _read(network)


@pytest.mark.parametrize("field", ["fg_nerf", "bg_nerf"])
def test_fields_of_another_kind_are_refused(field: str) -> None:
    network = _network()
    modules = network.state["_modules"]["synthesis"].state["_modules"]
    modules[field] = modules["bg_nerf" if field == "fg_nerf" else "fg_nerf"]
    with pytest.raises(InputError, match="variant that is not read: its"):
        _read(network)


def test_a_tensor_that_no_stylenerf_has_is_named() -> None:
    network = _network()
    parameters = _module(network, "synthesis", "b16", "conv0")["_parameters"]
    parameters["extra"] = parameters["bias"]
    with pytest.raises(InputError, match=r"synthesis\.b16\.conv0\.extra"):
        _read(network)


def test_a_state_dict_says_what_is_missing(tmp_path: Path) -> None:
    torch.save({"G_ema": {"synthesis.fg_nerf.fc_in.weight": torch.zeros(4, 4, 1, 1)}}, tmp_path / "state.pt")
    with pytest.raises(InputError, match="StyleNeRF without its settings"):
        generator.load(tmp_path / "state.pt")


@pytest.mark.slow
def test_mutated_files_never_do_more_than_fail(tmp_path: Path) -> None:
    check_mutated_files(stylenerf_pickle().read_bytes(), tmp_path / "mutated.pkl")
