"""``examples/browser.html``: an exported model draws in Chromium what it draws here."""

import functools
import math
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_latents.encoders.export import main as export
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.photos.files import to_picture
from tests.demo.browser import chromium
from tests.small_models import save_small_model, small_generator

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "examples" / "browser.html"
PACKAGE = "onnxruntime-web@1.30.0"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with the page and onnxruntime-web, and the address that serves it."""
    pytest.importorskip("onnxscript")
    folder = tmp_path_factory.mktemp("site")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, which fetches onnxruntime-web")
    packed = subprocess.run(
        [npm, "pack", PACKAGE, "--silent"], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    if packed.returncode:
        pytest.skip(f"npm does not reach {PACKAGE}")
    with tarfile.open(folder / packed.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(folder, filter="data")
    (folder / "package" / "dist").rename(folder / "ort")
    shutil.copy(PAGE, folder)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield folder, f"http://127.0.0.1:{server.server_port}/browser.html"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with chromium() as browser:
        yield browser.new_page()


def codes(G: Generator, seed: int) -> torch.Tensor:
    """The ws of the page's random numbers."""
    state = seed

    def uniform() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) % 2**32
        x = (state ^ state >> 15) * (state | 1) % 2**32
        x ^= (x + (x ^ x >> 7) * (x | 61)) % 2**32
        return (x ^ x >> 14) / 2**32

    z = [math.sqrt(-2 * math.log(1 - uniform())) * math.cos(2 * math.pi * uniform()) for _ in range(G.z_dim)]
    return G.map(torch.tensor([z]), truncation=0.7)


def drawn(page: Any) -> np.ndarray:
    """The canvas, uint8 ``[height, width, 3]``."""
    page.wait_for_function("document.getElementById('status').textContent.startsWith('Drawn in')", timeout=120_000)
    script = """() => { const c = document.getElementById("picture");
        return [c.height, c.width, [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]]; }"""
    height, width, values = page.evaluate(script)
    return np.array(values, dtype=np.uint8).reshape(height, width, 4)[..., :3]


def test_a_browser_draws_what_pytorch_draws(site: tuple[Path, str], page: Any, tmp_path: Path) -> None:
    folder, address = site
    model = str(save_small_model(tmp_path))
    assert export([model, str(folder / "mapping.onnx"), "--part", "mapping", "-t", "0.7"]) == 0
    assert export([model, str(folder / "face.onnx"), "--precision", "float16"]) == 0
    page.goto(address)
    G = small_generator()
    first, second = codes(G, 1), codes(G, 2)
    for share in (0.0, 0.5):
        page.locator("#share").fill(str(share))
        page.wait_for_timeout(300)
        wanted = np.asarray(to_picture(G.synthesize(first.lerp(second, share)))[0], dtype=int)
        assert np.abs(drawn(page) - wanted).max() <= 2


def test_a_wrong_file_is_said_on_the_page(site: tuple[Path, str], page: Any) -> None:
    folder, address = site
    for name in ("mapping.onnx", "face.onnx"):
        (folder / name).unlink(missing_ok=True)
    page.goto(address)
    page.wait_for_function("document.getElementById('status').textContent.startsWith('Choose the two files')")
    (folder / "text.onnx").write_text("no network")
    page.locator("#mapping").set_input_files(folder / "text.onnx")
    page.wait_for_function("!/^(Choose|Loading)/.test(document.getElementById('status').textContent)")
    assert page.locator("#first").is_disabled()
