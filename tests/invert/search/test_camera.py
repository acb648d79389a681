"""The camera of a photo is searched together with its code, kept in the record, and drawn from."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.camera import Camera
from stylegan_latents.invert.inverters.base import SearchSettings
from stylegan_latents.invert.inverters.noise import NoiseOptimization
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.pivotal import PivotalTuning
from stylegan_latents.invert.inverters.tuning import TuningSettings
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.metrics import draw
from stylegan_latents.invert.record.run_settings import camera_of, cameras_of
from tests.generator.networks.eg3d_files import SMALL, random_eg3d
from tests.invert.small_search import small_search
from tests.small_models import small_generator, small_record

__all__ = ["small_search"]
SEEN = Camera(12, -6, 3)


@pytest.fixture(name="G")
def _generator() -> Generator:
    """Enough rays and samples that views differ smoothly."""
    config = replace(SMALL, rendering=replace(SMALL.rendering, side=16, samples=12, fine_samples=12))
    return random_eg3d(config, seed=2)


def _search(G: Generator, **settings: object) -> OptimizationInverter:
    return OptimizationInverter(G, SearchSettings(identity_weight=0, precision="float32", **settings))  # type: ignore[arg-type]


def _angles(record: Inversion) -> Tensor:
    return torch.tensor(cameras_of(record.settings, len(record)))


@pytest.mark.slow
@pytest.mark.usefixtures("small_search")
def test_the_camera_of_a_picture_that_the_model_drew_is_found(G: Generator) -> None:
    ws = G.sample([1, 2])
    cameras = torch.tensor([SEEN.angles, (-22.0, 8.0, 0.0)])
    images = G.synthesize(ws, camera=G.synthesis.camera_matrices(cameras))
    record = _search(G, steps=60).invert(images, start=ws + 0.02)
    assert (_angles(record) - cameras).abs().max() < 2
    for one, wanted in zip(record.split(), images, strict=True):
        assert (draw(G, one)[0] - wanted).square().mean() < 0.01 * wanted.var()


@pytest.mark.usefixtures("small_search")
def test_a_rate_of_zero_keeps_the_models_camera(G: Generator) -> None:
    G.camera = Camera(yaw=7)
    record = _search(G, steps=2, camera_rate=0.0).invert(torch.zeros(1, 3, 32, 32))
    assert _angles(record).tolist() == [[7, 0, 0]]
    with pytest.raises(InputError, match="camera's rate"):
        SearchSettings(camera_rate=-1)


@pytest.mark.slow
@pytest.mark.usefixtures("small_search")
@pytest.mark.parametrize("method", ["pivotal", "noise"])
def test_what_refines_a_code_sees_it_from_its_camera(G: Generator, method: str) -> None:
    ws = G.sample([1])
    image = G.synthesize(ws, camera=SEEN)
    search = _search(G, steps=30)
    if method == "pivotal":
        refined = PivotalTuning(G, search, TuningSettings(steps=3, precision="float32")).invert(image, start=ws)
    else:
        refined = NoiseOptimization(G, search).invert(image, start=ws)
    assert (_angles(refined) - torch.tensor(SEEN.angles)).abs().max() < 2
    drawn, front = draw(G, refined), G.synthesize(ws)
    assert (drawn - image).square().mean() < (front - image).square().mean()


def test_photos_with_cameras_are_not_tuned_together(G: Generator) -> None:
    record = small_record(G, 2, settings={"camera": [[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]}, metrics={})
    tuning = PivotalTuning(G, None, TuningSettings(steps=1, together=True))
    with pytest.raises(InputError, match="one by one"):
        tuning.tune(torch.zeros(2, 3, 32, 32), record)


def test_a_record_is_opened_in_its_camera_unless_another_is_given(G: Generator, tmp_path: Path) -> None:
    record = small_record(G, settings={"camera": list(SEEN.angles)}, metrics={})
    record.save(tmp_path / "me.inversion.safetensors")
    for asked, wanted in ((None, SEEN), (Camera(-10), Camera(-10))):
        opened = OpenRecord(tmp_path / "me.inversion.safetensors", generator=G)
        opened.look(asked, ())
        assert opened.picture().tobytes() == to_picture(G.synthesize(record.ws, camera=wanted))[0].tobytes()
    assert G.camera == Camera(), "the shared generator keeps its own"


def test_each_record_of_several_has_its_own_camera(G: Generator) -> None:
    record = small_record(G, 2, settings={"camera": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}, metrics={})
    assert [one.settings["camera"] for one in record.split()] == [[1, 2, 3], [4, 5, 6]]


def test_cameras_that_cannot_be_are_left_or_said(G: Generator) -> None:
    for value in ("x", 3, [1], [1, 2, "3"], [[1, 2, 3]], None, [float("nan"), 0, 0]):
        assert camera_of({"camera": value}, 0, 1) is None  # type: ignore[dict-item]
    flat = small_generator()
    assert draw(flat, small_record(flat, settings={"camera": [9, 0, 0]})).shape == (1, 3, 32, 32)
    with pytest.raises(InputError, match="no camera that can be"):
        draw(G, small_record(G, settings={"camera": [999, 0, 0]}, metrics={}))
