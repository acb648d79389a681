"""Tuning brings the weights to the image at a code that stays, keeps what the options say, and is kept small."""

import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.inverters.base import Progress
from stylegan_latents.invert.inverters.noise import NoiseOptimization, NoiseSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.pivotal import PivotalTuning, enlarged
from stylegan_latents.invert.inverters.tuning import Tuning, TuningSettings
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.tuned_weights import tunable, tuned_generator
from stylegan_latents.invert.search.loss import resize_height
from tests.generator.stylegan3_files import R, random_stylegan3
from tests.invert.small_search import breaking, exact, interrupt_at, own_images, small_search  # noqa: F401
from tests.odd_models import odd_config, odd_generator

pytestmark = pytest.mark.usefixtures("small_search")


def _tuning(G: Generator, steps: int = 12, pivot_steps: int = 3, **options: Any) -> PivotalTuning:
    pivot = OptimizationInverter(G, exact(pivot_steps))
    options = {"precision": "float32", "learning_rate": 0.02} | options
    return PivotalTuning(G, pivot, TuningSettings(steps=steps, **options))


def _error(G: Generator, record: Inversion, images: Tensor, image: int = 0) -> float:
    drawn = tuned_generator(G, record, image).synthesize(record.ws[image : image + 1])
    return float((drawn - images[image : image + 1]).square().mean())


@pytest.mark.parametrize("form", ["full", "low-rank", "channels"])
def test_the_tuned_generator_comes_nearer_at_the_pivots_code(form: str) -> None:
    G = odd_generator()
    images = own_images(G, 3)
    tuning = _tuning(G, 40, form=form, rank=2)
    pivot = tuning.pivot.invert(images)
    found = tuning.tune(images, pivot)
    assert torch.equal(found.ws, pivot.ws)
    assert found.method == "pivotal"
    assert _error(G, found, images) < (0.3 if form == "full" else 0.8) * _error(G, pivot, images)


def test_of_a_small_image_the_finer_detail_stays_the_pivots() -> None:
    G = odd_generator()
    small = resize_height(own_images(G, 3), 16)
    tuning = _tuning(G, 30)
    pivot = tuning.pivot.invert(small)
    drawn = [tuned_generator(G, one).synthesize(one.ws) for one in (pivot, tuning.tune(small, pivot))]
    coarse = [resize_height(one, 16) for one in drawn]
    fine = [one - enlarged(few, one) for one, few in zip(drawn, coarse, strict=True)]
    errors = [float((one - small).square().mean()) for one in coarse]
    assert errors[1] < 0.5 * errors[0]
    assert float((fine[1] - fine[0]).square().mean()) < 0.1 * float(fine[0].square().mean())


def test_small_forms_keep_less() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    sizes = []
    for form in ("full", "low-rank", "channels"):
        found = _tuning(G, 2, form=form, rank=1).invert(images)
        assert found.weights is not None
        assert all(part.dtype == torch.float16 and len(part) == 1 for part in found.weights.values())
        sizes.append(sum(part.numel() for part in found.weights.values()))
    assert sizes[0] > 1.5 * max(sizes[1:])


