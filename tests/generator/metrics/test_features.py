"""Networks of features: against torchvision's VGG, and through torch-fidelity's Inception."""

import sys
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.metrics.features import InceptionFeatures, VGGFeatures
from tests.odd_models import seeded

WIDTHS = (3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8)


def _tensors() -> dict[str, torch.Tensor]:
    with seeded(0):
        tensors = {}
        for i in range(13):
            tensors[f"conv{i}.weight"] = torch.randn(WIDTHS[i + 1], WIDTHS[i], 3, 3) * (2 / (9 * WIDTHS[i])) ** 0.5
            tensors[f"conv{i}.bias"] = 0.1 * torch.randn(WIDTHS[i + 1])
    return tensors


@pytest.mark.slow
def test_vgg_is_torchvisions() -> None:
    models = pytest.importorskip("torchvision.models")
    tensors = _tensors()
    network = models.vgg16(weights=None).features[:30]
    convs = [module for module in network if isinstance(module, torch.nn.Conv2d)]
    for i, conv in enumerate(convs):
        conv.weight = torch.nn.Parameter(tensors[f"conv{i}.weight"])
        conv.bias = torch.nn.Parameter(tensors[f"conv{i}.bias"])
    images = torch.rand(2, 3, 48, 48) * 2 - 1
    mean, deviation = (torch.tensor(v).reshape(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    wanted = network((images / 2 + 0.5 - mean) / deviation).mean(dim=(2, 3))
    ours = VGGFeatures(tensors, side=48)(images)
    assert torch.allclose(ours, wanted, rtol=1e-3, atol=1e-4)
    resized = F.interpolate(images, (32, 32), mode="bilinear", antialias=True)
    assert torch.allclose(VGGFeatures(tensors, side=32)(images), VGGFeatures(tensors, side=32)(resized), atol=1e-5)
    grey = images[:, :1]
    assert torch.equal(VGGFeatures(tensors, side=48)(grey), VGGFeatures(tensors, side=48)(grey.repeat(1, 3, 1, 1)))


def test_vggs_published_weights_are_at_hand_offline() -> None:
    features = VGGFeatures()(torch.zeros(1, 3, 224, 224))
    assert features.shape == (1, 512)
    assert float(features.min()) >= 0
    assert 0 < float(features.mean()) < 10


@pytest.mark.slow
def test_inception_from_a_file(tmp_path: Path) -> None:
    inception = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    path = tmp_path / "weights.pth"
    with pytest.MonkeyPatch.context() as patched, seeded(0):
        patched.setattr(inception, "load_state_dict_from_url", lambda *_a, **_k: {})
        patched.setattr(torch.nn.Module, "load_state_dict", lambda *_a, **_k: None)
        network = inception.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    torch.save(network.state_dict(), path)
    features = InceptionFeatures(path)(torch.rand(2, 1, 32, 32) * 2 - 1)
    assert features.shape == (2, 2048)
    torch.save({"other": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="other weights than torch-fidelity's"):
        InceptionFeatures(path)
    with pytest.raises(InputError, match="Cannot read"):
        InceptionFeatures(tmp_path / "missing.pth")


def test_inceptions_file_runs_nothing(tmp_path: Path) -> None:
    pytest.importorskip("torch_fidelity")

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"x": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(InputError, match="could run code"):
        InceptionFeatures(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_without_torch_fidelity_one_sentence_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.delitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", raising=False)
    with pytest.raises(InputError, match="pip install torch-fidelity"):
        InceptionFeatures()
