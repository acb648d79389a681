import numpy as np
import pytest
import torch

from stylegan_latents.editing.directions.calibration import calibrated, style_deviations, w_statistics
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.finders.examples import ExamplePairs, Examples
from stylegan_latents.editing.discovery.finders.ganspace import GANSpace
from stylegan_latents.editing.discovery.finders.scored_codes import ScoredCodes, read_scores
from stylegan_latents.generator.statistics import WStatistics
from tests.odd_models import odd_generator

G = odd_generator()
W = G.sample(range(3000))


def _bound(vector: torch.Tensor, **changes: object) -> Direction:
    values: dict[str, object] = {"name": "one", "latent_space": G.latent_space, "vector": vector, "scale": 3.0}
    return Direction(**(values | changes)).bind(G)  # type: ignore[arg-type]


def test_strength_one_is_one_standard_deviation_of_w_whatever_the_vector_s_length():
    vector = torch.randn(1, G.w_dim, generator=torch.Generator().manual_seed(1))
    for length in (0.01, 1.0, 40.0):
        one = calibrated(_bound(vector * length), G)
        moved = one.apply(W[:1], 1.0) - W[:1]
        unit = vector[0] / vector.norm()
        assert float(moved[0, 2] @ unit) == pytest.approx(float((W[:, 0] @ unit).std()), rel=0.05)


def test_a_vector_for_each_row_means_the_same_as_one_for_all():
    vector = torch.randn(1, G.w_dim, generator=torch.Generator().manual_seed(2))
    whole = calibrated(_bound(vector), G).scale
    assert calibrated(_bound(vector.repeat(G.num_ws, 1)), G).scale == pytest.approx(whole, rel=1e-5)
    # Rows that point against one another do not cancel, and rows that are not moved do not count.
    signs = torch.tensor([1.0, -1.0]).repeat(G.num_ws // 2)[:, None]
    assert calibrated(_bound(vector * signs), G).scale == pytest.approx(whole, rel=1e-5)
    coarse = torch.zeros(G.num_ws, G.w_dim)
    coarse[: len(G.rows("coarse"))] = vector
    assert calibrated(_bound(coarse), G).scale == pytest.approx(whole, rel=1e-5)
    other = vector.repeat(G.num_ws, 1)
    other[len(G.rows("coarse")) :] *= 100
    assert calibrated(_bound(other, layers="coarse"), G).scale == pytest.approx(whole, rel=1e-5)


def test_style_deviations_are_those_of_samples():
    measured = torch.cat(G.styles(W), dim=1).std(dim=0)
    assert style_deviations(G, WStatistics.of(G, 20_000)) == pytest.approx(measured, rel=0.1)


def test_one_channel_of_style_space_moves_by_its_own_deviation():
    statistics = w_statistics(G)
    vector = torch.zeros(1, sum(layer.channels for layer in G.layers))
    vector[0, 5] = -7.0
    one = calibrated(_bound(vector, space="s"), G, statistics)
    before = G.styles(W[:1])
    after = one.apply_styles(before, 1.0, G)
    moved = torch.cat(after, dim=1) - torch.cat(before, dim=1)
    assert float(moved[0, 5]) == pytest.approx(-float(style_deviations(G, statistics)[5]), rel=1e-4)
    assert int((moved != 0).sum()) == 1


def test_what_moves_nothing_or_is_not_bound_has_no_scale():
    vector = torch.zeros(G.num_ws, G.w_dim)
    vector[-1] = 1
    with pytest.raises(ValueError, match="moves nothing"):
        calibrated(_bound(vector, layers="coarse"), G)
    with pytest.raises(ValueError, match="bound"):
        calibrated(Direction("one", G.latent_space, vector, 1.0), G)


def test_one_axis_has_one_strength_whichever_finder_gave_it(tmp_path):
    (axis,) = GANSpace(G, samples=20_000).find(1)
    vector = axis.vector[0]
    np.save(tmp_path / "published.npy", (13 * vector).numpy())
    published = find_direction(tmp_path / "published.npy", G)
    ws = G.sample(range(5))
    examples = Examples(G, ExamplePairs(ws, ws + 0.3 * vector)).find()[0]
    lines = [f"{seed},{float(G.sample([seed], truncation=0.7)[0, 0] @ vector)}" for seed in range(300)]
    (tmp_path / "scores.csv").write_text("\n".join(["seed,along", *lines]))
    steps = [one.apply(ws, 1.0) - ws for one in (axis, published, examples)]
    for step in steps[1:]:
        assert torch.allclose(step, steps[0], rtol=0.03, atol=1e-4)
    # A fit on scores finds its own vector; its steps are as long as W is wide along them.
    (fitted,) = ScoredCodes(G, read_scores(tmp_path / "scores.csv", G)).directions(["along"])
    step = (fitted.bind(G).apply(ws, 1.0) - ws)[0, 0]
    width = float((W[:, 0] @ (step / step.norm())).std())
    assert float(step.norm()) == pytest.approx(width, rel=0.05)
