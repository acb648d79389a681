import csv
import io
import json
import math

import numpy as np
import pytest
import torch

from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.discovery.scorers.colour import ColourScorer
from stylegan_latents.editing.discovery.scorers.scorer import Scorer
from stylegan_latents.editing.evaluation.evaluator import Contender, Evaluator
from stylegan_latents.editing.evaluation.report import csv_text, figure, json_values, text_table
from stylegan_latents.editing.evaluation.score_spread import score_spread
from stylegan_latents.generator.errors import InputError
from tests.small_models import small_generator

NAMES = ("tall", "wide", "dull")


class PlantedGenerator:
    """Its picture is its code."""

    resolution, num_ws = 8, 2

    def styles(self, ws):
        return [ws]

    def synthesize_styles(self, styles, size):
        assert size == 8
        return styles[0][:, None]


class PlantedScorer(Scorer):
    """The first two values of the first row, and one that is always the same; none for codes far out."""

    names, version = NAMES, "planted"

    def score(self, images):
        w = images[:, 0, 0].double().numpy()
        scores = np.stack([w[:, 0], 10 * w[:, 1], np.ones(len(w))], axis=1)
        scores[np.abs(w[:, 2]) > 4] = np.nan
        return scores


class PlantedIdentity:
    """A face is the third value; there is none above 3."""

    def embed_aligned(self, images):
        return [None if value > 3 else np.array([value]) for value in images[:, 0, 0, 2].tolist()]

    def distance(self, one, two):
        return float(np.abs(one - two)[0])


def direction(*values, space="planted"):
    return Direction("planted", space, torch.tensor([values]), 1.0)


@pytest.fixture(name="evaluator")
def _evaluator():
    ws = torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    return Evaluator(
        PlantedGenerator(),
        PlantedScorer(),
        np.array([1.0, 10.0, 0.0]),
        ws,
        identity=PlantedIdentity(),
        features=lambda images: images[:, 0, 0],
    )


def test_changes_are_measured_in_deviations(evaluator):
    one = evaluator.evaluate(Contender("mixed", direction(1.0, 0.5, 0.1), "tall"), (-2, 2))
    low, high = one.at
    assert one.intended(low) == pytest.approx(-2)
    assert one.intended(high) == pytest.approx(2)
    assert one.per_unit == pytest.approx(1)
    assert [one.leakage(low), one.leakage(high)] == pytest.approx([0.5, 0.5])
    assert high.identity == pytest.approx(0.2, abs=1e-6)
    # All features move by the same step, so that the distributions differ in their means alone.
    assert high.drift == pytest.approx(4 * (1 + 0.25 + 0.01), rel=1e-4)
    assert one.for_one_deviation(lambda there: there.identity) == pytest.approx(0.1, abs=1e-6)
    moved = one.moved(high)
    assert moved[:2] == pytest.approx([2, 1])
    assert math.isnan(moved[2])  # a score that never varies has no deviation


def test_without_a_score_it_is_the_one_that_moves_most(evaluator):
    assert evaluator.evaluate(Contender("x", direction(0.4, -1.0, 0.0)), (-1, 1)).score == "wide"
    assert evaluator.evaluate(Contender("x", direction(0.4, -0.1, 0.0)), (-1, 1)).score == "tall"


def test_leakage_is_about_the_judged_scores():
    ws = torch.zeros(3, 2, 3)
    some = Evaluator(PlantedGenerator(), PlantedScorer(), np.array([1.0, 10.0, 1.0]), ws, judged=["tall", "dull"])
    one = some.evaluate(Contender("x", direction(1.0, 0.5, 0.0), "tall"), (1,))
    assert one.leakage(one.at[0]) == 0
    assert math.isnan(one.at[0].identity)
    assert math.isnan(one.at[0].drift)


def test_what_cannot_be_measured_is_left_out(evaluator):
    one = evaluator.evaluate(Contender("x", direction(1.0, 0.0, 2.5), "tall"), (-1, 1))
    assert 0 < np.isfinite(one.at[1].distances).sum() < 6
    assert one.intended(one.at[1]) == pytest.approx(1)
    with pytest.raises(InputError, match=r"'tall' could not be measured on any edit along x"):
        evaluator.evaluate(Contender("x", direction(1.0, 0.0, 9.0), "tall"), (-1, 1))
    with pytest.raises(InputError, match="No score could be measured"):
        evaluator.evaluate(Contender("x", direction(1.0, 0.0, 9.0)), (-1, 1))
    with pytest.raises(InputError, match="There is no score 'small'; there are tall, wide, dull"):
        evaluator.evaluate(Contender("x", direction(1.0, 0.0, 0.0), "small"), (1,))
    with pytest.raises(InputError, match="None of the 2 pictures could be scored"):
        Evaluator(PlantedGenerator(), PlantedScorer(), np.ones(3), torch.full((2, 2, 3), 5.0))


def test_a_direction_that_does_nothing_has_no_leakage_and_no_cost(evaluator):
    one = evaluator.evaluate(Contender("x", direction(0.0, 1.0, 0.0), "tall"), (-1, 1))
    assert math.isnan(one.leakage(one.at[0]))
    assert math.isnan(one.for_one_deviation(lambda there: there.drift))
    assert "nan" not in text_table([one])


