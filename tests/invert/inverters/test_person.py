"""Inversion with a person's model stays in the span, or near it, and keeps the person's weights."""

from pathlib import Path

import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.inverters.by_name import make_inverter
from stylegan_latents.invert.inverters.person import PersonInverter
from stylegan_latents.invert.record.tuned_weights import tuned_generator
from tests.invert.small_people import small_person
from tests.invert.small_search import breaking, exact, interrupt_at, small_search  # noqa: F401
from tests.odd_models import odd_generator

pytestmark = pytest.mark.usefixtures("small_search")


def test_a_code_is_found_in_the_span_and_the_record_has_the_persons_weights() -> None:
    G = odd_generator()
    person = small_person(G, 4)
    inverter = PersonInverter(G, person, exact(60), beyond=0)
    wanted = inverter.span.codes(torch.tensor([[[0.6, 0.5, -0.1, 0.0]]]))
    images = person.generator(G).synthesize(wanted)
    found = inverter.invert(images)
    assert found.method == "person"
    assert found.settings["person"] == "anna"
    torch.testing.assert_close(inverter.span.project(found.ws), found.ws, rtol=1e-3, atol=1e-3)
    drawn = tuned_generator(G, found).synthesize(found.ws)
    centre = person.generator(G).synthesize(person.record.ws.mean(dim=0, keepdim=True))
    assert (drawn - images).square().mean() < 0.2 * (centre - images).square().mean()


@pytest.mark.slow
def test_a_search_beyond_the_span_comes_nearer_to_a_photo_outside_of_it() -> None:
    G = odd_generator()
    person = small_person(G)
    images = person.generator(G).synthesize(G.sample([77]))
    errors = []
    for beyond in (0.0, 0.75):
        found = PersonInverter(G, person, exact(60), beyond=beyond).invert(images)
        drawn = tuned_generator(G, found).synthesize(found.ws)
        errors.append(float((drawn - images).square().mean()))
    assert errors[1] < 0.8 * errors[0]


def test_what_a_mask_hides_changes_nothing() -> None:
    G = odd_generator()
    inverter = PersonInverter(G, small_person(G), exact(6))
    images = G.synthesize(G.sample([5]))
    mask = torch.ones(1, 1, *images.shape[2:])
    mask[..., :32] = 0
    other = images.clone()
    other[..., :32] = 1
    found = inverter.invert(images, mask=mask).ws
    assert torch.equal(found, inverter.invert(other, mask=mask).ws)
    torch.testing.assert_close(inverter.span.project(found), found, rtol=1e-3, atol=1e-3)
    corner = torch.ones_like(mask)
    corner[..., :8, :8] = 0
    found = inverter.invert(images, mask=corner).ws
    assert not torch.allclose(inverter.span.project(found), found, rtol=1e-3, atol=1e-3), "only the edge is hidden"


@pytest.mark.parametrize("step", [2, 7])
def test_ctrl_c_keeps_the_best_code_before_and_after_leaving_the_span(step: int) -> None:
    G = odd_generator()
    inverter = PersonInverter(G, small_person(G), exact(10))
    images = G.synthesize(G.sample([5]))
    found = inverter.invert(images, on_step=interrupt_at(step), keep_partial=True)
    assert found.settings["stopped_at_step"] == step
    with pytest.raises(KeyboardInterrupt):
        inverter.invert(images, on_step=interrupt_at(step))


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    G = odd_generator()
    with pytest.raises(InputError, match="not tuned yet"):
        PersonInverter(G, small_person(G, tuned=False))
    with pytest.raises(InputError, match="tuned on the model"):
        PersonInverter(odd_generator(seed=3), small_person(G))
    with pytest.raises(InputError, match="share of the steps"):
        PersonInverter(G, small_person(G), beyond=1)
    with pytest.raises(InputError, match="--method person needs --person"):
        make_inverter(G, "person")
    with pytest.raises(InputError, match="no person's file"):
        make_inverter(G, "person", person=tmp_path / "none")
    with pytest.raises(InputError, match="leave the start out"):
        PersonInverter(G, small_person(G), exact(2)).invert(torch.zeros(1, 3, 64, 64), start=G.sample([1]))
