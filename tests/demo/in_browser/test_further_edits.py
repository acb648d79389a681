"""Regions, measures, masks, closer results and the sign of drawing in a real Chromium, with a small generator."""

import io
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.tabs.edit import drawing
from stylegan_latents.editing.directions.apply import Edit
from stylegan_latents.editing.regions import regions
from stylegan_latents.editing.strengths import guided
from stylegan_latents.invert.faces.landmarks import Landmarks
from tests.demo.browser import go_to, paint, wait_until, wait_until_still
from tests.demo.in_browser.test_faults import visit_of
from tests.demo.in_browser.test_page import click_example
from tests.demo.in_browser.test_returning import open_tab

pytestmark = pytest.mark.slow
_PHOTO = Path(__file__).parents[2] / "data" / "london_062_neutral.jpg"
_OPENED = ("more-search", "part-open", "paint-open", "measured")


@pytest.fixture(scope="module", name="page")
def _page(browser: Any, small_demo: tuple[Studio, str]) -> Iterator[Any]:
    """One page with a face for all tests; an error in its script fails them."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    broken: list[str] = []
    page = open_tab(context, small_demo[1])
    page.on("pageerror", lambda error: broken.append(str(error)))
    click_example(page)
    yield page
    context.close()
    assert not broken


def unfold(page: Any, name: str) -> None:
    """Open an accordion, unless it is open."""
    button = page.locator(f"#edit-{name} > button").first
    if button.get_attribute("aria-expanded") != "true":
        button.click()


def set_slider(page: Any, name: str, strength: float) -> None:
    slider = page.locator(f"#direction-{name} input[type=range]")
    slider.fill(str(strength))
    slider.dispatch_event("change")
    slider.dispatch_event("pointerup")


def colours(screenshot: bytes) -> int:
    with Image.open(io.BytesIO(screenshot)) as picture:
        return len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0))


def test_a_sign_stands_on_the_picture_while_it_is_drawn(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, preview = threading.Event(), drawing.preview

    def held(*given: Any, **options: Any) -> Any:
        assert gate.wait(60)
        return preview(*given, **options)

    wait_until_still(page)
    monkeypatch.setattr(drawing, "preview", held)
    page.locator("#direction-pitch input[type=range]").fill("1")
    page.wait_for_selector("#edit-compare[aria-busy=true]")
    page.wait_for_timeout(500)  # it stays
    assert page.locator("#edit-compare[aria-busy=true]").count()
    gate.set()
    page.wait_for_selector("#edit-compare[aria-busy=false]")


def test_an_edit_is_limited_to_a_region_of_its_face(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)[:, None]
    points = 0.5 + 0.15 * np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    monkeypatch.setattr(regions, "face_landmarks", lambda *_: Landmarks.from_ibug(points))
    page.get_by_text("The same on the command line").first.click()
    command = "document.querySelector('#edit-command').innerText.includes"
    set_slider(page, "smile", 2)
    page.wait_for_function(f"{command}('--direction smile')")
    unfold(page, "part-open")
    page.locator("#edit-regions").get_by_label("Mouth").check()
    page.wait_for_function(f"{command}('--region mouth')")
    for title in ("Mix", "Interpolate", "Drag"):
        go_to(page, title)
        note = page.locator(f"#{title.lower()}-whole-edit")
        note.get_by_text("The edit counts in the whole picture here").wait_for()
    go_to(page, "Edit")
    page.locator("#edit-regions").get_by_label("Mouth").uncheck()
    page.wait_for_function(f"!{command}('--region')")


def test_the_sliders_are_set_so_that_the_person_stays(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(_draw: object, edits: Sequence[Edit], _bound: float) -> tuple[list[Edit], guided.Step]:
        return [(direction, strength / 2) for direction, strength in edits], guided.Step(0.5, 0.3)

    monkeypatch.setattr(guided, "keep_identity", half)
    set_slider(page, "pose", 3)
    unfold(page, "measured")
    page.get_by_label("very alike").check()
    page.click("#edit-measured-begin")
    page.wait_for_function("document.querySelector('#edit-measured-status').innerText.includes('50% of the edit')")
    page.wait_for_function("document.querySelector('#direction-pose input[type=range]').value === '1.5'")
    page.wait_for_function("document.querySelector('#edit-command').innerText.includes('--strength 1.5')")


def test_a_photo_is_found_nearer_without_what_is_painted(page: Any, small_demo: tuple[Studio, str]) -> None:
    page.set_input_files("#edit-photo input[type=file]", str(_PHOTO))
    page.wait_for_selector("#edit-start:not([disabled])")
    unfold(page, "more-search")
    page.get_by_label("Tune the model").check()
    canvas = page.locator("#edit-mask canvas").first
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    wait_until(page, lambda: colours(canvas.screenshot()) > 100)  # the photo is on it
    paint(page, canvas)
    page.click("#edit-start")
    page.wait_for_selector("#edit-mask-file")
    face = list(visit_of(small_demo[0]).faces.values())[-1]
    assert "--method pivotal --mask" in face.made_by
    assert face.record.inversion.method == "pivotal"
    assert face.record.inversion.settings["mask"]


def test_axe_finds_nothing_where_everything_is_unfolded(page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for name in _OPENED:
        unfold(page, name)
    # Gradio's box of commands has a button inside a link.
    page.get_by_text("The same on the command line").first.click()
    for _mode in range(2):
        wait_until_still(page)
        found = axe.run(page, options={"rules": {"target-size": {"enabled": True}}}).response["violations"]
        assert not [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found]
        page.click("#theme-switch")
