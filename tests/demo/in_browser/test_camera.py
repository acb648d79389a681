"""The camera of a three-dimensional model in a real Chromium: sliders turn the head, and are undone and kept."""

from collections.abc import Iterator
from typing import Any

import pytest

from stylegan_latents.demo.session.studio import Studio
from tests.demo.browser import begin_anew, go_to, open_page
from tests.demo.in_browser.test_faults import visit_of
from tests.demo.in_browser.test_page import click_example, pictures, wait_for_change
from tests.demo.small_studio import page_of
from tests.generator.networks.eg3d_files import random_eg3d

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", name="small_demo")
def _small_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, str]]:
    """A studio with a small EG3D."""
    with page_of(Studio(random_eg3d(), folder=tmp_path_factory.mktemp("solid"))) as page:
        yield page


@pytest.fixture(scope="module", name="desk")
def _desk(browser: Any, small_demo: tuple[Studio, str]) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    open_page(page, small_demo[1])
    yield page
    context.close()


@pytest.fixture(name="page")
def _page(desk: Any, small_demo: tuple[Studio, str]) -> Any:
    """A new visitor's page."""
    begin_anew(desk, small_demo[1])
    return desk


def yaw(page: Any) -> str:
    return str(page.input_value("#camera-yaw input[type=range]"))


def wait_for_yaw(page: Any, degrees: str) -> None:
    page.wait_for_function(
        "degrees => document.querySelector('#camera-yaw input[type=range]').value === degrees", arg=degrees
    )


def test_a_slider_turns_the_head_and_is_undone_redone_and_kept(page: Any, small_demo: tuple[Studio, str]) -> None:
    click_example(page)
    assert yaw(page) == "0"
    page.get_by_text("The same on the command line").first.click()
    before = pictures(page)
    page.locator("#camera-yaw input[type=range]").fill("20")
    wait_for_change(page, before)
    page.wait_for_function("document.querySelector('#edit-command').innerText.includes('--yaw 20')")
    page.wait_for_selector("#edit-undo:not([disabled])")
    page.click("#edit-undo")
    wait_for_yaw(page, "0")
    page.wait_for_selector("#edit-redo:not([disabled])")
    page.click("#edit-redo")
    wait_for_yaw(page, "20")
    page.wait_for_selector("#edit-undo:not([disabled])")
    page.click("#edit-keep-edit")
    page.wait_for_function("document.querySelector('.face-chooser input').value.endsWith('.yaw+20.view')")
    camera = list(visit_of(small_demo[0]).faces.values())[-1].record.generator.camera
    assert camera is not None
    assert camera.yaw == 20
    wait_for_yaw(page, "20")  # the kept face's own


def test_a_double_click_sets_the_field_of_view_to_the_models(page: Any) -> None:
    click_example(page)
    page.get_by_text("The same on the command line").first.click()
    slider = page.locator("#camera-fov input[type=range]")
    slider.fill("18")
    page.wait_for_function("document.querySelector('#edit-command').innerText.includes('--fov 18')")
    slider.dblclick()
    page.wait_for_function("document.querySelector('#camera-fov input[type=range]').value === '13.5'")
    page.wait_for_function("!document.querySelector('#edit-command').innerText.includes('--fov')")


def test_a_film_swings_the_camera_around_one_face(page: Any) -> None:
    click_example(page)
    go_to(page, "Interpolate")
    page.click("#interpolate-add")
    page.wait_for_selector("#interpolate-keys img")
    page.get_by_label("Swing the camera").check()
    page.fill("#interpolate-seconds input[type=number]", "1")
    page.keyboard.press("Tab")
    page.click("#interpolate-begin")
    page.wait_for_function("document.querySelector('#interpolate-film video')?.readyState >= 2")


def test_axe_finds_nothing_and_every_slider_is_named(page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    click_example(page)
    found = axe.run(page, options={"rules": {"target-size": {"enabled": True}}}).response["violations"]
    assert not [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found]
    for name in ("Turn", "Raise", "Roll", "Field of view"):
        assert page.get_by_role("slider", name=f"range slider for {name}", exact=True).count() == 1
        assert page.get_by_role("spinbutton", name=f"number input for {name}", exact=True).count() == 1
