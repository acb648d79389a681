"""How soon the browser demo is there, and how soon a slider's move is seen, in a real Chromium.

python -m tests.benchmarks.demo_start

Starts `python -m demo` from nothing with a warm cache, three times, and measures until the page can be used:
until its examples can be clicked in the browser. Then moves a slider and measures until the preview is drawn.
"""

import argparse
import socket
import statistics
import subprocess
import sys
import time
from typing import Any

from tests.demo.browser import chromium, open_page
from tests.demo.small_studio import free_port

START_LIMIT, PREVIEW_LIMIT = 8.0, 0.3

# From the slider's event to the frame in which its picture is decoded and shown.
_MEASURE = """strength => new Promise(done => {
  const number = document.querySelector('#direction-smile input[type=range]');
  const begun = performance.now();
  const look = () => {
    const images = [...document.querySelectorAll('#edit-compare img')];
    const shown = images.find(image => image.src.includes('/preview') && image.complete && image.naturalWidth);
    if (shown) done(performance.now() - begun);
    else requestAnimationFrame(look);
  };
  number.value = strength;
  number.dispatchEvent(new Event('input', {bubbles: true}));
  look();
})"""


def start(port: int) -> subprocess.Popen[bytes]:
    """The demo in its own process."""
    return subprocess.Popen([sys.executable, "-m", "demo", "--port", str(port)], stdout=subprocess.DEVNULL)


def seconds_until_ready(page: Any, port: int, begun: float) -> float:
    """Until the examples are in the page, and it takes what a visitor does."""
    while True:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                break
        time.sleep(0.05)
    open_page(page, f"http://127.0.0.1:{port}/")
    return time.perf_counter() - begun


def preview_seconds(page: Any, moves: int) -> list[float]:
    """From a slider's move to its preview, each time after a rest."""
    page.locator("#edit-examples button:has(img)").nth(1).click()
    wait_for_rest(page)
    seconds = []
    for move in range(moves):
        milliseconds = page.evaluate(_MEASURE, str(0.5 + 0.2 * move))
        seconds.append(milliseconds / 1000)
        wait_for_rest(page)
    return seconds


def wait_for_rest(page: Any) -> None:
    """Until the picture is there at full resolution."""
    page.wait_for_function(
        "[...document.querySelectorAll('#edit-compare img')].some(i => i.src.includes('/after'))"
    )
    page.wait_for_timeout(500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--moves", type=int, default=10)
    arguments = parser.parse_args()
    with chromium() as browser:
        ready, previews = [], []
        for _ in range(arguments.starts):
            port = free_port()
            page = browser.new_page(viewport={"width": 1360, "height": 900})
            begun = time.perf_counter()
            server = start(port)
            try:
                ready.append(seconds_until_ready(page, port, begun))
                if len(ready) == arguments.starts:
                    previews = preview_seconds(page, arguments.moves)
            finally:
                server.terminate()
                server.wait()
                page.close()
    print(f"page ready: {', '.join(f'{one:.1f}' for one in ready)} s (at most {START_LIMIT:g})")
    usual, worst = statistics.median(previews), max(previews)
    print(f"preview: median {usual:.2f} s, worst {worst:.2f} s (at most {PREVIEW_LIMIT:g})")
    sys.exit(statistics.median(ready) > START_LIMIT or usual > PREVIEW_LIMIT)


if __name__ == "__main__":
    main()
