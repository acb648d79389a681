"""The page in a real Chromium: keyboard, phone, labels, errors, light and dark; with a small generator."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from stylegan_latents.demo.app import TABS
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.editing.samples.sampling import Sampling
from tests.demo.browser import PATIENCE, begin_anew, go_to, open_page, wait_until, wait_until_still
from tests.small_models import small_generator, small_record

pytestmark = pytest.mark.slow
PHONE = {"width": 390, "height": 844}
_AFTER = "#edit-compare img"


@pytest.fixture(scope="module")
def desk(browser: Any, small_demo: tuple[Studio, str]) -> Iterator[tuple[Any, list[str]]]:
    """The page of all tests, with the requests to other machines and the errors in its script."""
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    own = urlsplit(small_demo[1]).netloc
    page.on("request", lambda request: faults.append(request.url) if is_elsewhere(request.url, own) else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    open_page(page, small_demo[1])
    yield page, faults
    context.close()


@pytest.fixture
def page(desk: tuple[Any, list[str]], small_demo: tuple[Studio, str]) -> Iterator[Any]:
    """A new visitor's page; a request to another machine, or an error in the page's script, fails the test."""
    page, faults = desk
    begin_anew(page, small_demo[1])
    faults.clear()
    yield page
    assert not faults


@pytest.fixture(scope="module")
def phone(browser: Any, small_demo: tuple[Studio, str]) -> Iterator[Any]:
    """A page with a face on a phone."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    open_page(page, small_demo[1])
    click_example(page)
    yield page
    context.close()


def is_elsewhere(url: str, own: str) -> bool:
    return url.startswith(("http", "ws")) and urlsplit(url).netloc != own


def click_example(page: Any, number: int = 1) -> None:
    """An example of a seed, until its picture is there at full resolution."""
    page.locator("#edit-examples button:has(img)").nth(number).click()
    wait_for_rest(page)


def wait_for_rest(page: Any) -> None:
    """Until the picture is there at full resolution."""
    page.wait_for_function(
        "[...document.querySelectorAll('#edit-compare img')].some(i => i.src.includes('/after'))"
    )


def pictures(page: Any) -> list[str]:
    return page.eval_on_selector_all(_AFTER, "images => images.map(image => image.src)")


def wait_for_change(page: Any, before: list[str]) -> None:
    page.wait_for_function(
        "before => [...document.querySelectorAll('#edit-compare img')].some((image, i) => image.src !== before[i])",
        arg=before,
    )


