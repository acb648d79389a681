from dataclasses import replace

import numpy as np
import pytest

from stylegan_latents.editing.discovery.finders.interfacegan import InterFaceGAN
from stylegan_latents.editing.discovery.fitting.leakage_reduction import (
    Candidates,
    candidate_steps,
    measure_candidates,
    recombined,
)
from stylegan_latents.editing.discovery.fitting.samples import sample
from stylegan_latents.editing.discovery.scorers.scorer import Attribute
from tests.editing.discovery.finders.test_interfacegan import ATTRIBUTES, PlantedGenerator, PlantedScorer

G, SCORER = PlantedGenerator(), PlantedScorer()
FINDER = InterFaceGAN(G, SCORER, sample(G, SCORER, 600), codes=8)
STEPS = {one.name: FINDER._step(one, ["tall", "wide"]) for one in ATTRIBUTES}
NAMES = ("age", "smile", "glasses", "contrast")
AGE = Attribute("age", "older", "younger", "all", ("glasses", "contrast"))


def _planted(**changes: np.ndarray) -> Candidates:
    """Two own parts and one that helps; the second makes half of the codes smile and the other half frown."""
    rng = np.random.default_rng(0)
    codes = 40
    table = np.zeros((3, codes, len(NAMES)))
    table[0, :, 0], table[1, :, 0], table[2, :, 0] = 1.0, 1.0, 0.1
    table[1, :, 1] = np.where(np.arange(codes) % 2, 2.0, -2.0)
    for part, values in changes.items():
        index, name = part.split("_")
        table[int(index[1:]), :, NAMES.index(name)] += values
    table += 0.01 * rng.standard_normal(table.shape)
    parts = np.zeros((3, 3, 4))
    parts[0, 0, 0], parts[1, 1, 1], parts[2, 2, 2] = 1, 1, 1
    return Candidates(parts, 2, table, NAMES)


def test_a_part_whose_changes_differ_from_face_to_face_is_left_out_though_their_mean_is_nothing() -> None:
    step = 2 * recombined(_planted(), AGE, ["age", "smile"])
    assert step[1, 1] < 0.25
    # What it gave is made up for by the other part: the mean change of its own score stays.
    assert step[0, 0] + step[1, 1] + 0.1 * step[2, 2] == pytest.approx(2.0, abs=0.02)
    assert step[0, 0] > 1.5


def test_a_part_that_changes_the_person_is_dear_even_where_no_score_says_so() -> None:
    candidates = _planted()
    person = np.zeros((3, candidates.changes.shape[1], 2))
    # On one face this way, on the next one that way: the mean says nothing.
    person[0, :, 1] = np.where(np.arange(person.shape[1]) % 2, 0.4, -0.4)
    held = recombined(replace(candidates, identity=person), AGE, ["age", "smile"])
    free = recombined(candidates, AGE, ["age", "smile"])
    assert held[0, 0] < 0.9 * free[0, 0]
    gains = candidates.changes[:, :, 0].mean(axis=1)
    for step in (held, free):
        own = 2 * np.array([step[0, 0], step[1, 1], step[2, 2]])
        assert own @ gains == pytest.approx(gains[:2].sum())


def test_the_person_is_measured_in_the_descriptors_own_numbers() -> None:
    class Person(PlantedScorer):
        names = ("who-0", "who-1", "who-2")

    parts, own = candidate_steps(FINDER.model, ATTRIBUTES[0], STEPS)
    ws, before = FINDER.held_out.codes(5, 6)
    candidates = measure_candidates(G, SCORER, parts, own, ws, before, FINDER.deviations, identity=Person())
    assert candidates.identity is not None
    assert np.allclose(candidates.identity, candidates.changes * FINDER.deviations)


def test_held_scores_stay_on_average_and_ways_round_are_dear() -> None:
    plain = 2 * recombined(_planted(p0_glasses=np.array(0.5), p2_glasses=np.array(-1.0)), AGE, ["age", "smile"])
    assert 0.5 * plain[0, 0] - plain[2, 2] == pytest.approx(0, abs=0.2)
    free = 2 * recombined(_planted(), AGE, ["age", "smile"])
    dear = 2 * recombined(_planted(p0_contrast=np.array(3.0)), AGE, ["age", "smile"])
    assert dear[0, 0] < free[0, 0]


def test_parts_are_the_groups_of_steps_and_their_changes_are_measured() -> None:
    parts, own = candidate_steps(FINDER.model, ATTRIBUTES[0], STEPS)
    assert np.allclose(parts[:own].sum(axis=0), 2 * STEPS["tall"])
    # A planted step of `wide` moves no fine rows.
    assert all(np.count_nonzero(np.abs(part).max(axis=1) > 1e-9) == 1 for part in parts)
    ws, before = FINDER.held_out.codes(5, 6)
    candidates = measure_candidates(G, SCORER, parts, own, ws, before, FINDER.deviations)
    assert candidates.changes.shape == (len(parts), 6, 3)
    w = ws.double().numpy()
    for index, part in enumerate(parts):
        moved = [7 * (w[:, 2, 1] + 0.4 * w[:, 0, 0] + 0.3 * w[:, 4, 2])]
        step = 7 * (part[1, 1] + 0.4 * part[0, 0] + 0.3 * part[2, 2])
        assert np.allclose(candidates.changes[index, :, 1], step / FINDER.deviations[1], atol=1e-4), moved
    lost = before.copy()
    lost[2] = np.nan
    assert measure_candidates(G, SCORER, parts, own, ws, lost, FINDER.deviations).changes.shape[1] == 5


def test_only_the_attributes_rows_move_and_the_finder_can_be_asked_for_it() -> None:
    step = FINDER.recombined(ATTRIBUTES[1], STEPS)
    assert not step[2].any()
    found = InterFaceGAN(G, SCORER, FINDER.samples, codes=8, reduce_leakage=["wide"]).find_tested(ATTRIBUTES)
    assert [one.direction.provenance["leakage_reduced"] for one in found] == [False, True]
    assert found[1].effect.intended == pytest.approx(1, abs=0.15)
    assert found[1].effect.leakage < 0.3


def test_the_finder_holds_the_person_for_the_attributes_that_are_named_and_says_so() -> None:
    class Person(PlantedScorer):
        """Whom the fine rows make."""

        names = ("who",)

        def score(self, images):
            return 0.1 * super().score(images)[:, 1:2]

    def find(**asked) -> InterFaceGAN:
        return InterFaceGAN(G, SCORER, FINDER.samples, codes=8, **asked)

    free, held = (
        one.recombined(ATTRIBUTES[0], STEPS)
        for one in (find(reduce_leakage=["tall"]), find(hold_identity=["tall"], identity=Person()))
    )
    assert not np.allclose(free, held)
    found = find(hold_identity=["tall"], identity=Person()).find_tested(ATTRIBUTES)
    assert [one.direction.provenance["identity_held"] for one in found] == [True, False]
    assert [one.direction.provenance["leakage_reduced"] for one in found] == [True, False]
    with pytest.raises(ValueError, match="identity"):
        find(hold_identity=["tall"])
