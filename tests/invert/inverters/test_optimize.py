"""The search finds its own samples, the same each time, and each image for itself."""

import copy
import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.precision import resolve_precision
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.inverters.base import Progress, SearchSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.metrics import measure
from stylegan_latents.invert.search.loss import area_resize
from stylegan_latents.invert.search.steps import schedule
from tests.invert.small_search import breaking, interrupt_at, invert, own_images, small_search  # noqa: F401
from tests.odd_models import odd_config, odd_generator, tiny_lpips

DATA = Path(__file__).parents[2] / "data"


small = pytest.mark.usefixtures("small_search")


# What it finds


@small
@pytest.mark.parametrize("space", ["w", "w+"])
def test_finds_a_sample_of_its_own(space: str) -> None:
    G = odd_generator()
    target = own_images(G, 3)
    losses: list[float] = []
    found = invert(G, target, space, 80, on_step=lambda progress: losses.append(progress.loss))
    assert found.ws.shape == (1, G.num_ws, G.w_dim)
    assert len(losses) == 80
    assert min(losses) < 0.1 * losses[0]
    lpips = tiny_lpips()
    mean = WStatistics.of(G).mean.expand(1, G.num_ws, -1)
    before, after = (measure(G, ws, target, lpips=lpips) for ws in (mean, found.ws))
    assert after["lpips_alex"][0] < 0.2 * before["lpips_alex"][0]
    assert after["mse"][0] < 0.2 * before["mse"][0]


@small
def test_rows_that_draw_finer_than_the_comparison_keep_the_code_of_w() -> None:
    G = odd_generator()
    size = G.resolution // 8
    ws = invert(G, own_images(G, 3), search_size=size).ws[0]
    held = [row for row in range(G.num_ws) if min(_resolutions(G, row)) > 2 * size]
    free = [row for row in range(G.num_ws) if row not in held]
    assert len(held) > 1
    assert torch.allclose(ws[held], ws[held[:1]].expand_as(ws[held]), atol=1e-5)
    assert all(not torch.allclose(ws[row], ws[held[0]], atol=1e-3) for row in free)


@small
def test_what_a_small_image_does_not_show_stays_natural() -> None:
    """The codes stay nearer to where they began, and are drawn to W's mean."""
    G = odd_generator()
    start, statistics = G.sample([1]), WStatistics.of(G)
    for_images = {side: area_resize(own_images(G, 3), side) for side in (20, 64)}
    inverter = OptimizationInverter(G, SearchSettings(steps=30, learning_rate=0.2, precision="float32"))
    found = {side: inverter.invert(images, start=start).ws for side, images in for_images.items()}
    moved = {side: float((ws - start).square().mean()) for side, ws in found.items()}
    assert moved[20] < 0.5 * moved[64]
    assert float(statistics.distance(found[20])) < float(statistics.distance(found[64]))


@small
def test_without_detail_and_centre_what_draws_finer_than_the_search_size_keeps_the_code_of_w() -> None:
    G = odd_generator()
    size = G.resolution // 4
    ws = invert(G, own_images(G, 3), search_size=size, detail_weight=0.0, centre_weight=0.0).ws[0]
    held = [row for row in range(G.num_ws) if min(_resolutions(G, row)) > size]
    assert len(held) > 1
    assert torch.allclose(ws[held], ws[held[:1]].expand_as(ws[held]), atol=1e-5)


@pytest.mark.slow
@small
def test_detail_finer_than_the_search_size_comes_nearer_when_it_has_a_weight() -> None:
    G = odd_generator()
    target = own_images(G, 3)
    size = G.resolution // 4

    def error_of_detail(weight: float) -> float:
        ws = invert(G, target, search_size=size, detail_weight=weight, centre_weight=0.0, steps=60).ws
        errors = [
            (area_resize(G.synthesize(ws), side) - area_resize(target, side)).square().mean()
            for side in (2 * size, size)
        ]
        return float(errors[0] - errors[1])

    assert error_of_detail(30.0) < error_of_detail(0.0)


def _resolutions(G: Generator, row: int) -> list[int]:
    return [layer.resolution for layer in G.layers if layer.ws_index == row]


