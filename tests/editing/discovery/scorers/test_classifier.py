from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stylegan_latents.editing.discovery.scorers.classifier import ClassifierScorer
from stylegan_latents.editing.discovery.scorers.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from stylegan_latents.generator.errors import InputError
from tests.editing.discovery.onnx_files import mean_of_channels

PLAIN = Preprocessing(mean=(0, 0, 0), std=(1, 1, 1))
IMAGES = torch.tensor([[-1.0, 0.0, 1.0], [1.0, 1.0, -1.0]])[:, :, None, None].expand(2, 3, 32, 32)


class _Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(1, 2, 3), keepdim=True)


def _script(path: Path, module: nn.Module) -> Path:
    torch.jit.script(module).save(str(path))
    return path


def test_an_onnx_network_scores_in_its_own_size(tmp_path: Path) -> None:
    scorer = ClassifierScorer(mean_of_channels(tmp_path / "c.onnx", 1, 3, 8, 8), preprocessing=PLAIN)
    assert scorer.size == (8, 8)
    assert scorer.names == ("c-0", "c-1", "c-2")
    assert scorer.score(IMAGES) == pytest.approx(np.array([[0, 0.5, 1], [1, 1, 0]]), abs=1e-6)
    assert scorer.score(IMAGES[:0]).shape == (0, 3)


def test_open_sizes_and_channels_last_are_understood(tmp_path: Path) -> None:
    open_size = ClassifierScorer(mean_of_channels(tmp_path / "o.onnx", "n", 3, "h", "w"), ["r", "g", "b"])
    assert open_size.size == (224, 224)
    expected = (np.array([0, 0.5, 1]) - IMAGENET_MEAN) / IMAGENET_STD
    assert open_size.score(IMAGES[:1])[0] == pytest.approx(expected, abs=1e-3)
    last = ClassifierScorer(mean_of_channels(tmp_path / "l.onnx", "n", 4, 4, 3), preprocessing=PLAIN)
    assert last.size == (4, 4)
    assert last.score(IMAGES[:1])[0] == pytest.approx(np.full(4, 0.5), abs=1e-6)  # it pools what it takes for rows


@pytest.mark.slow
def test_a_torchscript_network_scores(tmp_path: Path) -> None:
    scorer = ClassifierScorer(_script(tmp_path / "bright.pt", _Mean()), preprocessing=PLAIN)
    assert scorer.names == ("bright",)
    assert scorer.score(IMAGES)[:, 0] == pytest.approx([0.5, 2 / 3], abs=1e-6)


@pytest.mark.slow
def test_probabilities_become_log_odds_which_move_where_they_do_not(tmp_path: Path) -> None:
    path = _script(tmp_path / "bright.pt", _Mean())
    scorer = ClassifierScorer(path, preprocessing=PLAIN, outputs="probabilities")
    assert scorer.score(IMAGES)[:, 0] == pytest.approx([0, np.log(2)], abs=1e-5)
    assert np.isfinite(scorer.score(torch.ones(1, 3, 4, 4))).all()


class _Pair(nn.Module):
    """How bright a picture is, as logits of two classes, or as their probabilities."""

    def __init__(self, probabilities: bool) -> None:
        super().__init__()
        self.probabilities = probabilities

    def forward(self, x: Tensor) -> Tensor:
        bright = x.mean(dim=(1, 2, 3))
        logits = torch.stack([5 - bright, 5 + bright], dim=1)
        return logits.softmax(1) if self.probabilities else logits


