"""A real Chromium comes back: after a reload, Back, a crash, a closed tab; and is forgotten when it wants to be."""

from typing import Any

import pytest

from stylegan_latents.demo.session.studio import Studio
from tests.demo.browser import open_page, wait_until
from tests.demo.in_browser.test_page import click_example, smile, wait_for_rest

pytestmark = pytest.mark.slow


def open_tab(context: Any, address: str) -> Any:
    page = context.new_page()
    open_page(page, address)
    return page


def edit(page: Any) -> None:
    """Take an example and make it smile, until that is drawn."""
    click_example(page)
    page.locator("#direction-smile input[type=range]").focus()
    page.keyboard.press("End")
    page.wait_for_selector("#edit-undo:not([disabled])")


def expect_edit(page: Any) -> None:
    """The face, its edit and its history are there."""
    page.wait_for_selector("gradio-app:not([inert]) #edit-examples img")
    wait_for_rest(page)
    page.wait_for_selector("#edit-undo:not([disabled])")
    assert float(smile(page)) == 4


def test_a_reload_back_a_crash_and_a_closed_tab_lose_nothing(browser: Any, small_demo: tuple[Studio, str]) -> None:
    context = browser.new_context()
    page = open_tab(context, small_demo[1])
    edit(page)
    page.reload()
    expect_edit(page)
    page.goto("about:blank")
    page.go_back()
    expect_edit(page)
    page.close()
    page = open_tab(context, small_demo[1])
    expect_edit(page)
    # A second tab begins a visit of its own, and another browser too.
    second = open_tab(context, small_demo[1])
    assert second.locator("#edit-compare img").count() == 0
    stranger = open_tab(browser.new_context(), small_demo[1])
    assert stranger.locator("#edit-compare img").count() == 0
    stranger.context.close()
    crashed = page.context.new_cdp_session(page)
    crashed.send("Page.enable")
    with pytest.raises(Exception, match=r"crash|closed"):
        page.goto("chrome://crash")
    page.close()
    second.close()
    page = open_tab(context, small_demo[1])
    expect_edit(page)
    context.close()


def test_leaving_unsaved_work_warns_and_forget_me_deletes_at_once(
    browser: Any, small_demo: tuple[Studio, str]
) -> None:
    context = browser.new_context()
    page = open_tab(context, small_demo[1])
    edit(page)
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.close(run_before_unload=True)
    wait_until(page, lambda: asked == ["beforeunload"])
    visit = max(small_demo[0]._visits.values(), key=lambda visit: visit.seen)
    folder = visit.files.folder
    assert folder.exists()
    with page.expect_navigation():
        page.click("#forget-me")
    assert asked == ["beforeunload"]
    wait_until(page, lambda: visit.closed and not folder.exists())
    page.wait_for_selector("gradio-app:not([inert]) #edit-examples img")
    assert page.locator("#edit-compare img").count() == 0
    context.close()


def test_a_gap_in_the_network_loses_nothing(browser: Any, small_demo: tuple[Studio, str]) -> None:
    context = browser.new_context()
    page = open_tab(context, small_demo[1])
    edit(page)
    context.set_offline(True)
    page.wait_for_timeout(20_000)
    context.set_offline(False)
    page.wait_for_function("fetch('/').then(() => true, () => false)")
    expect_edit(page)
    page.locator("#direction-smile input[type=range]").focus()
    page.keyboard.press("Home")
    page.wait_for_selector("#edit-redo[disabled]")
    page.wait_for_function("document.querySelector('#direction-smile input[type=range]').value === '-4'")
    context.close()


def test_an_edit_is_kept_as_a_face_and_faces_are_chosen_renamed_and_deleted(
    browser: Any, small_demo: tuple[Studio, str]
) -> None:
    context = browser.new_context()
    page = open_tab(context, small_demo[1])
    edit(page)
    names = "#faces-strip .caption-label"
    page.wait_for_selector(names)
    page.click("#edit-keep-edit")
    page.wait_for_function(f"document.querySelectorAll('{names}').length === 2")
    assert page.locator(names).first.inner_text() == "seed2.smile+4"
    page.locator("#faces-strip button:has(img)").nth(1).click()
    page.wait_for_function(f"document.querySelector('{names}').innerText === 'seed2'")
    page.click("button[role=tab]:has-text('Drag')")
    page.wait_for_selector("#drag-points img")
    page.click("#faces-change button")
    page.fill("#faces-name input, #faces-name textarea", "Ann")
    page.click("#faces-rename")
    page.wait_for_function(f"document.querySelector('{names}').innerText === 'Ann'")
    page.click("#faces-delete")
    page.wait_for_function(f"document.querySelectorAll('{names}').length === 1")
    assert page.locator(names).inner_text() == "seed2.smile+4"
    context.close()
