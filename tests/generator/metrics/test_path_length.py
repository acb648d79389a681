"""The path length against what it is for a linear generator, and against plain differences."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from stylegan_latents.generator.metrics.draws import draw_z
from stylegan_latents.generator.metrics.path_length import _prepared, perceptual_path_length, slerp
from tests.generator.metrics.without_doubles import WithoutDoubles
from tests.odd_models import odd_generator

G = odd_generator()


def _squared(ours: Tensor, theirs: Tensor) -> Tensor:
    return (ours.double() - theirs.double()).square().mean(dim=(1, 2, 3))


@pytest.mark.parametrize("sampling", ["end", "full"])
def test_of_a_linear_generator_it_is_the_square_of_the_whole_path(
    monkeypatch: pytest.MonkeyPatch, sampling: str
) -> None:
    linear = torch.randn(3 * 16 * 16, G.w_dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    monkeypatch.setattr(
        G, "synthesize", lambda ws, *_a, **_k: (ws[:, 0].double() @ linear.T).reshape(-1, 3, 16, 16)
    )
    found = perceptual_path_length(G, _squared, samples=40, batch=40, seed=5, sampling=sampling)  # type: ignore[arg-type]
    source = torch.Generator().manual_seed(5)
    first, last = (G.map(draw_z(G, 40, source)[0])[:, 0].double() for _ in range(2))
    wanted = ((last - first) @ linear.T).square().mean(dim=1).detach()
    np.testing.assert_allclose(found.distances, wanted, rtol=2e-2)  # w is float32 and a step is 1e-4
    kept = found.distances.numpy()
    low, high = np.percentile(kept, 1, method="lower"), np.percentile(kept, 99, method="higher")
    inside = kept[(kept >= low) & (kept <= high)]
    assert found.mean == pytest.approx(float(inside.mean()), rel=1e-12)


def test_outliers_do_not_count() -> None:
    values = iter(torch.tensor([1.0] * 198 + [-1e9, 1e9]).split(50))
    found = perceptual_path_length(G, lambda *_: next(values), samples=200, batch=50, epsilon=0.5)
    ordered = found.distances.sort().values
    low, high = ordered[math.floor(0.01 * 199)], ordered[math.ceil(0.99 * 199)]
    wanted = found.distances[(found.distances >= low) & (found.distances <= high)].mean()
    assert found.mean == pytest.approx(float(wanted))
    assert found.mean == pytest.approx(4.0)


@pytest.mark.parametrize("space", ["z", "w"])
def test_no_double_reaches_a_device_without_them(monkeypatch: pytest.MonkeyPatch, space: str) -> None:
    drawn, mapped = G.synthesize, G.map
    monkeypatch.setattr(G, "map", lambda *a: mapped(*a).as_subclass(WithoutDoubles))
    monkeypatch.setattr(G, "synthesize", lambda ws, *a, **k: drawn(ws, *a, **k).as_subclass(WithoutDoubles))
    found = perceptual_path_length(G, lambda a, b: (a - b).square().mean((1, 2, 3)), space=space, samples=2)  # type: ignore[arg-type]
    assert found.mean > 0


@pytest.mark.parametrize("space", ["z", "w"])
def test_differences_of_a_real_generator(space: str) -> None:
    found = perceptual_path_length(G, _squared, space=space, samples=3, batch=2, seed=1, noise="const")  # type: ignore[arg-type]
    again = perceptual_path_length(G, _squared, space=space, samples=3, batch=2, seed=1, noise="const")  # type: ignore[arg-type]
    coarser = perceptual_path_length(
        G,
        _squared,
        space=space,  # type: ignore[arg-type]
        samples=3,
        batch=2,
        seed=1,
        noise="const",
        epsilon=1e-3,
    )
    assert found.distances.shape == (3,)
    assert torch.equal(found.distances, again.distances)
    # It converges: not a difference of rounding errors.
    np.testing.assert_allclose(found.distances, coarser.distances, rtol=0.1)


def test_slerp_goes_along_the_great_circle_at_even_speed() -> None:
    a, b = torch.tensor([[2.0, 0, 0]]), torch.tensor([[0, 5.0, 0]])
    for t in (0.0, 0.25, 1.0):
        angle = t * math.pi / 2
        wanted = torch.tensor([[math.cos(angle), math.sin(angle), 0]])
        assert torch.allclose(slerp(a, b, torch.tensor([[t]])), wanted, atol=1e-6)
    z = torch.randn(2, 7, 512)
    steps = [slerp(z[0], z[1], torch.full((7, 1), t, dtype=torch.float64)) for t in (0.3, 0.3 + 1e-4)]
    cosine = torch.nn.functional.cosine_similarity(z[0].double(), z[1].double())
    wanted_length = 1e-4 * torch.acos(cosine)
    np.testing.assert_allclose((steps[1] - steps[0]).double().norm(dim=1), wanted_length, rtol=1e-3)


def test_what_is_compared() -> None:
    images = torch.arange(1024.0).reshape(1, 1, 1024, 1).expand(1, 1, 1024, 1024)
    whole, faces = _prepared(images, "none"), _prepared(images, "faces")
    assert whole.shape == faces.shape == (1, 3, 256, 256)
    assert float(whole[0, 0, 0, 0]) == 1.5
    assert float(faces[0, 2, 0, 0]) == 384.5  # rows 384 to 895, two at a time
    assert _prepared(torch.zeros(1, 3, 64, 64), "none").shape == (1, 3, 64, 64)


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="epsilon between"):
        perceptual_path_length(G, _squared, epsilon=0)
    with pytest.raises(ValueError, match="at least one sample and a batch"):
        perceptual_path_length(G, _squared, samples=0)
    with pytest.raises(ValueError, match="float32"):
        perceptual_path_length(odd_generator().to(torch.bfloat16), _squared, samples=1)
