"""Gradio's import, without the half of it that is for those who write components of their own.

Whenever a component's class is made, Gradio parses the file that it stands in and brings the type stubs beside that
file up to date, inside the installed package. A released Gradio has these stubs already. Left out, the import takes
about half the time, and needs no right to write where Gradio is installed.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from urllib.request import getproxies

_MODULE, _FUNCTION = "gradio.component_meta", "create_or_modify_pyi"


def import_gradio() -> None:
    """Import Gradio; once it is imported, that does nothing.

    Where the function that writes the stubs is not where Gradio 6 has it, this is a plain import.
    """
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        with loopback_past_proxies():
            importlib.import_module("gradio")
    finally:
        sys.meta_path.remove(finder)


@contextlib.contextmanager
def loopback_past_proxies(host: str = "127.0.0.1") -> Iterator[None]:
    """Let Gradio reach this machine while the block lasts, whatever proxies the environment or the system names.

    Gradio asks the page that it serves whether it is there, through HTTPX, which also sends that to a proxy, and
    which fails when it is imported where the proxy is a SOCKS server and the package ``socksio`` is missing.

    Args:
        host: where the page is served.
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
    """Finds the one module, where everyone else would, and has it loaded without its function."""

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
    """Loads as another loader does, and then replaces the function by one that does nothing."""

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