@small
def test_w_has_equal_rows_and_w_plus_has_not() -> None:
    G = odd_generator()
    w, w_plus = (invert(G, own_images(G, 3), space).ws for space in ("w", "w+"))
    assert torch.equal(w, w[:, :1].expand_as(w))
    assert not torch.allclose(w_plus, w_plus[:, :1].expand_as(w_plus))


@small
def test_each_image_of_a_search_that_ends_in_w_has_equal_rows() -> None:
    """Rows equal to the last bit are how a record knows that a code is of W."""
    G = odd_generator()
    found = invert(G, own_images(G, 3, 4, 5), "w+", 12, w_fraction=0.5, on_step=interrupt_at(5), keep_partial=True)
    assert found.settings["w_steps"] == 6
    assert torch.equal(found.ws, found.ws[:, :1].expand_as(found.ws))


@pytest.mark.slow
@small
def test_a_code_that_is_w_plus_is_found_better_in_w_plus() -> None:
    G = odd_generator()
    ws = torch.cat([G.sample([1])[:, :4], G.sample([2])[:, 4:]], dim=1)
    target = G.synthesize(ws)
    mse = [
        measure(G, invert(G, target, space, 80).ws, target, lpips=tiny_lpips())["mse"][0] for space in ("w", "w+")
    ]
    assert mse[1] < 0.5 * mse[0]


@small
@pytest.mark.parametrize("changes", [{"image_channels": 1}, {"image_channels": 4}, {"channels": (4, 5)}])
def test_generators_of_any_colour_and_size(changes: dict[str, Any]) -> None:
    G = odd_generator(odd_config(**changes))
    target = torch.zeros(1, 3, G.resolution, G.resolution)
    losses: list[float] = []
    found = invert(G, target, steps=20, on_step=lambda progress: losses.append(progress.loss))
    assert found.ws.shape == (1, G.num_ws, G.w_dim)
    assert min(losses) < losses[0]


@small
@pytest.mark.parametrize("side", [1, 32, 64, 100, 200])
def test_a_target_of_another_size(side: int) -> None:
    G = odd_generator()
    target = area_resize(own_images(G, 3), side)
    losses: list[float] = []
    invert(G, target, "w", 20, on_step=lambda progress: losses.append(progress.loss))
    assert min(losses) < 0.8 * losses[0]


@small
@pytest.mark.parametrize("search_size", [16, 32, 64, 256])
def test_the_search_looks_at_its_size(search_size: int) -> None:
    G = odd_generator()
    seen: list[Progress] = []
    found = invert(G, own_images(G, 3), steps=2, search_size=search_size, on_step=seen.append)
    side = min(search_size, G.resolution)
    assert [tuple(progress.images.shape) for progress in seen] == [(1, 3, side, side)] * 2
    assert found.settings["search_size"] == side


@pytest.mark.slow
@small
def test_the_prior_draws_codes_to_the_mean() -> None:
    G = odd_generator()
    statistics = WStatistics.of(G)
    distances = [
        float(statistics.distance(invert(G, own_images(G, 3), steps=60, prior_weight=weight).ws))
        for weight in (0, 0.1, 10)
    ]
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] < 0.2


@pytest.mark.slow
@small
def test_bfloat16_finds_much_the_same() -> None:
    G = odd_generator()
    target = own_images(G, 3)
    found = invert(G, target, "w", 60, precision="bfloat16")
    assert found.settings["precision"] == "bfloat16"
    assert found.ws.dtype == torch.float32
    exact = invert(G, target, "w", 60)
    mse = [measure(G, ws, target, lpips=tiny_lpips())["mse"][0] for ws in (found.ws, exact.ws)]
    mean = WStatistics.of(G).mean.expand(1, G.num_ws, -1)
    assert max(mse) < 0.2 * measure(G, mean, target, lpips=tiny_lpips())["mse"][0]


# The same each time, each for itself


@small
@pytest.mark.parametrize("space", ["w", "w+"])
def test_the_same_again_bit_by_bit(space: str) -> None:
    G = odd_generator()
    target = own_images(G, 3)
    torch.manual_seed(1)
    first = invert(G, target, space)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert torch.equal(invert(G, target, space).ws, first.ws)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(invert(G, target, space, seed=1).ws, first.ws)


