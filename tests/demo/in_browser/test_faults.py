"""What a visitor does wrong, twice, or too fast in a real Chromium: nothing is lost, and every refusal is seen."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.tabs.edit import answers
from tests.demo.browser import close_toasts, go_to, open_page, wait_until, wait_until_still

pytestmark = pytest.mark.slow
_SMILE = "#direction-smile input[type={}]"


@pytest.fixture(scope="module", name="page")
def _page(browser: Any, small_demo: tuple[Studio, str]) -> Iterator[Any]:
    """One page for all tests, with a face."""
    page = empty_page(browser, small_demo[1])
    page.locator("#edit-examples button:has(img)").nth(1).click()
    page.wait_for_selector("#edit-compare img[src*='/after']")
    yield page
    page.context.close()


def empty_page(browser: Any, address: str) -> Any:
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    open_page(page, address)
    return page


def visit_of(studio: Studio) -> Any:
    return max(studio._visits.values(), key=lambda visit: visit.seen)


def wait_for_slider(page: Any, name: str, strength: str) -> None:
    """Until a direction's number box and range both show this."""
    page.wait_for_function(
        "([name, strength]) => [...document.querySelectorAll(`#direction-${name} input`)]"
        ".every(one => one.value === strength)",
        arg=[name, strength],
    )


def test_refusals_of_every_kind_of_button_are_shown(browser: Any, small_demo: tuple[Studio, str]) -> None:
    page = empty_page(browser, small_demo[1])
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
    page.context.close()


def test_what_is_chosen_is_what_was_drawn(page: Any) -> None:
    go_to(page, "Explore")
    page.click("#explore-show")
    face = page.locator("#explore-faces button:has(img)").nth(3)
    face.wait_for()
    wait_until_still(page)
    page.get_by_label("First seed").fill("100")
    page.keyboard.press("Tab")
    face.click()
    page.get_by_role("button", name="Send seed 3", exact=True).click()
    page.wait_for_function("document.querySelector('.face-chooser input').value === 'seed3'")
    page.wait_for_selector("#edit-compare img[src*='/after']")


def test_number_boxes_keep_their_value_when_emptied_and_take_the_nearest_bound(page: Any) -> None:
    go_to(page, "Edit")
    box = page.locator(_SMILE.format("number"))
    for typed, settled in (("9", "4"), ("-9", "-4"), ("", "-4")):
        box.fill(typed)
        box.blur()
        wait_for_slider(page, "smile", settled)
    box.fill("")
    page.keyboard.type("-1.5")
    box.blur()
    wait_for_slider(page, "smile", "-1.5")
    page.wait_for_selector("#edit-undo:not([disabled])")
    assert not page.locator(".toast-body").count()
    go_to(page, "Explore")
    seed = page.get_by_label("First seed")
    for typed in ("100", ""):
        seed.fill(typed)
        seed.blur()
    assert seed.input_value() == "100"


def test_undo_right_after_a_slider_leaves_redo(
    page: Any, small_demo: tuple[Studio, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_to(page, "Edit")
    history = visit_of(small_demo[0]).face(page.input_value(".face-chooser input")).history
    slider = page.locator("#direction-pose input[type=range]")

    def move(strength: str) -> None:
        slider.fill(strength)
        slider.dispatch_event("pointerup")

    for strength in (1.0, 2.0):
        move(f"{strength:g}")
        wait_until(page, lambda strength=strength: history.current.get("pose") == strength)
    gate, read = threading.Event(), answers.strengths_of

    def held(*given: Any) -> Any:
        assert gate.wait(60)
        return read(*given)

    wait_until_still(page)
    monkeypatch.setattr(answers, "strengths_of", held)
    move("3")
    wait_until(page, lambda: history.moving.get("pose") == 3)  # the move has arrived, and is not drawn
    page.click("#edit-undo")
    page.wait_for_function("document.querySelector('#direction-pose input[type=range]').value !== '3'")
    gate.set()
    wait_until_still(page)
    assert not page.locator("#edit-redo").is_disabled()
    page.click("#edit-redo")
    page.wait_for_function("document.querySelector('#direction-pose input[type=range]').value === '3'")


def test_each_of_two_quick_clicks_counts_and_the_canvas_keeps_its_picture(
    page: Any, small_demo: tuple[Studio, str]
) -> None:
    go_to(page, "Drag")
    picture = page.locator("#drag-points img")
    picture.wait_for()
    page.click("#drag-clear")
    wait_until_still(page)
    box = picture.bounding_box()
    middle, side = box["x"] + box["width"] / 2, min(box["width"], box["height"])
    for number in range(4):
        x, y = (0.4 - 0.2 * (number // 2), 0.2 + 0.6 * (number % 2))
        page.mouse.click(middle + x * side, box["y"] + y * side)
        page.wait_for_timeout(100)  # as quick as a hand
    wait_until_still(page)
    assert "a point of the picture" in page.inner_text("#drag-hint")
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
