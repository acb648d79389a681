"""The distance of a file's features: nothing for equal pictures, with a gradient, and said where it cannot be."""

from pathlib import Path

import pytest
import torch
from torch import nn

from stylegan_latents.encoders.training.feature_distance import FeatureDistance
from stylegan_latents.generator.errors import InputError
from tests.encoders.small_encoders import noise_images
from tests.odd_models import seeded


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    with seeded(0):
        network = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
    path = tmp_path / "features.pt"
    torch.jit.save(torch.jit.trace(network, torch.zeros(2, 3, 16, 16)), path)  # type: ignore[no-untyped-call]
    return path


@pytest.mark.parametrize("values", ["symmetric", "imagenet"])
def test_equal_pictures_are_near_and_others_are_not(file: Path, values: str) -> None:
    measure = FeatureDistance(file, side=16, values=values)  # type: ignore[arg-type]
    ours, theirs = noise_images(3).requires_grad_(), noise_images(3, seed=1)
    assert torch.allclose(measure(ours, ours), torch.zeros(3), atol=1e-5)
    found = measure(ours, theirs)
    assert found.shape == (3,)
    assert float(found.min()) > 1e-4
    (slope,) = torch.autograd.grad(found.sum(), ours)
    assert float(slope.abs().max()) > 0


def test_only_the_middle_is_seen(file: Path) -> None:
    measure = FeatureDistance(file, side=16, crop=0.5)
    ours = noise_images(1)
    theirs = torch.zeros_like(ours)
    theirs[:, :, 8:24, 8:24] = ours[:, :, 8:24, 8:24]
    assert float(measure(ours, theirs)) == pytest.approx(0, abs=1e-5)


def test_what_is_wrong_is_said(file: Path, tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("no network")
    for path in (tmp_path / "missing.pt", tmp_path / "text.pt"):
        with pytest.raises(InputError, match="cannot be read as a TorchScript network"):
            FeatureDistance(path)
    for side, crop in ((4, 1.0), (16, 0.0), (16, 1.5)):
        with pytest.raises(InputError, match="a side of 8 or more"):
            FeatureDistance(file, side=side, crop=crop)
