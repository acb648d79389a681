"""The page: tabs, theme, and the licence note."""

from pathlib import Path
from typing import Any

import gradio as gr

from stylegan_latents.demo.page.calls import CheckedBlocks
from stylegan_latents.demo.page.page import Page, Tab, plain_text
from stylegan_latents.demo.page.returning import begin_and_find_again
from stylegan_latents.demo.page.strip import build_pack, face_strip, wire_strip
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.tabs.album import tab as album
from stylegan_latents.demo.tabs.discover import tab as discover
from stylegan_latents.demo.tabs.drag import tab as drag
from stylegan_latents.demo.tabs.edit import tab as edit
from stylegan_latents.demo.tabs.explore import tab as explore
from stylegan_latents.demo.tabs.film import tab as film
from stylegan_latents.demo.tabs.interpolate import tab as interpolate
from stylegan_latents.demo.tabs.mix import tab as mix
from stylegan_latents.demo.tabs.style import tab as style

_HERE = Path(__file__).parent
_SCRIPTS = ("page.js", "names.js", "visit.js", "share.js", "compare.js", "busy.js", "drag.js", "paste.js")

TABS: tuple[Tab, ...] = (
    edit.TAB,
    style.TAB,
    mix.TAB,
    interpolate.TAB,
    discover.TAB,
    drag.TAB,
    explore.TAB,
    album.TAB,
    film.TAB,
)
"""In display order."""


def build(studio: Studio) -> CheckedBlocks:
    """Build the page of a studio; launch it with the options of ``look``."""
    blocks = CheckedBlocks(title="stylegan-latents", analytics_enabled=False, fill_width=False)
    with blocks:
        visit = gr.State(None)
        version, returned = gr.State(0), gr.State(0)
        with gr.Row(elem_id="head"):
            gr.Markdown("# stylegan-latents\nDrop a photo, see yourself, move the sliders.", elem_id="title")
            strip = face_strip()
            forget = gr.Button("Forget me", elem_id="forget-me", size="sm", scale=0)
            switch = gr.Button("◐", elem_id="theme-switch", size="sm", scale=0)
            switch.click(None, js="() => window.switchTheme()", api_visibility="private")
        with gr.Tabs(elem_id="tabs") as tabs:
            page = Page(studio, visit, version, returned, tabs, [tab for tab in TABS if tab.takes_faces])
            for tab in TABS:
                with gr.Tab(tab.title, id=tab.name, elem_id=f"tab-{tab.name}"):
                    tab.build(page)
        build_pack(page)
        gr.HTML(_licence_note(studio), elem_id="licence")
        wire_strip(page, strip)
        begin_and_find_again(blocks, page, forget)
    return blocks


def look() -> dict[str, Any]:
    """Theme, CSS and scripts as options of ``Blocks.launch``; nothing is loaded from other servers."""
    return {
        "theme": gr.themes.Default(
            primary_hue="indigo",
            neutral_hue="slate",
            radius_size="lg",
            font=["system-ui", "sans-serif"],
            font_mono=["ui-monospace", "monospace"],
        ).set(
            block_border_width="0px",
            block_shadow="none",
            block_background_fill="*neutral_50",
            block_background_fill_dark="*neutral_900",
            body_background_fill="white",
            body_background_fill_dark="*neutral_950",
            block_label_background_fill="*neutral_50",
            block_label_background_fill_dark="*neutral_900",
            button_large_radius="*radius_lg",
            # Contrasts of at least 4.5 to 1 in both modes.
            body_text_color_subdued="*neutral_600",
            color_accent="*primary_600",
            button_primary_background_fill="*primary_600",
            button_primary_background_fill_hover="*primary_700",
        ),
        "css_paths": [_HERE / "page.css"],
        "head": "".join(f"<script>{(_HERE / name).read_text(encoding='utf-8')}</script>" for name in _SCRIPTS),
    }


def _licence_note(studio: Studio) -> str:
    """The terms of the model as HTML."""
    from stylegan_latents.generator.weights.zoo import models

    entry = models().get(studio.G.name)
    kept = (
        "What you upload stays on the machine that serves this page. In this browser you find it again for an hour "
        "after you leave, then it is deleted; “Forget me” deletes it at once."
    )
    name = plain_text(studio.G.name)
    if entry is None:
        unknown = "Its licence is not known; check where you downloaded it."
        return f"<p>Model: {name}. {unknown} {kept}</p>"
    forbidden = "<strong>Not for commercial use.</strong> " if "non-commercial" in entry.licence.lower() else ""
    return (
        f"<p>{forbidden}Model {name}: {entry.domain}, {entry.resolution} pixels; licence: {entry.licence}. "
        f"dlib's landmark model, which aligns faces, is not for commercial use either. {kept}</p>"
    )
