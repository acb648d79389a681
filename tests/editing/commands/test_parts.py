from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.mixing.by_part import PartDonor, mix_parts
from stylegan_latents.editing.regions import parts as parts_catalogue
from stylegan_latents.editing.regions.parts import Parts, part_features
from stylegan_latents.invert.photos.files import to_picture
from tests.editing.command_folder import MODEL, G, enter_folder, new_files, one_sentence

A, B = "a.inversion.safetensors", "b.inversion.safetensors"
CHANNELS = sum(layer.channels for layer in G.layers)


def _catalogue() -> Parts:
    features = part_features(G, G.sample([0]))[0]
    shares = torch.zeros(2, CHANNELS)
    shares[0, :30], shares[1, 30:60] = 0.9, 0.9
    return Parts(("ears", "tail"), features[[0, -1], [0, -1]], torch.tensor([0, 1]), shares, G.name, G.fingerprint)


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(parts_catalogue, "_shipped", lambda: {G.fingerprint: _catalogue()})
    return enter_folder(tmp_path, monkeypatch)


def _pixels(name: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    return np.asarray(Image.open(name)).astype(np.int64)


def test_the_parts_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parts", A, "seed:3", *MODEL]) == 0
    assert new_files(folder) == {"parts.png"}
    assert "ears: 30 style channels" in capsys.readouterr().out
    assert main(["parts", "--out", "six.png", *MODEL]) == 0
    assert Image.open("six.png").width > Image.open("parts.png").width


def test_a_part_is_mixed_in(folder: Path) -> None:
    assert main(["mix", A, B, "--part", "Ears", "--strength", "0.5", *MODEL]) == 0
    assert new_files(folder) == {"a.mix.b-earsx0.5.png"}
    weights = _catalogue().weights(["ears"], 0.3)
    styles = mix_parts(G, G.sample([0]), [PartDonor(G.sample([1]), weights, 0.5)])
    expected = np.asarray(to_picture(G.synthesize_styles(styles))[0]).astype(np.int64)
    assert np.abs(_pixels("a.mix.b-earsx0.5.png") - expected).max() <= 1


def test_by_channels_is_the_default_of_parts_that_are_no_peoples(folder: Path) -> None:
    assert main(["mix", A, B, "--part", "ears", *MODEL]) == 0
    assert main(["mix", A, B, "--part", "ears", "--by", "channels", *MODEL]) == 0
    assert new_files(folder) == {"a.mix.b-ears.png", "a.mix.b-ears-channels.png"}
    assert np.array_equal(_pixels("a.mix.b-ears.png"), _pixels("a.mix.b-ears-channels.png"))


def test_a_threshold_is_in_the_name(folder: Path) -> None:
    mix = ["mix", A, B, "--part", "ears", *MODEL]
    assert main(mix) == 0
    assert main([*mix, "--threshold", "0.1"]) == 0
    assert main(["retrieve", A, "--part", "tail", "--among", "seed:0-3", "--threshold", "0.1", *MODEL]) == 0
    assert new_files(folder) == {
        "a.mix.b-ears.png",
        "a.mix.b-ears.threshold0.1.png",
        "a.nearest.tail.threshold0.1.png",
    }


def test_each_giver_gives_its_own_part_within_a_region() -> None:
    mask = np.zeros((32, 32), dtype=np.uint8)
    mask[:, 20:] = 255
    Image.fromarray(mask).save("mask.png")
    words = [
        "mix",
        A,
        B,
        "seed:4",
        "--part",
        "ears",
        "--part",
        "tail",
        "--layers",
        "coarse",
        "--region",
        "mask.png",
    ]
    assert main([*words, *MODEL]) == 0
    mixed = _pixels("a.mix.b-ears-coarse.seed4-tail-coarse.mask.png")
    before = np.asarray(to_picture(G.synthesize(G.sample([0])))[0]).astype(np.int64)
    assert np.abs(mixed[:, :16] - before[:, :16]).max() <= 1


def test_who_is_most_like_it_is_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["retrieve", A, "--part", "tail", "--among", "seed:0-19", "--truncation", "1", "-n", "3"]
    assert main([*command, *MODEL]) == 0
    assert new_files(folder) == {"a.nearest.tail.png"}
    lines = capsys.readouterr().out.splitlines()
    # The record is the code of seed 0.
    assert lines[0] == "seed0: 0.00"
    assert len(lines) == 4
    distances = [float(line.split(": ")[1]) for line in lines[:3]]
    assert distances == sorted(distances)
    assert (
        main(["retrieve", A, "--part", "ears", "--part", "tail", "--among", ".", "--out", "two.png", *MODEL]) == 2
    )
    Path("other.inversion.safetensors").unlink()
    assert (
        main(["retrieve", A, "--part", "ears", "--part", "tail", "--among", ".", "--out", "two.png", *MODEL]) == 0
    )
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["b", "Wrote two.png"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mix", A, B, "--part", "nose"], "no part 'nose': give ears, tail"),
        (["mix", A, "--part", "ears"], "at least two pictures"),
        (["mix", A, B, "--part", "ears", "--threshold", "1"], "--threshold takes a share"),
        (["mix", A, B, "--part", "ears", "--by", "search"], "take --by channels"),
        (["mix", A, B, "--part", "ears", "--by", "search", "--threshold", "0.2"], "take --by channels with them"),
        (["mix", A, B, "--layers", "coarse", "--by", "search"], "--by is for a --part"),
        (["mix", A, B, "--part", "ears", "--threshold", "0.95"], "lower --threshold"),
        (["mix", A, B, "--part", "ears", "--blend", "features"], "leave out --blend features"),
        (["mix", A, B, "--part", "ears", "--matrix"], "leave out --region and --part"),
        (["mix", A, B, "seed:1", "--part", "ears"], "one --part for each of the 2 donors, not 1"),
        (["mix", A, B, "seed:1", "--part", "ears", "--part", "Ears"], "cannot give the same part"),
        (["mix", A, B, "--part", "ears", "--layers", "99"], "99"),
        (["retrieve", A], "such as --part hair"),
        (["retrieve", A, "--part", "horn"], "no part 'horn'"),
        (["retrieve", A, "--part", "ears", "--among", "nowhere"], "nowhere is neither"),
        (["retrieve", A, "--part", "ears", "--among", "seed:x"], "no seed"),
        (["retrieve", A, "--part", "ears", "--threshold", "nan"], "--threshold takes a share"),
        (["retrieve", A, "--part", "ears", "--strength", "2"], "from 0"),
        (["parts", "missing"], "no record missing"),
        (["parts", "--out", "x.xyz"], ".xyz"),
    ],
)
def test_bad_input_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main([*words, *MODEL]) == 2
    assert said in one_sentence(capsys)
    assert new_files(folder) == set()


@pytest.mark.parametrize("words", [["mix", A, B, "--part", "ears"], ["retrieve", A, "--part", "ears"], ["parts"]])
def test_nothing_is_replaced_unasked(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.png").write_text("mine")
    assert main([*words, "--out", "x.png", *MODEL]) == 2
    assert "add --overwrite" in one_sentence(capsys)
    assert Path("x.png").read_text() == "mine"
