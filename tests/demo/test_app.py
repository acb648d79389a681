"""What the page is made of: every control says what it is and what it is for."""

from typing import Any

import pytest

from stylegan_latents.demo.app import TABS, build
from stylegan_latents.demo.session.studio import Studio

_ASKING = {"slider", "radio", "dropdown", "number", "checkbox", "checkboxgroup", "textbox"}
_SHOWING = {"image", "imageslider", "imageeditor", "gallery", "video", "code"}


@pytest.fixture(name="components")
def _components(studio: Studio) -> list[dict[str, Any]]:
    components: list[dict[str, Any]] = build(studio).config["components"]
    return components


def test_every_control_has_a_label_and_a_short_help(components: list[dict[str, Any]]) -> None:
    asking = [one["props"] for one in components if one["type"] in _ASKING]
    kept = [one for one in asking if not one["label"]]
    # Those of directions that are kept later are named then.
    assert all(one["visible"] is False and "direction" in one["elem_classes"] for one in kept)
    without = [one["label"] for one in asking if one not in kept and not one.get("info")]
    assert without == []
    assert all(len(one["info"]) <= 90 for one in asking), [one["info"] for one in asking if len(one["info"]) > 90]


def test_every_picture_is_named_and_every_button_has_words(components: list[dict[str, Any]]) -> None:
    assert all(one["props"]["label"] for one in components if one["type"] in _SHOWING)
    assert all(one["props"]["value"] for one in components if one["type"] == "button")


def test_all_tabs_are_there(components: list[dict[str, Any]]) -> None:
    assert [one["props"]["label"] for one in components if one["type"] == "tabitem"] == [
        title for title, *_ in TABS
    ]
