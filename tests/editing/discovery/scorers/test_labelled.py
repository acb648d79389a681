from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.discovery.scorers.labelled import LabelledScorer
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.search.loss import LPIPS
from tests.odd_models import tiny_lpips


def _colours(images: torch.Tensor) -> np.ndarray:
    """Stands for AlexNet: the mean colour, and numbers that say nothing."""
    noise = np.random.default_rng(0).normal(size=(len(images), 4))
    return np.concatenate([images.mean((2, 3)).double().numpy(), 0 * noise], axis=1)


def _write(folder: Path, label: str, colour: tuple[int, int, int], count: int = 8) -> None:
    (folder / label).mkdir(parents=True)
    draw = np.random.default_rng(len(label))
    for index in range(count):
        pixels = np.clip(draw.normal(colour, 30, size=(16, 16, 3)) + draw.normal(0, 10, 3), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{index}.png")


def _plain(red: float, green: float, blue: float) -> torch.Tensor:
    return (2 * torch.tensor([red, green, blue]) - 1)[None, :, None, None].expand(1, 3, 8, 8)


def test_the_scores_of_two_labels_are_each_the_negative_of_the_other(tmp_path: Path) -> None:
    _write(tmp_path, "blue", (40, 40, 200))
    _write(tmp_path, "red", (200, 40, 40))
    scorer = LabelledScorer(tmp_path, features=_colours)
    assert scorer.names == ("blue", "red")
    assert scorer.exclusive == (("blue", "red"),)
    assert scorer.accuracy == (1.0, 1.0)
    assert len(scorer.notes) == 1
    red, blue = scorer.score(_plain(0.8, 0.1, 0.1))[0], scorer.score(_plain(0.1, 0.1, 0.8))[0]
    assert red[1] > 0 > blue[1]
    assert np.allclose(red[0], -red[1])
    # A score, not a label: between the two it lies between.
    assert blue[1] < scorer.score(_plain(0.5, 0.1, 0.5))[0, 1] < red[1]


def test_more_labels_make_a_score_each(tmp_path: Path) -> None:
    for label, colour in (("blue", (40, 40, 200)), ("green", (40, 200, 40)), ("red", (200, 40, 40))):
        _write(tmp_path, label, colour)
    scorer = LabelledScorer(tmp_path, features=_colours)
    assert scorer.names == ("blue", "green", "red")
    assert int(scorer.score(_plain(0.1, 0.9, 0.1))[0].argmax()) == 1


def test_labels_that_do_not_show_have_an_accuracy_of_chance(tmp_path: Path) -> None:
    _write(tmp_path, "one", (90, 90, 90), 20)
    _write(tmp_path, "two", (90, 90, 90), 20)
    assert LabelledScorer(tmp_path, features=_colours).accuracy[0] < 0.8


def test_the_version_changes_with_the_pictures(tmp_path: Path) -> None:
    _write(tmp_path, "blue", (40, 40, 200))
    _write(tmp_path, "red", (200, 40, 40))
    before = LabelledScorer(tmp_path, features=_colours).version
    assert LabelledScorer(tmp_path, features=_colours).version == before
    (tmp_path / "red" / "0.png").unlink()
    assert LabelledScorer(tmp_path, features=_colours).version != before


def test_folders_that_cannot_be_learned_from_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        LabelledScorer(tmp_path / "missing", features=_colours)
    _write(tmp_path, "only", (1, 2, 3))
    with pytest.raises(InputError, match="holds 1 folder of pictures"):
        LabelledScorer(tmp_path, features=_colours)
    _write(tmp_path, "few", (1, 2, 3), 2)
    with pytest.raises(InputError, match="few holds 2 pictures"):
        LabelledScorer(tmp_path, features=_colours)


@pytest.mark.slow
def test_alexnet_s_features_are_used_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LPIPS, "load", lambda _trunk: tiny_lpips())
    _write(tmp_path, "dark", (40, 40, 40))
    _write(tmp_path, "light", (210, 210, 210))
    seen: list[tuple[int, int]] = []
    scorer = LabelledScorer(tmp_path, progress=lambda done, whole: seen.append((done, whole)))
    assert seen[-1] == (16, 16)
    assert scorer.accuracy[0] > 0.9
    scores = scorer.score(torch.cat([_plain(0.9, 0.9, 0.9), _plain(0.1, 0.1, 0.1)]))
    assert scores.shape == (2, 2)
    assert scores[0, 1] > scores[1, 1]
