"""What counts as done: records of earlier versions, which lack settings that were added since."""

import dataclasses
from pathlib import Path

import pytest
import torch
from PIL import Image

from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.record.inversion import Inversion
from tests.invert.small_search import small_search  # noqa: F401
from tests.small_models import save_small_model

pytestmark = pytest.mark.usefixtures("small_search")
RECORD = Path("me.inversion.safetensors")


@pytest.fixture(name="run")
def _run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    save_small_model(tmp_path)
    Image.new("RGB", (64, 64), (40, 80, 200)).save("me.png")
    return ["me.png", "--no-align", "--model", "small.safetensors", "--device", "cpu", "--steps", "1"]


def _without_sketches(settings: dict[str, JSON]) -> dict[str, JSON]:
    """Settings of a record that was made before searches had sketches."""
    inner = {name: _without_sketches(one) for name, one in settings.items() if isinstance(one, dict)}
    return {name: one for name, one in (settings | inner).items() if name != "sketch_fraction"}


def _make_older() -> None:
    found = Inversion.load(RECORD)
    dataclasses.replace(found, settings=_without_sketches(found.settings)).save(RECORD, overwrite=True)


@pytest.mark.parametrize("method", ["optimize", "pivotal", "layered"])
def test_an_older_record_is_done_where_its_missing_settings_have_their_defaults(
    run: list[str], method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*run, "--method", method, *([] if method == "optimize" else ["--pivot", "optimize"])]
    assert main([*arguments, "--quality", "draft", "--quiet"]) == 0
    _make_older()
    assert main([*arguments, "--quality", "draft"]) == 0
    assert "Skipped 1 already done" in capsys.readouterr().out


def test_an_older_record_is_of_another_search_where_a_missing_setting_was_chosen(
    run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*run, "--method", "optimize", "--quality", "instant", "--quiet"]
    assert main(arguments) == 0
    assert main(arguments) == 0
    _make_older()
    ws = Inversion.load(RECORD).ws
    assert main(arguments) == 2
    assert "exists already" in capsys.readouterr().err
    assert torch.equal(Inversion.load(RECORD).ws, ws)
