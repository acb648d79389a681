"""A browser and a page of the small studio, once for all tests of a file."""

from collections.abc import Iterator
from typing import Any

import pytest

from demo.studio import Studio
from tests.demo.browser import chromium
from tests.demo.small_studio import small_page


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
