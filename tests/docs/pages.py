"""The pages that people read, and what is fenced in them."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / name for name in ("README.md", "CONTRIBUTING.md")), *(ROOT / "docs").glob("*.md")])
_FENCE = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """Fenced blocks of a language with the lines at which they begin."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        if found[2] == language:
            yield text.count("\n", 0, found.start()) + 1, textwrap.dedent(found[3])


def without_blocks(page: Path) -> str:
    """A page's text alone."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
