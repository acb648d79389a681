"""A small studio and a visit of it; a browser and a page, once for all tests of a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.session.visit import Visit
from tests.demo.browser import chromium
from tests.demo.small_studio import small_page, small_studio


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """With a small generator, closed at the end."""
    studio = small_studio(tmp_path)
    yield studio
    studio.close()


@pytest.fixture
def visit(studio: Studio) -> Visit:
    """Of that studio."""
    return studio.enter("one")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A running Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, str]]:
    """A studio with a small generator, and its address."""
    with small_page(tmp_path_factory.mktemp("demo")) as page:
        yield page
