"""What the buttons of the tab Discover do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.discover.axes import Axes
from stylegan_latents.demo.tabs.discover.tab import AT_ONCE, Axis, draw_strips, keep_axis
from stylegan_latents.editing.directions.direction import load
from stylegan_latents.editing.discovery.finders.ganspace import GANSpace
from stylegan_latents.editing.discovery.finders.sefa import SeFa
from stylegan_latents.generator.errors import InputError
from tests.demo.visits import visiting


@pytest.fixture(name="visit")
def _visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    with visiting(tmp_path, monkeypatch) as visit:
        yield visit


@pytest.fixture(name="axes")
def _axes(visit: Visit) -> Axes:
    return Axes(visit.studio.G, samples=3000)


def test_axes_are_those_of_the_finders(visit: Visit, axes: Axes) -> None:
    G = visit.studio.G
    told: list[tuple[int, int]] = []
    for found, expected in (
        (axes.find("sefa", "coarse", 1, 2), SeFa(G, "coarse").find(3)[1:]),
        (
            axes.find("ganspace", "fine", 1, 2, lambda *now: told.append(now)),
            GANSpace(G, "fine", samples=3000).find(3)[1:],
        ),
    ):
        assert [one.name for one in found] == [one.name for one in expected]
        for one, other in zip(found, expected, strict=True):
            assert torch.equal(one.vector, other.vector)
            assert one.scale == other.scale
            assert one.layers == other.layers
    assert told[-1] == (3000, 3000)
    told.clear()
    axes.find("ganspace", "all", 0, 1, lambda *now: told.append(now))
    assert not told  # found once, for all layers


def test_strips_come_with_their_axes(visit: Visit, axes: Axes) -> None:
    *_, end = draw_strips(visit, axes, "ann", "sefa", "coarse", 1)
    assert end.words == ""
    assert [axis for axis, _ in end.drawn] == [Axis("sefa", "coarse", 1 + i) for i in range(AT_ONCE)]
    for _, path in end.drawn:
        picture = Image.open(path)
        assert picture.width > 4 * picture.height


def test_a_kept_axis_is_a_slider_and_a_file_that_edit_takes(visit: Visit, axes: Axes) -> None:
    path, commands = keep_axis(visit, axes, Axis("sefa", "coarse", 2), "my beard!", "ann")
    assert list(visit.directions) == ["my_beard"]
    kept = load(path)
    (found,) = axes.find("sefa", "coarse", 2, 1)
    assert (path.name, kept.name, kept.layers) == ("my_beard.safetensors", "my_beard", "coarse")
    assert torch.equal(kept.vector, found.vector)
    assert kept.provenance["finder"] == "SeFa"
    assert commands.splitlines() == [
        "edit discover --method sefa --count 3 --layers coarse",
        "edit ann.inversion.safetensors --direction my_beard.safetensors --strength 2",
    ]


def test_what_is_no_axis_or_name_is_said(visit: Visit, axes: Axes) -> None:
    for method, layers, first, words in (
        ("pca", "all", 0, "no method 'pca'"),
        ("sefa", "deep", 0, "'deep' is not a layer"),
        ("sefa", "all", 8, "numbers 0 to 7"),
        ("ganspace", "all", -1, "numbers 0 to 7"),
    ):
        with pytest.raises(InputError, match=words):
            list(draw_strips(visit, axes, "ann", method, layers, first))  # type: ignore[arg-type]
    axis = Axis("sefa", "all", 0)
    for one, called, words in (
        (None, "beard", "Choose a strip"),
        (axis, "  ", "Give the axis a name"),
        (axis, "smile", "There is a direction 'smile' already"),
    ):
        with pytest.raises(InputError, match=words):
            keep_axis(visit, axes, one, called, "ann")
    assert not visit.directions
