from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from editing.discovery.classifier import IMAGENET_MEAN, IMAGENET_STD, ClassifierScorer, Preprocessing
from generator.errors import InputError
from tests.editing.discovery.onnx_files import mean_of_channels

PLAIN = Preprocessing(side=None, mean=(0, 0, 0), std=(1, 1, 1))
IMAGES = torch.tensor([[-1.0, 0.0, 1.0], [1.0, 1.0, -1.0]])[:, :, None, None].expand(2, 3, 32, 32)


class _Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(1, 2, 3), keepdim=True)


def _script(path: Path, module: nn.Module) -> Path:
    torch.jit.script(module).save(str(path))
    return path


def test_an_onnx_network_scores_in_its_own_size(tmp_path: Path) -> None:
    scorer = ClassifierScorer(mean_of_channels(tmp_path / "c.onnx", 1, 3, 8, 8), preprocessing=PLAIN)
    assert scorer.side == 8
    assert scorer.names == ("c-0", "c-1", "c-2")
    assert scorer(IMAGES) == pytest.approx(np.array([[0, 0.5, 1], [1, 1, 0]]), abs=1e-6)
    assert scorer(IMAGES[:0]).shape == (0, 3)


def test_open_sizes_and_channels_last_are_understood(tmp_path: Path) -> None:
    open_size = ClassifierScorer(mean_of_channels(tmp_path / "o.onnx", "n", 3, "h", "w"), ["r", "g", "b"])
    assert open_size.side == 224
    expected = (np.array([0, 0.5, 1]) - IMAGENET_MEAN) / IMAGENET_STD
    assert open_size(IMAGES[:1])[0] == pytest.approx(expected, abs=1e-3)
    last = ClassifierScorer(mean_of_channels(tmp_path / "l.onnx", "n", 4, 4, 3), preprocessing=PLAIN)
    assert last.side == 4
    assert last(IMAGES[:1])[0] == pytest.approx(np.full(4, 0.5), abs=1e-6)  # it pools what it takes for rows


def test_a_torchscript_network_scores(tmp_path: Path) -> None:
    scorer = ClassifierScorer(_script(tmp_path / "bright.pt", _Mean()), preprocessing=PLAIN)
    assert scorer.names == ("bright",)
    assert scorer(IMAGES)[:, 0] == pytest.approx([0.5, 2 / 3], abs=1e-6)


def test_probabilities_become_log_odds_which_move_where_they_do_not(tmp_path: Path) -> None:
    path = _script(tmp_path / "bright.pt", _Mean())
    scorer = ClassifierScorer(path, preprocessing=PLAIN, probabilities=True)
    assert scorer(IMAGES)[:, 0] == pytest.approx([0, np.log(2)], abs=1e-5)
    assert np.isfinite(scorer(torch.ones(1, 3, 4, 4))).all()


def test_the_version_is_the_file_s_and_the_settings(tmp_path: Path) -> None:
    path = _script(tmp_path / "bright.pt", _Mean())
    one, other = ClassifierScorer(path), ClassifierScorer(path, preprocessing=PLAIN)
    assert one.version == ClassifierScorer(path).version
    assert one.version != other.version


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
