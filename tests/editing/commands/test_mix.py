from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.mixing.mixing import Donor, mix
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.inversion import Inversion
from tests.editing.command_folder import MODEL, G, enter_folder, new_files, one_sentence

A, B = "a.inversion.safetensors", "b.inversion.safetensors"


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_folder(tmp_path, monkeypatch)


def _pixels(picture: "Path | str | Image.Image") -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    return np.asarray(picture if isinstance(picture, Image.Image) else Image.open(picture)).astype(np.int64)


def _drawn(ws: torch.Tensor) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    return _pixels(to_picture(G.synthesize(ws))[0])


def test_one_gives_its_coarse_styles(folder: Path) -> None:
    assert main(["mix", A, B, "--layers", "coarse", "--strength", "0.7", *MODEL]) == 0
    assert new_files(folder) == {"a.mix.b-coarsex0.7.png"}
    expected = mix(G.sample([0]), [Donor(G.sample([1]), G.rows("coarse"), 0.7)])
    assert np.abs(_pixels("a.mix.b-coarsex0.7.png") - _drawn(expected)).max() <= 1


def test_several_give_each_its_own(folder: Path) -> None:
    assert main(["mix", A, B, "seed:5", "--layers", "coarse", "--layers", "middle", *MODEL]) == 0
    (name,) = new_files(folder)
    assert name == "a.mix.b-coarse.seed5-middle.png"
    seed = G.sample([5], truncation=0.7)
    expected = mix(G.sample([0]), [Donor(G.sample([1]), G.rows("coarse")), Donor(seed, G.rows("middle"))])
    assert np.abs(_pixels(name) - _drawn(expected)).max() <= 1


def test_a_record_of_the_mix_goes_on(folder: Path) -> None:
    assert main(["mix", A, B, "--layers", "coarse", "--strength", "0.7", "--record", *MODEL]) == 0
    assert new_files(folder) == {"a.mix.b-coarsex0.7.png"}
    made = Inversion.load("a.mix.b-coarsex0.7.inversion.safetensors")
    expected = mix(G.sample([0]), [Donor(G.sample([1]), G.rows("coarse"), 0.7)])
    assert (made.ws - expected).abs().max() < 1e-5
    assert made.method == "mix"
    assert made.settings == {
        "mixed_from": "optimize",
        "donors": [{"name": "b", "rows": G.rows("coarse"), "strength": 0.7}],
    }
    assert main(["mix", "seed:3", B, "--layers", "coarse", "--record", "--out", "seed.png", *MODEL]) == 0
    assert Inversion.load("seed.inversion.safetensors").method == "mix"


def test_a_matrix_of_all_with_all_or_with_columns() -> None:
    assert main(["mix", A, B, "--matrix", "--layers", "coarse", *MODEL]) == 0
    square = Image.open("a.matrix.coarse.png")
    wide = ["mix", A, B, "--column", "seed:1", "--column", "seed:2", "--column", "seed:3", "--matrix"]
    assert main([*wide, "--layers", "middle", "--out", "wide.png", *MODEL]) == 0
    assert Image.open("wide.png").width > square.width
    assert Image.open("wide.png").height == square.height


@pytest.mark.parametrize("blend", ["image", "features"])
def test_a_region_by_a_mask(blend: str) -> None:
    mask = np.zeros((32, 32), dtype=np.uint8)
    mask[:, 20:] = 255
    Image.fromarray(mask).save("../mask.png")
    command = ["mix", A, B, "--region", "../mask.png", "--layers", "all", "--blend", blend, "--out", "mixed.png"]
    assert main([*command, *MODEL]) == 0
    mixed, a, b = _pixels("mixed.png"), _drawn(G.sample([0])), _drawn(G.sample([1]))
    if blend == "image":
        assert np.abs(mixed[:, :16] - a[:, :16]).max() <= 1
        assert np.abs(mixed[:, 24:] - b[:, 24:]).max() <= 1
    else:
        assert np.abs(mixed - a)[:, :8].mean() < np.abs(mixed - b)[:, :8].mean()
        assert np.abs(mixed - b)[:, 26:].mean() < np.abs(mixed - a)[:, 26:].mean()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([A, "--layers", "coarse"], "at least two pictures"),
        ([A, B], "--layers coarse"),
        ([A, B, "--layers", "deep"], "'deep' is not a layer"),
        ([A, B, "--layers", "0-99"], "0-99"),
        ([A, B, "--layers", "coarse", "--strength", "1.5"], "from 0"),
        ([A, B, "seed:1", "--layers", "coarse"], "both give layer 0"),
        ([A, B, "seed:1", "--layers", "coarse", "--strength", "1", "-s", "1", "-s", "1"], "one --strength"),
        ([A, "other.inversion.safetensors", "--layers", "coarse"], "one model"),
        ([A, "missing", "--layers", "coarse"], "no record missing"),
        ([A, "seed:x", "--layers", "coarse"], "no seed"),
        ([A, B, "--layers", "coarse", "--out", "x.xyz"], ".xyz"),
        ([A, B, "--layers", "coarse", "--column", B], "--matrix"),
        ([A, B, "--layers", "coarse", "--matrix", "--region", "eyes"], "leave out --region"),
        ([A, B, "--layers", "coarse", "--matrix", "--record"], "leave out --matrix"),
        ([A, B, "--region", "ears"], "no region"),
        ([A, B, "--region", "eyes"], "No face was found in a"),
        ([A, B, "--layers", "coarse", "--blend", "soup"], "--blend"),
        ([A, B, "--layers", "coarse", "--blend", "features"], "--blend is for a --region"),
    ],
)
def test_bad_input_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["mix", *arguments, *MODEL]) == 2
    assert words in one_sentence(capsys)
    assert new_files(folder) == set()


def test_nothing_is_replaced_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.png").write_text("mine")
    command = ["mix", A, B, "--layers", "coarse", "--out", "x.png", *MODEL]
    assert main(command) == 2
    assert "add --overwrite" in one_sentence(capsys)
    assert Path("x.png").read_text() == "mine"
    assert main([*command, "--overwrite"]) == 0