@small
def test_images_of_one_call_do_not_influence_one_another() -> None:
    G = odd_generator()
    targets = own_images(G, 3, 4)
    together = invert(G, targets).ws
    alone = torch.cat([invert(G, target).ws for target in targets.split(1)])
    assert not torch.allclose(together[0], together[1], atol=0.1)
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-3)


@small
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_generator_and_the_image_are_left_as_they_are(precision: str) -> None:
    G = odd_generator()
    target = own_images(G, 3)
    weights, image, dtype = copy.deepcopy(G.state_dict()), target.clone(), G.dtype
    invert(G, target, precision=precision)
    assert torch.equal(target, image)
    assert G.dtype == dtype
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in G.parameters())
    for name, tensor in G.state_dict().items():
        assert tensor.dtype == weights[name].dtype
        assert torch.equal(tensor, weights[name])


@small
def test_the_best_code_is_kept_not_the_last() -> None:
    """A learning rate so high that the loss jumps."""
    G = odd_generator()
    target = own_images(G, 3)
    losses: list[float] = []
    options: dict[str, Any] = {"learning_rate": 4.0, "prior_weight": 0.0}
    found = invert(G, target, "w", 15, on_step=lambda progress: losses.append(progress.loss), **options)
    assert min(losses) < 0.9 * losses[-1]
    lpips = tiny_lpips()
    drawn = G.synthesize(found.ws)
    loss = lpips(drawn, target) + (drawn - target).square().mean()
    assert float(loss) == pytest.approx(min(losses), rel=1e-3)


# Steps in sketches


@small
def test_a_search_in_exact_sketches_is_the_search_itself() -> None:
    G = odd_generator()  # which has no faster sketches
    images = own_images(G, 3, 4)
    plain, *sketched = (
        invert(G, images, steps=6, sketch_fraction=fraction, detail_weight=0, centre_weight=0)
        for fraction in (0.0, 0.5, 1.0)
    )
    assert torch.equal(plain.ws, sketched[0].ws)
    assert torch.equal(plain.ws, sketched[1].ws)


@small
def test_a_search_in_sketches_comes_nearer_in_exact_pictures() -> None:
    G = odd_generator()
    images = own_images(G, 3)

    def distance(ws: Tensor) -> float:
        with torch.no_grad():
            return float((area_resize(G.synthesize(ws) - images, 16)).square().mean())

    begun = distance(G.w_avg.expand(1, G.num_ws, -1))
    for fraction in (0.5, 1.0):
        found = invert(G, images, steps=30, search_size=16, sketch_fraction=fraction)
        assert distance(found.ws) < 0.7 * begun


@small
@pytest.mark.parametrize("step", [2, 3, 5])
def test_ctrl_c_keeps_what_sketches_found(step: int) -> None:
    G = odd_generator()
    found = invert(G, own_images(G, 3), steps=6, sketch_fraction=0.5, on_step=interrupt_at(step), keep_partial=True)
    assert found.settings["stopped_at_step"] == step


@small
def test_what_exact_pictures_break_keeps_the_code_of_sketches() -> None:
    G = odd_generator()
    images = own_images(G, 3, 4)
    found = invert(breaking(G, 0, at=0), images, steps=6, sketch_fraction=0.5)  # breaks no sketch
    assert torch.isfinite(found.ws).all()
    assert found.diverged == {0: 3}


# The record and progress


@small
def test_every_setting_is_recorded(tmp_path: Path) -> None:
    G = odd_generator(name="mine", latent_space="here")
    found = invert(
        G,
        own_images(G, 3, 4),
        steps=5,
        learning_rate=0.1,
        momentum=0.6,
        w_fraction=0.4,
        sketch_fraction=0.2,
        pixel_weight=0.5,
        detail_weight=2.0,
        grid_weight=30.0,
        centre_weight=0.75,
        identity_weight=0.3,
        prior_weight=0.25,
        start_weight=0.125,
        search_size=32,
        seed=7,
    )
    assert found.settings == {
        "space": "w+",
        "steps": 5,
        "w_steps": 2,
        "learning_rate": 0.1,
        "momentum": 0.6,
        "sketch_fraction": 0.2,
        "pixel_weight": 0.5,
        "detail_weight": 2.0,
        "grid_weight": 30.0,
        "centre_weight": 0.75,
        "identity_weight": 0.3,
        "prior_weight": 0.25,
        "start_weight": 0.125,
        "search_size": 32,
        "seed": 7,
        "precision": "float32",
    }
    assert (found.model, found.latent_space, found.fingerprint) == ("mine", "here", G.fingerprint)
    assert found.method == "optimize"
    assert len(found) == 2
    json.dumps(found.settings, allow_nan=False)
    path = tmp_path / "photo.inversion.safetensors"
    found.save(path)
    again = Inversion.load(path)
    assert torch.equal(again.for_generator(G), found.ws)
    assert again.settings == found.settings


