"""What a visitor does with a face in a real Chromium: looks, a sheet, a ZIP; and Explore fills itself."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stylegan_latents.demo.session.queue import Client
from stylegan_latents.demo.session.studio import Studio
from tests.demo.browser import begin_anew, wait_until_still
from tests.demo.in_browser.test_page import click_example
from tests.demo.in_browser.test_returning import open_tab

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", name="desk")
def _desk(browser: Any, small_demo: tuple[Studio, str]) -> Iterator[Any]:
    context = browser.new_context(accept_downloads=True)
    yield open_tab(context, small_demo[1])
    context.close()


@pytest.fixture(name="page")
def _page(desk: Any, small_demo: tuple[Studio, str]) -> Any:
    """A new visitor's page."""
    begin_anew(desk, small_demo[1])
    return desk


def test_a_look_is_worn_by_one_click_and_variations_are_drawn(page: Any) -> None:
    click_example(page)
    page.click("#edit-looks-open button")
    looks = "#edit-looks button:has(img)"
    page.wait_for_function(f"document.querySelectorAll('{looks}').length >= 8")
    wait_until_still(page)  # while looks come in, the gallery is made anew
    page.locator(looks).first.click()
    page.wait_for_function("document.querySelector('#direction-smile input[type=range]').value === '2'")
    page.wait_for_selector("#edit-undo:not([disabled])")
    first = page.locator(f"{looks} img").first.get_attribute("src")
    page.click("#edit-looks-vary")
    page.wait_for_function(f"first => document.querySelector('{looks} img').src !== first", arg=first)


def test_before_and_after_and_everything_are_saved(page: Any, tmp_path: Path) -> None:
    click_example(page)
    with page.expect_download() as sheet:
        page.click("#edit-saveSheet")
    sheet.value.save_as(tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as picture:
        assert picture.width == 2 * picture.height
    page.click("#pack-open button")
    page.click("#pack-begin")
    page.wait_for_selector("#pack-file:not([disabled])")
    with page.expect_download() as packed:
        page.click("#pack-file")
    packed.value.save_as(tmp_path / "faces.zip")
    with zipfile.ZipFile(tmp_path / "faces.zip") as archive:
        assert {"seed2.inversion.safetensors", "seed2.png", "commands.txt"} <= set(archive.namelist())


def open_explore(page: Any) -> None:
    page.click("button[role=tab]:has-text('Explore')")
    page.wait_for_function("document.querySelectorAll('#explore-faces button img').length === 12")


def test_faces_that_others_have_explored_come_without_a_turn(page: Any, small_demo: tuple[Studio, str]) -> None:
    open_explore(page)
    begin_anew(page, small_demo[1])
    with small_demo[0].computing.turn(Client("10.0.0.1")):
        open_explore(page)


def test_explore_is_filled_when_it_is_opened(page: Any) -> None:
    open_explore(page)
    wait_until_still(page)
    page.locator("#explore-faces button:has(img)").nth(3).click()
    page.wait_for_selector("#explore-send:has-text('Send seed 3'):not([disabled])")
