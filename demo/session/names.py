"""Names that a visitor gives, made fit for files and for the page."""

import itertools
import os
import re
from collections.abc import Container

_LONGEST = 40


def clean_name(text: str) -> str:
    """A name for files and for the page: letters, digits and a few signs, not too long."""
    name = re.sub(r"[^\w.+-]+", "_", text).strip("._")[:_LONGEST]
    return name or "face"


def free_name(name: str, taken: Container[str]) -> str:
    """The name, with a number where it is taken."""
    if name not in taken:
        return name
    return next(f"{name}-{i}" for i in itertools.count(2) if f"{name}-{i}" not in taken)


PREFIX = "stylegan-demo-"


def own_prefix() -> str:
    """The beginning of this process's folders' names."""
    return f"{PREFIX}{os.getpid()}-"
