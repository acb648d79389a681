import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.directions.describe import describe
from stylegan_latents.editing.directions.direction import load
from stylegan_latents.editing.discovery.finders.sefa import SeFa
from stylegan_latents.editing.discovery.scorers.colour import ColourScorer
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.editing.command_folder import MODEL, G, enter_beside_model
from tests.editing.discovery.finders.test_text import ColourTexts
from tests.generator.stylegan2_files import random_stylegan2
from tests.small_models import small_record


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a record in it, and the model beside it."""
    folder = enter_beside_model(tmp_path, monkeypatch)
    small_record(G).save("me.inversion.safetensors")
    return folder


def _made(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"me.inversion.safetensors"}


def _pair_folders() -> None:
    step = torch.randn(1, G.num_ws, G.w_dim, generator=torch.Generator().manual_seed(0))
    for name, move in (("a", 0), ("b", step)):
        Path(name).mkdir()
        for seed in range(3):
            small_record(G, ws=G.sample([seed]) + move).save(f"{name}/{seed}.inversion.safetensors")


def test_sefa_writes_directions_and_a_sheet_and_edit_takes_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["discover", "--method", "sefa", "--count", "3", *MODEL]) == 0
    names = [f"sefa-0{index}.safetensors" for index in range(3)]
    assert _made(folder) == {*names, "sefa.png"}
    assert "Wrote sefa-02.safetensors (share 0." in capsys.readouterr().out
    for name, wanted in zip(names, SeFa(G).find(3), strict=True):
        one = find_direction(name, G)
        assert torch.allclose(one.vector, wanted.vector)
        assert one.scale == pytest.approx(wanted.scale)
    width, height = Image.open("sefa.png").size
    assert width > 7 * 256
    assert 3 * 256 < height < 4 * 256
    assert main(["-d", "sefa-01.safetensors", "-s", "2", *MODEL]) == 0
    assert "me.sefa-01+2.png" in _made(folder)


def test_ganspace_takes_samples_and_layers(folder: Path) -> None:
    command = ["discover", "-m", "ganspace", "-n", "2", "--samples", "500", "--layers", "coarse", "--out", "new"]
    assert main([*command, *MODEL]) == 0
    one = load("new/ganspace-01.safetensors")
    assert one.layers == "coarse"
    assert one.provenance["samples"] == 500
    assert _made(folder / "new") == {"ganspace-00.safetensors", "ganspace-01.safetensors", "ganspace.png"}


def test_examples_have_the_name_that_is_given(folder: Path) -> None:
    _pair_folders()
    command = ["discover", "-m", "examples", "--before", "a", "--after", "b"]
    assert main([*command, "--name", "taller", *MODEL]) == 0
    assert load("taller.safetensors").provenance["pairs"] == 3
    assert main([*command, "--no-sheet", *MODEL]) == 0
    assert _made(folder) == {"a", "b", "taller.safetensors", "taller.png", "examples.safetensors"}


def test_stylespace_takes_a_mask_or_pairs() -> None:
    _pair_folders()
    mask = np.zeros((20, 20), np.uint8)
    mask[:9] = 255
    Image.fromarray(mask).save("top.png")
    command = ["discover", "-m", "stylespace", "-n", "2"]
    assert main([*command, "--mask", "top.png", "--samples", "2", *MODEL]) == 0
    assert find_direction("stylespace-01.safetensors", G).space == "s"
    assert main([*command, "--before", "a", "--after", "b", "--out", "pairs", *MODEL]) == 0
    assert Path("pairs/stylespace.png").exists()
    assert main([*command, "--before", "a", "--after", "b", "--together", "--name", "taller", *MODEL]) == 0
    together = find_direction("taller.safetensors", G)
    assert together.provenance["channels"] == [
        load(f"pairs/stylespace-0{index}.safetensors").provenance["channel"] for index in range(2)
    ]
    assert int(together.vector.count_nonzero()) == 2
    assert main(["-d", "stylespace-00.safetensors", "-s", "2", *MODEL]) == 0


def test_records_without_a_counterpart_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    _pair_folders()
    Path("a/0.inversion.safetensors").unlink()
    assert main(["discover", "-m", "examples", "--before", "a", "--after", "b", "--no-sheet", *MODEL]) == 0
    assert "left out, as only one of the folders has them: 0\n" in capsys.readouterr().err
    assert load("examples.safetensors").provenance["pairs"] == 2


def test_a_record_can_be_shown(folder: Path) -> None:
    command = ["discover", "-m", "sefa", "-n", "1", *MODEL]
    assert main([*command, "--record", "me.inversion.safetensors"]) == 0
    assert main([*command, "--out", "sample", "--show", "5"]) == 0
    one, other = (np.asarray(Image.open(folder / name)).astype(int) for name in ("sefa.png", "sample/sefa.png"))
    assert (one != other).any()


def test_interfacegan_finds_what_a_scorer_measures(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    command = ["discover", "-m", "interfacegan", "--scorer", "colour", "--score", "redness", "--hold", "lightness"]
    assert main([*command, "--samples", "300", *MODEL]) == 0
    assert "redness.safetensors (accuracy" in capsys.readouterr().out
    assert _made(folder) == {"redness.safetensors", "interfacegan.png"}
    one = find_direction("redness.safetensors", G)
    assert one.provenance["fixed"] == ["lightness"]
    ws = G.sample(range(900, 916))
    before, after = (ColourScorer().score(G.synthesize(codes))[:, 3] for codes in (ws, one.apply(ws, 1.0)))
    assert (after > before).mean() > 0.8


@pytest.mark.slow
def test_flow_writes_one_file_that_edit_takes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    command = ["discover", "-m", "flow", "--scorer", "colour", "--score", "redness", "--hold", "lightness"]
    assert main([*command, "--samples", "150", "--name", "red", *MODEL]) == 0
    told = capsys.readouterr().out
    assert "Wrote red.safetensors (loss" in told
    (following,) = [line for line in told.splitlines() if line.startswith("Next: edit ")]
    assert _made(folder) == {"red.safetensors", "red.png"}
    assert main([*following.removeprefix("Next: edit ").split(" --model")[0].split(), *MODEL]) == 0
    assert any(name.startswith("me.redness-to-") for name in _made(folder))


def test_interfacegan_takes_a_table_of_scores(folder: Path) -> None:
    w = G.sample(range(150), truncation=0.7)[:, 0]
    lines = [f"{seed},{float(value)}" for seed, value in enumerate(w[:, 2])]
    Path("scores.csv").write_text("\n".join(["seed,tall", *lines]))
    assert main(["discover", "-m", "interfacegan", "--scorer", "scores.csv", "--no-sheet", *MODEL]) == 0
    assert _made(folder) == {"scores.csv", "tall.safetensors"}
    assert find_direction("tall.safetensors", G).provenance["finder"] == "InterFaceGAN"


@pytest.mark.parametrize("fit", ["ridge", "svm", "logistic"])
def test_each_linear_model_can_be_asked_for(fit: str) -> None:
    w = G.sample(range(300), truncation=0.7)[:, 0]
    lines = [f"{seed},{float(value)},{'' if seed < 250 else seed}" for seed, value in enumerate(w[:, 2])]
    # What a score is unknown for serves the others.
    Path("scores.csv").write_text("\n".join(["seed,tall,late", *lines]))
    command = ["discover", "-m", "interfacegan", "--scorer", "scores.csv", "--score", "tall", "--no-sheet"]
    assert main([*command, "--fit", fit, *MODEL]) == 0
    one = find_direction("tall.safetensors", G)
    assert (one.provenance["method"], one.provenance["samples"]) == (fit, 300)
    assert float(one.provenance["held_out_accuracy"]) > 0.85  # type: ignore[arg-type]


def test_scores_that_the_codes_do_not_tell_are_said_to_be_chance(capsys: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(0).normal(size=300)
    Path("scores.csv").write_text("\n".join(["seed,luck", *(f"{seed},{one}" for seed, one in enumerate(noise))]))
    assert main(["discover", "-m", "interfacegan", "--scorer", "scores.csv", "--no-sheet", *MODEL]) == 0
    assert "'luck' is hardly better than chance" in capsys.readouterr().out
    tall = G.sample(range(300), truncation=0.7)[:, 0, 2]
    Path("scores.csv").write_text("\n".join(["seed,tall", *(f"{seed},{one}" for seed, one in enumerate(tall))]))
    assert main(["discover", "-m", "interfacegan", "--scorer", "scores.csv", "--no-sheet", *MODEL]) == 0
    assert "chance:" not in capsys.readouterr().out


@pytest.mark.slow
def test_labelled_pictures_say_how_well_they_tell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from stylegan_latents.editing.discovery.scorers import labelled

    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(labelled, "_alex_features", lambda: lambda images: images.mean((2, 3)).double().numpy())
    for label, colour in (("blue", (0, 0, 200)), ("red", (200, 0, 0))):
        (tmp_path / "labels" / label).mkdir(parents=True)
        for index in range(5):
            picture = Image.new("RGB", (32, 32), colour)
            picture.putpixel((index, index), (255, 255, 255))
            picture.save(tmp_path / "labels" / label / f"{index}.png")
    command = ["discover", "-m", "interfacegan", "--scorer", str(tmp_path / "labels"), "--samples", "300"]
    assert main([*command, "--no-sheet", *MODEL]) == 0
    output = capsys.readouterr().out
    assert "'red' is classified with an accuracy of 1.00 on held-out pictures" in output
    assert "Wrote red.safetensors" in output
    assert main([*command, "--no-sheet", "--score", "blue", *MODEL]) == 0
    assert "Wrote blue.safetensors" in capsys.readouterr().out


def test_scores_that_say_the_same_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    w = G.sample(range(150), truncation=0.7)[:, 0]
    lines = [f"{seed},{float(value)},{-2 * float(value)}" for seed, value in enumerate(w[:, 2])]
    Path("scores.csv").write_text("\n".join(["seed,tall,short", *lines]))
    command = ["discover", "-m", "interfacegan", "--scorer", "scores.csv", "--no-sheet", *MODEL]
    assert main(command) == 2
    assert "'tall' and 'short' are equivalent for every sample" in capsys.readouterr().err
    assert _made(folder) == {"scores.csv"}
    assert main([*command, "--score", "short"]) == 0


class _Classes(nn.Module):
    """Logits of exclusive classes: how much there is of each colour."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 20 * x.mean(dim=(2, 3))[:, : self.count]


