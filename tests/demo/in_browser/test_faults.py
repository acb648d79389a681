"""What a visitor does wrong, twice, or too fast in a real Chromium: nothing is lost, and every refusal is seen."""

from collections.abc import Iterator
from typing import Any

import pytest

from stylegan_latents.demo.session.studio import Studio
from tests.demo.browser import go_to, open_page

pytestmark = pytest.mark.slow
_PATIENCE = 120_000
_SMILE = "#direction-smile input[type={}]"


@pytest.fixture(scope="module", name="page")
def _page(browser: Any, small_demo: tuple[Studio, str]) -> Iterator[Any]:
    """One page for all tests."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(_PATIENCE)
    open_page(page, small_demo[1])
    yield page
    context.close()


def close_toasts(page: Any) -> None:
    for close in page.locator(".toast-close").all():
        close.click()


def visit_of(studio: Studio) -> Any:
    return max(studio._visits.values(), key=lambda visit: visit.seen)


def test_refusals_of_every_kind_of_button_are_shown(page: Any) -> None:
    for title, button, words in (
        ("Interpolate", "#interpolate-add", "Choose a face first"),
        ("Interpolate", "#interpolate-add-all", "Choose a face first"),
        ("Drag", "#drag-undo", "Choose a face first"),
        ("Discover", "#discover-begin", "Choose a face first"),
    ):
        go_to(page, title)
        page.click(button)
        page.locator(".toast-body", has_text=words).wait_for()
        close_toasts(page)
        page.wait_for_selector(".toast-body", state="detached")
    go_to(page, "Edit")


def test_what_is_chosen_is_what_was_drawn(page: Any) -> None:
    go_to(page, "Explore")
    page.click("#explore-show")
    face = page.locator("#explore-faces button:has(img)").nth(3)
    face.wait_for()
    page.get_by_label("First seed").fill("100")
    page.keyboard.press("Tab")
    face.click()
    page.get_by_role("button", name="Send seed 3", exact=True).click()
    page.wait_for_function("document.querySelector('.face-chooser input').value === 'seed3'")
    page.wait_for_selector("#edit-compare img[src*='/after']")


def test_number_boxes_keep_their_value_when_emptied_and_take_the_nearest_bound(page: Any) -> None:
    go_to(page, "Edit")
    box, slider = page.locator(_SMILE.format("number")), page.locator(_SMILE.format("range"))
    box.fill("9")
    box.blur()
    assert (box.input_value(), slider.input_value()) == ("4", "4")
    box.fill("-9")
    box.blur()
    page.wait_for_function("document.querySelector('#direction-smile input[type=range]').value === '-4'")
    assert box.input_value() == "-4"
    box.fill("")
    box.blur()
    assert (box.input_value(), slider.input_value()) == ("-4", "-4")
    box.fill("")
    page.keyboard.type("-1.5")
    box.blur()
    assert (box.input_value(), slider.input_value()) == ("-1.5", "-1.5")
    page.wait_for_selector("#edit-undo:not([disabled])")
    assert not page.locator(".toast-body").count()
    go_to(page, "Explore")
    seed = page.get_by_label("First seed")
    seed.fill("")
    seed.blur()
    assert seed.input_value() == "100"
    go_to(page, "Edit")


def test_undo_right_after_a_slider_leaves_redo(page: Any) -> None:
    go_to(page, "Edit")
    slider = page.locator("#direction-pose input[type=range]")
    for strength in ("1", "2"):
        slider.fill(strength)
        slider.dispatch_event("pointerup")
        page.wait_for_timeout(800)
    slider.fill("3")
    slider.dispatch_event("pointerup")
    page.wait_for_timeout(60)  # until the move has arrived, and before it is drawn
    page.click("#edit-undo")
    page.wait_for_function("document.querySelector('#direction-pose input[type=range]').value !== '3'")
    page.wait_for_timeout(1500)
    assert not page.locator("#edit-redo").is_disabled()
    page.click("#edit-redo")
    page.wait_for_function("document.querySelector('#direction-pose input[type=range]').value === '3'")


def test_each_of_two_quick_clicks_counts_and_the_canvas_keeps_its_picture(
    page: Any, small_demo: tuple[Studio, str]
) -> None:
    go_to(page, "Edit")
    page.locator("#edit-examples button:has(img)").nth(1).click()
    page.wait_for_function(
        "document.querySelector('#tab-drag .face-chooser input')?.value || "
        "document.querySelector('.face-chooser input').value"
    )
    go_to(page, "Drag")
    picture = page.locator("#drag-points img")
    picture.wait_for()
    page.wait_for_function("document.querySelector('#drag-points img').naturalWidth > 0")
    box = None
    while box != (box := picture.bounding_box()):  # the picture is where it stays
        page.wait_for_timeout(500)
    middle, side = box["x"] + box["width"] / 2, min(box["width"], box["height"])
    for number in range(4):
        x, y = (0.4 - 0.2 * (number // 2), 0.2 + 0.6 * (number % 2))
        page.mouse.click(middle + x * side, box["y"] + y * side)
        page.wait_for_timeout(100)
    page.wait_for_function("document.querySelector('#drag-hint').innerText.includes('a point of the picture')")
    page.wait_for_timeout(1500)
    page.locator("#drag-steps input[type=number]").fill("10")
    page.keyboard.press("Tab")
    page.click("#drag-begin")
    page.wait_for_function("document.querySelector('#drag-status').innerText.includes('Kept as')")
    handles = next(reversed(visit_of(small_demo[0]).faces.values())).record.inversion.settings["handles"]
    assert len(handles) == 2
    page.locator("#drag-where input").click()
    page.get_by_role("option", name="what I paint", exact=True).click()
    page.locator("#drag-paint canvas").first.wait_for()
    background = visit_of(small_demo[0]).faces[page.input_value("#tab-drag .face-chooser input")].before
    assert background.exists()
    assert not page.locator(".toast-body").count()
