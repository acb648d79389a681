"""What people bring beside networks: read, or refused in one sentence."""

import sys
from pathlib import Path

import pytest

from tests.hostile.harness import faults
from tests.hostile.strangers import cases

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is told by Linux's /proc")


# Every reader of pipes is among the few, as these cost nothing.
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"])
def test_no_file_runs_hangs_or_fills_the_memory(tmp_path: Path, every: int) -> None:
    files = list(cases(tmp_path))
    assert len(files) > 1_300
    chosen = [case for index, case in enumerate(files) if index % every == 0 or "pipe" in str(case.path)]
    assert faults(chosen, tmp_path / "touched") == []
