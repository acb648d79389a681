"""What the page is for those who use no mouse, no screen, a phone, or a small window; in a real Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stylegan_latents.demo.app import TABS
from stylegan_latents.demo.session.studio import Studio
from tests.demo.browser import begin_anew, close_toasts, go_to, open_page, wait_until_still

pytestmark = pytest.mark.slow
LAPTOP, DESK, PHONE = (1366, 768), (1920, 1080), (390, 844)
_SNAPSHOTS = Path(__file__).parent / "aria"
_CONTROLS = "button, input:not([type=file]), textarea, [role=tab], [role=slider], summary"
# What is smaller has a label around it that can be clicked, or is a range beside its number.
_SMALL = """([scope, controls, side]) => [...document.querySelectorAll(scope)]
    .flatMap(one => [...one.querySelectorAll(controls)])
    .filter(one => one.checkVisibility({ visibilityProperty: true }) && !one.closest('.visually-hidden'))
    .filter(one => !['radio', 'checkbox', 'number', 'text', undefined].includes(one.type ?? one.role))
    .map(one => [one.getBoundingClientRect(), one])
    .filter(([box]) => box.width && (box.height < side || box.width < Math.min(side, 24)))
    .map(([box, one]) => `${box.width} x ${box.height}: ${one.outerHTML.slice(0, 120)}`)"""
_WATCH_SHIFTS = """new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
        if (entry.hadRecentInput) continue;
        window.shifted = (window.shifted ?? 0) + entry.value;
        window.shifts = [...(window.shifts ?? []), ...entry.sources.map(
            one => `${entry.value.toFixed(3)} ${one.node?.id} ${one.node?.className} ${one.currentRect.y}`)];
    }
}).observe({ type: 'layout-shift', buffered: true })"""


def new_page(browser: Any, address: str, size: tuple[int, int] = LAPTOP, **options: Any) -> Any:
    """A page with two faces."""
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options).new_page()
    open_page(page, f"{address}?__theme=light")
    before = ""
    for number in (1, 2):
        page.locator("#edit-examples button:has(img)").nth(number).click()
        page.wait_for_function(
            "before => ![before, ''].includes(document.querySelector('.face-chooser input').value)", arg=before
        )
        before = page.input_value(".face-chooser input")
    page.wait_for_selector("#edit-compare img[src*='/after']")
    return page


@pytest.fixture(scope="module", name="page")
def _page(browser: Any, small_demo: tuple[Studio, str]) -> Iterator[Any]:
    """One page for all tests."""
    page = new_page(browser, small_demo[1])
    yield page
    page.context.close()


def at_any_moment(snapshot: str) -> str:
    """The snapshot without what depends on how far the page has come: a chooser's face, a picture's name."""
    snapshot = re.sub(r'(combobox "[^"]*"): seed\d+', r"\1: a face", snapshot)
    return re.sub(r'button "(Thumbnail \d+ of \d+": )?seed (\d+)"?', r'button "seed \2"', snapshot)


def test_axe_finds_nothing_and_every_control_is_named_in_every_tab_light_and_dark(page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    different = []
    for tab in TABS:
        go_to(page, tab.title)
        if tab.name == "explore":
            page.click("#explore-show")
            page.wait_for_selector("#explore-faces img")
        for mode in ("light", "dark"):
            wait_until_still(page)
            found = axe.run(page, options={"rules": {"target-size": {"enabled": True}}}).response["violations"]
            said = [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found]
            assert not said, f"{tab.title}, {mode}"
            page.click("#theme-switch")
        small = page.evaluate(_SMALL, [f"#tab-{tab.name}", _CONTROLS, 24])
        assert not small, tab.title
        snapshot = at_any_moment(page.locator(f"#tab-{tab.name}").aria_snapshot()) + "\n"
        kept = _SNAPSHOTS / f"{tab.name}.yaml"
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(snapshot, encoding="utf-8")
        if snapshot != kept.read_text(encoding="utf-8"):
            different.append(tab.title)
            kept.with_suffix(".new").write_text(snapshot, encoding="utf-8")
    # Read the difference as a screen reader would; if it is right, move the new file over the old one.
    assert not different


def test_what_begins_the_work_is_in_sight_in_every_window(page: Any) -> None:
    wanted = {
        "Edit": ["#edit-compare", "#edit-start", "#edit-undo", "#edit-view"], "Mix": ["#mix-keep", "#mix-shown"],
        "Interpolate": ["#interpolate-begin", "#interpolate-film"], "Discover": ["#discover-begin"],
        "Drag": ["#drag-begin", "#drag-points"], "Explore": ["#explore-show"],
    }  # fmt: skip
    for size in (LAPTOP, DESK, PHONE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for title, controls in wanted.items():
            go_to(page, title)
            page.evaluate("scrollTo(0, 0)")
            wait_until_still(page)
            for control in controls:
                if size == PHONE and not control.endswith(("start", "begin", "keep", "show")):
                    continue
                box = page.locator(control).bounding_box()
                assert box["y"] >= 0, (size, title, control)
                assert box["y"] + box["height"] <= size[1], (size, title, control)
    page.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})


def test_the_whole_screen_shows_nothing_but_the_picture(page: Any) -> None:
    for size in (LAPTOP, PHONE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for title, picture in (("Edit", "#edit-compare"), ("Mix", "#mix-shown")):
            go_to(page, title)
            page.wait_for_selector(f"{picture} img")
            wait_until_still(page)
            page.click(f"{picture} [aria-label=Fullscreen]")
            page.wait_for_selector(f"{picture}.fullscreen")
            wait_until_still(page)
            hidden = page.evaluate(
                """picture => [[0.5, 0.5], [0.9, 0.3], [0.1, 0.6], [0.5, 0.95]].filter(([x, y]) =>
                    !document.elementFromPoint(x * innerWidth, y * innerHeight)?.closest(picture))""",
                picture,
            )
            assert hidden == [], (size, title)
            page.click(f"{picture} button[aria-label*=ullscreen]")
            page.wait_for_selector(f"{picture}:not(.fullscreen)")
    page.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})


def test_the_wheel_over_the_comparison_scrolls_the_page(page: Any) -> None:
    go_to(page, "Edit")
    page.evaluate("scrollTo(0, 0)")
    wait_until_still(page)
    box = page.locator("#edit-compare").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 100")
    assert "scale(1)" in page.locator("#edit-compare img").first.get_attribute("style")
    page.evaluate("scrollTo(0, 0)")


def test_on_a_phone_targets_are_large_and_a_swipe_scrolls(browser: Any, small_demo: tuple[Studio, str]) -> None:
    page = new_page(browser, small_demo[1], PHONE, has_touch=True, is_mobile=True)
    for tab in TABS:
        go_to(page, tab.title)
        wait_until_still(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], tab.title
        small = page.evaluate(_SMALL, [f"#tab-{tab.name}", _CONTROLS, 44])
        assert not small, tab.title
    go_to(page, "Edit")
    page.locator("#direction-gender").scroll_into_view_if_needed()
    wait_until_still(page)
    # No label of a control lies on the picture.
    over = page.evaluate(
        """() => { const box = document.querySelector('#edit-compare').getBoundingClientRect();
            return [0.1, 0.3, 0.5, 0.7, 0.9].flatMap(x => [0.1, 0.5, 0.9].map(y =>
                document.elementFromPoint(box.x + x * box.width, box.y + y * box.height)))
                .filter(one => !one?.closest('#edit-compare')).map(one => one?.outerHTML.slice(0, 90)); }"""
    )
    assert over == []
    # Neither held back nor taken to move the picture inside its frame.
    swiped = page.evaluate(
        """() => { const image = document.querySelector('#edit-compare img');
            const at = y => [new Touch({ identifier: 1, target: image, clientX: 60, clientY: y })];
            const send = (kind, y) => { const event = new TouchEvent(kind, {
                touches: at(y), changedTouches: at(y), bubbles: true, cancelable: true });
                image.dispatchEvent(event); return event.defaultPrevented; };
            return [...['touchstart', 'touchmove', 'touchend'].map(kind => send(kind, 150)),
                image.style.transform]; }"""
    )
    assert swiped == [False, False, False, "translate(0px, 0px) scale(1)"]
    page.context.close()


def test_the_main_path_moves_nothing_that_stands(browser: Any, small_demo: tuple[Studio, str]) -> None:
    page = browser.new_context(viewport={"width": LAPTOP[0], "height": LAPTOP[1]}).new_page()
    page.add_init_script(_WATCH_SHIFTS)
    open_page(page, small_demo[1])
    for size in (LAPTOP, PHONE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        steps = {
            "begin": lambda page: begin_anew(page, small_demo[1]),
            "example": lambda page: page.locator("#edit-examples button:has(img)").nth(1).click(),
            "slider": lambda page: page.locator("#direction-smile input[type=range]").fill("2"),
            "mix": lambda page: go_to(page, "Mix"),
            "keep": lambda page: page.click("#mix-keep"),
            "interpolate": lambda page: go_to(page, "Interpolate"),
            "add": lambda page: page.click("#interpolate-add-all"),
            "drag": lambda page: go_to(page, "Drag"),
            "explore": lambda page: go_to(page, "Explore"),
            "show": lambda page: page.click("#explore-show"),
        }
        for name, step in steps.items():
            step(page)
            wait_until_still(page)
            close_toasts(page)
            shifted, what = page.evaluate("[window.shifted ?? 0, window.shifts]")
            assert shifted <= 0.1, (size, name, what)
            page.evaluate("window.shifted = 0, window.shifts = []")
    page.context.close()
