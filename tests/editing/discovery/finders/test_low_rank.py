import pytest
import torch
from torch import Tensor, nn

from stylegan_latents.editing.discovery.finders.low_rank import LowRank, LowRankMethod
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.layers import Layer
from stylegan_latents.generator.networks.synthesis import FeatureMap, SynthesisNetwork
from tests.odd_models import odd_generator

SIDE, W_DIM = 16, 8


class Planted(SynthesisNetwork):
    """The top half shows w0 + w2 and w1, the bottom half w2 and w3; the other values show nowhere."""

    resolution, w_dim, num_ws, image_channels = SIDE, W_DIM, 2, 3
    layers = (Layer("a", 4, 0, W_DIM), Layer("b", SIDE, 1, W_DIM))

    def __init__(self) -> None:
        super().__init__()
        source = torch.Generator().manual_seed(0)
        self.top, self.bottom = (torch.randn(2, 3 * SIDE * SIDE // 2, generator=source) for _ in range(2))

    def styles(self, ws: Tensor) -> list[Tensor]:
        return [ws[:, 0], ws[:, 1]]

    def feature_maps(self) -> list[FeatureMap]:
        return []

    def noise_constants(self) -> list[Tensor]:
        return []

    def noise_strengths(self) -> list[Tensor]:
        return []

    def set_precision(self, dtype: torch.dtype) -> None:
        self.to(dtype)

    def forward(self, styles, _noise, *, size=None, reference=False):  # noqa: ARG002
        w = styles[0] + 0 * styles[1]
        top = torch.stack([w[:, 0] + w[:, 2], 0.5 * w[:, 1]], dim=1) @ self.top
        bottom = torch.stack([w[:, 2], w[:, 3]], dim=1) @ self.bottom
        halves = [half.reshape(len(w), 3, SIDE // 2, SIDE) for half in (top, bottom)]
        return torch.tanh(0.1 * torch.cat(halves, dim=2))


class Mixed(Planted):
    """The same two halves, but every channel moves both: only combinations of channels are local."""

    def __init__(self) -> None:
        super().__init__()
        pair = torch.tensor([[1.0, 1.0], [1.0, -1.0]]) / 2**0.5
        self.mixing = torch.kron(pair, torch.kron(pair, pair))

    def forward(self, styles, noise, *, size=None, reference=False):
        return super().forward([styles[0] @ self.mixing, styles[1]], noise, size=size, reference=reference)


@pytest.fixture(name="G", scope="module")
def _planted() -> Generator:
    return Generator(nn.Identity(), Planted(), torch.zeros(W_DIM), name="planted", z_dim=W_DIM)


def _top() -> Tensor:
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[:, :, : SIDE // 2] = 1
    return mask


@pytest.mark.parametrize("method", ["ratio", "null-space"])
def test_what_changes_the_place_alone_is_found(G: Generator, method: LowRankMethod) -> None:
    finder = LowRank(G, "coarse", method=method)
    seen = finder.measure(0.3 * G.sample(range(4)), _top())
    found = finder.directions(seen, 2)
    for one, wanted in zip(found, (0, 1), strict=True):
        assert one.name == f"lowrank-0{wanted}"
        assert one.space == "s"
        vector = one.vector[0] / one.vector.norm()
        assert abs(float(vector[wanted])) >= 0.98
        assert not vector[W_DIM:].any(), "a layer that is not asked for moves"
        assert one.rows == (0,)
        assert one.provenance["share"] > 0.95  # type: ignore[operator]
        styles = G.styles(torch.zeros(1, 2, W_DIM))
        # One standard deviation of W, which is a standard normal here.
        step = one.apply_styles(styles, 1.0, G)[0] - styles[0]
        assert float(step.norm()) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("method", ["ratio", "null-space"])
def test_nothing_leaks_in_codes_that_took_no_part(method: LowRankMethod) -> None:
    G = Generator(nn.Identity(), Mixed(), torch.zeros(W_DIM), name="mixed", z_dim=W_DIM)
    finder = LowRank(G, method=method)
    found = finder.directions(finder.measure(0.3 * G.sample(range(3)), _top()), 2)
    ws = 0.3 * G.sample(range(50, 54))
    before = G.synthesize(ws)
    for one in found:
        change = (G.synthesize_styles(one.apply_styles(G.styles(ws), 1.0, G)) - before).square()
        assert float(change[:, :, : SIDE // 2].sum() / change.sum()) > 0.9
    # No channel alone is nearly as local.
    for channel in range(W_DIM):
        change = (G.synthesize(ws + torch.eye(W_DIM)[channel]) - before).square()
        assert float(change[:, :, : SIDE // 2].sum() / change.sum()) < 0.8


def test_each_code_is_looked_at_in_its_own_mask(G: Generator) -> None:
    finder = LowRank(G, "coarse")
    ws, top = 0.3 * G.sample(range(2)), _top()
    told: list[tuple[int, int]] = []
    both = finder.measure(ws, torch.cat([top, 1 - top]), lambda done, all_: told.append((done, all_)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    channels = both.axes.argmax(dim=0)
    halves = [finder.measure(ws[i : i + 1], mask) for i, mask in enumerate((top, 1 - top))]
    aligned = [half.inside[order][:, order] for half in halves for order in [_order(half.axes, channels)]]
    torch.testing.assert_close(both.inside, (aligned[0] + aligned[1]) / 2)


def _order(axes: Tensor, channels: Tensor) -> list[int]:
    found = axes.argmax(dim=0).tolist()
    return [found.index(channel) for channel in channels.tolist()]


def test_without_a_mask_it_is_what_changes_the_picture_most(G: Generator) -> None:
    finder = LowRank(G)
    first = finder.directions(finder.measure(torch.zeros(1, 2, W_DIM)), 1)[0]
    vector = first.vector[0] / first.vector.norm()
    assert abs(float(vector[0] + vector[2])) > 1.2  # w2 shows in both halves, and w0 with it


@pytest.mark.slow
def test_any_network_has_such_directions() -> None:
    G = odd_generator()
    mask = torch.zeros(1, 1, 64, 64)
    mask[:, :, 16:48, 16:48] = 1
    finder = LowRank(G, axes=6, method="ratio")
    seen = finder.measure(G.sample(range(2)), mask)
    shares = [one.provenance["share"] for one in finder.directions(seen, 6)]
    whole = float(seen.inside.trace() / (seen.inside + seen.outside).trace())
    assert shares[0] > whole > shares[-1]  # type: ignore[operator]
    again = finder.directions(finder.measure(G.sample(range(2)), mask), 1)[0]
    assert torch.equal(again.vector, finder.directions(seen, 1)[0].vector)


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
        finder.directions(finder.measure(codes, _top()), 7)


def test_a_generator_is_enough_and_a_mask_can_be_given_at_once(G: Generator) -> None:
    assert [one.name for one in LowRank(G).find(2)] == ["lowrank-00", "lowrank-01"]
    ws = 0.3 * G.sample(range(3))
    finder = LowRank(G, ws=ws, mask=_top())
    (one,), (other,) = finder.find(1), finder.directions(finder.measure(ws, _top()), 1)
    assert torch.equal(one.vector, other.vector)
