from pathlib import Path

import pytest

from stylegan_latents.encoders.formats.native import save_encoder
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.inverters.base import SearchSettings
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.pivotal import PivotalTuning
from tests.encoders.small_encoders import small_encoder
from tests.odd_models import odd_generator


def test_each_method_by_its_name() -> None:
    G = odd_generator()
    search = make_inverter(G, "optimize", space="w", seed=3, precision="float32")
    assert isinstance(search, OptimizationInverter)
    assert (search.search.space, search.steps, search.search.seed, search.search.precision) == (
        "w",
        100,
        3,
        "float32",
    )
    tuning = make_inverter(G, "pivotal", weights="low-rank", steps=7, space="w")
    assert isinstance(tuning, PivotalTuning)
    assert (tuning.steps, tuning.tuning.form, tuning.pivot_settings["space"]) == (7, "low-rank", "w")


@pytest.mark.parametrize("method", ["optimize", "pivotal", "noise"])
@pytest.mark.parametrize("space", ["w", "w+"])
def test_a_better_quality_takes_more_steps(method: str, space: str) -> None:
    G = odd_generator()
    found = [
        make_inverter(G, method, quality=quality, space=space)  # type: ignore[arg-type]
        for quality in ("draft", "good", "best")
    ]
    steps = [one.steps for one in found]  # type: ignore[attr-defined]
    assert steps == sorted(set(steps))


def test_the_default_is_the_inverters_own() -> None:
    G = odd_generator()
    for space in ("w", "w+"):
        made, own = make_inverter(G, space=space), OptimizationInverter(G, SearchSettings(space=space))  # type: ignore[arg-type]
        assert made.steps == own.steps  # type: ignore[attr-defined]


def test_tuning_begins_with_any_search_or_an_encoder(tmp_path: Path) -> None:
    G = odd_generator()
    path = tmp_path / "encoder.safetensors"
    save_encoder(small_encoder(G), path)
    begun = {
        pivot: make_inverter(G, "pivotal", encoder=path, pivot=pivot)  # type: ignore[arg-type]
        for pivot in ("hybrid", "optimize", "encode", None)
    }
    methods = {pivot: one.pivot_settings["method"] for pivot, one in begun.items()}  # type: ignore[attr-defined]
    assert methods == {"hybrid": "hybrid", "optimize": "optimize", "encode": "encode", None: "hybrid"}
    without = make_inverter(G, "pivotal")
    assert without.pivot_settings["method"] == "optimize"  # type: ignore[attr-defined]


@pytest.mark.parametrize("options", [{"method": "guess"}, {"quality": "superb"}, {"space": "z"}])
def test_unknown_names_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(InputError, match=next(iter(options.values()))):
        make_inverter(odd_generator(), **options)  # type: ignore[arg-type]
