import re
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.films import animation
from stylegan_latents.editing.films.trajectories import linear
from stylegan_latents.invert.photos.files import to_picture
from tests.editing.command_folder import MODEL, G, enter_folder, new_files, one_sentence
from tests.generator.styles.test_style import small_style

A, B = "a.inversion.safetensors", "b.inversion.safetensors"


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_folder(tmp_path, monkeypatch)


def _frames(folder: str) -> "list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]":
    return [np.asarray(Image.open(path)).astype(np.int64) for path in sorted(Path(folder).glob("frame_*.png"))]


def test_a_morph_from_record_to_record(folder: Path) -> None:
    assert main(["interpolate", A, B, "--frames", "6", *MODEL]) == 0
    assert new_files(folder) == {"a-to-b.mp4"}
    with av.open("a-to-b.mp4") as film:
        assert sum(1 for _ in film.decode(video=0)) == 6


def test_a_film_is_named_after_what_it_joins(folder: Path) -> None:
    commands = [
        ["seed:1", A, "seed:2", "--curve", "spline", "--even", "--loop"],
        [A, "--direction", "smile", "--range", "-2", "2", "--layers", "coarse", "--ping-pong"],
        [B, "--truncation-range", "0", "1", "--easing", "smooth"],
    ]
    for command in commands:
        assert main(["interpolate", *command, "--frames", "2", *MODEL]) == 0, command
    assert new_files(folder) == {
        "seed1-to-a-to-seed2.spline.even.loop.mp4",
        "a.smile-2_to+2.coarse.ping-pong.mp4",
        "b.truncation0_to1.smooth.mp4",
    }


def test_frames_are_those_of_the_way() -> None:
    assert main(["interpolate", A, B, "--frames", "3", "--out", "frames", *MODEL]) == 0
    keys = linear(torch.cat([G.sample([0]), G.sample([1])]))
    for frame, time in zip(_frames("frames"), (0.0, 0.5, 1.0), strict=True):
        ws = keys(torch.tensor([time]))
        assert np.abs(frame - np.asarray(to_picture(G.synthesize(ws))[0])).mean() < 4


def test_every_kind_of_film_is_made(folder: Path) -> None:
    commands = [
        ["seed:1", "seed:2", "seed:3", "--curve", "slerp", "--loop", "--out", "a.gif"],
        [A, B, "seed:3", "--curve", "spline", "--easing", "smooth", "--out", "b.webp", "--size", "16"],
        [A, B, "--layers", "coarse", "--ping-pong", "--out", "c.mp4"],
        [A, "--direction", "smile", "--range", "-2", "2", "--out", "d.mp4"],
        [A, B, "-d", "smile", "--range", "-2", "2", "--raw", "--truncation-range", "0", "1", "--out", "e.mp4"],
    ]
    for command in commands:
        assert main(["interpolate", *command, "--frames", "4", *MODEL]) == 0, command
    assert new_files(folder) == {"a.gif", "b.webp", "c.mp4", "d.mp4", "e.mp4"}


def test_ping_pong_comes_back_and_coarse_rows_alone_move() -> None:
    command = ["interpolate", A, B, "--layers", "coarse", "--ping-pong", "--frames", "4", "--out", "frames"]
    assert main([*command, *MODEL]) == 0
    first, second, _, last = _frames("frames")
    assert (second == last).all()
    assert (first != second).any()


def test_a_truncation_sweep_goes_to_the_seed_as_drawn() -> None:
    command = ["interpolate", "seed:1", "--truncation-range", "0", "1", "--frames", "2", "--out", "frames"]
    assert main([*command, *MODEL]) == 0
    mean = G.w_avg.expand(1, G.num_ws, -1)
    for frame, ws in zip(_frames("frames"), (mean, G.sample([1])), strict=True):
        assert np.abs(frame - np.asarray(to_picture(G.synthesize(ws))[0])).mean() < 4


