"""Whitening makes W a standard normal, and its distance is near 1 for samples."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from stylegan_latents import generator
from stylegan_latents.generator import statistics as statistics_module
from stylegan_latents.generator.statistics import WStatistics
from tests.odd_models import odd_generator


def test_whitened_samples_are_standard_normal() -> None:
    """On other samples than those that the statistics come from."""
    G = odd_generator()
    statistics = WStatistics.of(G, samples=20_000)
    w = statistics.whiten(G.sample(range(20_000, 24_000))[:, 0])
    torch.testing.assert_close(w.mean(0), torch.zeros(G.w_dim), rtol=0, atol=0.1)
    torch.testing.assert_close(w.T.cov(), torch.eye(G.w_dim), rtol=0, atol=0.15)
    z = torch.randn(20_000, G.z_dim, generator=torch.Generator().manual_seed(0))
    own = statistics.whiten(G.map(z)[:, 0])  # the very samples
    torch.testing.assert_close(own.T.cov(), torch.eye(G.w_dim), rtol=0, atol=0.01)
    assert own.mean(0).abs().max() < 1e-3


def test_unwhiten_is_the_inverse() -> None:
    G = odd_generator()
    statistics = WStatistics.of(G, samples=2000)
    ws = G.sample([0, 1, 2])
    whitened = statistics.whiten(ws)
    assert whitened.shape == ws.shape
    torch.testing.assert_close(statistics.unwhiten(whitened), ws, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(statistics.whiten(statistics.unwhiten(whitened)), whitened, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(statistics.unwhiten(torch.zeros(G.w_dim)), statistics.mean)


def test_distance_of_samples_is_one_and_of_the_mean_zero() -> None:
    G = odd_generator()
    statistics = WStatistics.of(G)
    distances = statistics.distance(G.sample(range(500)))
    assert distances.shape == (500,)
    assert float(distances.square().mean()) == pytest.approx(1, abs=0.1)
    mean = statistics.mean.expand(1, G.num_ws, -1)
    assert statistics.distance(mean).tolist() == [0]
    far = statistics.unwhiten(torch.full((1, G.num_ws, G.w_dim), 3.0))
    assert float(statistics.distance(far)) == pytest.approx(3, rel=1e-3)


def test_axes_are_orthonormal_and_sorted() -> None:
    G = odd_generator()
    statistics = WStatistics.of(G, samples=5000)
    torch.testing.assert_close(statistics.axes.T @ statistics.axes, torch.eye(G.w_dim), rtol=0, atol=1e-5)
    assert (statistics.deviations.diff() <= 0).all()
    assert (statistics.deviations > 0).all()
    w = G.sample(range(2000))[:, 0]
    along = ((w - statistics.mean) @ statistics.axes).std(0)
    torch.testing.assert_close(along, statistics.deviations, rtol=0.1, atol=1e-3)


def test_the_seed_is_all_that_is_random() -> None:
    G = odd_generator()
    torch.manual_seed(1)
    first = WStatistics.of(G, samples=500)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    again = WStatistics.of(G, samples=500)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.mean, again.mean)
    assert torch.equal(first.axes, again.axes)
    assert not torch.equal(first.mean, WStatistics.of(G, samples=500, seed=1).mean)


def test_directions_in_which_w_does_not_vary_stay_finite() -> None:
    """Five samples span four directions of W's ten."""
    G = odd_generator()
    statistics = WStatistics.of(G, samples=5)
    whitened = statistics.whiten(G.sample([0]))
    assert torch.isfinite(whitened).all()
    assert (statistics.deviations > 0).all()


def test_gradients_pass_through() -> None:
    G = odd_generator()
    statistics = WStatistics.of(G, samples=500)
    coordinates = torch.zeros(1, 1, G.w_dim, requires_grad=True)
    statistics.unwhiten(coordinates).sum().backward()
    torch.testing.assert_close(coordinates.grad[0, 0], statistics.deviations * statistics.axes.sum(0))  # type: ignore[index]


def test_default_model() -> None:
    G = generator.load("ffhq")
    statistics = WStatistics.of(G, samples=4000)
    ws = G.sample(range(200, 240))
    # Fewer samples than 20,000 leave the small axes' spread too low, hence a little above 1.
    assert 0.9 < float(statistics.distance(ws).square().mean().sqrt()) < 1.25
    torch.testing.assert_close(statistics.unwhiten(statistics.whiten(ws)), ws, rtol=0, atol=1e-3)
    assert (statistics.mean - G.w_avg).norm() < 0.05 * (ws[0, 0] - G.w_avg).norm()


@pytest.fixture(name="kept")
def _kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Path]]:
    """Everything is worth keeping, in an empty cache; lists the files kept."""
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path))
    monkeypatch.setattr(statistics_module, "_WORTH_KEEPING", 0)
    return lambda: sorted((tmp_path / "statistics").glob("*"))


def _equal(first: WStatistics, second: WStatistics) -> bool:
    code = torch.linspace(-1, 1, len(first.mean)).expand(3, -1)
    same = [torch.equal(getattr(first, name), getattr(second, name)) for name in ("mean", "axes", "deviations")]
    return all(same) and torch.equal(first.unwhiten(code), second.unwhiten(code))


def test_kept_statistics_are_the_same_to_the_last_bit(
    kept: Callable[[], list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    G = odd_generator()
    first = WStatistics.of(G, samples=500)
    assert len(kept()) == 1
    with monkeypatch.context() as patch:
        patch.setattr(G, "map", None)  # nothing is sampled the second time
        assert _equal(WStatistics.of(G, samples=500), first)
    monkeypatch.setattr(statistics_module, "_WORTH_KEEPING", 10**12)
    assert _equal(WStatistics.of(G, samples=500), first)


def test_what_is_kept_is_told_apart(kept: Callable[[], list[Path]]) -> None:
    G, tuned = odd_generator(), odd_generator()
    first = WStatistics.of(G, samples=500)
    assert not _equal(WStatistics.of(G, samples=600), first)
    assert not _equal(WStatistics.of(G, samples=500, seed=1), first)
    with torch.no_grad():
        next(iter(tuned.mapping.parameters())).mul_(2)
    assert tuned.fingerprint == G.fingerprint
    assert not _equal(WStatistics.of(tuned, samples=500), first)
    assert len(kept()) == 4


@pytest.mark.parametrize("damage", ["empty", "cut", "bit", "foreign"])
def test_damaged_statistics_are_made_anew(kept: Callable[[], list[Path]], damage: str) -> None:
    G = odd_generator()
    first = WStatistics.of(G, samples=500)
    (path,) = kept()
    whole = path.read_bytes()
    if damage == "foreign":
        save_file({name: torch.zeros(3) for name in ("mean", "axes", "deviations")}, path)
    else:
        flipped = whole[:-1] + bytes([whole[-1] ^ 1])
        path.write_bytes({"empty": b"", "cut": whole[:-9], "bit": flipped}[damage])
    assert _equal(WStatistics.of(G, samples=500), first)
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_costs_nothing_else(tmp_path: Path, kept: Callable[[], list[Path]]) -> None:
    (tmp_path / "statistics").write_text("a file in the way")
    G = odd_generator()
    assert _equal(WStatistics.of(G, samples=500), WStatistics.of(G, samples=500))
    assert not kept()


def test_small_estimates_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path))
    WStatistics.of(odd_generator())
    assert not list(tmp_path.iterdir())
