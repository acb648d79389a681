"""A search that an encoder begins: nearer from the first step, and the same search otherwise."""

from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from stylegan_latents.encoders.formats.native import save_encoder
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.inverters.base import Progress, SearchSettings
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.inverters.encode import EncoderInverter
from stylegan_latents.invert.inverters.hybrid import HybridInverter
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.options import Quality, Space
from stylegan_latents.invert.record.inversion import Inversion
from tests.encoders.small_encoders import small_encoder
from tests.invert.small_search import exact, interrupt_at, own_images, small_search  # noqa: F401
from tests.odd_models import odd_generator

pytestmark = pytest.mark.usefixtures("small_search")


def _hybrid(G, steps: int = 4, **options: object) -> HybridInverter:  # type: ignore[no-untyped-def]
    encoder = options.pop("encoder", None) or small_encoder(G)
    return HybridInverter(G, encoder, exact(steps, **options))  # type: ignore[arg-type]


def test_the_search_begins_with_the_encoders_code() -> None:
    G = odd_generator()
    images = own_images(G, 3, 4)
    inverter = _hybrid(G, 1)
    start = EncoderInverter(G, small_encoder(G)).invert(images).ws
    found = inverter.invert(images)
    assert torch.allclose(found.ws, start, atol=1e-4)  # the best of one step is where it began
    assert (found.method, found.settings["encoder"], found.settings["w_steps"]) == ("hybrid", "small-plain", 0)


def test_it_searches_on() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    losses: list[float] = []
    _hybrid(G, 30).invert(images, on_step=lambda progress: losses.append(progress.loss))
    assert min(losses[-5:]) < 0.7 * losses[0]


def test_a_start_of_the_callers_own() -> None:
    G = odd_generator()
    images, ws = own_images(G, 3), G.sample([3])
    seen: list[Progress] = []
    search = OptimizationInverter(G, exact(2, prior_weight=0.0))
    search.invert(images, start=ws, on_step=seen.append)
    assert seen[0].loss < 1e-6  # it is the image's own code
    found = _hybrid(G, 1).invert(images, start=ws)
    assert torch.allclose(found.ws, ws, atol=1e-4)
    with pytest.raises(InputError, match="The start needs the shape"):
        search.invert(images, start=ws[:, :1])


def test_a_search_may_be_held_to_where_it_began() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    statistics = WStatistics.of(G)
    start = statistics.whiten(EncoderInverter(G, small_encoder(G)).invert(images).ws)
    moved = []
    for weight in (0, 0.1, 10):
        found = _hybrid(G, 30, start_weight=weight).invert(images)
        moved.append(float((statistics.whiten(found.ws) - start).square().mean()))
    assert moved[0] > moved[1] > moved[2]
    assert found.settings["start_weight"] == 10


def test_a_short_search_takes_longer_steps_with_a_shorter_memory() -> None:
    G = odd_generator()

    def settings(**options: Any) -> list[JSON]:
        made = HybridInverter(G, small_encoder(G), SearchSettings(**options)).settings()
        return [made["learning_rate"], made["momentum"]]

    assert settings(steps=40) == [0.6, 0.7]
    assert settings(steps=41) == [0.5, 0.8]
    assert settings(steps=40, momentum=0.2) == [0.6, 0.2]


def test_in_w_rows_are_equal() -> None:
    G = odd_generator()
    found = _hybrid(G, 3, space="w").invert(own_images(G, 3))
    assert torch.equal(found.ws, found.ws[:, :1].expand_as(found.ws))
    assert found.settings["w_steps"] == 3


def test_what_a_mask_hides_does_not_matter() -> None:
    G = odd_generator()
    images = own_images(G, 3)
    mask = torch.ones(1, 1, *images.shape[2:])
    mask[:, :, : mask.shape[2] // 2] = 0
    spoiled = torch.where(mask > 0, images, torch.ones_like(images))
    one, two = (_hybrid(G).invert(shown, mask=mask) for shown in (images, spoiled))
    assert torch.allclose(one.ws, two.ws, atol=1e-5)
    with pytest.raises(InputError, match="mask"):
        _hybrid(G).invert(images, mask=mask[:, :, 1:])


def test_an_interrupt_keeps_the_best() -> None:
    G = odd_generator()
    found = _hybrid(G, 9).invert(own_images(G, 3), on_step=interrupt_at(2), keep_partial=True)
    assert found.settings["stopped_at_step"] == 2


def test_equal_settings_give_equal_records(tmp_path: Path) -> None:
    G = odd_generator()
    save_encoder(small_encoder(G), tmp_path / "mine.safetensors")
    paths = [tmp_path / f"{name}.inversion.safetensors" for name in ("one", "other")]
    for path in paths:
        _hybrid(G, encoder=tmp_path / "mine.safetensors").invert(own_images(G, 3)).save(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    inverter = _hybrid(G, encoder=tmp_path / "mine.safetensors")
    settings = Inversion.load(paths[0]).settings
    assert len(str(settings["sha256"])) == 64
    assert inverter.settings() == settings


def test_an_encoder_makes_it_the_default(tmp_path: Path) -> None:
    G = odd_generator()
    save_encoder(small_encoder(G), tmp_path / "mine.safetensors")
    assert type(make_inverter(G)) is OptimizationInverter
    assert isinstance(make_inverter(G, encoder=tmp_path / "mine.safetensors"), HybridInverter)
    tuning = make_inverter(G, "pivotal", encoder=tmp_path / "mine.safetensors")
    assert tuning.pivot_settings["method"] == "hybrid"
    with pytest.raises(InputError, match="No encoder comes with this package"):
        make_inverter(G, "hybrid")


def test_how_many_steps_each_quality_takes(tmp_path: Path) -> None:
    """Those that the presets were measured with."""
    G = odd_generator()
    save_encoder(small_encoder(G), tmp_path / "mine.safetensors")

    def steps(space: Space) -> list[int]:
        qualities: tuple[Quality, ...] = get_args(Quality)
        encoder = tmp_path / "mine.safetensors"
        made = [make_inverter(G, quality=quality, space=space, encoder=encoder) for quality in qualities]
        return [one.steps for one in made if isinstance(one, HybridInverter)]

    assert steps("w+") == [5, 28, 54, 130]
    assert steps("w") == [10, 20, 40, 80]


def test_the_instant_quality_searches_in_sketches_and_weighs_identity_more(tmp_path: Path) -> None:
    G = odd_generator()
    save_encoder(small_encoder(G), tmp_path / "mine.safetensors")

    def settings(**options: Any) -> list[JSON]:
        made = make_inverter(G, encoder=tmp_path / "mine.safetensors", **options).settings()
        return [made[name] for name in ("sketch_fraction", "identity_weight", "steps")]

    assert settings() == [0, 0.02, 54]
    assert settings(quality="instant") == [0.4, 0.035, 5]
    assert settings(quality="instant", identity_weight=0.3, steps=5) == [0.4, 0.3, 5]
