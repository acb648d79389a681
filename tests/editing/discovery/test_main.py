import numpy as np
import pytest
import torch

from stylegan_latents import generator
from stylegan_latents.editing.directions.catalogue import shipped_path
from stylegan_latents.editing.directions.direction import load
from stylegan_latents.editing.discovery.__main__ import main
from stylegan_latents.editing.discovery.fitting import identity
from stylegan_latents.editing.discovery.scorers import faces
from stylegan_latents.editing.discovery.scorers.faces import FACE_ATTRIBUTES
from stylegan_latents.editing.discovery.scorers.scorer import Scorer
from stylegan_latents.generator import loading
from tests.small_models import save_small_model


def test_too_few_samples_end_with_one_sentence(tmp_path, capsys):
    model = save_small_model(tmp_path)
    assert main(["--out", str(tmp_path / "out"), "--model", str(model), "--samples", "3"]) == 2
    error = capsys.readouterr().err
    assert "at least 100 samples" in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_the_method_of_the_fit_is_taken_and_an_unknown_direction_is_refused(tmp_path, capsys):
    command = ["--out", str(tmp_path / "out"), "--model", str(save_small_model(tmp_path)), "--samples", "3"]
    assert main([*command, "--method", "svm", "--steady", "age"]) == 2
    assert "at least 100 samples" in capsys.readouterr().err
    assert main([*command, "--reduce-leakage", "beauty"]) == 2
    assert "--reduce-leakage beauty is none of the directions to find: pose, pitch" in capsys.readouterr().err


def test_what_could_not_be_written_after_an_hour_is_refused_before_it(tmp_path, capsys):
    model = save_small_model(tmp_path)
    wrong = tmp_path / "notes.txt"
    wrong.write_text("kept")
    assert main(["--out", str(wrong / "found"), "--model", str(model)]) == 2
    assert "notes.txt is a file" in capsys.readouterr().err
    G = generator.load(str(model))
    there = shipped_path(G.latent_space, "smile", tmp_path)
    there.write_text("mine")
    assert main(["--out", str(tmp_path), "--model", str(model)]) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert there.read_text() == "mine"
    assert wrong.read_text() == "kept"


def test_an_unknown_model_ends_with_one_sentence(tmp_path, capsys):
    assert main(["--out", str(tmp_path), "--model", "fhq"]) == 2
    assert "did you mean ffhq" in capsys.readouterr().err


class _Wide:
    """A generator whose pictures are its codes, of a W that is wide enough to tell all attributes apart."""

    name, latent_space, fingerprint, resolution = "wide", "wide", "0" * 64, 256
    num_ws, w_dim, label_dim, image_channels = 6, 48, 0, 3
    device, dtype = torch.device("cpu"), torch.float32
    ws_groups = ("coarse", "coarse", "middle", "middle", "fine", "fine")
    pictures = 0

    def to(self, dtype):  # noqa: ARG002
        return self

    def rows(self, layers):
        return [i for i, group in enumerate(self.ws_groups) if layers == "all" or group in layers.split(",")]

    def sample(self, seeds, truncation=1.0):
        w = torch.stack([torch.randn(self.w_dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
        return (truncation * w)[:, None].repeat(1, self.num_ws, 1)

    def synthesize(self, ws, size):  # noqa: ARG002
        _Wide.pictures += len(ws)
        return ws[:, None]


class _Linear(Scorer):
    """Scores that are linear in the coarse and middle rows, and a little entangled."""

    names, version, stop_after = faces.FaceScorer.names, "linear-1", 10**9
    attributes = FACE_ATTRIBUTES

    def score(self, images):
        if _Wide.pictures > self.stop_after:
            raise KeyboardInterrupt
        w = images[:, 0, :4].mean(dim=1).double().numpy()
        return w[:, : len(self.names)] + 0.2 * w[:, 1 : len(self.names) + 1]


class _Person(Scorer):
    names, version = ("identity-0", "identity-1"), "person-1"

    def score(self, images):
        return images[:, 0, 0, -2:].double().numpy()


def test_finds_writes_and_says_so_and_goes_on_where_it_was_stopped(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(loading, "load", lambda _: _Wide())
    monkeypatch.setattr(faces, "FaceScorer", _Linear)
    monkeypatch.setattr(identity, "IdentityScorer", _Person)
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(_Linear, "stop_after", 300)
    out = tmp_path / "out"
    arguments = [
        "--out",
        str(out),
        "--samples",
        "400",
        "--codes",
        "4",
        "--reduce-leakage",
        "age",
        "--hold-identity",
        "smile",
    ]
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        raise SystemExit(main(arguments))
    assert not out.exists()
    monkeypatch.setattr(_Linear, "stop_after", 10**9)
    already = _Wide.pictures
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.out.count(f"Wrote {out}") == len(FACE_ATTRIBUTES)
    assert "intended" in said.out
    assert "reducing the leakage of smile" in said.err
    found = {path.name: load(path) for path in out.iterdir()}
    assert set(found) == {f"wide.{attribute.name}.safetensors" for attribute in FACE_ATTRIBUTES}
    smile = found["wide.smile.safetensors"]
    assert smile.provenance["identity_held"] is True
    assert 0.7 < float(smile.provenance["intended_change"]) < 1.3
    first = _Wide.pictures - already
    assert main([*arguments, "--overwrite"]) == 0
    again = _Wide.pictures - already - first
    assert 90 <= first - again <= 110, "what was scored before it was stopped was scored again"
    np.testing.assert_array_equal(load(out / "wide.smile.safetensors").vector, smile.vector)
