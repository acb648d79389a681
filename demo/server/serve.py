"""Starting and ending the server: loading the model, Gradio's settings, the port."""

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stylegan_latents.demo.server.gradio_import import import_gradio, loopback_past_proxies
from stylegan_latents.demo.server.log import keep_log
from stylegan_latents.demo.server.login import Login, login, open_to_others
from stylegan_latents.demo.server.security import Security, own_names, wrong_request
from stylegan_latents.demo.session.files import PREFIX
from stylegan_latents.generator.cli.command import choose_device, warn
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.ops.memory import keep_freed_memory, share_freed_memory
from stylegan_latents.generator.weights.fetch import cache_folder

if TYPE_CHECKING:
    import torch

    from stylegan_latents.demo.session.shared import Texts
    from stylegan_latents.demo.session.studio import Studio

MAX_UPLOAD = "40mb"
_FIRST_PORT, _PORTS = 7860, 100
_THREADS = 40
_OPEN = (
    "Everyone who can reach this address can use the demo; --auth users.csv or --class-code WORD lets in only "
    "those you know."
)


def serve(
    *,
    model: str,
    port: int | None = None,
    host: str = "127.0.0.1",
    share: bool = False,
    queue_size: int = 64,
    steps: int | None = None,
    device: str | None = None,
    browse: bool = False,
    allowed_host: Sequence[str] = (),
    auth: Path | None = None,
    class_code: str | None = None,
    per_hour: int | None = None,
    clip: str | None = None,
    folder: Path | None = None,
) -> None:
    """Serve the page until Ctrl-C. The arguments are the options of ``stylegan-latents demo``.

    Raises:
        InputError: the model, CLIP or the users cannot be loaded, or the port is taken.
    """
    known = login(auth, class_code)
    chosen = free_port(host, port)
    if known is None and open_to_others(host, share):
        warn("stylegan-latents demo", _OPEN)
    quiet_gradio()
    log = cache_folder() / f"demo-{chosen}.log"
    keep_log(log)
    share_freed_memory()
    # Gradio takes a second or two to import; the model is loaded meanwhile.
    importing = threading.Thread(target=import_gradio, daemon=True)
    importing.start()
    from stylegan_latents.demo.session.studio import Studio
    from stylegan_latents.generator.loading import load

    clear_leftovers(Path(tempfile.gettempdir()))
    chosen_device = choose_device(device)
    texts = None if clip is None else _texts(clip, chosen_device)
    G = load(model).to(chosen_device)
    studio = Studio(
        G,
        steps=steps,
        folder=folder,
        queue_size=queue_size,
        per_hour=per_hour,
        by_user=auth is not None,
        model=model,
        texts=texts,
    )
    try:
        importing.join()
        # Returning freed memory to the system would double a preview's time.
        with (
            keep_freed_memory(),
            running(
                studio, port=chosen, host=host, share=share, browse=browse, allowed_host=allowed_host, known=known
            ) as address,
        ):
            # A service manager's SIGTERM cleans up as well.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            threading.Thread(target=studio.warm_up, daemon=True).start()
            print(f"The demo is at {address} (Ctrl-C ends it)", flush=True)
            never = threading.Event()
            # A signal that arrives just before a wait is handled only after it, so waits are short.
            shown = ""
            while not never.wait(1.0):
                # One line that is written over; none in a file.
                if sys.stdout.isatty() and (now := studio.summary()) != shown:
                    print(f"\r{now:{len(shown)}}", end="", flush=True)
                    shown = now
    finally:
        studio.close()


def _texts(clip: str, device: "torch.device | str") -> "Texts":
    """CLIP with weights from a file or of open_clip's name."""
    from stylegan_latents.demo.session.shared import Texts
    from stylegan_latents.editing.text import image_text

    path = Path(clip).expanduser()
    if path.suffix and not path.is_file():
        raise InputError(f"There is no file {clip}; give CLIP's weights, or leave --clip out.")
    return Texts(image_text.OpenCLIP(clip, device=device), path.name if path.is_file() else clip)


@contextmanager
def running(
    studio: "Studio",
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    share: bool = False,
    browse: bool = False,
    allowed_host: Sequence[str] = (),
    known: tuple[Login, str] | None = None,
) -> "Iterator[str]":
    """Serve a studio's page during the block, to those whom ``known`` of ``login`` lets in; yields its address."""
    names = own_names([*allowed_host, host])
    quiet_gradio()
    # Gradio's folder of uploads and served files; components read the variable when they are made.
    os.environ["GRADIO_TEMP_DIR"] = str(studio.uploads)
    import_gradio()
    from stylegan_latents.demo.app import build, look

    blocks = build(studio)
    # The studio's queues decide who computes; previews must not wait for a search in Gradio's.
    blocks.queue(max_size=studio.queue_size, default_concurrency_limit=4)
    options: dict[str, Any] = look()
    _, local, public = loopback_past_proxies(host)(blocks.launch)(
        server_name=host,
        server_port=free_port(host, port),
        share=share,
        inbrowser=browse,
        auth=None if known is None else known[0],  # type: ignore[arg-type]  # may be a coroutine
        auth_message=None if known is None else known[1],
        quiet=True,
        prevent_thread_lock=True,
        show_error=True,
        max_file_size=MAX_UPLOAD,
        # What comes with the package lies in neither the visits' folders nor, mostly, the working directory.
        allowed_paths=[str(style.path) for style in studio.styles.values()],
        footer_links=[],
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        run_history=False,  # it would stay in the browser's storage
        app_kwargs=_app_options(names, allowed_host),
        state_session_capacity=1000,
        # Each request that waits in a queue of the studio holds a thread.
        max_threads=_THREADS + 2 * studio.queue_size,
        **options,
    )
    if public:
        names.add(str(urlsplit(public).hostname))
    try:
        yield public or local
    finally:
        blocks.close(verbose=False)


def _app_options(names: set[str], proxied: Sequence[str]) -> dict[str, Any]:
    from fastapi.exceptions import RequestValidationError
    from starlette.middleware import Middleware

    return {
        "middleware": [Middleware(Security, hosts=names, proxied=proxied)],
        "exception_handlers": {RequestValidationError: wrong_request},
    }


def quiet_gradio() -> None:
    """Turn off analytics, telemetry and version checks of Gradio and what it imports."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    # Gradio summarises its last 10000 answers after each one, for a monitoring page that is not served.
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**31)


def clear_leftovers(folder: Path) -> None:
    """Delete the visitors' files of this user's demos that were killed."""
    if sys.platform != "win32":  # where os.kill with signal 0 is not harmless
        for left in folder.glob(f"{PREFIX}*"):
            number = left.name.removeprefix(PREFIX).partition("-")[0]
            if number.isdecimal() and not left.is_symlink() and left.stat().st_uid == os.getuid():
                try:
                    os.kill(int(number), 0)
                except ProcessLookupError:
                    shutil.rmtree(left, ignore_errors=True)
                except (PermissionError, OverflowError):  # another user's process has that number now
                    pass


def free_port(host: str, port: int | None) -> int:
    """The given port, or the first free one.

    Raises:
        InputError: it is taken, or there is no such address here.
    """
    for candidate in [port] if port is not None else range(_FIRST_PORT, _FIRST_PORT + _PORTS):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError as error:
                if port is not None:
                    reason = error.strerror or error
                    raise InputError(
                        f"Cannot serve at {host}:{port}: {reason}; give another --port or --host."
                    ) from error
            else:
                return candidate
    raise InputError(f"No port from {_FIRST_PORT} to {_FIRST_PORT + _PORTS - 1} is free; give one with --port.")
