import pytest
import torch
from torch import Tensor, nn

from editing.discovery.low_rank import LowRank, low_rank
from generator.errors import InputError
from generator.generator import Generator
from generator.layers import Layer
from tests.odd_models import odd_generator

SIDE, W_DIM = 16, 8


class Planted(nn.Module):
    """The top half shows w0 + w2 and w1, the bottom half w2 and w3; the other values show nowhere."""

    resolution, w_dim, num_ws, image_channels = SIDE, W_DIM, 2, 3
    layers = (Layer("a", 4, 0, W_DIM), Layer("b", SIDE, 1, W_DIM))

    def __init__(self) -> None:
        super().__init__()
        source = torch.Generator().manual_seed(0)
        self.top, self.bottom = (torch.randn(2, 3 * SIDE * SIDE // 2, generator=source) for _ in range(2))

    def styles(self, ws: Tensor) -> list[Tensor]:
        return [ws[:, 0], ws[:, 1]]

    def noise_constants(self) -> list[Tensor]:
        return []

    def noise_strengths(self) -> list[Tensor]:
        return []

    def set_precision(self, dtype: torch.dtype) -> None:
        self.to(dtype)

    def forward(self, styles, _noise, *, size=None, reference=False):  # noqa: ARG002
        w = styles[0]
        top = torch.stack([w[:, 0] + w[:, 2], 0.5 * w[:, 1]], dim=1) @ self.top
        bottom = torch.stack([w[:, 2], w[:, 3]], dim=1) @ self.bottom
        halves = [half.reshape(len(w), 3, SIDE // 2, SIDE) for half in (top, bottom)]
        return torch.tanh(0.1 * torch.cat(halves, dim=2))


@pytest.fixture(name="G", scope="module")
def _planted() -> Generator:
    return Generator(nn.Identity(), Planted(), torch.zeros(W_DIM), name="planted", z_dim=W_DIM)


def _top() -> Tensor:
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[:, :, : SIDE // 2] = 1
    return mask


@pytest.mark.parametrize("method", ["projection", "ratio"])
def test_what_changes_the_place_alone_is_found(G: Generator, method: str) -> None:
    finder = LowRank(G, "coarse", method=method)  # type: ignore[arg-type]
    seen = finder.measure(0.3 * G.sample(range(4)), _top())
    found = finder.find(seen, 2)
    for one, wanted in zip(found, (0, 1), strict=True):
        assert one.name == f"lowrank-0{wanted}"
        vector = one.vector[0] / one.vector.norm()
        assert abs(float(vector[wanted])) >= 0.98
        assert one.rows == (0,)
        assert one.provenance["share"] > 0.95
        moved = one.apply(torch.zeros(1, 2, W_DIM), 1.0)
        # One standard deviation of W, which is a standard normal here.
        assert float(moved[:, 0].norm()) == pytest.approx(1, abs=0.05)


def test_without_a_mask_it_is_what_changes_the_picture_most(G: Generator) -> None:
    finder = LowRank(G)
    first = finder.find(finder.measure(torch.zeros(1, 2, W_DIM)), 1)[0]
    vector = first.vector[0] / first.vector.norm()
    assert abs(float(vector[0] + vector[2])) > 1.2  # w2 shows in both halves, and w0 with it


def test_the_low_rank_part_is_told_from_the_sparse_one() -> None:
    source = torch.Generator().manual_seed(1)
    factors = torch.randn(40, 3, generator=source, dtype=torch.float64)
    planted = factors @ factors.T
    sparse = torch.zeros(40, 40, dtype=torch.float64)
    for i, j in torch.randint(40, (25, 2), generator=source).tolist():
        sparse[i, j] = sparse[j, i] = 15.0
    found = low_rank(planted + sparse)
    assert float((found - planted).norm() / planted.norm()) < 0.01
    assert torch.equal(found, found.T)
    assert not low_rank(torch.zeros(3, 3, dtype=torch.float64)).any()


def test_any_network_has_such_directions() -> None:
    G = odd_generator()
    mask = torch.zeros(1, 1, 64, 64)
    mask[:, :, 16:48, 16:48] = 1
    finder = LowRank(G, axes=6, method="ratio")
    seen = finder.measure(G.sample(range(2)), mask)
    shares = [one.provenance["share"] for one in finder.find(seen, 6)]
    whole = float(seen.inside.trace() / (seen.inside + seen.outside).trace())
    assert shares[0] > whole > shares[-1]  # type: ignore[operator]
    again = finder.find(finder.measure(G.sample(range(2)), mask), 1)[0]
    assert torch.equal(again.vector, finder.find(seen, 1)[0].vector)


def test_what_cannot_be_found_is_refused(G: Generator) -> None:
    finder = LowRank(G)
    codes = torch.zeros(1, 2, W_DIM)
    with pytest.raises(InputError, match="cover a part of the picture"):
        finder.measure(codes, torch.zeros(1, 1, 8, 8))
    with pytest.raises(InputError, match="cover a part of the picture"):
        finder.measure(codes, torch.ones(1, 1, 8, 8))
    with pytest.raises(InputError, match="need a code"):
        finder.measure(codes[:0])
    with pytest.raises(InputError, match="From 2 to 8 axes"):
        LowRank(G, axes=9)
    with pytest.raises(InputError, match="directions"):
        finder.find(finder.measure(codes, _top()), 7)
