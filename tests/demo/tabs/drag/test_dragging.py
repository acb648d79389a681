"""What the buttons of the tab Drag do."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.demo.page.painting import painted_mask, save_mask
from stylegan_latents.demo.page.running import Done
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.drag import dragging as drags
from stylegan_latents.demo.tabs.drag.dragging import (
    DraggedFace,
    DragRequest,
    DragStage,
    drag_face,
    draw_points,
)
from stylegan_latents.demo.tabs.drag.tab import _on_full
from stylegan_latents.editing.commands.cli import main
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.invert.record.inversion import Inversion
from tests.demo.visits import StopsAfter, report_all, visiting

REQUEST = DragRequest(((8.0, 8.0), (14.0, 10.0)), steps=3)


@pytest.fixture(name="visit")
def _visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    with visiting(tmp_path, monkeypatch, ("ann",)) as visit:
        yield visit


def _end(news: "Iterator[object]") -> DraggedFace:
    *_, end = news
    assert isinstance(end, Done)
    assert isinstance(end.result, DraggedFace)
    return end.result


def test_a_dragged_face_is_one_of_the_visit_as_the_command_makes_it(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = _end(drag_face(visit, "ann", REQUEST))
    assert list(visit.faces) == ["ann", "ann-dragged"]
    assert "after 3 steps" in done.summary
    dragged, renamed = done.face.made_by.splitlines()
    assert dragged == "edit drag ann.inversion.safetensors --from 8,8 --to 14,10 --steps 3"
    assert renamed == "mv ann.dragged.inversion.safetensors ann-dragged.inversion.safetensors"
    made = done.face.record.inversion
    assert made.method == "drag"
    assert not torch.equal(made.ws, visit.faces["ann"].record.inversion.ws)
    work = tmp_path / "elsewhere"
    work.mkdir()
    monkeypatch.chdir(work)
    save_native(visit.studio.G, work / "small.safetensors")
    visit.faces["ann"].record.inversion.save("ann.inversion.safetensors")
    assert main([*shlex.split(dragged)[1:], "--model", "small.safetensors", "--device", "cpu"]) == 0
    assert torch.allclose(Inversion.load("ann.dragged.inversion.safetensors").ws, made.ws, atol=1e-5)


def test_a_painted_mask_holds_the_rest(visit: Visit) -> None:
    layer = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    layer.paste((255, 255, 255, 200), (0, 0, 8, 16))
    mask = painted_mask({"background": None, "layers": [layer], "composite": None})
    assert np.array_equal(np.asarray(mask)[:, :8], np.full((16, 8), 255))
    assert not np.asarray(mask)[:, 8:].any()
    path = save_mask(visit, mask)
    free = _end(drag_face(visit, "ann", REQUEST))
    held = _end(drag_face(visit, "ann", DragRequest(REQUEST.points, str(path), 3, 0.004)))
    assert held.face.made_by.splitlines()[0].endswith("--mask mask.png --steps 3 --learning-rate 0.004")
    assert not torch.equal(free.face.record.inversion.ws, held.face.record.inversion.ws)


def test_what_was_found_is_kept_when_the_visitor_stops_it(visit: Visit) -> None:
    visit.stop = StopsAfter(visit, 3, keep=True)
    done = _end(drag_face(visit, "ann", DragRequest(((2.0, 2.0), (29.0, 29.0)), steps=500)))
    assert "short of the targets after 3 steps" in done.summary
    assert "ann-dragged" in visit.faces


def test_every_step_shows_where_the_face_is(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drags, "run_reporting", report_all)
    *stages, _ = drag_face(visit, "ann", REQUEST)
    assert [stage.step for stage in stages if isinstance(stage, DragStage)] == [1, 2, 3]
    last = stages[-1]
    assert isinstance(last, DragStage)
    assert Image.open(last.picture).size == (16, 16)


def test_clicks_are_places_of_the_full_picture(visit: Visit) -> None:
    assert _on_full((0, 0), 512, 1024) == (0.0, 0.0)
    assert _on_full((511, 100), 512, 1024) == (1022.0, 200.0)
    assert _on_full((5000, -3), 512, 1024) == (1023.0, 0.0)
    bare, dotted = (draw_points(visit, "ann", points) for points in ([], [(8.0, 8.0)]))
    assert Path(bare).read_bytes() != Path(dotted).read_bytes()


def test_what_cannot_be_dragged_is_said(visit: Visit) -> None:
    for wish, words in (
        (DragRequest(()), "Click on a point of the picture first"),
        (DragRequest(((8.0, 8.0),)), "no target yet"),
        (DragRequest(((8.0, 8.0), (8.0, 8.0))), "No point is to move"),
        (DragRequest(((8.0, 8.0), (99.0, 8.0))), "outside of the picture"),
        (DragRequest(REQUEST.points, steps=0), "1 to 500 steps"),
        (DragRequest(REQUEST.points, "mouth", steps=1), "No face was found in ann"),
    ):
        with pytest.raises(InputError, match=words):
            list(drag_face(visit, "ann", wish))
    for painted in (None, {"layers": []}, {"layers": [Image.new("RGBA", (16, 16))]}):
        with pytest.raises(InputError, match="Nothing is painted yet"):
            painted_mask(painted)
    assert list(visit.faces) == ["ann"]
