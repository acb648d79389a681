"""Every rehearsal makes the public classes that it is listed for."""

import functools
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from typing import Any

import pytest

from tests.device.public_classes import REHEARSED, public_classes


@pytest.fixture(autouse=True)
def _makes_its_classes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    wanted = {name for name, pattern in REHEARSED.items() if fnmatch(request.node.name, pattern)}
    made: set[str] = set()

    def watched(name: str, init: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(init)
        def run(self: object, *arguments: Any, **options: Any) -> None:
            made.add(name)
            init(self, *arguments, **options)

        return run

    known = public_classes() if wanted else {}
    for name in wanted:
        monkeypatch.setattr(known[name], "__init__", watched(name, known[name].__init__))  # type: ignore[misc]
    yield
    assert wanted - made == set(), "listed as rehearsed here, but not made"
