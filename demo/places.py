"""What the demo's temporary folders are called; the number is that of the process that serves."""

import os

PREFIX = "stylegan-demo-"


def own_prefix() -> str:
    """The beginning of this process's folders' names."""
    return f"{PREFIX}{os.getpid()}-"