@small
def test_progress_counts_the_steps() -> None:
    G = odd_generator()
    seen: list[Progress] = []
    invert(G, own_images(G, 3), steps=4, on_step=seen.append)
    assert [(progress.step, progress.steps) for progress in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert all(math.isfinite(progress.loss) and not progress.images.requires_grad for progress in seen)
    mean = WStatistics.of(G).mean.expand(1, G.num_ws, -1)
    torch.testing.assert_close(seen[0].images, G.synthesize(mean), rtol=1e-4, atol=1e-4)


@small
@pytest.mark.parametrize(("w_fraction", "w_steps"), [(0.0, 0), (0.5, 2), (1.0, 4)])
def test_the_part_of_the_search_in_w(w_fraction: float, w_steps: int) -> None:
    G = odd_generator()
    found = invert(G, own_images(G, 3), steps=4, w_fraction=w_fraction, learning_rate=0.05)
    assert found.settings["w_steps"] == w_steps
    rows_are_equal = torch.equal(found.ws, found.ws[:, :1].expand_as(found.ws))
    assert rows_are_equal == (w_steps == 4)


def test_the_schedule_rises_stays_and_falls() -> None:
    factors = [schedule((step + 0.5) / 200) for step in range(200)]
    assert all(0 < factor <= 1 for factor in factors)
    assert factors[0] < 0.1
    assert factors[20:99] == [1.0] * 79
    assert factors[-1] < 0.001
    assert all(a >= b for a, b in itertools.pairwise(factors[20:]))


def test_default_steps() -> None:
    G = odd_generator()
    w, w_plus = OptimizationInverter(G, SearchSettings(space="w")), OptimizationInverter(G)
    assert w.w_steps == w.steps
    assert (w_plus.search.space, w_plus.steps) == ("w+", 100)
    assert 0 < w_plus.w_steps < w_plus.steps


def test_precision_follows_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    for chosen in ("float32", "bfloat16"):
        assert resolve_precision(chosen, cpu) == chosen  # type: ignore[arg-type]
    for bf16, amx, expected in (
        (False, False, "float32"),
        (True, False, "bfloat16"),
        (False, True, "bfloat16"),
    ):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda value=bf16: value, raising=False)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda value=amx: value, raising=False)
        assert resolve_precision("auto", cpu) == expected
    assert resolve_precision("auto", torch.device("mps")) == "float32"


# The default model


@pytest.mark.slow
def test_default_model_on_a_photo() -> None:
    """Twelve steps, as a user would start them, bring a real face far nearer than the mean face is."""
    from stylegan_latents.invert.faces.align import align_face, find_faces
    from stylegan_latents.invert.photos.files import read_photo, to_tensor

    G = generator.load("ffhq")
    photo = read_photo(DATA / "london_005_neutral.jpg")
    crop, _ = align_face(photo, find_faces(photo)[0], G.resolution)
    target = to_tensor(crop)
    losses: list[float] = []
    found = OptimizationInverter(G, SearchSettings(steps=12)).invert(
        target, on_step=lambda progress: losses.append(progress.loss)
    )
    mean = WStatistics.of(G).mean.expand(1, G.num_ws, -1)
    before, after = (measure(G, ws, target) for ws in (mean, found.ws))
    assert after["lpips_alex"][0] < 0.7 * before["lpips_alex"][0]
    assert after["psnr"][0] > before["psnr"][0]
    assert min(losses) < 0.7 * losses[0]
    print(f"mean face {before}, twelve steps {after}")