def press_until(page: Any, selector: str, key: str = "Tab", most: int = 90) -> None:
    """Go on with the keyboard until what matches has the focus."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("selector => !!document.activeElement?.closest(selector)", selector):
            return
    raise AssertionError(f"{key} does not reach {selector}")


def test_the_keyboard_does_everything(page: Any, small_demo: tuple[Studio, str]) -> None:
    press_until(page, "#edit-examples button:has(img)")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for_rest(page)
    before = pictures(page)
    press_until(page, "#direction-smile input[type=range]")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    wait_for_change(page, before)
    assert smile(page) == "0.5"
    visit = max(small_demo[0]._visits.values(), key=lambda visit: visit.seen)
    wait_until(page, lambda: next(iter(visit.faces.values())).history.current == {"smile": 0.5})
    # One step, or two where the keys came slowly.
    press_until_smile(page, "Control+z", "#edit-undo", "0")
    press_until_smile(page, "Control+Shift+z", "#edit-redo", "0.5")


def smile(page: Any) -> str:
    return str(page.input_value("#direction-smile input[type=range]"))


def press_until_smile(page: Any, keys: str, button: str, strength: str) -> None:
    while (now := smile(page)) != strength:
        page.wait_for_selector(f"{button}:not([disabled])")
        page.keyboard.press(keys)
        page.wait_for_function(
            "now => document.querySelector('#direction-smile input[type=range]').value !== now", arg=now
        )


def test_the_handle_between_before_and_after_is_moved_by_the_keyboard(page: Any) -> None:
    click_example(page)
    handle = page.get_by_role("slider", name="How much is shown of before")
    handle.wait_for()
    assert handle.get_attribute("aria-valuenow") == "50"

    def press(key: str, *, until: str) -> None:
        page.keyboard.press(key)
        page.wait_for_function(
            "until => { const now = Number(document.activeElement.ariaValueNow); return eval(until); }", arg=until
        )

    press_until(page, "#edit-compare [role=slider]")
    press("ArrowRight", until="now > 50 && now < 60")
    right = page.eval_on_selector("#edit-compare img.fixed", "image => image.style.clipPath")
    press("ArrowLeft", until="now < 52")
    assert page.eval_on_selector("#edit-compare img.fixed", "image => image.style.clipPath") != right
    press("Home", until="now === 0")
    press("End", until="now === 100")
    press("PageDown", until="now < 90")
    handle.dblclick(position={"x": 2, "y": 40})
    page.wait_for_function("document.querySelector('#edit-compare [role=slider]').ariaValueNow === '50'")
    assert handle.get_attribute("aria-valuetext") == "50 % before"
    alternatives = page.eval_on_selector_all("#edit-compare img", "images => images.map(image => image.alt)")
    assert alternatives == ["Before", "After"]


def test_a_double_click_resets_a_slider(page: Any) -> None:
    click_example(page)
    page.fill("#direction-age input[type=number]", "2")
    page.wait_for_selector("#edit-undo:not([disabled])")
    before = pictures(page)
    page.dblclick("#direction-age input[type=range]")
    page.wait_for_function("Number(document.querySelector('#direction-age input[type=number]').value) === 0")
    wait_for_change(page, before)


def test_a_double_click_resets_the_other_tabs_sliders(page: Any) -> None:
    page.get_by_role("tab", name="Explore").click()
    slider = page.get_by_role("slider", name="range slider for Truncation")
    slider.fill("0.2")
    slider.dblclick()
    page.wait_for_function("document.querySelector('#tab-explore input[type=range]').value === '0.7'")


def test_nothing_is_taken_before_the_server_knows_the_visitor(browser: Any, small_demo: tuple[Studio, str]) -> None:
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    held: list[Any] = []
    released = threading.Event()

    def hold(route: Any) -> None:
        if released.is_set():
            route.continue_()
        else:
            held.append(route)

    page.route("**/gradio_api/run/enter*", hold)
    page.route("**/gradio_api/run/predict*", hold)
    page.goto(small_demo[1])
    page.wait_for_selector("#edit-examples img")
    assert page.locator("gradio-app").evaluate("app => app.inert")
    wait_until(page, lambda: held)
    released.set()
    for route in held:
        route.continue_()
    page.wait_for_selector("gradio-app:not([inert])")
    click_example(page)
    page.close()


def test_every_control_has_a_name(page: Any) -> None:
    click_example(page)
    for title, name in ((tab.title, tab.name) for tab in TABS):
        page.get_by_role("tab", name=title, exact=True).click()
        nameless = page.evaluate(
            """id => [...document.querySelectorAll(`#tab-${id} button, #tab-${id} input, #tab-${id} textarea`)]
                .filter(one => one.offsetParent !== null && one.type !== 'hidden' && one.type !== 'file')
                .filter(one => !(one.ariaLabel || one.title || one.innerText?.trim() || one.labels?.length
                    || one.getAttribute('aria-labelledby') || one.querySelector('img[alt]:not([alt=""])')))
                .map(one => one.outerHTML.slice(0, 120))""",
            name,
        )
        assert nameless == [], title


def test_a_phone_needs_no_scrolling_sideways(phone: Any) -> None:
    for title in (tab.title for tab in TABS):
        go_to(phone, title)
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], title


def test_on_a_phone_the_picture_stays_in_sight_of_the_sliders(phone: Any) -> None:
    go_to(phone, "Edit")
    phone.locator("#direction-gender").scroll_into_view_if_needed()
    box = phone.locator("#edit-compare").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] < PHONE["height"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("text.png", b"this is no picture", "is not a picture that can be read"),
        ("notes.txt", b"text", "Choose a picture"),
        ("empty.jpg", b"", "is empty"),
    ],
)
def test_a_bad_upload_is_a_sentence_in_the_page(page: Any, tmp_path: Path, name: str, content: bytes, words: str):
    (tmp_path / name).write_bytes(content)
    page.set_input_files("#edit-photo input[type=file]", str(tmp_path / name))
    toast = page.locator(".toast-body")
    toast.wait_for()
    toast.get_by_text(words).wait_for()
    assert toast.locator(".toast-title").inner_text().strip() == "That did not work"
    assert "Traceback" not in page.content()
    click_example(page)  # and the page goes on


def test_a_record_made_elsewhere_is_opened_and_its_slider_moves_it(
    page: Any, small_demo: tuple[Studio, str], tmp_path: Path
) -> None:
    G = small_demo[0].G
    Sampling().record(G, 7, Sampling().codes(G, [7])).save(tmp_path / "mine.inversion.safetensors")
    page.get_by_role("button", name="More ways to begin").click()
    page.set_input_files(
        "#tab-edit input[type=file][accept*='.safetensors']", tmp_path / "mine.inversion.safetensors"
    )
    wait_for_rest(page)
    assert page.input_value(".face-chooser input") == "mine"
    page.wait_for_function("document.querySelector('#edit-status').innerText.includes('mine: move a slider')")
    before = pictures(page)
    page.locator("#direction-pose input[type=range]").fill("3")
    wait_for_change(page, before)
    page.wait_for_selector("#edit-undo:not([disabled])")


def test_the_line_below_the_picture_is_of_the_face_that_is_chosen(page: Any) -> None:
    chooser = page.locator("#tab-edit .face-chooser input")

    def wait_for_words_of(name: str) -> None:
        page.wait_for_function(
            "name => document.querySelector('#edit-status').innerText.includes(`${name}: move a slider`)", arg=name
        )

    click_example(page, 1)
    first = chooser.input_value()
    wait_for_words_of(first)
    click_example(page, 2)
    page.wait_for_function(
        "first => document.querySelector('#tab-edit .face-chooser input').value !== first", arg=first
    )
    wait_for_words_of(chooser.input_value())
    chooser.click()
    page.get_by_role("option", name=first).click()
    wait_for_words_of(first)


def test_light_and_dark(page: Any) -> None:
    def background() -> str:
        return page.evaluate("getComputedStyle(document.querySelector('gradio-app')).backgroundColor")

    def wait_for_dark() -> None:
        page.wait_for_function(
            "light => getComputedStyle(document.querySelector('gradio-app')).backgroundColor !== light", arg=light
        )

    light = background()
    page.click("#theme-switch")
    wait_for_dark()
    page.reload()
    page.wait_for_selector("#edit-examples img")
    wait_for_dark()


def test_two_browsers_do_not_see_each_other(page: Any, browser: Any, small_demo: tuple[Studio, str]) -> None:
    click_example(page, 1)
    other = browser.new_page()
    open_page(other, small_demo[1])
    assert other.input_value(".face-chooser input") == ""
    click_example(other, 2)
    mine, theirs = (one.input_value(".face-chooser input") for one in (page, other))
    assert mine != theirs
    assert not set(pictures(page)) & set(pictures(other))
    other.close()


def test_explore_sends_a_face_to_edit(page: Any) -> None:
    page.get_by_role("tab", name="Explore").click()
    page.click("#explore-show")
    wait_until_still(page)  # while faces come in, the gallery is made anew
    page.locator("#explore-faces button:has(img)").nth(3).click()
    page.wait_for_selector("#explore-send:not([disabled])")
    page.click("#explore-send")
    page.wait_for_function("document.querySelector('.face-chooser input').value === 'seed3'")
    page.wait_for_selector(_AFTER)


def test_the_page_tells_the_terms(page: Any) -> None:
    assert "licence" in page.inner_text("#licence")


def test_what_files_and_names_say_is_text_everywhere_and_nothing_is_fetched(page: Any, tmp_path: Path) -> None:
    beacon = "<img src=http://127.0.0.1:9/a.png onerror=window.ran=1><a href=http://evil.example>b</a>"
    record = tmp_path / "a.inversion.safetensors"
    small_record(small_generator(name=beacon)).save(record)
    page.get_by_role("button", name="More ways to begin").click()
    page.set_input_files("#tab-edit input[type=file][accept*='.safetensors']", str(record))
    toast = page.locator(".toast-body", has_text="belongs to the model")
    toast.wait_for()
    assert "<img src=" in toast.inner_text()
    assert not toast.locator("img[src*='9/a.png'], a").count()
    photo = tmp_path / "<b>bold<b>&amp;.png"
    Image.new("RGB", (200, 200), "red").save(photo)
    page.set_input_files("#edit-photo input[type=file]", str(photo))
    page.locator(".toast-body", has_text="No face was found").wait_for()
    assert not page.locator(".toast-body b").count()
    assert page.evaluate("window.ran") is None


def test_a_faces_name_is_text_in_every_gallery_and_label_of_every_tab(page: Any) -> None:
    click_example(page)
    page.click("#faces-change button")
    page.fill("#faces-name input, #faces-name textarea", "<img src=x onerror=window.ran=1><b>Ann</b>")
    page.click("#faces-rename")
    page.wait_for_function("document.querySelector('.face-chooser input').value.includes('Ann')")
    for tab in ("Edit", "Mix", "Interpolate", "Discover", "Drag", "Explore"):
        page.get_by_role("tab", name=tab, exact=True).click()
        wait_until_still(page)
        assert not page.locator("img[src='x'], img[onerror]").count()
        assert not page.locator("b", has_text="Ann").count()
    assert page.evaluate("window.ran") is None


def test_the_policy_lets_nothing_be_fetched_from_elsewhere(browser: Any, small_demo: tuple[Studio, str]) -> None:
    page = browser.new_page()
    open_page(page, small_demo[1])
    blocked = page.evaluate(
        """() => new Promise(resolve => {
            const blocked = [];
            document.addEventListener("securitypolicyviolation", event => {
                blocked.push(event.effectiveDirective);
                if (new Set(blocked).size === 3) resolve([...new Set(blocked)].sort());
            });
            document.body.append(Object.assign(new Image(), { src: "http://127.0.0.1:9/a.png" }));
            const frame = document.createElement("iframe");
            frame.src = "http://127.0.0.1:9/";
            document.body.append(frame);
            fetch("http://127.0.0.1:9/").catch(() => {});
        })"""
    )
    assert blocked == ["connect-src", "frame-src", "img-src"]
    page.close()


def test_another_page_can_neither_frame_the_demo_nor_read_it(browser: Any, small_demo: tuple[Studio, str]) -> None:
    own = small_demo[1]
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    elsewhere = "http://localhost:1/"
    page.route(
        elsewhere, lambda route: route.fulfill(content_type="text/html", body=f"<iframe src={own}></iframe>")
    )
    page.goto(elsewhere)
    page.wait_for_load_state("load")  # also the frame's
    assert not any("Drop a photo" in frame.content() for frame in page.frames)
    read = "url => fetch(url, {method: 'POST', body: '{}'}).then(a => a.status, () => 'refused')"
    assert page.evaluate(read, f"{own}/gradio_api/queue/join") in (403, "refused")
    page.close()
