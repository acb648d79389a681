"""What stands beside the sliders of the tab Edit."""

from dataclasses import replace

from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.edit.sliders import GROUPS, direction_help


def test_every_shipped_direction_has_a_title_and_both_ends(visit: Visit) -> None:
    studio: Studio = visit.studio
    assert {name for names in GROUPS.values() for name in names} == set(studio.directions)
    for direction in studio.directions.values():
        positive, negative = direction_help(direction).replace("\u00a0", " ").split(" \u00b7 ")
        assert positive == f"+ {direction.description}"
        assert negative.startswith("\u2212 ")


def test_a_direction_that_says_less(visit: Visit) -> None:
    pose = visit.studio.directions["pose"]
    assert direction_help(replace(pose, provenance={"positive": "a beard"})) == "+ a beard"
    assert direction_help(replace(pose, provenance={})) == "Kept on the tab Discover."
