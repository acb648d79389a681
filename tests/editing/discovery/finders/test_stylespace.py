import pytest
import torch

from stylegan_latents.editing.directions.calibration import style_deviations, w_statistics
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.discovery.finders.stylespace import StyleSpace
from stylegan_latents.generator.errors import InputError
from tests.odd_models import odd_generator

G = odd_generator()
SPACE = StyleSpace(G)
PLACES = [(layer.name, index) for layer in G.layers for index in range(layer.channels)]


def _planted(position: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes, and the same moved to where one style channel is lower and the rest of its layer is the same."""
    weights = torch.cat([affine.weight for affine in G.synthesis._affines()])  # type: ignore[operator, union-attr]
    layer = next(layer for layer in G.layers if (layer.name, 0) == (PLACES[position][0], 0))
    start = PLACES.index((layer.name, 0))
    others = [start + index for index in range(min(layer.channels, 9)) if start + index != position]
    # The step through w that changes this channel by -1 and eight others of the layer not at all.
    matrix = weights[[position, *others]]
    step = torch.linalg.lstsq(matrix, -torch.eye(len(matrix))[:, :1]).solution[:, 0]
    ws = G.sample(range(count))
    moved = ws.clone()
    moved[:, layer.ws_index] += step
    return ws, moved


def test_pairs_find_the_channel_that_they_share() -> None:
    position = PLACES.index(("block8.conv2", 3))
    before, after = _planted(position, 6)
    ranked = StyleSpace(G, "2").rank_by_examples(after, before)
    best = next(channel for channel in ranked if channel.position == position)
    assert best.sign == -1
    others = [channel.score for channel in ranked if channel.layer == "block8.conv2" and channel.index in (1, 2, 4)]
    assert best.score > 20 * max(others)


def test_examples_without_counterparts_are_compared_with_the_mean() -> None:
    mean = w_statistics(G).mean.expand(4, G.num_ws, -1).clone()
    ranked = SPACE.rank_by_examples(mean)
    assert max(channel.score for channel in ranked) < 1e-3
    assert len(SPACE.rank_by_examples(G.sample([1]))) == len(ranked)


@pytest.mark.slow
def test_the_gradients_share_inside_a_mask_is_that_of_real_changes() -> None:
    ws = G.sample(range(2))
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :20] = 1
    ranked = SPACE.rank_by_mask(ws, mask, probes=48, size=64)
    deviations = style_deviations(G)
    styles = G.styles(ws)
    exact = {}
    for number, layer in enumerate(G.layers):
        if layer.name.endswith("rgb"):
            continue
        for index in range(layer.channels):
            moved = [one.clone() for one in styles]
            moved[number][:, index] += 1e-2
            change = ((G.synthesize_styles(moved) - G.synthesize_styles(styles)) / 1e-2).square().sum(dim=1)
            place = PLACES.index((layer.name, index))
            square = float(deviations[place]) ** 2
            exact[place] = square * float((change * mask[:, 0]).sum()), square * float(change.sum())
    floor = torch.tensor([total for _, total in exact.values()]).median()
    wanted = torch.tensor([exact[channel.position][0] / (exact[channel.position][1] + floor) for channel in ranked])
    found = torch.tensor([channel.score for channel in ranked])
    assert float(torch.corrcoef(torch.stack([found, wanted.float()]))[0, 1]) > 0.9


def test_to_rgb_and_other_layers_take_no_part() -> None:
    ranked = StyleSpace(G, "middle,fine").rank_by_examples(G.sample(range(3)))
    rows = set(G.rows("middle,fine"))
    wanted = {layer.name for layer in G.layers if layer.ws_index in rows and layer.name != "to_rgb"}
    assert {channel.layer for channel in ranked} == wanted
    with pytest.raises(InputError, match="to-RGB alone"):
        StyleSpace(G, str(G.num_ws - 1))


def test_a_channel_becomes_a_calibrated_direction_that_is_kept(tmp_path) -> None:  # type: ignore[no-untyped-def]
    ranked = SPACE.rank_by_examples(G.sample(range(3)))
    one, two = SPACE.directions(ranked, 2)
    assert (one.name, two.name) == ("stylespace-00", "stylespace-01")
    one.save(tmp_path / "one.safetensors")
    again = find_direction(tmp_path / "one.safetensors", G)
    styles = G.styles(G.sample([0]))
    step = torch.cat(again.apply_styles(styles, 1.0, G), dim=1) - torch.cat(styles, dim=1)
    best = ranked[0]
    assert float(step[0, best.position]) == pytest.approx(
        best.sign * float(style_deviations(G)[best.position]), rel=1e-3
    )
    assert int((step != 0).sum()) == 1
    assert again.provenance["channel"] == best.name


def test_several_channels_go_together() -> None:
    ranked = SPACE.rank_by_examples(G.sample(range(3)))
    whole = SPACE.combine(ranked, 5, "together")
    assert int((whole.vector != 0).sum()) == 5
    assert whole.provenance["channels"] == [channel.name for channel in ranked[:5]]


def test_bad_input_is_said() -> None:
    with pytest.raises(InputError, match="no examples"):
        SPACE.rank_by_examples(G.sample([]))
    with pytest.raises(InputError, match="no pairs"):
        SPACE.rank_by_examples(G.sample([0, 1]), G.sample([0]))
    for value in (0.0, 1.0):
        with pytest.raises(InputError, match="cover a part"):
            SPACE.rank_by_mask(G.sample([0]), torch.full((1, 1, 8, 8), value))
    with pytest.raises(InputError, match="between 1"):
        SPACE.directions(SPACE.rank_by_examples(G.sample([0])), 0)
