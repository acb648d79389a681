"""Chromium for the demo's tests, and a page of the demo in it."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

PATIENCE = 120.0
"""Seconds that a test waits for anything: other work may take most of the machine."""

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


# Counts what the page has asked the server for and has no answer to: calls in Gradio's queue end in their stream.
_COUNT_CALLS = """(() => {
    if (window.callsPending) return;
    const open = new Set(), early = new Set(), plain = window.fetch;
    let asking = 0;
    window.callsPending = () => open.size + asking;
    async function follow(stream) {
        const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
        for (let rest = "", part = await reader.read(); !part.done; part = await reader.read()) {
            const messages = (rest + part.value).split("\\n\\n");
            rest = messages.pop();
            for (const message of messages) {
                const { msg, event_id } = JSON.parse(message.replace(/^data:/, ""));
                if (msg === "process_completed" && !open.delete(event_id)) early.add(event_id);
            }
        }
    }
    window.fetch = async (...given) => {
        const url = String(given[0]?.url ?? given[0]);
        if (url.includes("/heartbeat/")) return plain(...given);
        if (url.includes("/queue/data")) {
            const answer = await plain(...given);
            if (!answer.body) return answer;
            const [own, theirs] = answer.body.tee();
            follow(own).catch(() => {}).finally(() => open.clear());
            return new Response(theirs, answer);
        }
        asking += 1;
        try {
            const answer = await plain(...given);
            if (url.includes("/queue/join") && answer.ok) {
                const { event_id } = await answer.clone().json();
                if (!early.delete(event_id)) open.add(event_id);
            }
            return answer;
        } finally {
            asking -= 1;
        }
    };
})()"""
# Three times the same, with nothing under way: calls, transitions, pictures that load.
_STILL = """() => {
    const moving = document.getAnimations().filter(one =>
        one.playState === "running" && one.effect.getComputedTiming().iterations !== Infinity).length;
    // Pictures of tabs that are not shown load when they are.
    const loading = [...document.images].filter(one => !one.complete && one.checkVisibility()).length;
    const places = [...document.querySelectorAll("button, img, input, label, .block")]
        .map(one => one.getBoundingClientRect()).map(box => [box.x, box.y, box.width, box.height].join());
    const now = places.join(";"), going = window.callsPending() + moving + loading;
    const still = going === 0 && now === window.lastPlaces;
    window.lastPlaces = now;
    window.timesStill = still ? window.timesStill + 1 : 0;
    return window.timesStill >= 3;
}"""


def wait_until_still(page: Any) -> None:
    """Until every call is answered, nothing fades or loads, and everything stays in its place."""
    page.evaluate("window.timesStill = 0")
    page.wait_for_function(_STILL, polling=100)


def wait_until(page: Any, condition: Callable[[], object], *, seconds: float = PATIENCE) -> None:
    """Until something is so that the page cannot tell, such as on the server."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never was so"
        page.wait_for_timeout(50)


def close_toasts(page: Any) -> None:
    """Close all messages; each may also go by itself meanwhile."""
    page.evaluate("document.querySelectorAll('.toast-close').forEach(close => close.click())")
    page.wait_for_selector(".toast-body", state="detached")


def paint(page: Any, canvas: Any) -> None:
    """Paint a line across the middle of a paint box, until Gradio has uploaded it."""
    canvas.scroll_into_view_if_needed()
    wait_until_still(page)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"], steps=8)
    with page.expect_response(lambda answer: "/upload" in answer.url):
        page.mouse.up()
    wait_until_still(page)


def open_page(page: Any, address: str, *, patience: float = PATIENCE) -> None:
    """Go to the demo, until it takes what a visitor does; ``patience`` in seconds is that of all waits."""
    page.set_default_timeout(1000 * patience)
    page.add_init_script(_COUNT_CALLS)
    _go(page, address)


def begin_anew(page: Any, address: str) -> None:
    """A new visitor in an open page, which takes half the time of a new page."""
    page.evaluate("localStorage.clear(), sessionStorage.clear()")
    _go(page, address)


def _go(page: Any, address: str) -> None:
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
