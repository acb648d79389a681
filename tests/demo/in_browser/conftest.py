"""A browser beside other work may drop a click or its camera: what fails there is tried again, from a new page."""

from typing import Any

import pytest

from stylegan_latents.demo.session.studio import Studio
from tests.demo.browser import open_page


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "in_browser":
            item.add_marker(pytest.mark.flaky(reruns=2))
            item.add_marker(pytest.mark.timeout(900))  # of all its tries together


@pytest.fixture(autouse=True)
def new_page_after_a_failure(request: pytest.FixtureRequest) -> None:
    """Open the page anew where the first try left it in any state."""
    if getattr(request.node, "execution_count", 1) > 1 and {"page", "small_demo"} <= set(request.fixturenames):
        page: Any = request.getfixturevalue("page")
        small_demo: tuple[Studio, str] = request.getfixturevalue("small_demo")
        open_page(page, small_demo[1])