def _network(count: int, *names: str) -> None:
    torch.jit.script(_Classes(count)).save("shade.pt")
    told = {"size": 32, "do_normalize": False, "id2label": names, "outputs": "logits"}
    Path("shade.json").write_text(json.dumps(told))


@pytest.mark.slow
def test_of_two_classes_one_direction_serves_both(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    _network(2, "red", "green")
    command = ["discover", "-m", "interfacegan", "--scorer", "shade.pt", "--samples", "300", *MODEL]
    assert main([*command, "--no-sheet"]) == 0
    assert _made(folder) == {"shade.pt", "shade.json", "green.safetensors"}
    out = capsys.readouterr().out
    assert "shade.pt is given 32 x 32 pixels, RGB, values from 0 to 1, as shade.json says; its logits become" in out
    assert "one direction serves both: a negative strength of 'green' leads to 'red'." in out
    assert "The leakage of 'green' leaves out 'red', which depends on it." in out
    assert "leakage 0" not in out
    found = load("green.safetensors")
    assert found.provenance["leakage"] is None
    assert "moves no other score" in describe(found)
    assert main([*command, "--score", "red", "--score", "green", "--overwrite"]) == 2
    assert "'red' and 'green' are equivalent for every sample" in capsys.readouterr().err
    command = ["evaluate", "-d", "green.safetensors", "--scorer", "shade.pt", "--features", "none", "--codes", "2"]
    assert main([*command, "--steps", "3", "--no-figure", *MODEL]) == 0
    assert "The leakage of 'green' leaves out 'red'" in capsys.readouterr().out
    (row, _) = csv.DictReader(Path("evaluation/evaluation.csv").read_text().splitlines())
    assert (row["score"], row["leakage"]) == ("green", "")
    assert float(row["change_red"]) == pytest.approx(-float(row["change_green"]), rel=1e-3)


@pytest.mark.slow
def test_a_file_beside_a_network_that_makes_no_sense_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    _network(3, "red", "green")
    for command in (["discover", "-m", "interfacegan"], ["evaluate", "-d", "x.npy"]):
        assert main([*command, "--scorer", "shade.pt", *MODEL]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "shade.pt gives 3 numbers for a picture, and 2 names came from shade.json" in line


def test_a_model_with_classes_is_sampled_over_them(capsys: pytest.CaptureFixture[str]) -> None:
    config = StyleGAN2Config(z_dim=4, mapping_widths=(6, 5), channels=(7, 6), label_dim=3, label_width=4)
    save_native(random_stylegan2(config), Path("classes.safetensors"))
    model = ("--model", "classes.safetensors", "--device", "cpu")
    assert main(["discover", "-m", "sefa", "-n", "1", "--show", "4", *model]) == 0
    assert main(["discover", "-m", "interfacegan", "--scorer", "colour", *model]) == 2
    assert "has classes" in capsys.readouterr().err


def test_nothing_is_replaced_unasked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("sefa-01.safetensors").write_text("mine")
    command = ["discover", "-m", "sefa", "-n", "2", *MODEL]
    assert main(command) == 2
    assert "sefa-01.safetensors exists already; add --overwrite" in capsys.readouterr().err
    assert _made(folder) == {"sefa-01.safetensors"}
    assert main([*command, "--overwrite"]) == 0
    assert load("sefa-01.safetensors").name == "sefa-01"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--method"),
        (["-m", "pca"], "pca"),
        (["-m", "sefa", "-n", "0"], "--count"),
        (["-m", "sefa", "-n", "9"], "between 1 and 8"),
        (["-m", "ganspace", "--samples", "5"], "more than 8 samples"),
        (["-m", "sefa", "--layers", "deep"], "deep"),
        (["-m", "sefa", "--mask", "me.png"], "does not take --mask"),
        (["-m", "sefa", "--name", "age"], "does not take --name"),
        (["-m", "examples"], "--before FOLDER --after FOLDER"),
        (["-m", "examples", "--before", "."], "go together"),
        (["-m", "examples", "--before", ".", "--after", "nowhere"], "no folder nowhere"),
        (["-m", "examples", "--before", ".", "--after", ".", "--name", "a/b"], "file's name"),
        (["-m", "examples", "--before", ".", "--after", "."], "same codes"),
        (["-m", "stylespace"], "either --mask"),
        (["-m", "interfacegan"], "needs --scorer"),
        (["-m", "interfacegan", "--scorer", "smell"], "no scorer 'smell'"),
        (["-m", "interfacegan", "--scorer", "colour", "--score", "hue"], "lightness, contrast"),
        (["-m", "interfacegan", "--scorer", "colour", "--samples", "99"], "at least 100"),
        (["-m", "interfacegan", "--scorer", "colour", "--layers", "0-3"], "not '0-3'"),
        (["-m", "interfacegan", "--scorer", "missing.csv"], "missing.csv"),
        (["-m", "interfacegan", "--scorer", "missing.onnx"], "missing.onnx"),
        (["-m", "flow"], "--method flow needs --scorer"),
        (["-m", "flow", "--scorer", "colour", "--score", "hue"], "lightness, contrast"),
        (["-m", "flow", "--scorer", "colour", "--layers", "0-30"], "do not exist"),
        (["-m", "flow", "--scorer", "colour", "--fit", "svm"], "does not take --fit"),
        (["-m", "sefa", "--scorer", "colour"], "does not take --scorer"),
        (["-m", "stylespace", "--mask", "nothing.png"], "nothing.png"),
        (["-m", "stylespace", "--mask", "ears"], "'ears' is no region"),
        (["-m", "stylespace", "--mask", "mouth", "--samples", "1"], "No face was found in the samples"),
        (["-m", "sefa", "--together"], "does not take --together"),
        (["-m", "sefa", "--samples", "9"], "does not take --samples"),
        (["-m", "sefa", "--fit", "svm"], "does not take --fit"),
        (["-m", "sefa", "--local", "ratio"], "does not take --local"),
        (["-m", "stylespace", "--mask", "mouth", "--local", "ratio"], "does not take --local"),
        (["-m", "lowrank", "--local", "null-space"], "give one with --mask"),
        (["-m", "lowrank", "--mask", "mouth", "--local", "nearby"], "nearby"),
        (["-m", "sefa", "--table", "fs3.npy"], "does not take --table"),
        (["-m", "text", "--text", "a", "--neutral", "b", "--threshold", "0.1"], "--threshold is for a --table"),
        (["-m", "examples", "--before", ".", "--after", ".", "-n", "2"], "does not take --count"),
        (["-m", "sefa", "--record", "nobody.inversion.safetensors"], "nobody"),
    ],
)
def test_bad_input_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["discover", *arguments, *MODEL]) == 2
    at_work = ("scoring samples", "detecting faces")
    (error,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(at_work)]
    assert words in error
    assert not _made(folder)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("seed,a/b\n1,1\n", "'a/b' cannot be a file's name"),
        ("seed,smile\n1,1\n2,3\n1,2\n", "Lines 2 and 4"),
        (f"seed,smile\n{10**30},1\n", "whole number from 0 to 1000000000"),
        ("seed,smile\n1,1\n", "at least 100 scored samples, not 1"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], table: str, words: str
) -> None:
    Path("s.csv").write_text(table)
    assert main(["discover", "-m", "interfacegan", "--scorer", "s.csv", *MODEL]) == 2
    error = capsys.readouterr().err.strip()
    assert words in error
    assert "\n" not in error
    assert _made(folder) == {"s.csv"}


