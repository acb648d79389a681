"""The way of a visitor through the page with the default model, as the scorer of faces judges it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylegan_latents.demo.server.serve import running
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.editing.commands.cli import main as edit
from stylegan_latents.editing.discovery.scorers.head_pose import expression_scores, fit_head, undo_pose
from stylegan_latents.invert.faces.dlib_detector import landmarks_of
from stylegan_latents.invert.faces.dlib_landmarks import aligned_box
from stylegan_latents.invert.photos.files import read_photo
from tests.demo.browser import open_page
from tests.demo.small_studio import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PHOTO = Path(__file__).parents[1] / "data" / "london_062_neutral.jpg"
_STEPS = 12


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from stylegan_latents.generator.loading import load

    studio = Studio(load(), steps=_STEPS, folder=tmp_path_factory.mktemp("demo"))
    with running(studio, port=free_port()) as where:
        yield where
    studio.close()


@pytest.fixture(scope="module", name="page")
def _page(browser: Any, address: str) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1360, "height": 900}, accept_downloads=True)
    open_page(page, address, patience=300)
    yield page
    page.close()


def pose_of(picture: Path) -> float:
    """Yaw in degrees, as the scorer of faces measures it; from landmarks alone, without its other networks."""
    small = read_photo(picture).resize((256, 256))
    landmarks = landmarks_of(np.asarray(small), aligned_box(256), average=True)
    assert landmarks is not None
    one = landmarks.mapped(lambda points: points[None])
    pose, _ = fit_head(one)
    assert np.isfinite(expression_scores(undo_pose(one, pose))).all()
    return float(np.degrees(pose[0, 0]))


def download(page: Any, button: str, folder: Path) -> Path:
    with page.expect_download() as started:
        page.click(button)
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def wait_for_rest(page: Any) -> None:
    page.wait_for_function(
        "[...document.querySelectorAll('#edit-compare img')].some(i => i.src.includes('/after'))"
    )


def test_from_a_photo_to_a_record_that_edit_opens(
    page: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.set_input_files("#edit-photo input[type=file]", str(PHOTO))
    page.wait_for_selector("#edit-start:not([disabled])")
    page.click("#edit-start")
    page.wait_for_selector("#edit-status [role=progressbar]")
    page.wait_for_function(f"document.querySelector('#edit-status').innerText.includes('of {_STEPS}')")
    page.wait_for_function("document.querySelector('#edit-status').innerText.includes('Found ')")
    wait_for_rest(page)
    before = download(page, "#edit-picture", tmp_path)
    record = download(page, "#edit-record", tmp_path)  # once edited, a record holds the edited code

    page.fill("#direction-pose input[type=number]", "2")
    page.wait_for_selector("#edit-undo:not([disabled])")
    wait_for_rest(page)
    after = download(page, "#edit-picture", tmp_path)
    assert after.name == f"{PHOTO.stem}.pose+2.png"
    assert pose_of(after) - pose_of(before) > 8

    page.get_by_label("Whole photo").check()
    page.wait_for_function("document.querySelector('#edit-compare img').src.includes('/whole')")
    pasted = download(page, "#edit-picture", tmp_path)
    photo, whole = read_photo(PHOTO), read_photo(pasted)
    assert whole.size == photo.size
    assert whole.crop((0, 0, 20, 20)).tobytes() == photo.crop((0, 0, 20, 20)).tobytes()
    assert whole.tobytes() != photo.tobytes()

    monkeypatch.chdir(tmp_path)
    (tmp_path / PHOTO.name).write_bytes(PHOTO.read_bytes())
    assert edit([record.name, "--direction", "pose", "--strength", "2", "--out", "again.png"]) == 0
    assert read_photo(tmp_path / "again.png").tobytes() == read_photo(after).tobytes()
    assert edit([record.name, "--direction", "pose", "--strength", "2", "--paste-back", "--out", "whole.png"]) == 0
    assert read_photo(tmp_path / "whole.png").tobytes() == whole.tobytes()


def test_the_terms_of_the_default_model_are_told(page: Any) -> None:
    page.wait_for_selector("#licence")
    assert "Not for commercial use" in page.inner_text("#licence")
