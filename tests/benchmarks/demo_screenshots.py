"""Draws the README's pictures of the browser demo: each tab in a real Chromium.

python -m tests.benchmarks.demo_screenshots PHOTO RECORD --out docs/pictures

The photo's record is opened beside it, so that no search has to run. With --all, every tab too, light and dark, in
the windows of a phone, a laptop and a desk, for looking through; a phone's is the whole page.
"""

import argparse
import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from stylegan_latents.demo.server.serve import running
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.generator.loading import load
from tests.demo.browser import chromium, open_page
from tests.photos import ASTRONAUT

DESK = (1360, 860)
WINDOWS = {"phone": (390, 844), "laptop": (1366, 768), "desk": (1920, 1080)}
_SECOND = 1000
_PATIENCE = 900 * _SECOND  # others may be using the machine
_LINE = 4
_EDITED = "#edit-compare img[src*='/after']"  # at the whole resolution; a preview is called otherwise


def show_edit(page: Any, photo: Path, record: Path) -> None:
    """A photo with its record, two sliders moved."""
    page.set_input_files("#edit-photo input[type=file]", str(photo))
    page.wait_for_selector("#edit-start:not([disabled])")
    page.get_by_text("More ways to begin").click()
    page.set_input_files("#tab-edit input[type=file][accept*='.safetensors']", str(record))
    page.wait_for_function("document.querySelector('#edit-status').innerText.includes('Found')")
    page.get_by_text("More ways to begin").click()
    wait_for_picture(page, _EDITED)
    for name, strength in (("smile", "2"), ("pose", "-1.5")):
        page.fill(f"#direction-{name} input[type=number]", strength)
        page.wait_for_timeout(_SECOND)
    page.wait_for_timeout(5 * _SECOND)
    wait_for_picture(page, _EDITED)
    page.evaluate("document.activeElement.blur()")
    handle = page.locator("#edit-compare").bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(handle["x"] + 0.3 * handle["width"], handle["y"] + handle["height"] / 2, steps=5)
    page.mouse.up()


def add_examples(page: Any) -> None:
    """Two more faces for the tabs that need several; the photo's stays the chosen one."""
    chosen = page.input_value(".face-chooser input")
    for number in (1, 3):
        page.locator("#edit-examples button:has(img)").nth(number).click()
        page.wait_for_timeout(3 * _SECOND)
        wait_for_picture(page, _EDITED)
    others = page.get_attribute(_EDITED, "src")
    page.click(".face-chooser input")
    page.get_by_role("option", name=chosen).click()
    page.wait_for_selector(f"{_EDITED}:not([src='{others}'])")
    wait_for_picture(page, _EDITED)


def show_mix(page: Any) -> None:
    """The photo with the coarse styles of a seed's face."""
    open_tab(page, "Mix")
    choose(page, "#tab-mix .face-chooser input", 0)
    choose(page, "#mix-fine input", 2)
    wait_for_picture(page, "#mix-shown img")


def show_interpolate(page: Any) -> None:
    """A film between the faces."""
    open_tab(page, "Interpolate")
    buttons = page.locator("#tab-interpolate button", has_text="Add")
    for number in (0, 1, 2):
        choose(page, "#tab-interpolate .face-chooser input", number)
        buttons.first.click()
        page.wait_for_timeout(_SECOND)
    page.click("#interpolate-begin")
    page.wait_for_selector("#interpolate-film video", timeout=_PATIENCE)


def show_discover(page: Any) -> None:
    """Axes of the weights."""
    open_tab(page, "Discover")
    choose(page, "#tab-discover .face-chooser input", 0)
    page.click("#discover-begin")
    page.wait_for_selector("#discover-begin[disabled]")
    page.wait_for_selector("#discover-begin:not([disabled])", timeout=_PATIENCE)
    wait_for_picture(page, "#discover-strips img")
    page.locator("#discover-strips button:has(img)").nth(1).click()


def show_drag(page: Any) -> None:
    """The corners of a mouth pulled up and outwards."""
    open_tab(page, "Drag")
    choose(page, "#tab-drag .face-chooser input", 2)
    wait_for_picture(page, "#drag-points img")
    page.wait_for_timeout(2 * _SECOND)
    page.click("#drag-where input")
    page.get_by_role("option", name="the mouth").click()
    for x, y in ((0.384, 0.729), (0.366, 0.708), (0.613, 0.733), (0.631, 0.711)):
        box = page.locator("#drag-points img").bounding_box()
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.wait_for_timeout(2 * _SECOND)
    page.fill("#drag-steps input[type=number]", "40")
    page.click("#drag-begin")
    page.wait_for_function("document.querySelector('#drag-status').innerText.includes('Kept')", timeout=_PATIENCE)


