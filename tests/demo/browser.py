"""Chromium for the demo's tests, and a page of the demo in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def find_browser() -> str | None:
    """The system's Chromium or Chrome; ``STYLEGAN_BROWSER`` names another one."""
    named = os.environ.get("STYLEGAN_BROWSER")
    return named or next((found for name in _NAMES if (found := shutil.which(name))), None)


@contextmanager
def chromium(*arguments: str) -> Iterator[Any]:
    """A running browser, driven by Playwright; a test that asks for it is skipped where there is none.

    Args:
        arguments: of its command line, beside those that it always gets.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium, or name one in STYLEGAN_BROWSER")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=[*_ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            browser.close()


def open_page(page: Any, address: str) -> None:
    """Go to the demo, until it takes what a visitor does."""
    page.goto(address)
    page.wait_for_selector("gradio-app:not([inert]) #edit-examples img")


def go_to(page: Any, title: str) -> None:
    """Open a tab; Gradio puts those that have no room into a menu."""
    tab = page.get_by_role("tab", name=title, exact=True)
    if tab.is_visible():
        tab.click()
    else:
        page.locator(".overflow-menu > button").click()
        page.locator(".overflow-dropdown button", has_text=title).click()
