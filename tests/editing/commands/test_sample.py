"""`edit sample`: grids, single pictures, records; classes, noise, sizes; refusals before the work."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents import generator
from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.samples import sampling
from stylegan_latents.editing.samples.sampling import Sampling, default_columns, grid_cell, lay_out
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.inversion import Inversion
from tests.generator.stylegan2_files import nvidia_pickle, random_stylegan2
from tests.small_models import save_small_model, small_generator

CONFIG = StyleGAN2Config(z_dim=8, mapping_widths=(8, 8), channels=(8, 8, 8), label_dim=4, label_width=3)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_small_model(tmp_path)


def _run(*words: str, model: str = "../small.safetensors") -> int:
    return main(["sample", "--model", model, "--device", "cpu", *words])


def _pixels(path: str | Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    return np.asarray(Image.open(path)).astype(np.int64)


def _picture(G: Generator, seed: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    return np.asarray(to_picture(G.synthesize(G.sample([seed], truncation=0.7)))[0]).astype(np.int64)


def test_a_grid_has_the_pictures_in_the_order_of_the_seeds() -> None:
    assert _run("--seeds", "4,0-1", "--cols", "2") == 0
    grid, G = _pixels("samples.small.seeds4,0-1.png"), small_generator()
    assert grid.shape == (64, 64, 3)
    for place, seed in (((0, 0), 4), ((0, 1), 0), ((1, 0), 1)):
        cell = grid[place[0] * 32 : place[0] * 32 + 32, place[1] * 32 : place[1] * 32 + 32]
        assert np.abs(cell - _picture(G, seed)).max() <= 1
    assert not grid[32:, 32:].any()


def test_pytorchs_random_numbers_draw_other_pictures() -> None:
    assert _run("--seeds", "3", "--random", "torch", "--out", "three.png") == 0
    G = small_generator()
    ws = G.sample([3], truncation=0.7, random="torch")
    assert not torch.allclose(ws, G.sample([3], truncation=0.7))
    drawn = np.asarray(to_picture(G.synthesize(ws))[0]).astype(np.int64)
    assert np.abs(_pixels("three.png") - drawn).max() <= 1


def test_single_pictures_and_records_that_edit_goes_on_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--seeds", "0-2", "--out", "many", "--records") == 0
    next_one = "Next: edit discover --model ../small.safetensors --method sefa --record many/seed0000.inversion."
    assert next_one in capsys.readouterr().out
    names = sorted(path.name for path in Path("many").iterdir())
    assert names == sorted(f"seed000{i}.{end}" for i in range(3) for end in ("png", "inversion.safetensors"))
    record, G = Inversion.load("many/seed0002.inversion.safetensors"), small_generator()
    assert torch.allclose(record.for_generator(G), G.sample([2], truncation=0.7), atol=1e-6)
    assert record.method == "sample"
    assert record.settings == {
        "seed": 2, "random": "numpy", "truncation": 0.7, "class": None, "noise": "const",
    }  # fmt: skip
    assert np.abs(_pixels("many/seed0002.png") - _picture(G, 2)).max() <= 1


def test_one_seed_is_one_picture() -> None:
    assert _run("--seeds", "3", "--out", "three.jpg", "--size", "16") == 0
    assert Image.open("three.jpg").size == (16, 16)


def test_nothing_is_replaced_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    Path("seed0001.inversion.safetensors").write_text("mine")
    words = ("--seeds", "0-1", "--single", "--records")
    assert _run(*words) == 2
    assert "seed0001.inversion.safetensors exists already; add --overwrite" in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["seed0001.inversion.safetensors"]
    assert _run(*words, "--overwrite") == 0
    assert len(Inversion.load("seed0001.inversion.safetensors")) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--class", "1"], "'small' has no classes; leave --class out."),
        (["--size", "20"], "makes no pictures of 20 pixels; give --size 32, 16, 8, 4"),
        (["--seeds", "a"], "'a' is no seed"),
        (["--single", "--out", "x.png"], "give a folder with --out"),
        (["--single", "--cols", "2"], "--cols is for a grid"),
        (["--out", "x.xyz"], "names no known picture format"),
        (["--records", "--noise", "random"], "leave --noise random out"),
        (["--truncation", "nan"], "--truncation takes a number"),
        (["--seeds", "0-5000"], "at most 4096 pictures"),
        (["--device", "tpu"], "no device 'tpu'"),
    ],
)
def test_refusals_are_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--model", "../small.safetensors", *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert sentence in lines[0]
    assert list(Path().iterdir()) == []


def test_classes(capsys: pytest.CaptureFixture[str]) -> None:
    save_native(random_stylegan2(CONFIG), Path("classes.safetensors"))
    words = ("--seeds", "0-1", "--single")
    for wrong, sentence in (([], "choose one with --class, from 0 to 3"), (["--class", "4"], "has no class 4")):
        assert _run(*words, *wrong, model="classes.safetensors") == 2
        assert sentence in capsys.readouterr().err
    assert _run(*words, "--class", "3", "--records", model="classes.safetensors") == 0
    G = generator.load("classes.safetensors")
    label = torch.eye(4)[3:].repeat(2, 1)
    wanted = G.sample([0, 1], label, 0.7)
    records = [Inversion.load(f"seed000{i}@3.inversion.safetensors") for i in range(2)]
    assert torch.allclose(torch.cat([record.ws for record in records]), wanted, atol=1e-6)
    assert records[0].settings["class"] == 3


def test_several_classes_are_rows_of_a_grid(capsys: pytest.CaptureFixture[str]) -> None:
    G = random_stylegan2(CONFIG)
    save_native(G, Path("classes.safetensors"))
    assert _run("--seeds", "5-7", "--class", "0,2", model="classes.safetensors") == 0
    grid, side = _pixels("samples.classes.seeds5-7@0,2.png"), G.resolution
    assert grid.shape == (2 * side, 3 * side, 3)
    drawn = G.synthesize(G.sample([6], torch.eye(4)[2:3], 0.7), size=side)
    cell = grid[side : 2 * side, side : 2 * side]
    assert np.abs(cell - np.asarray(to_picture(drawn)[0]).astype(np.int64)).max() <= 1
    assert _run("--seeds", "5", "--class", "0,x", model="classes.safetensors") == 2
    assert "'x' is no class" in capsys.readouterr().err


def test_noise_none_is_kept_in_the_record() -> None:
    G = random_stylegan2(StyleGAN2Config(z_dim=8, mapping_widths=(8,), channels=(8, 8)))
    save_native(G, Path("noisy.safetensors"))
    assert _run("--seeds", "5", "--noise", "none", "--records", model="noisy.safetensors") == 0
    record = Inversion.load("seed0005.inversion.safetensors")
    assert record.noise is not None
    wanted = G.synthesize(record.ws, "none")
    assert torch.allclose(G.synthesize(record.ws, record.noise), wanted, atol=1e-6)
    assert np.abs(_pixels("seed0005.png") - np.asarray(to_picture(wanted)[0])).max() <= 1


def test_random_noise_is_the_seeds_own() -> None:
    G = random_stylegan2(StyleGAN2Config(z_dim=8, mapping_widths=(8,), channels=(8, 8)))
    random = Sampling(noise="random")
    together = [np.asarray(picture) for _, _, picture in random.pictures(G, [1, 2])]
    alone = [np.asarray(picture) for seed in (1, 2) for _, _, picture in random.pictures(G, [seed])]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))


def test_memory_is_that_of_a_few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    G = small_generator()
    batches: list[int] = []
    synthesize = G.synthesize
    monkeypatch.setattr(G, "synthesize", lambda ws, *a, **k: batches.append(len(ws)) or synthesize(ws, *a, **k))
    monkeypatch.setattr(sampling, "_PIXELS_AT_ONCE", 3 * 32 * 32)
    assert [seed for seed, _, _ in Sampling().pictures(G, range(7))] == list(range(7))
    assert batches == [3, 3, 1]


def test_grey_is_drawn_in_three_channels_and_opacity_kept_where_the_file_can() -> None:
    assert _run("--seeds", "0", model=str(nvidia_pickle("resnet-grey"))) == 0
    pixels = _pixels("seed0000.png")
    assert (pixels == pixels[..., :1]).all()
    assert _run("--seeds", "1,2", "--out", "alpha.png", model=str(nvidia_pickle("orig-four-channels"))) == 0
    assert _run("--seeds", "1", "--out", "plain.jpg", model=str(nvidia_pickle("orig-four-channels"))) == 0
    with Image.open("alpha.png") as grid, Image.open("plain.jpg") as plain:
        assert (grid.mode, plain.mode) == ("RGBA", "RGB")


def test_layout() -> None:
    assert [default_columns(count) for count in (1, 2, 4, 7, 12, 16, 18)] == [1, 2, 2, 3, 4, 4, 6]
    assert [grid_cell(1024, 16), grid_cell(256, 16), grid_cell(1024, 1000), grid_cell(32, 4)] == [512, 256, 256, 32]
    with pytest.raises(ValueError, match="a picture and a column"):
        lay_out([], 1)
