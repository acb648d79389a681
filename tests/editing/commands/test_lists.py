"""`edit models`: every name that can be loaded, and what is on this machine."""

import json
from pathlib import Path

import pytest

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.commands.lists import known_models
from stylegan_latents.generator.weights import zoo


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path))
    folder = tmp_path / "stylegan2-ada-cifar10"
    folder.mkdir()
    (folder / "cifar10.pkl").write_bytes(b"x" * 3_000_000)


def test_a_line_for_each_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert title.split() == ["name", "pixels", "domain", "on", "this", "machine", "licence"]
    assert [line.split()[0] for line in lines] == list(zoo.models())
    here = [line for line in lines if " 3 MB " in line]
    assert [line.split()[:2] for line in here] == [["stylegan2-ada-cifar10", "32"]]
    assert all("non-commercial" in line for line in lines)


def test_json_tells_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    models = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    assert list(models) == [model.name for model in known_models()]
    assert models["ffhq"]["latent_space"] == "stylegan2-ffhq-w"
    assert models["ffhq"]["address"].startswith("pip: random-face==")
    assert models["stylegan3-t-afhqv2-512x512"] == {
        "name": "stylegan3-t-afhqv2-512x512",
        "resolution": 512,
        "domain": "animals' faces",
        "licence": "NVIDIA Source Code License: non-commercial",
        "latent_space": "stylegan3-t-afhqv2-512x512-w",
        "address": "https://api.ngc.nvidia.com/v2/models/nvidia/research/stylegan3/versions/1/files/"
        "stylegan3-t-afhqv2-512x512.pkl",
        "cached": 0,
        "note": "StyleGAN3 (Karras et al. 2021).",
    }
    assert models["stylegan2-ada-cifar10"]["cached"] == 3_000_000
