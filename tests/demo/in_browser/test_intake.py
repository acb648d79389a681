"""The ways of a photo into the page, in a real Chromium: the camera, the clipboard's button, and plain pasting."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.tabs.edit import searching
from stylegan_latents.generator.errors import InputError
from tests.demo.browser import chromium, close_toasts, open_page, wait_until

pytestmark = pytest.mark.slow
_PHOTO = Path(__file__).parents[2] / "data" / "london_062_neutral.jpg"
_READY = "Ready. “Find this face” searches its code."


def portrait(side: int = 480) -> Image.Image:
    """The photo, small enough for a camera's frame."""
    with Image.open(_PHOTO) as photo:
        small = photo.convert("RGB")
    small.thumbnail((side, side))
    return small


# The browser's own fake camera sometimes never shows a picture on a busy machine; a canvas always does.
_CAMERA = """
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 480];
    const photo = new Image();
    photo.src = "data:image/png;base64,PHOTO";
    const draw = () => canvas.getContext("2d").drawImage(photo, 0, 0);
    navigator.mediaDevices.getUserMedia = async () => {
        await photo.decode();
        draw();
        setInterval(draw, 100);  // a stream has a new frame where the canvas is drawn to
        return canvas.captureStream();
    };
"""


@pytest.fixture(scope="module", name="browser")
def _browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Any, small_demo: tuple[Studio, str]) -> Iterator[Any]:
    """An open page that may use the clipboard, and a camera that shows the photo."""
    context = browser.new_context(
        viewport={"width": 1360, "height": 900}, permissions=["camera", "clipboard-read", "clipboard-write"]
    )
    frame = Image.new("RGB", (640, 480), "white")
    frame.paste(portrait(), ((640 - portrait().width) // 2, 0))
    context.add_init_script(_CAMERA.replace("PHOTO", picture_data(frame)))
    page = context.new_page()
    open_page(page, small_demo[1])
    yield page
    context.close()


def wait_for_status(page: Any, words: str) -> None:
    page.wait_for_function("words => document.querySelector('#edit-status').innerText.includes(words)", arg=words)


def picture_data(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def paste(page: Any, picture: Image.Image) -> None:
    """What Ctrl+V does where the clipboard holds a picture."""
    page.evaluate(
        """async data => {
            const blob = await (await fetch(`data:image/png;base64,${data}`)).blob();
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([blob], "pasted.png", { type: "image/png" }));
            document.body.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        picture_data(picture),
    )


def uploaded_size(studio: Studio) -> tuple[int, int] | None:
    """Of the photo that the newest visit holds."""
    photo = max(studio._visits.values(), key=lambda visit: visit.seen).photo
    return None if photo is None else photo.read().size


def test_the_camera_takes_a_photo(page: Any, small_demo: tuple[Studio, str]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.click("#edit-photo [aria-label='Capture from camera']")
    page.click("#edit-photo [title='grant webcam access'] button")
    page.wait_for_function("document.querySelector('#edit-photo video')?.readyState >= 2")
    # The button moves while the picture appears; a click that waits until it stands still may find it replaced.
    page.dispatch_event("#edit-photo [aria-label='capture photo']", "click")
    wait_for_status(page, _READY)
    page.wait_for_selector("#edit-start:not([disabled])")
    assert uploaded_size(small_demo[0]) == (640, 480)
    # So Gradio asks where it shows an upload in the camera's place while the photo may change.
    assert not [url for url in asked if url.endswith("upload_id=")]


def test_the_clipboards_button_takes_a_photo(page: Any, small_demo: tuple[Studio, str]) -> None:
    page.evaluate(
        """async data => {
            const blob = await (await fetch(`data:image/png;base64,${data}`)).blob();
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        picture_data(portrait()),
    )
    page.click("#edit-photo [aria-label='Paste from clipboard']")
    wait_for_status(page, _READY)
    page.wait_for_selector("#edit-start:not([disabled])")
    assert uploaded_size(small_demo[0]) == portrait().size


def test_a_picture_is_pasted_and_the_next_one_replaces_it(page: Any, small_demo: tuple[Studio, str]) -> None:
    paste(page, portrait())
    wait_for_status(page, _READY)
    assert uploaded_size(small_demo[0]) == portrait().size
    paste(page, portrait(400))
    wait_until(page, lambda: uploaded_size(small_demo[0]) == portrait(400).size)
    page.wait_for_selector("#edit-start:not([disabled])")


def test_a_photo_of_a_kind_that_browsers_do_not_show_is_shown(page: Any, tmp_path: Path) -> None:
    portrait().save(tmp_path / "me.tif")
    page.set_input_files("#edit-photo input[type=file]", tmp_path / "me.tif")
    wait_for_status(page, _READY)
    page.wait_for_function("document.querySelector('#edit-photo img')?.naturalWidth > 0")


def test_a_pasted_picture_without_a_face_is_a_sentence_and_can_be_marked(page: Any) -> None:
    paste(page, Image.new("RGB", (200, 200), "red"))
    page.locator(".toast-body", has_text="No face was found").wait_for()
    wait_for_status(page, "Click on the left eye")
    assert page.locator("#edit-start").is_disabled()
    close_toasts(page)
    photo = page.locator("#edit-mark img")
    for words, place in (
        ("right eye (2 of 4)", (60, 60)), ("left corner", (120, 60)), ("right corner", (70, 120)),
        ("The face is marked", (110, 120)),
    ):  # fmt: skip
        photo.click(position={"x": place[0], "y": place[1]})
        wait_for_status(page, words)
    page.wait_for_selector("#edit-start:not([disabled])")
    page.click("#edit-mark-undo")
    wait_for_status(page, "right corner")
    page.wait_for_selector("#edit-start[disabled]")
    page.click("#edit-photo [aria-label='Remove Image']")
    page.locator("#edit-mark").wait_for(state="hidden")
    paste(page, portrait())
    wait_for_status(page, _READY)


def test_a_search_that_waits_can_be_cancelled_and_one_that_fails_gives_the_page_back(
    page: Any, small_demo: tuple[Studio, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Iterator[Any]:
        raise InputError("This search cannot be.")

    page.locator("#edit-examples button:has(img)").nth(1).click()
    page.wait_for_selector("#edit-picture:not([disabled])")
    paste(page, portrait())
    wait_for_status(page, _READY)
    with small_demo[0].searches.enter() as other:
        other.wait(0)
        other.expect(170.0)
        page.click("#edit-start")
        wait_for_status(page, "You are next, about")
        page.click("#edit-cancel")
        wait_for_status(page, "nothing was kept")
        page.wait_for_selector("#edit-start:not([disabled])")
        page.locator("#edit-cancel").wait_for(state="hidden")
        assert not page.locator(".toast-body").count()  # what was wished for is no error
    monkeypatch.setattr(searching, "search", fail)
    page.click("#edit-start")
    page.locator(".toast-body", has_text="This search cannot be").wait_for()
    wait_for_status(page, "nothing was kept")
    page.wait_for_selector("#edit-start:not([disabled])")
    # The face that was there before is there still.
    page.wait_for_function(
        "[...document.querySelectorAll('#edit-compare img')].some(i => i.src.includes('/after'))"
    )