def test_neither_the_generator_nor_the_mapping_nor_styles_change() -> None:
    G = odd_generator()
    before = copy.deepcopy(G.state_dict())
    found = _tuning(G).invert(own_images(G, 3))
    tuned = tuned_generator(G, found)
    for name, weight in G.state_dict().items():
        assert torch.equal(weight, before[name]), name
    moved = {name for name, weight in tuned.state_dict().items() if not torch.equal(weight, before[name])}
    assert moved == set(tunable(G))
    assert not any("style" in name or "noise" in name or "mapping" in name for name in moved)
    assert (tuned.fingerprint, tuned.latent_space) == (G.fingerprint, G.latent_space)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums of several threads may come in another order, and tuning tells the last bit of them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_equal_settings_give_equal_records_and_a_file_gives_them_back(tmp_path: Path) -> None:
    G = odd_generator()
    images = own_images(G, 3)
    one, other = (_tuning(G, 4, form="low-rank", rank=2, locality_weight=0.1).invert(images) for _ in range(2))
    paths = [tmp_path / name for name in ("one.inversion.safetensors", "other.inversion.safetensors")]
    one.save(paths[0])
    other.save(paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    read = Inversion.load(paths[0])
    assert _error(G, read, images) == _error(G, one, images)
    assert read.settings["pivot_settings"] == _tuning(G).pivot_settings
    inverter = _tuning(G, 4, form="low-rank", rank=2, locality_weight=0.1)
    assert inverter.settings() == read.settings


def test_images_are_tuned_each_for_itself() -> None:
    G = odd_generator()
    images = own_images(G, 3, 4)
    both = _tuning(G, 6).invert(images)
    assert both.weights is not None
    assert all(len(part) == 2 for part in both.weights.values())
    for i, single in enumerate(both.split()):
        alone = _tuning(G, 6).tune(images[i : i + 1], Inversion(**{**vars(single), "weights": None}))
        assert _error(G, single, images[i : i + 1]) == pytest.approx(_error(G, alone, images[i : i + 1]), rel=1e-2)


@pytest.mark.slow
def test_together_one_set_of_weights_serves_all_images() -> None:
    G = odd_generator()
    images = own_images(G, 3, 4)
    tuning = _tuning(G, 30, together=True)
    pivot = tuning.pivot.invert(images)
    found = tuning.tune(images, pivot)
    assert found.weights is not None
    assert all(len(part) == 1 for part in found.weights.values())
    losses: list[float] = []
    tuning.tune(images, pivot, on_step=lambda progress: losses.append(progress.loss))
    assert min(losses) < 0.9 * losses[0]


@pytest.mark.slow
def test_locality_holds_what_other_codes_draw() -> None:
    G = odd_generator()
    images = torch.zeros(1, 3, 64, 64)
    others = G.sample([7, 8, 9])
    drift = []
    for weight in (0.0, 10.0):
        found = _tuning(G, 25, locality_weight=weight, locality_every=1).invert(images)
        moved = tuned_generator(G, found).synthesize(others) - G.synthesize(others)
        drift.append(float(moved.square().mean()))
    assert drift[1] < 0.6 * drift[0]


@pytest.mark.slow
def test_what_must_not_change_stays_and_the_rest_follows() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    tuning = _tuning(G, 60)
    pivot = tuning.pivot.invert(images)
    left = torch.zeros(1, 1, 64, 64)
    left[..., :32] = 1
    held, free = (tuning.tune(images, pivot, unchanged=stays) for stays in (left, None))
    before = G.synthesize(pivot.ws)
    moved, free_moved = (tuned_generator(G, one).synthesize(pivot.ws) - before for one in (held, free))
    assert moved[..., :28].square().mean() < 0.5 * free_moved[..., :28].square().mean()
    right = slice(36, None)
    error = (moved + before - images)[..., right].square().mean()
    assert error < 0.5 * (before - images)[..., right].square().mean()
    for mask, words in ((left[..., :8], "needs the shape"), (left + 0.5, "from 0 to 1")):
        with pytest.raises(InputError, match=words):
            tuning.tune(images, pivot, unchanged=mask)


def test_what_is_masked_out_is_not_compared() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    spoilt = images.clone()
    spoilt[..., 40:, 40:] = 1
    mask = torch.ones(1, 1, 64, 64)
    mask[..., 40:, 40:] = 0
    one, other = (_tuning(G, 6).invert(target, mask=mask) for target in (images, spoilt))
    assert torch.equal(one.ws, other.ws)
    assert one.weights is not None
    assert other.weights is not None
    assert all(torch.equal(part, other.weights[name]) for name, part in one.weights.items())


@pytest.mark.parametrize("stop_at", [2, 8])
def test_ctrl_c_keeps_the_best_so_far_when_asked(stop_at: int) -> None:
    G = odd_generator()
    images = own_images(G, 3)
    found = _tuning(G).invert(images, on_step=interrupt_at(stop_at), keep_partial=True)
    assert found.settings["stopped_at_step"] == stop_at
    # The pivot has three steps.
    assert (found.weights is None) == (stop_at <= 3)
    with pytest.raises(KeyboardInterrupt):
        _tuning(G).invert(images, on_step=interrupt_at(stop_at))


def test_steps_are_counted_through() -> None:
    G = odd_generator()
    seen: list[Progress] = []
    _tuning(G, 5).invert(own_images(G, 3, 4), on_step=seen.append)
    assert [one.step for one in seen] == list(range(1, 14))
    assert {one.steps for one in seen} == {13}
    assert all(one.images.shape == (2, 3, 64, 64) and math.isfinite(one.loss) for one in seen)


def test_divergence_keeps_the_best_weights_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    G = odd_generator()
    step = Tuning.step

    def diverging(self: Tuning, number: int) -> tuple[Tensor, float]:
        seen, loss = step(self, number)
        return seen, math.nan if number == 4 else loss

    monkeypatch.setattr(Tuning, "step", diverging)
    images = own_images(G, 3)
    found = _tuning(G).invert(images)
    assert found.settings["diverged_at_step"] == 7
    assert _error(G, found, images) < _error(G, Inversion(**{**vars(found), "weights": None}), images)


@pytest.mark.parametrize("together", [False, True])
def test_an_image_whose_tuning_diverges_is_told_from_the_others(
    together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    G = odd_generator()
    step = Tuning.step

    def diverging(self: Tuning, number: int) -> tuple[Tensor, float]:
        seen, loss = step(self, number)
        return seen, math.nan if number == 4 and self.ws.equal(pivot.ws[-len(self.ws) :]) else loss

    images = own_images(G, 3, 4)
    tuning = _tuning(G, together=together)
    pivot = tuning.pivot.invert(images)
    monkeypatch.setattr(Tuning, "step", diverging)
    found = tuning.tune(images, pivot)
    assert found.diverged == ({0: 7, 1: 7} if together else {1: 19})  # 3 steps of the pivot, 12 for each run
    one, other = found.split()
    assert [len(one.diverged), len(other.diverged)] == [int(together), 1]


def test_an_image_whose_pivot_diverges_is_told_of() -> None:
    G = odd_generator()
    images = own_images(G, 3, 4)
    pivot = OptimizationInverter(breaking(odd_generator(), 1, at=2), exact(3))
    found = PivotalTuning(G, pivot, TuningSettings(steps=2, precision="float32")).invert(images)
    assert found.diverged == {1: 2}


def test_divergence_at_once_is_an_error() -> None:
    G = odd_generator()
    tuning = _tuning(G)
    pivot = tuning.pivot.invert(own_images(G, 3))
    with pytest.raises(InputError, match="diverged at its first step"):
        tuning.tune(torch.full((1, 3, 64, 64), math.nan), pivot)


def test_a_pivot_that_is_tuned_already_is_refused() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    tuned = _tuning(G, 1)
    with pytest.raises(InputError, match="pivotal, which tunes weights"):
        PivotalTuning(G, tuned, TuningSettings(steps=1, precision="float32")).invert(images)
    with pytest.raises(InputError, match="pivotal, which tunes weights"):
        NoiseOptimization(G, tuned, NoiseSettings(steps=1, precision="float32")).invert(images)


def test_bfloat16_tunes_exact_weights() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    tuning = _tuning(G, 40, precision="bfloat16")
    pivot = tuning.pivot.invert(images)
    assert _error(G, tuning.tune(images, pivot), images) < 0.4 * _error(G, pivot, images)


@pytest.mark.parametrize("make", [lambda: random_stylegan3(R), lambda: odd_generator(odd_config(image_channels=1))])
def test_other_generators(make: Any) -> None:
    G = make()
    images = own_images(G, 3).expand(-1, 3, -1, -1)
    tuning = _tuning(G, 15)
    pivot = tuning.pivot.invert(images)
    assert _error(G, tuning.tune(images, pivot), images) < _error(G, pivot, images)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "at least 1 step"),
        ({"learning_rate": math.nan}, "learning rate"),
        ({"locality_weight": -1.0}, "locality weight"),
        ({"form": "thin"}, "full, low-rank, channels"),
        ({"rank": 0}, "rank has to be 1"),
    ],
)
def test_impossible_settings_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        PivotalTuning(odd_generator(), settings=TuningSettings(**options))


def test_weights_of_another_generator_are_refused() -> None:
    G = odd_generator(latent_space="shared")
    found = _tuning(G, 2).invert(own_images(G, 3))
    with pytest.raises(InputError, match="tuned on the model 'odd'"):
        tuned_generator(odd_generator(seed=1, name="other", latent_space="shared"), found)
    assert found.weights is not None
    damaged = Inversion(**{**vars(found), "weights": {name: part[..., :1] for name, part in found.weights.items()}})
    with pytest.raises(InputError, match="do not fit"):
        tuned_generator(G, damaged)
    with pytest.raises(InputError, match="nowhere"):
        tuned_generator(G, Inversion(**{**vars(found), "weights": {"nowhere": torch.zeros(1, 2)}}))
