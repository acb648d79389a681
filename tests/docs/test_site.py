"""The site is built without a warning, and holds what the programs and packages say."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from docs.hooks import PACKAGES, programs
from tests.docs.pages import ROOT


@pytest.mark.slow
def test_the_site_is_built_strictly(tmp_path: Path) -> None:
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings_handlers.python")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    commands = (tmp_path / "commands" / "index.html").read_text(encoding="utf-8")
    assert [name for name in programs() if f">{name}<" not in commands] == []
    api = (tmp_path / "api" / "index.html").read_text(encoding="utf-8")
    for package in PACKAGES:
        names = import_module(f"stylegan_latents.{package}").__all__
        assert [name for name in names if f'id="stylegan_latents.{package}.{name}"' not in api] == []
