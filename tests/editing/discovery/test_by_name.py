"""A finder is one file and one line of the registry, and so is a scorer: all commands and the demo have it then."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import pytest
import torch
import typer

from stylegan_latents.demo.tabs.discover.axes import Axes, methods
from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.directions.calibration import calibrated
from stylegan_latents.editing.directions.direction import Direction, load
from stylegan_latents.editing.discovery.by_name import FINDERS, FinderEntry, all_options, options_of
from stylegan_latents.editing.discovery.finders.base import Plan, RankedOptions
from stylegan_latents.editing.discovery.scorers.by_name import SCORERS, ScorerEntry, open_scorer, scorer_words
from stylegan_latents.editing.discovery.scorers.scorer import Scorer, Unit
from stylegan_latents.generator.cli.progress import Begin
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from tests.editing.command_folder import MODEL, G, enter_beside_model


class Tiny:
    """Finds the coordinate axes of W."""

    def __init__(self, G: Generator) -> None:
        self.G = G

    def find(self, count: int = 2, on_progress: Callable[[int, int], None] | None = None) -> list[Direction]:
        found = []
        for index in range(count):
            axis = torch.eye(self.G.w_dim)[index : index + 1]
            direction = Direction(f"tiny-{index:02d}", self.G.latent_space, axis, 1.0, "all").bind(self.G)
            found.append(calibrated(direction, self.G))
            if on_progress is not None:
                on_progress(index + 1, count)
        return found


@dataclass(frozen=True, kw_only=True)
class TinyOptions(RankedOptions):
    size: Annotated[int, typer.Option(help="How tiny.")] = 1

    def plan(self, begin: Begin) -> Plan:  # noqa: ARG002 - there is nothing to wait for
        return Plan(self.numbered("tiny"), Tiny)


class TinyScorer(Scorer):
    """How light a picture is."""

    names, version = ("light",), "tiny-1"
    units = {"light": Unit("levels", -1, 1)}  # noqa: RUF012 - it is never changed

    def score(self, images):  # type: ignore[no-untyped-def]
        return images.double().mean((1, 2, 3))[:, None].cpu().numpy()


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    return enter_beside_model(tmp_path, monkeypatch)


def test_a_finder_of_the_registry_is_a_method_of_the_command_and_a_choice_of_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(FINDERS, "tiny", FinderEntry("Tiny", "coordinate axes", TinyOptions, axes=True))
    assert main(["discover", "--method", "tiny", "--count", "2", "--no-sheet", *MODEL]) == 0
    out = capsys.readouterr().out
    assert "Wrote tiny-01.safetensors" in out
    assert "Next: edit --direction tiny-00.safetensors --strength 2 --model" in out
    assert ("Tiny", "tiny") in methods()
    (axis,) = Axes(G).find("tiny", "all", 1, 1)
    assert torch.equal(axis.vector, load("tiny-01.safetensors").vector)
    assert "size" in {one.name for one in fields(all_options())}


def test_a_scorer_of_the_registry_is_taken_by_discover_and_evaluate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = ScorerEntry(f"{__name__}:TinyScorer", "tiny", "how light a picture is")
    monkeypatch.setitem(SCORERS, "tiny", entry)
    assert "tiny" in scorer_words()
    discover = ["discover", "-m", "interfacegan", "--scorer", "tiny", "--samples", "300", "--codes", "8"]
    assert main([*discover, "--no-sheet", *MODEL]) == 0
    assert load("light.safetensors").provenance["scorer"] == "tiny-1"
    evaluate = ["evaluate", "-d", "light.safetensors", "--scorer", "tiny", "--features", "none", "--codes", "2"]
    assert main([*evaluate, "--no-figure", *MODEL]) == 0
    assert "light" in capsys.readouterr().out


def test_an_option_of_another_finder_is_refused_with_the_finders_that_take_it() -> None:
    given = all_options()
    with pytest.raises(InputError, match="--method sefa does not take --mask, which is for stylespace or lowrank"):
        options_of("sefa", given(mask=["mouth"]))
    with pytest.raises(InputError, match="does not take --reduce-leakage, which is for interfacegan; leave it out"):
        options_of("text", given(reduce_leakage=["smile"]))
    with pytest.raises(InputError, match="no method 'pca'; take sefa, ganspace"):
        options_of("pca", given())
    assert options_of("sefa", given(count=3, layers="fine")) == FINDERS["sefa"].options(count=3, layers="fine")


@pytest.mark.parametrize("name", SCORERS)
def test_every_entry_of_the_scorers_is_a_class_that_can_be_opened(name: str) -> None:
    import importlib

    module, _, kind = SCORERS[name].where.partition(":")
    assert callable(getattr(importlib.import_module(module), kind).open)


def test_a_target_out_of_a_scores_range_is_refused() -> None:
    scorer = open_scorer("colour", lambda _: lambda _done, _all: None)
    assert isinstance(scorer, Scorer)
    scorer.units["lightness"].check("lightness", 0.5)
    with pytest.raises(InputError, match="'lightness' runs from 0 to 1, so 3 is no target"):
        scorer.units["lightness"].check("lightness", 3)
