"""Gradio's import without its update of type stubs, and with patience for its server.

Whenever a component class is defined, Gradio parses its file and rewrites the type stub beside it in the installed
package. Releases ship these stubs; without the update the import takes half the time and needs no write access.

Gradio gives up a server that does not answer within five seconds, which a machine with much other work exceeds.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any
from urllib.request import getproxies

_MODULE, _FUNCTION = "gradio.component_meta", "create_or_modify_pyi"
_LONGEST_START = 120.0  # seconds


def import_gradio() -> None:
    """Import Gradio; a plain import if the function that writes the stubs is not where Gradio 6 has it."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        with loopback_past_proxies():
            importlib.import_module("gradio")
            importlib.import_module("gradio.http_server").Server.run_in_thread = _run_in_thread
    finally:
        sys.meta_path.remove(finder)


def _run_in_thread(server: Any) -> None:
    """Start a server, and wait until it answers; one that cannot, as its port is taken, ends its thread."""
    server.thread = threading.Thread(target=server.run, daemon=True)
    server.thread.start()
    until = time.monotonic() + _LONGEST_START
    while not server.started:
        server.thread.join(0.01)
        if not server.thread.is_alive() or time.monotonic() > until:
            raise importlib.import_module("gradio.exceptions").ServerFailedToStartError("The server did not start.")


@contextlib.contextmanager
def loopback_past_proxies(host: str = "127.0.0.1") -> Iterator[None]:
    """Let Gradio reach the page at ``host`` past the proxies of the environment or the system.

    Gradio checks its own page through HTTPX, which would ask a proxy for it, and whose import fails for a SOCKS
    proxy if the package ``socksio`` is missing.
    """
    proxies = getproxies()
    past = ",".join([*filter(None, [proxies.pop("no", "")]), "localhost", "127.0.0.1", "::1", host])
    if not proxies:
        yield
        return
    if importlib.util.find_spec("socksio") is None:
        proxies = {kind: url for kind, url in proxies.items() if not url.lower().startswith("socks")}
    saved = {name: os.environ.pop(name) for name in list(os.environ) if name.lower().endswith("_proxy")}
    changed = {f"{kind}_proxy": url for kind, url in proxies.items()} | {"no_proxy": past}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name in changed:
            os.environ.pop(name, None)
        os.environ.update(saved)


class _Finder(MetaPathFinder):
    """Finds ``_MODULE`` as usual, and loads it without ``_FUNCTION``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Loads with another loader, and then replaces ``_FUNCTION`` by one that does nothing."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if hasattr(module, _FUNCTION):
            setattr(module, _FUNCTION, _write_no_stubs)


def _write_no_stubs(*_: object, **__: object) -> None:
    pass
