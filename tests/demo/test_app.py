"""What the page is made of: every control says what it is and what it is for."""

from pathlib import Path
from typing import Any

import pytest

from stylegan_latents.demo import app
from stylegan_latents.demo.app import TABS, build
from stylegan_latents.demo.page.page import Tab, face_chooser
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


def test_no_rule_of_a_media_query_begins_outside_gradios_container() -> None:
    # Gradio puts its container before the selectors there, and would make this one descend from itself.
    text = (Path(app.__file__).parent / "page.css").read_text(encoding="utf-8")
    queries = text[text.index("\n@media") :]
    assert not [word for word in (".gradio-container", ":root", "body", "gradio-app") if word in queries]


def test_a_new_tab_is_a_folder_and_a_line_and_takes_faces_from_explore(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Tab("Compare", "compare", lambda page: face_chooser(page, "compare") and None)
    monkeypatch.setattr(app, "TABS", (*app.TABS, new))
    components = build(studio).config["components"]
    assert [one["props"]["label"] for one in components if one["type"] == "tabitem"][-1] == "Compare"
    (target,) = (one["props"] for one in components if one["props"].get("label") == "Send to")
    assert ("Compare", "compare") in [tuple(choice) for choice in target["choices"]]


def test_every_folder_of_tabs_has_its_line() -> None:
    folders = {path.parent.name for path in (Path(app.__file__).parent / "tabs").glob("*/tab.py")}
    assert folders == {tab.name for tab in TABS}


def test_all_tabs_are_there(components: list[dict[str, Any]]) -> None:
    assert [one["props"]["label"] for one in components if one["type"] == "tabitem"] == [tab.title for tab in TABS]