def test_a_folder_that_cannot_be_written_is_said_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("notes").write_text("kept")
    assert main(["discover", "-m", "sefa", "-n", "2", "--out", "notes/found", *MODEL]) == 2
    assert "notes is a file" in capsys.readouterr().err
    assert _made(folder) == {"notes"}


def test_lowrank_takes_a_mask_or_none(folder: Path) -> None:
    mask = np.zeros((16, 16), np.uint8)
    mask[:8] = 255
    Image.fromarray(mask).save("top.png")
    command = ["discover", "-m", "lowrank", "-n", "1", "--samples", "2", *MODEL]
    assert main([*command, "--mask", "top.png", "--no-sheet"]) == 0
    local = find_direction("lowrank-00.safetensors", G)
    assert (local.space, local.provenance["finder"]) == ("s", "ReSeFa")
    null_space = [*command, "--mask", "top.png", "--no-sheet", "--local", "null-space", "--out", "other"]
    assert main(null_space) == 0
    other = load("other/lowrank-00.safetensors")
    assert other.provenance["finder"] == "LowRankGAN"
    assert not torch.equal(other.vector, local.vector)
    assert main(["-d", "lowrank-00.safetensors", "-s", "2", *MODEL]) == 0
    assert main([*command, "--out", "whole"]) == 0
    assert _made(folder / "whole") == {"lowrank-00.safetensors", "lowrank.png"}


