"""Gradio imported without its stubs is the same Gradio."""

import os
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from stylegan_latents.demo.server.gradio_import import import_gradio

_BEGIN = (
    "import sys; before = list(sys.meta_path); "
    "from stylegan_latents.demo.server.gradio_import import import_gradio; "
)


def run(program: str, *arguments: str, **variables: str) -> list[str]:
    """What a new interpreter prints, line by line, with these variables in its environment."""
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | variables,
    )
    return ended.stdout.split("\n")[:-1]


@pytest.mark.slow
def test_it_writes_no_stubs_leaves_nothing_behind_and_components_have_their_events() -> None:
    program = (
        f"{_BEGIN}"
        "from pathlib import Path; asked = []; read = Path.read_text; "
        "Path.read_text = lambda path, *a, **k: asked.append(path) or read(path, *a, **k); "
        "import_gradio(); import gradio as gr; "
        "print(sys.meta_path == before); print([path.name for path in asked if path.suffix in ('.py', '.pyi')]); "
        "print(all(callable(getattr(gr.Slider, name)) for name in ('change', 'input', 'release'))); "
        "print(callable(gr.Blocks.load), 'click' in gr.Button.EVENTS); "
        "import_gradio(); print(sys.meta_path == before)"
    )
    assert run(program) == ["True", "[]", "True", "True True", "True"]


@pytest.mark.slow
def test_a_gradio_that_writes_no_stubs_is_just_imported() -> None:
    program = (
        f"{_BEGIN}"
        "import stylegan_latents.demo.server.gradio_import as own\n"
        "own._FUNCTION = 'not_there'; own._MODULE = 'gradio.not_there'; "
        "import_gradio(); import gradio; print(callable(gradio.Button.click), sys.meta_path == before)"
    )
    assert run(program) == ["True True"]


@pytest.mark.slow
def test_the_demo_starts_behind_proxies_and_leaves_them_for_everything_else(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys; before = dict(os.environ); folder = pathlib.Path(sys.argv[1]);\n"
        "from tests.demo.small_studio import small_page; from tests.demo.client import Visitor\n"
        "with small_page(folder) as (studio, address):\n"
        "    visitor = Visitor(address); print(studio.uploads.is_dir()); visitor.leave()\n"
        "print([os.environ.get(name) == before.get(name) for name in before if name.lower().endswith('_proxy')])\n"
        "print('no_proxy' in os.environ)"
    )
    nobody = "127.0.0.1:9"
    proxies = {
        "http_proxy": f"http://{nobody}", "HTTPS_PROXY": f"http://{nobody}", "all_proxy": f"socks5://{nobody}"
    }  # fmt: skip
    assert run(program, str(tmp_path), **proxies) == ["True", "[True, True, True]", "False"]


def test_an_import_that_fails_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_none(name: str, *_: object) -> None:
        assert name.startswith("gradio")

    before = list(sys.meta_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "gradio"]:
        monkeypatch.delitem(sys.modules, name)
    with monkeypatch.context() as without:
        without.setattr(PathFinder, "find_spec", find_none)
        without.setattr(sys, "meta_path", [PathFinder])
        with pytest.raises(ModuleNotFoundError):
            import_gradio()
        assert sys.meta_path == [PathFinder]
    assert sys.meta_path == before


@pytest.mark.slow
def test_a_server_that_starts_slowly_is_waited_for_and_one_without_a_port_is_not() -> None:
    program = (
        "import socket, threading, time; "
        "from stylegan_latents.demo.server.gradio_import import import_gradio; import_gradio()\n"
        "from gradio.http_server import Server; from gradio.exceptions import ServerFailedToStartError\n"
        "class Slow(Server):\n"
        "    def __init__(self): self.started = False\n"
        "    def run(self): time.sleep(6); self.started = True; time.sleep(1)\n"
        "class Dead(Slow):\n"
        "    def run(self): pass\n"
        "slow = Slow(); slow.run_in_thread(); print(slow.started)\n"
        "try: Dead().run_in_thread()\n"
        "except ServerFailedToStartError: print('refused')"
    )
    assert run(program) == ["True", "refused"]
