"""StyleNeRF in commands: its camera, its parts, its shape and the search for its camera."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents import generator
from stylegan_latents.editing.commands.cli import main
from stylegan_latents.generator.networks.camera import Camera
from stylegan_latents.generator.networks.stylenerf_layers import FieldSizes
from stylegan_latents.generator.shape import find_shape
from stylegan_latents.invert.inverters.base import SearchSettings
from stylegan_latents.invert.inverters.noise import NoiseOptimization
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.metrics import draw
from stylegan_latents.invert.record.run_settings import cameras_of
from tests.generator.networks.stylenerf_files import SMALL, random_stylenerf, stylenerf_pickle
from tests.invert.small_search import small_search

__all__ = ["small_search"]
MODEL = ("--model", str(stylenerf_pickle()), "--device", "cpu")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _apart(file: Path, seed: int, camera: Camera, truncation: float = 0.7) -> float:
    G = generator.load(stylenerf_pickle())
    wanted = to_picture(G.synthesize(G.sample([seed], truncation=truncation), camera=camera))[0]
    return float(np.abs(np.asarray(Image.open(file)).astype(float) - np.asarray(wanted).astype(float)).max())


def test_samples_and_their_records_are_drawn_from_the_camera() -> None:
    assert main(["sample", "--seeds", "3", "--records", "--yaw", "20", "--fov", "10", "--out", ".", *MODEL]) == 0
    assert _apart(Path("seed0003.yaw+20.fov+10.png"), 3, Camera(20, fov=10)) <= 1
    record = "seed0003.yaw+20.fov+10.inversion.safetensors"
    kept = Inversion.load(record)
    assert kept.settings["camera"] == [20.0, 0.0, 0.0, 10.0]
    G = generator.load(stylenerf_pickle())
    torch.testing.assert_close(draw(G, kept), G.synthesize(kept.ws, camera=Camera(20, fov=10)))
    assert main([record, "--pitch", "-8", "--roll", "4", "--out", "view.png", *MODEL]) == 0
    assert _apart(Path("view.png"), 3, Camera(0, -8, 4)) <= 1
    assert _apart(Path("view.png"), 3, Camera()) > 5


def test_a_seed_is_drawn_from_the_camera() -> None:
    assert main(["seed:3", "--yaw", "20", *MODEL]) == 0
    assert _apart(Path("seed3.yaw+20.view.png"), 3, Camera(20)) <= 1


def test_a_film_swings_the_camera() -> None:
    words = ["interpolate", "seed:0", "--truncation", "1", "--frames", "4", "--out", "orbit", "--orbit"]
    assert main([*words, *MODEL]) == 0
    frames = sorted(Path("orbit").glob("*.png"))
    assert len(frames) == 4
    assert _apart(frames[1], 0, Camera(25), 1.0) <= 12  # frames may be drawn in half precision


def test_geometry_and_appearance_are_mixed_apart(capsys: pytest.CaptureFixture[str]) -> None:
    G = generator.load(stylenerf_pickle())
    first, second = G.sample([1, 2], truncation=0.7).split(1)
    words = ["mix", "seed:1", "seed:2", "--record", *MODEL, "--only"]
    assert main([*words, "geometry"]) == 0
    mixed = Inversion.load("seed1.mix.seed2-all-geometry.inversion.safetensors")
    torch.testing.assert_close(mixed.ws, torch.cat([second[:, :4], first[:, 4:]], dim=1))
    assert main([*words, "appearance", "--layers", "3-5", "--out", "mixed.png"]) == 0
    mixed = Inversion.load("mixed.inversion.safetensors")
    torch.testing.assert_close(mixed.ws, torch.cat([first[:, :4], second[:, 4:6], first[:, 6:]], dim=1))
    assert main([*words, "appearance", "--layers", "coarse", "--out", "none.png"]) == 2
    assert "have no appearance, which 'ffhq' has in its layers 4 to 9." in capsys.readouterr().err
    assert main([*words, "text", "--out", "none.png"]) == 2
    assert "'ffhq' has no texts" in capsys.readouterr().err


def test_geometry_is_mixed_in_a_region() -> None:
    Image.new("L", (64, 64), 255).save("everywhere.png")
    words = ["mix", "seed:1", "seed:2", "--only", "geometry", *MODEL]
    assert main([*words, "--out", "whole.png"]) == 0
    assert main([*words, "--region", "everywhere.png", "--out", "region.png"]) == 0
    whole, region = (np.asarray(Image.open(name)).astype(float) for name in ("whole.png", "region.png"))
    assert np.abs(whole - region).max() <= 1


def test_a_head_has_a_shape() -> None:
    G = random_stylenerf()
    with torch.no_grad():
        G.synthesis.foreground.density.bias += 60
    mesh = find_shape(G, G.sample([0]), side=16)
    assert abs(mesh.vertices).max() < 0.12
    assert len(mesh.faces) > 100


@pytest.mark.slow
@pytest.mark.usefixtures("small_search")
def test_the_camera_of_a_picture_that_the_model_drew_is_found() -> None:
    """Random fields are smooth: with more rays and denser ones, views differ enough."""
    config = replace(
        SMALL, foreground=FieldSizes(16, 2, 4), channels=(8,), features=8,
        marching=replace(SMALL.marching, side=16, samples=10),
    )  # fmt: skip
    G = random_stylenerf(config, seed=2)
    with torch.no_grad():
        G.synthesis.foreground.density.weight *= 40
        G.synthesis.foreground.density.bias += 10
    ws, cameras = G.sample([1, 2]), torch.tensor([(12.0, -6.0, 3.0), (-22.0, 8.0, 0.0)])
    images = G.synthesize(ws, camera=G.synthesis.camera_matrices(cameras))
    settings = SearchSettings(identity_weight=0, precision="float32", steps=60, learning_rate=0.05)
    record = OptimizationInverter(G, settings).invert(images, start=ws + 0.02)
    assert (torch.tensor(cameras_of(record.settings, 2)) - cameras).abs().max() < 2
    for one, wanted in zip(record.split(), images, strict=True):
        assert (draw(G, one)[0] - wanted).square().mean() < 0.01 * wanted.var()


@pytest.mark.slow
@pytest.mark.usefixtures("small_search")
def test_noise_optimisation_finds_the_background() -> None:
    G = random_stylenerf(replace(SMALL, background_dim=32))
    with torch.no_grad():
        G.synthesis.foreground.density.bias -= 30  # so that the background is seen
        G.synthesis.background.hidden[0].weight *= 2
    ws = G.sample([1])
    image = G.synthesize(ws, "random", seed=4, camera=Camera(5))
    search = OptimizationInverter(
        G, SearchSettings(identity_weight=0, precision="float32", steps=2, learning_rate=0.2)
    )
    refined = NoiseOptimization(G, search).invert(image, start=ws)
    assert refined.noise is not None
    assert [map.shape for map in refined.noise] == [(1, 1, 1, 32)]
    without = replace(refined, noise=None)
    assert (draw(G, refined) - image).square().mean() < (draw(G, without) - image).square().mean()