def show_explore(page: Any) -> None:
    """Twelve faces, one chosen."""
    open_tab(page, "Explore")
    page.click("#explore-show")
    wait_for_picture(page, "#explore-faces img")
    page.locator("#explore-faces button:has(img)").nth(4).click()


def show_style(page: Any) -> None:
    """The photo as a drawing."""
    open_tab(page, "Style")
    wait_for_picture(page, "#style-shown img[src*='/style.']")


def show_album(page: Any) -> None:
    """A photo among those to be found."""
    open_tab(page, "Album")
    page.set_input_files("#album-files input[type=file]", str(ASTRONAUT))
    page.wait_for_function("document.querySelector('#album-status').innerText.includes('1 photo')")


def show_film(page: Any) -> None:
    """As it is opened."""
    open_tab(page, "Film")


SCENES: dict[str, Callable[[Any], None]] = {
    "explore": show_explore,
    "mix": show_mix,
    "interpolate": show_interpolate,
    "drag": show_drag,
    "discover": show_discover,
}
FURTHER = {"style": show_style, "album": show_album, "film": show_film}
"""Of ``--all``, beside those of the README."""


def open_tab(page: Any, title: str) -> None:
    page.get_by_role("tab", name=title, exact=True).click()


def choose(page: Any, selector: str, number: int) -> None:
    """Take one of a dropdown's entries."""
    page.locator(selector).first.click()
    page.locator("[role=option]").nth(number).click()
    page.wait_for_timeout(_SECOND)


def wait_for_picture(page: Any, selector: str) -> None:
    page.wait_for_function(
        "selector => [...document.querySelectorAll(selector)].some(one => one.complete && one.naturalWidth)",
        arg=selector,
        timeout=_PATIENCE,
    )
    page.wait_for_timeout(_SECOND)


def take(page: Any) -> Image.Image:
    """What the window shows, with nothing pointed at."""
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(_SECOND)
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    """Two pictures in a row, each half as large, with a line between."""
    width, height = (side // 2 for side in DESK)
    rows = -(-len(pictures) // 2)
    sheet = Image.new("RGB", (2 * width + _LINE, rows * (height + _LINE) - _LINE), (203, 213, 225))
    for number, picture in enumerate(pictures):
        small = picture.resize((width, height), Image.Resampling.LANCZOS)
        sheet.paste(small, (number % 2 * (width + _LINE), number // 2 * (height + _LINE)))
    return sheet


def save(picture: Image.Image, path: Path) -> None:
    picture.save(path, quality=82, optimize=True, progressive=True)
    print(f"Wrote {path}")


def take_every_form(page: Any, name: str, out: Path) -> None:
    """A tab, light and dark, in every window."""
    page.wait_for_timeout(_SECOND)
    for theme in ("", "-dark"):
        for device, (width, height) in WINDOWS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("scrollTo(0, 0)")
            page.wait_for_timeout(_SECOND)
            path = out / f"demo-{name}-{device}{theme}.png"
            page.screenshot(path=str(path), full_page=device == "phone")
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        page.click("#theme-switch")
    print(f"Wrote {out}/demo-{name}*.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", nargs="*", default=list(SCENES), choices=list(SCENES))
    parser.add_argument("--all", action="store_true", help="every tab in every window and both modes, too")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(load(), folder=Path(folder))
        try:
            with running(studio) as address, chromium() as browser:
                page = browser.new_page(viewport={"width": DESK[0], "height": DESK[1]})
                open_page(page, f"{address}?__theme=light", patience=_PATIENCE / _SECOND)
                show_edit(page, arguments.photo, arguments.record)
                pictures = [take(page)]
                if arguments.all:
                    take_every_form(page, "edit", arguments.out)
                add_examples(page)
                further = FURTHER if arguments.all else {}
                for name in (*arguments.scenes, *further):
                    (SCENES | further)[name](page)
                    if name in SCENES:
                        pictures.append(take(page))
                    if arguments.all:
                        take_every_form(page, name, arguments.out)
                open_tab(page, "Edit")
                page.click("#theme-switch")
                page.wait_for_timeout(3 * _SECOND)
                pictures.append(take(page))
        finally:
            studio.close()
    save(pictures[0], arguments.out / "demo-edit.jpg")
    save(side_by_side(pictures[1:]), arguments.out / "demo-tabs.jpg")


if __name__ == "__main__":
    main()
