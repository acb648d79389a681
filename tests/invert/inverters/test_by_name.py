"""The registry of inverters, and what the command line reads from it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self, get_args

import pytest
from PIL import Image
from torch import Tensor

from stylegan_latents.encoders.formats.native import save_encoder
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.inverters.base import Inverter, SearchSettings
from stylegan_latents.invert.inverters.by_name import INVERTERS, check_options, make_inverter, methods_help
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.options import InverterOptions, Quality
from stylegan_latents.invert.inverters.pivotal import PivotalTuning
from stylegan_latents.invert.record.inversion import Inversion
from tests.encoders.small_encoders import small_encoder
from tests.odd_models import odd_generator
from tests.small_models import save_small_model

ROOT = Path(__file__).parents[3]


def test_each_method_by_its_name() -> None:
    G = odd_generator()
    search = make_inverter(G, "optimize", space="w", seed=3, precision="float32")
    assert isinstance(search, OptimizationInverter)
    assert (search.search.space, search.steps, search.search.seed, search.search.precision) == (
        "w",
        70,
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
    found = [make_inverter(G, method, quality=quality, space=space) for quality in get_args(Quality)]
    steps = [one.steps for one in found]
    assert steps == sorted(set(steps))


def test_the_default_is_the_inverters_own() -> None:
    G = odd_generator()
    for space in ("w", "w+"):
        made, own = make_inverter(G, space=space), OptimizationInverter(G, SearchSettings(space=space))  # type: ignore[arg-type]
        assert made.steps == own.steps


def test_tuning_begins_with_any_search_or_an_encoder(tmp_path: Path) -> None:
    G = odd_generator()
    path = tmp_path / "encoder.safetensors"
    save_encoder(small_encoder(G), path)
    begun = {
        pivot: make_inverter(G, "pivotal", encoder=path, pivot=pivot)
        for pivot in ("hybrid", "optimize", "encode", None)
    }
    methods = {pivot: one.pivot_settings["method"] for pivot, one in begun.items()}
    assert methods == {"hybrid": "hybrid", "optimize": "optimize", "encode": "encode", None: "hybrid"}
    without = make_inverter(G, "pivotal")
    assert without.pivot_settings["method"] == "optimize"


@pytest.mark.parametrize("options", [{"method": "guess"}, {"quality": "superb"}, {"space": "z"}])
def test_unknown_names_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(InputError, match=next(iter(options.values()))):
        make_inverter(odd_generator(), **options)


@pytest.mark.parametrize("method", [None, *INVERTERS])
def test_options_without_a_use_are_refused_and_others_are_not(method: str | None) -> None:
    options = {option for entry in INVERTERS.values() for option in entry.takes}
    takes = INVERTERS[method or "hybrid"].takes
    check_options(method, takes)
    for option in options - takes:
        with pytest.raises(InputError, match=f"^--{option.replace('_', '-')} "):
            check_options(method, {option})


def test_every_entry_is_an_inverter_of_that_name() -> None:
    for name, entry in INVERTERS.items():
        made = entry.load()
        assert issubclass(made, Inverter)
        assert made.method == name
        assert name in methods_help()


class Tiny(Inverter):
    """Finds W's mean, whatever the image."""

    method, steps = "tiny", 1

    def __init__(self, G: Generator) -> None:
        self.G = G

    @classmethod
    def from_options(cls, G: Generator, _options: InverterOptions, _pivot: Inverter | None) -> Self:
        return cls(G)

    def settings(self) -> dict[str, JSON]:
        return {"steps": self.steps}

    def invert(self, images: Tensor, **_options: Any) -> Inversion:
        return self.record(self.G.w_avg.expand(len(images), self.G.num_ws, -1))


_WITH_TINY = """
import sys
from stylegan_latents.generator.perceptual import LPIPS
from stylegan_latents.invert.inverters.by_name import INVERTERS, Entry
from tests.odd_models import tiny_lpips

INVERTERS["tiny"] = Entry(path="tests.invert.inverters.test_by_name:Tiny", what="find the mean")
LPIPS.load = lambda *_: tiny_lpips()
from stylegan_latents.invert.commands.cli import main

sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_an_entry_is_all_that_the_command_line_needs(tmp_path: Path) -> None:
    """A new inverter is one file and one entry: choices and help are read from there."""
    save_small_model(tmp_path)
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "me.png")
    (tmp_path / "with_tiny.py").write_text(_WITH_TINY)
    script = [sys.executable, str(tmp_path / "with_tiny.py")]
    folders = os.pathsep.join([str(ROOT.parent), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    options = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": folders, "COLUMNS": "200"}, "text": True}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*script, *arguments], capture_output=True, check=False, **options)  # type: ignore[call-overload, no-any-return]

    assert "tiny: find the mean" in run("--help").stdout
    arguments = ("me.png", "--no-align", "--model", "small.safetensors", "--device", "cpu", "--method", "tiny")
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    record = Inversion.load(tmp_path / "me.inversion.safetensors")
    assert (record.method, record.settings["steps"]) == ("tiny", 1)
    assert "Skipped 1 already done" in run(*arguments).stdout
    refused = run(*arguments, "--encoder", "mine.pt")
    assert refused.returncode == 2
    assert "--encoder is of no use to --method tiny" in refused.stderr