def test_a_text_becomes_a_direction(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from stylegan_latents.editing.text import image_text

    command = ["discover", "-m", "text", "--text", "a red picture", "--neutral", "a picture", "--samples", "2"]
    monkeypatch.setattr(image_text, "OpenCLIP", lambda *_, **__: ColourTexts())
    assert main([*command, "--name", "red", *MODEL]) == 0
    assert load("red.safetensors").provenance["positive"] == "a red picture"
    assert main(["-d", "red.safetensors", "-s", "2", *MODEL]) == 0
    capsys.readouterr()
    for words, said in (
        (["-m", "text", "--text", "a face"], "needs --text and --neutral"),
        (["-m", "sefa", "--text", "a face"], "does not take --text"),
    ):
        assert main(["discover", *words, *MODEL]) == 2
        assert said in capsys.readouterr().err


def test_a_published_table_and_a_text_become_a_direction(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from stylegan_latents.editing.text import image_text

    asked: list[tuple[object, ...]] = []

    def open_clip(weights: str, **options: object) -> ColourTexts:
        asked.append((weights, options.get("quick_gelu")))
        return ColourTexts()

    monkeypatch.setattr(image_text, "OpenCLIP", open_clip)
    channels = sum(layer.channels for layer in G.layers if not layer.name.endswith("rgb"))
    np.save("fs3.npy", np.random.default_rng(0).normal(0, 0.2, (channels, 4)).astype(np.float32))
    command = ["discover", "-m", "text", "--text", "a red picture", "--neutral", "a picture", "--table", "fs3.npy"]
    assert main([*command, "--name", "red", "--threshold", "0.2", *MODEL]) == 0
    red = load("red.safetensors")
    assert asked == [("openai", True)]
    assert (red.space, red.provenance["threshold"], red.provenance["neutral"]) == ("s", 0.2, "a picture")
    capsys.readouterr()
    np.save("fs3.npy", np.zeros((channels, 9), np.float32))
    assert main([*command, *MODEL]) == 2
    assert "space of 9 numbers, and colours-1 has 4" in capsys.readouterr().err
    np.save("fs3.npy", np.zeros((6048, 4), np.float32))
    assert main([*command, *MODEL]) == 2
    assert "another StyleSpace, of 6048 channels" in capsys.readouterr().err