def test_tables_hold_what_was_measured(evaluator):
    both = [
        evaluator.evaluate(Contender("good", direction(1.0, 0.1, 0.0), "tall"), (-2, 2)),
        evaluator.evaluate(Contender("bad.npy", direction(1.0, 0.9, 0.0), "tall"), (-2, 2)),
    ]
    table = text_table(both, "planted: 6 codes")
    assert table.startswith("planted: 6 codes\n")
    lines = [line.split() for line in table.splitlines()]
    # One table of all strengths, then one of what a deviation costs.
    assert [line[0] for line in lines[2:7]] == ["direction", "good", "good", "bad.npy", "bad.npy"]
    assert [line[:1] for line in lines[7:12]] == [[], ["What"], ["direction"], ["good"], ["bad.npy"]]
    assert ["good", "tall", "-2", "-2.00", "0.10", "0.00", "4.04"] in lines
    assert ["bad.npy", "tall", "1.00", "0.90", "0.00", "3.62"] in lines
    assert ["wide", "0.10", "0.90"] in lines
    assert ["dull", "-", "-"] in lines
    rows = list(csv.DictReader(io.StringIO(csv_text(both))))
    assert [row["direction"] for row in rows] == ["good", "good", "bad.npy", "bad.npy"]
    assert float(rows[3]["change_wide"]) == pytest.approx(1.8)
    assert rows[3]["change_dull"] == ""
    values = json.loads(json.dumps(json_values(both, {"codes": 6}), allow_nan=False))
    assert values["settings"] == {"codes": 6}
    assert values["directions"][1]["leakage"] == pytest.approx(0.9)
    assert values["strengths"][0]["change_dull"] is None


def test_the_figure_shows_every_direction(evaluator):
    pytest.importorskip("matplotlib")
    both = [evaluator.evaluate(Contender(name, direction(1.0, step, 0.0), "tall"), (-1, 1)) for name, step in
            (("one", 0.1), ("two", 0.9))]  # fmt: skip
    pixels = np.asarray(figure(both))
    assert pixels.shape[2] == 3
    alone = np.asarray(figure(both[:1]))
    assert pixels.shape == alone.shape
    assert (pixels != alone).any()


def test_the_figure_leaves_out_what_was_not_measured(evaluator, monkeypatch):
    figure_module = pytest.importorskip("matplotlib.figure")
    titles = []

    class Kept(figure_module.Figure):
        def savefig(self, *args, **options):
            titles.append({axes.get_title() for axes in self.axes})
            super().savefig(*args, **options)

    monkeypatch.setattr(figure_module, "Figure", Kept)
    contender = Contender("one", direction(1.0, 0.1, 0.0), "tall")
    evaluator._features = None
    figure([evaluator.evaluate(contender, (-1, 1))])
    evaluator._identity = None
    figure([evaluator.evaluate(contender, (-1, 1))])
    scores = "Every score, for one deviation of its own"
    assert titles == [{"Intended change", "Leakage", "Identity", scores}, {"Intended change", "Leakage", scores}]


def test_deviations_come_from_shipped_directions_or_from_samples(monkeypatch, tmp_path):
    from stylegan_latents.editing.directions import catalogue as module

    G = small_generator(latent_space="small-w")
    monkeypatch.setattr(module, "all_shipped", dict)
    sampled = score_spread(G, ColourScorer(), cache=tmp_path).deviations
    assert sampled.shape == (5,)
    assert (sampled > 0).all()
    assert len(list(tmp_path.iterdir())) == 1
    provenance = {"scorer": ColourScorer.version, "score_deviations": dict.fromkeys(ColourScorer.names, 2.0)}
    shipped = Direction("x", "small-w", torch.ones(1, 8), 1.0, provenance=provenance)
    monkeypatch.setattr(module, "all_shipped", lambda: {"small-w": {"x": shipped}})
    assert (score_spread(G, ColourScorer()).deviations == 2).all()


class TwoClasses(Scorer):
    """How red a picture is, and how little; and how blue."""

    names, version = ("pale", "red", "blue"), "two-classes"

    def score(self, images):
        red, _, blue = images.mean((2, 3)).double().numpy().T
        return np.stack([1 - 2 * red + 0.01 * blue, red, blue], axis=1)


def test_scores_that_mirror_one_another_are_no_leakage(tmp_path):
    G = small_generator(latent_space="small-w")
    spread = score_spread(G, TwoClasses(), cache=tmp_path)
    assert spread.exclusive == {"pale": ("red",), "red": ("pale",)}
    ws = G.sample(range(4))
    step = Direction("x", "small-w", torch.linspace(-1, 1, G.w_dim)[None], 1.0).bind(G)

    def found(**options):
        evaluator = Evaluator(G, TwoClasses(), spread.deviations, ws, **options)
        return evaluator.evaluate(Contender("x", step, "red"), (-1, 1))

    one, plain = found(exclusive=spread.exclusive), found()
    assert plain.leakage(plain.at[0]) > one.leakage(one.at[0])
    sizes = np.abs(one.at[0].changes).mean(axis=0)
    assert one.leakage(one.at[0]) == pytest.approx(sizes[2] / sizes[1])
    assert "The leakage of 'red' leaves out 'pale', which depends on it." in text_table([one])
    assert json_values([one], {})["left_out"] == {"red": ["pale"]}
    assert "leaves out" not in text_table([plain])
    alone = found(exclusive=spread.exclusive, judged=["pale", "red"])
    assert math.isnan(alone.mean_leakage)  # nothing is left to leak into
    assert "nan" not in text_table([alone])
