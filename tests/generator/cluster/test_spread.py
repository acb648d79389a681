"""What is spread over workers is what one process computes, in the same order."""

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from stylegan_latents.editing.discovery.fitting.samples import draw_codes, expand, score_codes
from stylegan_latents.editing.discovery.scorers.colour import ColourScorer
from stylegan_latents.generator.cluster.connection import connected
from stylegan_latents.generator.cluster.spread import spread
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.metrics.frechet import sample_features
from stylegan_latents.generator.metrics.path_length import perceptual_path_length
from tests.small_models import small_generator

pytest.importorskip("ray")


def mean_colour(images: torch.Tensor) -> torch.Tensor:
    return images.mean(dim=(2, 3))


def difference(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
    return (ours - theirs).square().mean(dim=(1, 2, 3))


class _Locked:
    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __call__(self, value: int) -> int:
        return value


@pytest.fixture(name="on_cluster", scope="module")
def _on_cluster() -> Iterator[Callable[[], object]]:
    import ray

    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
    yield lambda: connected(workers=2, device="cpu")
    ray.shutdown()


@pytest.mark.slow
def test_metrics_and_scores_are_those_of_one_process(on_cluster: Callable[[], object]) -> None:
    G = small_generator()

    def measured() -> list[torch.Tensor]:
        codes = draw_codes(G, 24, 0, 0.8)
        return [
            torch.cat(list(sample_features(G, mean_colour, 20, batch=3, noise="random", seed=5))),
            perceptual_path_length(G, difference, samples=9, batch=2, seed=3).distances,
            perceptual_path_length(G, difference, space="z", sampling="full", samples=9, batch=2).distances,
            torch.from_numpy(score_codes(G, ColourScorer(), expand(codes, G), size=32)),
        ]

    alone = measured()
    with on_cluster():  # type: ignore[attr-defined]
        together = measured()
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.slow
def test_what_cannot_be_sent_to_workers_is_said(on_cluster: Callable[[], object]) -> None:
    lock = _Locked()
    assert list(spread(lambda: lock, [1, 2])) == [1, 2]
    with on_cluster(), pytest.raises(InputError, match="cannot be sent to workers; leave --cluster out"):  # type: ignore[attr-defined]
        list(spread(lambda: lock, [1, 2]))
