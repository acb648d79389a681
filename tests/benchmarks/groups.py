"""Medians of measurements by the groups of people in a set of photos."""

import statistics
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def read_groups(photos: Path) -> dict[str, dict[str, str]]:
    """The table in a folder's README.md: what its columns say of each id, the first column.

    Returns:
        By id, the columns' values by their names; empty without such a table. ``age`` is no group.
    """
    readme = photos / "README.md"
    lines = readme.read_text().splitlines() if readme.is_file() else []
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("|")]
    if len(rows) < 3:
        return {}
    names = rows[0][1:]
    return {
        row[0]: {name: value for name, value in zip(names, row[1:], strict=True) if name != "age"}
        for row in rows[2:]
    }


def by_group(
    rows: Iterable[Mapping[str, Any]], groups: Mapping[str, Mapping[str, str]], values: Iterable[str]
) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Medians of ``values`` over the photos of each group.

    Args:
        rows: measurements, each with the name of its photo under ``photo``, in which the person's id stands.
        groups: as ``read_groups`` gives them.
        values: the columns.

    Yields:
        A group as ``column value``, how many photos it has, and the medians.
    """
    measured = [(row, said) for row in rows for name, said in groups.items() if name in row["photo"].split("_")]
    kinds = sorted({(column, value) for _, said in measured for column, value in said.items()})
    wanted = list(values)
    for column, value in kinds:
        found = [row for row, said in measured if said[column] == value]
        yield (
            f"{column} {value}",
            len(found),
            {name: statistics.median(row[name] for row in found) for name in wanted},
        )
