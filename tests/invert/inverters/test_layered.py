"""Layered inversion draws what the model cannot, keeps it through edits that leave the place, and drops it else."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.loading import load
from stylegan_latents.invert.inverters.base import Progress
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.inverters.layered import LayeredInversion, PatchSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.tuning import TuningSettings
from stylegan_latents.invert.record.feature_patch import unpacked
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.tuned_weights import tuned_generator
from tests.generator.networks.eg3d_files import random_eg3d
from tests.generator.stylegan2_files import rosinality_checkpoint
from tests.generator.stylegan3_files import random_stylegan3
from tests.invert.small_search import exact, interrupt_at, own_images, small_search  # noqa: F401
from tests.odd_models import odd_generator

pytestmark = pytest.mark.usefixtures("small_search")


def _layered(G: Generator, steps: int = 30, tuning_steps: int = 1, **options: Any) -> LayeredInversion:
    pivot = OptimizationInverter(G, exact(3))
    patch = PatchSettings(**{"steps": steps, "precision": "float32", "learning_rate": 0.1} | options)
    return LayeredInversion(G, pivot, TuningSettings(steps=tuning_steps, precision="float32"), patch)


def _with_a_square(G: Generator, *seeds: int) -> Tensor:
    """The generator's own pictures, with a white square that it cannot draw."""
    images = own_images(G, *seeds)
    images[:, :, 8:32, 8:32] = 1
    return images


def _error(G: Generator, record: Inversion, images: Tensor, image: int = 0) -> float:
    drawn = tuned_generator(G, record, image).synthesize(record.ws[image : image + 1])
    return float((drawn - images[image : image + 1]).square().mean())


def test_a_patch_draws_what_the_model_cannot() -> None:
    G = odd_generator()
    images = _with_a_square(G, 3)
    losses: list[float] = []
    found = _layered(G, 40, pixel_weight=1.0).invert(
        images, start=G.sample([3]), on_step=lambda progress: losses.append(progress.loss)
    )
    weights, (patch,) = unpacked({name: part[0] for name, part in (found.weights or {}).items()})
    assert found.method == "layered"
    assert patch.share.max() > 0.5
    assert patch.share[-1].max() == 0
    assert losses[-1] < 0.92 * losses[4]
    without = dataclasses.replace(found, weights={name: part[None] for name, part in weights.items()})
    change = tuned_generator(G, found).synthesize(found.ws) - tuned_generator(G, without).synthesize(found.ws)
    assert change[..., 8:32, 8:32].square().mean() > 4 * change[..., 32:, :].square().mean()


def test_a_photo_that_the_code_explains_gets_no_patch() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    pivot = OptimizationInverter(G, exact(1)).invert(images)
    pivot = dataclasses.replace(pivot, ws=G.sample([3]))
    assert not _layered(G).unexplained(images, pivot, None).any()


def test_masked_places_are_not_patched() -> None:
    G = odd_generator()
    images = _with_a_square(G, 3)
    pivot = OptimizationInverter(G, exact(3)).invert(images)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 32:] = 1
    shares = _layered(G).unexplained(images, pivot, mask)
    assert shares[..., : shares.shape[-1] // 2].max() == 0
    assert shares.max() > 0


def test_images_are_patched_each_for_itself_and_a_file_gives_them_back(tmp_path: Path) -> None:
    G = odd_generator()
    images = _with_a_square(G, 3, 4)
    both = _layered(G, 5).invert(images)
    both.save(tmp_path / "both.inversion.safetensors")
    read = Inversion.load(tmp_path / "both.inversion.safetensors")
    for i, single in enumerate(read.split()):
        alone = _layered(G, 5).invert(images[i : i + 1])
        assert _error(G, single, images[i : i + 1]) == pytest.approx(_error(G, alone, images[i : i + 1]), rel=0.02)
        assert _error(G, read, images, i) == pytest.approx(_error(G, single, images[i : i + 1]))
    assert read.settings == _layered(G, 5).settings()


def test_steps_are_counted_through_all_parts_and_ctrl_c_keeps_what_there_is() -> None:
    G = odd_generator()
    images = _with_a_square(G, 3)
    seen: list[Progress] = []
    layered = _layered(G, 4, tuning_steps=2)
    layered.invert(images, on_step=seen.append)
    assert [one.step for one in seen] == list(range(1, 10))
    assert {one.steps for one in seen} == {9}
    assert sum(steps for steps, _ in layered.phases(1)) == 9
    for step in (2, 4, 7):
        stopped = layered.invert(images, on_step=interrupt_at(step), keep_partial=True)
        assert stopped.settings["stopped_at_step"] == step
        assert (stopped.weights is None) == (step == 2)
        _error(G, stopped, images)
    with pytest.raises(KeyboardInterrupt):
        layered.invert(images, on_step=interrupt_at(7))


def test_with_little_memory_it_finds_the_same() -> None:
    G = odd_generator()
    images = _with_a_square(G, 3)
    found = _layered(G, 4).invert(images)
    G.save_memory()
    again = _layered(G, 4).invert(images)
    assert _error(G, again, images) == pytest.approx(_error(G, found, images), rel=1e-3)


def test_options_reach_it_by_its_name() -> None:
    G = odd_generator()
    made = make_inverter(G, "layered", steps=7, pivot="optimize", weights="channels", precision="float32")
    assert isinstance(made, LayeredInversion)
    assert made.steps == 7
    assert made.settings()["form"] == "channels"
    assert made.settings()["patch_steps"] == 4


def test_a_model_without_a_flat_feature_map_is_refused() -> None:
    G = random_eg3d()
    with pytest.raises(InputError, match="three-dimensional"):
        LayeredInversion(G)


@pytest.mark.parametrize("make", [random_stylegan3, lambda: load(str(rosinality_checkpoint()))])
def test_other_architectures_are_patched_too(make: Callable[[], Generator]) -> None:
    G = make()
    source = torch.Generator().manual_seed(0)
    images = 2 * torch.rand(1, 3, G.resolution, G.resolution, generator=source) - 1
    losses: list[float] = []
    pivot = OptimizationInverter(G, exact(1))
    patch = PatchSettings(steps=8, precision="float32", learning_rate=0.1)
    layered = LayeredInversion(G, pivot, TuningSettings(steps=1, precision="float32"), patch)
    found = layered.invert(images, start=G.sample([3]), on_step=lambda progress: losses.append(progress.loss))
    assert losses[-1] < losses[2]
    assert _error(G, found, images) < 2


def test_a_tuned_pivot_is_refused() -> None:
    G = odd_generator()
    images = _with_a_square(G, 3)
    layered = _layered(G, 2)
    layered.pivot = _layered(G, 2)
    with pytest.raises(InputError, match="tunes weights"):
        layered.invert(images)
