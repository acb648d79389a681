"""Tests that run side by side (``pytest -n logical``) share the cores: one thread each."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by torch when it is first imported
