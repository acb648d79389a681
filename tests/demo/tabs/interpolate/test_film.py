"""What the buttons of the tab Interpolate do."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from stylegan_latents.demo.page.running import Done, Stage, StoppedError
from stylegan_latents.demo.session.styles import keep_style
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.interpolate import film as interpolate
from stylegan_latents.demo.tabs.interpolate.film import FilmRequest, draw_film
from stylegan_latents.demo.tabs.interpolate.key_frames import move_key, with_key
from stylegan_latents.editing.commands.cli import main
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import save_native
from tests.demo.visits import StopsAfter, report_all, visiting
from tests.generator.styles.test_style import small_style

REQUEST = FilmRequest(("ann", "cleo", "bob"), seconds=0.5, rate=12, size=32)


@pytest.fixture(name="visit")
def _visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    with visiting(tmp_path, monkeypatch) as visit:
        yield visit


def _frames(path: str | Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    with av.open(str(path)) as film:
        assert film.streams.video[0].codec_context.name == "h264"
        return np.stack([frame.to_ndarray(format="rgb24").astype(np.int64) for frame in film.decode(video=0)])


def test_the_film_goes_through_the_faces_in_their_order(visit: Visit) -> None:
    *_, end = draw_film(visit, REQUEST)
    assert isinstance(end, Done)
    path, command = end.result
    frames = _frames(path)
    assert len(frames) == 6
    for frame, name in ((frames[0], "ann"), (frames[-1], "bob")):
        face = np.asarray(visit.faces[name].record.picture()).astype(np.int64)
        others = [np.asarray(other.record.picture()) for other in visit.faces.values() if other.name != name]
        assert all(np.abs(frame - face).mean() < np.abs(frame - other).mean() for other in others)
    assert Path(path).is_relative_to(visit.files.folder)
    assert command == (
        "edit interpolate ann.inversion.safetensors cleo.inversion.safetensors bob.inversion.safetensors "
        "--frames 6 --size 32 --fps 12 --out morph.mp4"
    )


def test_the_command_makes_the_same_film(visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wish = replace(REQUEST, curve="spline", easing="smooth", end="back", groups=("coarse", "middle"))
    *_, end = draw_film(visit, wish)
    assert isinstance(end, Done)
    path, command = end.result
    work = tmp_path / "elsewhere"
    work.mkdir()
    monkeypatch.chdir(work)
    save_native(visit.studio.G, work / "small.safetensors")
    for name in REQUEST.keys:
        visit.faces[name].record.inversion.save(f"{name}.inversion.safetensors")
    assert main([*shlex.split(command)[1:], "--model", "small.safetensors", "--device", "cpu"]) == 0
    assert np.abs(_frames("morph.mp4") - _frames(path)).mean() < 2


def test_a_film_can_be_stopped_and_leaves_nothing(visit: Visit) -> None:
    visit.stop = StopsAfter(visit, 2)
    with pytest.raises(StoppedError):
        list(draw_film(visit, REQUEST))
    assert not list(visit.files.folder.rglob("*.mp4"))


def test_the_frames_are_shown_as_they_are_drawn(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpolate, "run_reporting", report_all)
    *stages, _ = draw_film(visit, REQUEST)
    assert [stage.words for stage in stages if isinstance(stage, Stage)] == [f"Frame {i} of 6" for i in range(1, 7)]
    last = stages[-1]
    assert isinstance(last, Stage)
    assert last.part == 1
    assert last.picture is not None
    assert Image.open(last.picture).size == (32, 32)


def test_what_makes_no_film_is_said(visit: Visit) -> None:
    for wish, words in (
        (replace(REQUEST, keys=()), "at least two key frames"),
        (replace(REQUEST, keys=("ann", "dora")), "no face 'dora'"),
        (replace(REQUEST, keys=("ann",) * 25), "up to 24 key frames"),
        (replace(REQUEST, seconds=21.0), "up to 20 seconds"),
        (replace(REQUEST, rate=60), "12, 24, 30 frames per second"),
        (replace(REQUEST, size=48), "--size takes"),
        (replace(REQUEST, groups=()), "Nothing moves"),
        (replace(REQUEST, curve="slerp"), "ann is not one"),
    ):
        with pytest.raises(InputError, match=words):
            list(draw_film(visit, wish))


def test_key_frames_are_moved_and_removed() -> None:
    names = ["a", "b", "c"]
    assert move_key(names, 1, "earlier") == (["b", "a", "c"], 0)
    assert move_key(names, 1, "later") == (["a", "c", "b"], 2)
    assert move_key(names, 0, "earlier") == (names, 0)
    assert move_key(names, 2, "later") == (names, 2)
    assert move_key(names, 2, "remove") == (["a", "b"], None)
    assert with_key(names, "a", 4) == ["a", "b", "c", "a"]
    with pytest.raises(InputError, match="up to 3 key frames"):
        with_key(names, "a", 3)
    with pytest.raises(InputError, match="Choose a key frame"):
        move_key(names, None, "remove")


def test_one_face_is_enough_for_a_film_along_a_direction_or_into_a_style(visit: Visit) -> None:
    keep_style(visit, small_style(visit.studio.G, "ink"))
    one = replace(REQUEST, keys=("ann",), end="back")
    for request, options in (
        (replace(one, direction="smile", reach=1.5), "--direction smile --range -1.5 1.5"),
        (replace(one, style="ink", style_strength=0.8), "--style ink.style.safetensors --style-range 0 0.8"),
    ):
        *_, end = draw_film(visit, request)
        assert isinstance(end, Done)
        path, command = end.result
        frames = _frames(path)
        assert len(frames) == 6
        assert np.abs(frames[0] - frames[3]).mean() > 1
        assert command == (
            f"edit interpolate ann.inversion.safetensors --frames 6 --size 32 --fps 12 {options} --ping-pong "
            "--out film.mp4"
        )
    with pytest.raises(InputError, match="no direction 'frown'"):
        next(draw_film(visit, replace(one, direction="frown")))
    with pytest.raises(InputError, match="there and back"):
        next(draw_film(visit, replace(one, direction="smile", end="loop")))
    with pytest.raises(InputError, match="one and a direction"):
        next(draw_film(visit, one))


def test_a_film_can_be_a_gif_of_bounded_size(visit: Visit) -> None:
    *_, end = draw_film(visit, replace(REQUEST, kind="gif"))
    assert isinstance(end, Done)
    path, command = end.result
    with Image.open(path) as film:
        assert film.format == "GIF"
        assert getattr(film, "n_frames", 1) == 6
    assert command.endswith("--out morph.gif")
    with pytest.raises(InputError, match="512 pixels a side"):
        next(draw_film(visit, replace(REQUEST, kind="gif", size=1024)))
