"""Draws the README's pictures of the browser demo: each tab in a real Chromium, light and dark, desk and phone.

python -m tests.benchmarks.demo_screenshots PHOTO RECORD --out docs/pictures

The photo's record is opened beside it, so that no search has to run.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo.serve import running
from demo.studio import Studio
from generator.loading import load
from tests.demo.browser import chromium

DESK, PHONE = (1360, 860), (390, 844)


def show_edit(page: Any, photo: Path, record: Path) -> None:
    """A photo with its record, one slider moved."""
    page.set_input_files("#edit-photo input[type=file]", str(photo))
    page.wait_for_selector("#edit-start:not([disabled])")
    page.get_by_text("More ways to begin").click()
    page.set_input_files("#tab-edit input[type=file][accept='.safetensors']", str(record))
    page.wait_for_selector("#edit-compare img")
    page.wait_for_function("document.querySelector('#edit-status').innerText.includes('is open')")
    page.get_by_text("More ways to begin").click()
    page.wait_for_timeout(1500)
    page.fill("#direction-smile input[type=number]", "2")
    page.press("#direction-smile input[type=number]", "Enter")
    page.wait_for_timeout(3000)


def show_explore(page: Any, _photo: Path, _record: Path) -> None:
    """Twelve faces, one chosen."""
    page.get_by_role("tab", name="Explore").click()
    page.click("#explore-show")
    page.wait_for_selector("#explore-faces img")
    page.wait_for_timeout(500)
    page.locator("#explore-faces button:has(img)").nth(4).click()
    page.wait_for_timeout(1000)


SCENES: dict[str, Callable[[Any, Path, Path], None]] = {"edit": show_edit, "explore": show_explore}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", nargs="*", default=list(SCENES))
    parser.add_argument("--all", action="store_true", help="dark and phone, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(load(), folder=Path(folder))
        try:
            with running(studio) as address, chromium() as browser:
                for scene in arguments.scenes:
                    for theme in ("light", "dark") if arguments.all else ("light",):
                        for name, (width, height) in (("", DESK), ("-phone", PHONE)):
                            if name and not arguments.all:
                                continue
                            page = browser.new_page(viewport={"width": width, "height": height})
                            page.goto(f"{address}?__theme={theme}")
                            page.wait_for_selector("#edit-examples img")
                            SCENES[scene](page, arguments.photo, arguments.record)
                            suffix = f"{name}{'-dark' if theme == 'dark' else ''}"
                            target = arguments.out / f"demo-{scene}{suffix}.png"
                            page.screenshot(path=str(target), full_page=bool(name) or arguments.all)
                            print(f"Wrote {target}")
                            page.close()
        finally:
            studio.close()


if __name__ == "__main__":
    main()
