"""A visit that a browser finds again: after a reload, a gap in the network, a crash, or within the hour."""

import gradio as gr

from stylegan_latents.demo.page.page import QUIET, Page, answering
from stylegan_latents.demo.session.visit import Visit

_HEARTBEAT_SECONDS = 30
_MOST_TOKENS, _LONGEST_TOKENS = 8, 1000


def begin_and_find_again(blocks: gr.Blocks, page: Page, forget: gr.Button) -> None:
    """Begin a visit when the page opens, or find the browser's last one, and keep it while the page is open.

    The browser keeps the secret of its visit in its own storage, see ``visit.js``; no cookie or log holds it.

    Args:
        blocks, page: the page.
        forget: the button that ends the visit and deletes its files at once.
    """
    studio, visit, version = page.studio, page.visit, page.version
    # Gradio hands over what a script returns only in the place of a control.
    secret = gr.Textbox(
        visible=False, label="The visit", info="The secret of this browser.", max_length=_LONGEST_TOKENS
    )

    def enter(request: gr.Request) -> tuple[Visit, int]:
        entered = studio.enter(str(request.session_hash), address_of(request), request.username or "")
        return entered, entered.version

    def find_again(new: Visit, known: str | None, request: gr.Request) -> tuple[Visit, int, int, str]:
        found = studio.find_again(str(request.session_hash), tokens_of(known))
        return found, found.version, 0 if found is new else found.version, found.token

    def leave(request: gr.Request) -> None:
        studio.leave(str(request.session_hash))

    def end(ending: Visit) -> None:
        studio.forget(ending)

    entered = blocks.load(enter, None, [visit, version], show_progress="hidden", api_name="enter", queue=False)
    # Until then the page blocks input, as every handler needs the visit.
    entered.then(
        answering(find_again), [visit, secret], [visit, version, page.returned, secret],
        js="(visit, secret) => [visit, window.visitTokens()]", show_progress="hidden", api_visibility="private",
        concurrency_limit=None,  # queued, as only then Gradio tells the page that the states have changed
    ).then(None, secret, None, js="(secret) => window.beginVisit(secret)", api_visibility="private")  # fmt: skip
    blocks.unload(leave)
    # Gradio reports no reconnection, and drops the state of a closed session an hour after it was set last.
    gr.Timer(_HEARTBEAT_SECONDS).tick(_still_here, visit, visit, **QUIET)
    forget.click(answering(end), visit, None, **QUIET).then(
        None, js="() => window.forgetVisit()", api_visibility="private"
    )


def address_of(request: gr.Request) -> str:
    """The client's address; empty if unknown."""
    return getattr(request.client, "host", None) or ""


def tokens_of(text: str | None) -> list[str]:
    """The tokens that a browser sent, separated by spaces; the first is the tab's own or empty."""
    return (text or "")[:_LONGEST_TOKENS].split(" ")[:_MOST_TOKENS]


def _still_here(visit: Visit | None) -> Visit | None:
    if visit is not None:
        visit.left = None
    return visit