@pytest.mark.slow
@pytest.mark.parametrize("probabilities", [True, False])
def test_exclusive_classes_are_scored_against_one_another(tmp_path: Path, probabilities: bool) -> None:
    path = _script(tmp_path / "pair.pt", _Pair(probabilities))
    # Probabilities that sum to one are known by that, whatever is said of logits.
    scorer = ClassifierScorer(path, ["dark", "bright"], preprocessing=PLAIN, outputs="logits")
    assert scorer.exclusive == (("dark", "bright"),)
    assert scorer.outputs == ("probabilities" if probabilities else "logits")
    assert scorer.score(IMAGES) == pytest.approx(np.array([[-1, 1], [-4 / 3, 4 / 3]]), abs=1e-5)
    unsaid = ClassifierScorer(path, preprocessing=PLAIN)
    assert (unsaid.outputs == "probabilities", bool(unsaid.exclusive)) == (probabilities, probabilities)
    assert "log odds" in scorer.notes[0]
    as_they_are = ClassifierScorer(path, preprocessing=PLAIN, outputs="scores")
    assert as_they_are.score(IMAGES[:1]).sum() == pytest.approx(1 if probabilities else 10, abs=1e-5)
    assert bool(as_they_are.exclusive) == probabilities


def test_log_odds_of_three_classes_are_those_of_their_probabilities(tmp_path: Path) -> None:
    path = mean_of_channels(tmp_path / "c.onnx", 1, 3, 8, 8)
    logits = ClassifierScorer(path, preprocessing=PLAIN).score(IMAGES)
    likely = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    scorer = ClassifierScorer(path, preprocessing=PLAIN, outputs="logits")
    assert scorer.score(IMAGES) == pytest.approx(np.log(likely / (1 - likely)), abs=1e-6)


class _Named(nn.Module):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"features": x, "logits": x.mean(dim=(2, 3))}


@pytest.mark.slow
def test_of_several_outputs_the_logits_are_taken(tmp_path: Path) -> None:
    assert ClassifierScorer(_script(tmp_path / "n.pt", _Named()), preprocessing=PLAIN).score(IMAGES).shape == (2, 3)


def test_axes_that_an_export_left_open_are_channels_first_unless_said(tmp_path: Path) -> None:
    """As `optimum` exports every picture network."""
    path = mean_of_channels(tmp_path / "o.onnx", "b", "c", "h", "w")
    assert ClassifierScorer(path, preprocessing=PLAIN).score(IMAGES[:1])[0] == pytest.approx([0, 0.5, 1], abs=1e-6)
    last = Preprocessing(size=(6, 5), mean=(0, 0, 0), std=(1, 1, 1), channels_last=True)
    assert ClassifierScorer(path, preprocessing=last).score(IMAGES[:1])[0] == pytest.approx(
        np.full(6, 0.5), abs=1e-6
    )


def test_sides_may_differ(tmp_path: Path) -> None:
    scorer = ClassifierScorer(mean_of_channels(tmp_path / "c.onnx", 1, 3, 10, 6), preprocessing=PLAIN)
    assert scorer.size == (10, 6)
    assert scorer.score(IMAGES)[0] == pytest.approx([0, 0.5, 1], abs=1e-6)


@pytest.mark.slow
def test_the_version_is_the_file_s_and_the_settings(tmp_path: Path) -> None:
    path = _script(tmp_path / "bright.pt", _Mean())
    one, other = ClassifierScorer(path), ClassifierScorer(path, preprocessing=PLAIN)
    assert one.version == ClassifierScorer(path).version
    assert one.version != other.version


@pytest.mark.slow
def test_what_is_no_such_network_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        ClassifierScorer(tmp_path / "missing.onnx")
    for name in ("bad.onnx", "bad.pt"):
        (tmp_path / name).write_bytes(b"<html>")
        with pytest.raises(InputError, match=f"{name} cannot be read"):
            ClassifierScorer(tmp_path / name)
    with pytest.raises(InputError, match="not one picture of three channels"):
        ClassifierScorer(mean_of_channels(tmp_path / "grey.onnx", 1, 1, 8, 8))
    with pytest.raises(InputError, match="float32"):
        ClassifierScorer(mean_of_channels(tmp_path / "half.onnx", 1, 3, 8, 8, element=10))
    with pytest.raises(InputError, match="gives 3 numbers for a picture"):
        ClassifierScorer(mean_of_channels(tmp_path / "c.onnx", 1, 3, 8, 8), ["one"])
    with pytest.raises(InputError, match="cannot take a picture"):
        ClassifierScorer(_script(tmp_path / "linear.pt", nn.Linear(5, 2)))
