import pytest
import torch

from stylegan_latents.editing.mixing.by_part import PartDonor, mix_parts, part_distances
from stylegan_latents.generator.errors import InputError
from tests.odd_models import odd_generator

G = odd_generator()
WS = G.sample([0, 1, 2])
CHANNELS = sum(layer.channels for layer in G.layers)


def _flat(styles: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat(styles, dim=1)


def test_the_weighted_channels_are_taken_and_the_rest_stays() -> None:
    weights = torch.zeros(CHANNELS)
    weights[3], weights[40] = 1.0, 0.5
    before, theirs = _flat(G.styles(WS[:1])), _flat(G.styles(WS[1:2]))
    mixed = _flat(mix_parts(G, WS[:1], [PartDonor(WS[1:2], weights, 0.5)]))
    expected = before.clone()
    expected[0, 3] += 0.5 * (theirs - before)[0, 3]
    expected[0, 40] += 0.25 * (theirs - before)[0, 40]
    assert torch.allclose(mixed, expected, atol=1e-6)
    rest = torch.ones(CHANNELS, dtype=torch.bool)
    rest[[3, 40]] = False
    assert torch.equal(mixed[:, rest], before[:, rest])


def test_all_channels_make_the_other_and_none_changes_nothing() -> None:
    ones = torch.ones(CHANNELS)
    assert torch.allclose(
        _flat(mix_parts(G, WS[:1], [PartDonor(WS[1:2], ones)])), _flat(G.styles(WS[1:2])), atol=1e-5
    )
    assert torch.equal(_flat(mix_parts(G, WS, [])), _flat(G.styles(WS)))
    assert torch.equal(_flat(mix_parts(G, WS, [PartDonor(WS[:1], ones, 0.0)])), _flat(G.styles(WS)))


def test_only_the_layers_of_the_rows_take_part() -> None:
    mixed = mix_parts(G, WS[:1], [PartDonor(WS[1:2], torch.ones(CHANNELS), rows=[1])])
    own, theirs = G.styles(WS[:1]), G.styles(WS[1:2])
    for layer, *styles in zip(G.layers, mixed, own, theirs, strict=True):
        assert torch.allclose(styles[0], styles[2 if layer.ws_index == 1 else 1], atol=1e-6)


def test_several_donors_and_several_receivers() -> None:
    first, second = torch.zeros(CHANNELS), torch.zeros(CHANNELS)
    first[0], second[1] = 1, 1
    mixed = _flat(mix_parts(G, WS[:2], [PartDonor(WS[2:], first), PartDonor(WS[2:], second)]))
    assert torch.allclose(mixed[:, :2], _flat(G.styles(WS[2:]))[:, :2].expand(2, -1), atol=1e-6)
    with pytest.raises(InputError, match="from 0"):
        mix_parts(G, WS, [PartDonor(WS[:1], first, 1.5)])
    with pytest.raises(ValueError, match="does not fit"):
        mix_parts(G, WS, [PartDonor(WS[:2], first)])
    with pytest.raises(ValueError, match="one value for each"):
        mix_parts(G, WS, [PartDonor(WS[:1], first[:-1])])


def test_distances_count_only_the_weighted_channels() -> None:
    weights = torch.zeros(CHANNELS)
    weights[: G.layers[0].channels] = 1
    others = WS.clone()
    others[2, 1:] += 1.0  # rows that do not drive the first layer
    others[2, 0] = WS[0, 0]
    found = part_distances(G, WS[:1], others, weights)
    assert found[0] < 1e-5
    assert found[2] < 1e-3
    assert found[1] > 0.1
    many = part_distances(G, G.sample([9]), G.sample(range(100, 300)), torch.ones(CHANNELS))
    assert 0.9 < float(many.mean()) < 2
    with pytest.raises(InputError, match="lower --threshold"):
        part_distances(G, WS[:1], others, torch.zeros(CHANNELS))
