"""The photos that tests use."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
ASTRONAUT = ROOT / "examples" / "astronaut.jpg"
"""Eileen Collins, NASA, public domain: the example of the README, and of the tests."""


def photo_file(name: str) -> Path:
    """The file of a photo of the tests, by its name without a suffix."""
    return ASTRONAUT if name == ASTRONAUT.stem else ROOT / "tests" / "data" / f"{name}.jpg"