def test_a_style_channel_is_swept(folder: Path) -> None:
    width = sum(layer.channels for layer in G.layers)
    Direction("channel", "small-w", torch.ones(1, width), 2.0, space="s").save(Path("channel.safetensors"))
    command = ["interpolate", A, "-d", "channel.safetensors", "--range", "0", "2", "--frames", "3"]
    assert main([*command, "--out", "frames", *MODEL]) == 0
    first, second, third = _frames("frames")
    assert (first != second).any()
    assert (second != third).any()
    assert new_files(folder) == {"channel.safetensors", "frames"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([A], "at least two key frames"),
        ([A, "--loop", "-d", "smile", "--range", "-1", "1"], "at least two key frames"),
        ([A, B, "--loop", "-d", "smile", "--range", "-1", "1"], "--ping-pong"),
        ([A, B, "--loop", "--ping-pong"], "choose one"),
        ([A, B, "--frames", "0"], "at least 2 frames"),
        ([A, B, "--frames", "1"], "at least 2 frames"),
        ([A, "other.inversion.safetensors"], "one model"),
        ([A, "missing"], "no record missing"),
        ([A, B, "--layers", "deep"], "'deep' is not a layer"),
        ([A, B, "--curve", "slerp"], "a is a record"),
        ([A, B, "--curve", "zigzag"], "--curve"),
        ([A, B, "--codec", "nope"], "no video encoder 'nope'"),
        ([A, B, "--codec", "gif"], "leave out --codec"),
        ([A, B, "--out", "x.avi"], "end the name"),
        ([A, B, "--out", f"{A}/x.mp4"], "Cannot write"),
        ([A, B, "--fps", "0"], "frames a second"),
        ([A, B, "--size", "33"], "--size takes 32, 16"),
        ([A, "-d", "smile"], "--range -2 2"),
        ([A, "--range", "-2", "2"], "--direction smile"),
        ([A, B, "--range", "-2", "2"], "--direction smile"),
        ([A, "-d", "smile", "--range", "2", "2"], "two different"),
        ([A, "-d", "smiel", "--range", "0", "2"], "did you mean smile"),
        ([A, "--truncation-range", "nan", "1"], "--truncation-range"),
        (["seed:1", "--truncation-range", "0", "1", "--truncation", "0.5"], "leave out --truncation"),
        ([A, B, "--raw"], "there is none"),
        ([A, B, "--fps", "60", "--out", "x.gif"], "up to 50 frames"),
        ([A, A, "--even"], "look the same"),
    ],
)
def test_bad_input_is_one_sentence(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    assert main(["interpolate", *arguments, *MODEL]) == 2
    # How far it came is no part of the sentence.
    lines = [
        line for line in capsys.readouterr().err.splitlines() if not re.search(r"(frame|point) \d+ of \d+$", line)
    ]
    assert len(lines) == 1
    assert words in lines[0]
    assert new_files(folder) == set()


def test_ctrl_c_leaves_nothing_broken(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    convert = animation._to_frame

    def stopped(image: object) -> object:
        drawn.append(1)
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return convert(image)  # type: ignore[arg-type]

    Path("x.mp4").write_text("mine")
    monkeypatch.setattr(animation, "_to_frame", stopped)
    assert main(["interpolate", A, B, "--frames", "100", "--out", "x.mp4", "--overwrite", *MODEL]) == 130
    assert "Stopped" in capsys.readouterr().err
    assert Path("x.mp4").read_text() == "mine"
    assert new_files(folder) == {"x.mp4"}


def test_a_record_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(A).read_bytes()
    assert main(["interpolate", A, B, "--out", A, "--overwrite", *MODEL]) == 2
    assert "end the name" in one_sentence(capsys)
    assert Path(A).read_bytes() == before


def test_a_film_into_a_style_is_named_after_it(folder: Path) -> None:
    small_style(G, "ink").save(folder / "ink.style.safetensors")
    style = ["--style", "ink.style.safetensors"]
    assert main(["interpolate", A, *style, "--style-range", "0", "1", "--frames", "2", *MODEL]) == 0
    assert (folder / "a.ink0_to1.mp4").exists()


def test_what_a_style_range_is_refused_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_style(G, "ink").save(folder / "ink.style.safetensors")
    whole = ["--style-range", "0", "1"]
    style = ["--style", "ink.style.safetensors"]
    for options, words in (
        (whole, "add one, such as --style pencil"),
        ([*whole, *style, "--style-strength", "2"], "leave out --style-strength"),
        ([*style, "--style-range", "0", "9"], "strength is from 0"),
        ([*style, *whole, B, "--loop"], "--ping-pong"),
    ):
        assert main(["interpolate", A, *options, *MODEL]) == 2
        assert words in one_sentence(capsys)
