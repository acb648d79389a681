import numpy as np
import pytest

from stylegan_latents.editing.discovery.finders.flow import Flow
from stylegan_latents.editing.discovery.fitting.samples import Samples, sample
from stylegan_latents.editing.discovery.scorers.colour import ColourScorer
from stylegan_latents.editing.discovery.scorers.scorer import Attribute
from stylegan_latents.editing.nonlinear.attribute_flow import FlowEdit
from stylegan_latents.generator.errors import InputError
from tests.small_models import small_generator

G = small_generator(latent_space="small-w")
SCORER = ColourScorer()


def _samples(count: int, *, mixed: bool = False) -> Samples:
    return sample(G, SCORER, count, mixed=mixed, exact=True)


@pytest.mark.slow
def test_setting_an_attribute_changes_its_score() -> None:
    attribute = Attribute("redness", "", "", "all", ("lightness", "unknown"))
    (flow,) = Flow(G, _samples(800), [attribute], scorer="colour").find()
    assert [one.name for one in flow.attributes] == ["redness", "lightness"]
    assert (flow.latent_space, flow.scorer) == ("small-w", "colour")
    assert flow.provenance["samples"] == 800
    loss, linear = (flow.provenance[name] for name in ("held_out_loss", "held_out_loss_linear"))
    assert isinstance(loss, float)
    assert isinstance(linear, float)
    assert loss < linear
    changes = []
    red = flow.attributes[0]
    for seed in range(900, 908):
        ws = G.sample([seed])
        scores = dict(zip(SCORER.names, SCORER.score(G.synthesize(ws))[0].tolist(), strict=True))
        before = flow.attributes_of(scores, {})[None]
        ends = [FlowEdit(flow, G, before, (("redness", end),)).apply(ws, 1.0) for end in (red.low, red.high)]
        low, high = (SCORER.score(G.synthesize(end))[0, SCORER.names.index("redness")] for end in ends)
        changes.append(high - low)
    assert np.mean(changes) > red.deviation


def test_samples_that_mix_styles_are_left_out() -> None:
    with pytest.raises(InputError, match="at least 100 scored samples"):
        Flow(G, _samples(150, mixed=True), [Attribute("redness", "", "", "all")])


def test_a_score_that_never_changes_is_refused() -> None:
    found = _samples(120)
    found.scores[:, 0] = 1.0
    with pytest.raises(InputError, match="'lightness' is the same for every sample"):
        Flow(G, found, [Attribute("lightness", "", "", "all")])
