"""Every link between pages, every heading that one points to, and every picture is there."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, without_blocks

_LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")


def anchors(page: Path) -> set[str]:
    """What MkDocs and GitHub call the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(page), re.MULTILINE)
    bare = [re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower() for heading in headings]
    return {re.sub(r"[\s]+", "-", one) for one in bare}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "NOTICE.md", ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link, source in _LINK.findall(without_blocks(page)):
        target, _, anchor = (link or source).partition("#")
        if re.match(r"\w+:", target):
            assert target.startswith("https://"), link
            continue
        path = (page.parent / target) if target else page
        assert path.exists(), f"{page.name}: {link or source}"
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), f"{page.name}: {link}"


def test_every_picture_is_shown_somewhere() -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = [path.name for path in (ROOT / "docs" / "pictures").iterdir()]
    assert [name for name in pictures if f"pictures/{name}" not in shown] == []


def test_every_page_is_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f": {page.name}\n" not in menu] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
