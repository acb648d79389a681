"""A short run of the fuzzer, the same each time: readers read what was changed at random, or refuse it."""

import pytest

from tests.benchmarks.fuzz import run_without_guidance
from tests.hostile.readers import READERS

_COUNTS = {"pickle": 600, "latent space": 600, "training": 600, "lpips": 300, "dlib network": 200}


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_a_reader_reads_or_refuses(reader: str) -> None:
    count = _COUNTS.get(reader, 100)
    assert 0 <= run_without_guidance(reader, count, seed=3) <= count
