"""What the buttons of the tab Mix do."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.demo.page.running import Done
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.mix import figure
from stylegan_latents.demo.tabs.mix.by_layer import Share, draw_mix, keep_mix
from stylegan_latents.demo.tabs.mix.figure import draw_figure
from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.mixing.mixing import Donor, mix
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.invert.record.inversion import Inversion
from tests.demo.visits import report_all, visiting


@pytest.fixture(name="visit")
def _visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    with visiting(tmp_path, monkeypatch) as visit:
        yield visit


SHARES = [Share("coarse", "bob", 1.0), Share("middle", "", 1.0), Share("fine", "cleo", 0.5)]


def test_a_preview_shows_the_mix_and_says_its_command(visit: Visit) -> None:
    own, none = draw_mix(visit, "ann", [Share("coarse", "", 1.0)])
    mixed, command = draw_mix(visit, "ann", SHARES)
    assert none == ""
    assert command == (
        "edit mix ann.inversion.safetensors bob.inversion.safetensors cleo.inversion.safetensors "
        "--layers coarse --layers fine --strength 1 --strength 0.5 --record --out mix.png"
    )
    pictures = [np.asarray(Image.open(path)).astype(int) for path in (own, mixed)]
    assert pictures[0].shape == pictures[1].shape == (16, 16, 3)
    assert (pictures[0] != pictures[1]).any()


def test_a_kept_mix_is_a_face_with_the_record_that_the_command_writes(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep_mix(visit, "ann", SHARES)
    assert kept.name == "ann+bob+cleo"
    assert list(visit.faces) == ["ann", "bob", "cleo", "ann+bob+cleo"]
    G = visit.studio.G
    donors = [
        Donor(G.sample([1], random="torch"), G.rows("coarse")),
        Donor(G.sample([2], random="torch"), G.rows("fine"), 0.5),
    ]
    assert torch.allclose(kept.record.inversion.ws, mix(G.sample([0], random="torch"), donors), atol=1e-5)
    work = tmp_path / "elsewhere"
    work.mkdir()
    monkeypatch.chdir(work)
    save_native(G, work / "small.safetensors")
    for name in ("ann", "bob", "cleo"):
        visit.faces[name].record.inversion.save(f"{name}.inversion.safetensors")
    words = shlex.split(kept.made_by.splitlines()[0])[1:]
    assert main([*words, "--model", "small.safetensors", "--device", "cpu"]) == 0
    assert kept.made_by.splitlines()[1] == "mv mix.inversion.safetensors ann+bob+cleo.inversion.safetensors"
    assert torch.allclose(Inversion.load("mix.inversion.safetensors").ws, kept.record.inversion.ws, atol=1e-5)


def test_the_figure_tells_how_far_it_is_and_ends_with_a_picture(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "run_reporting", report_all)
    *news, end = draw_figure(visit, ["ann", "bob"], [], "coarse", 1.0)
    assert isinstance(end, Done)
    path, command = end.result
    assert news == [(number, 8) for number in range(1, 9)]
    assert Image.open(path).width > 3 * visit.studio.G.resolution
    assert command == "edit mix ann.inversion.safetensors bob.inversion.safetensors --matrix --layers coarse"


def test_the_figure_has_other_faces_along_the_top(visit: Visit) -> None:
    *_, end = draw_figure(visit, ["ann"], ["bob", "cleo"], "middle", 0.5)
    assert isinstance(end, Done)
    path, command = end.result
    assert Image.open(path).width > Image.open(path).height
    assert command == (
        "edit mix ann.inversion.safetensors --column bob.inversion.safetensors --column cleo.inversion.safetensors "
        "--matrix --layers middle --strength 0.5"
    )


def test_what_cannot_be_mixed_is_said(visit: Visit) -> None:
    with pytest.raises(InputError, match="Choose a face first"):
        draw_mix(visit, None, SHARES)
    with pytest.raises(InputError, match="no face 'dora'"):
        draw_mix(visit, "ann", [Share("coarse", "dora", 1.0)])
    with pytest.raises(InputError, match="Nothing is mixed yet"):
        keep_mix(visit, "ann", [Share("coarse", "bob", 0.0)])
    with pytest.raises(InputError, match="from 0"):
        draw_mix(visit, "ann", [Share("coarse", "bob", 2.0)])
    with pytest.raises(InputError, match="at least two faces"):
        list(draw_figure(visit, ["ann"], [], "coarse", 1.0))
    with pytest.raises(InputError, match="up to 8 faces a side"):
        list(draw_figure(visit, ["ann", "bob"] * 5, [], "coarse", 1.0))
    with pytest.raises(InputError, match="Choose the styles to mix"):
        list(draw_figure(visit, ["ann", "bob"], [], "", 1.0))
