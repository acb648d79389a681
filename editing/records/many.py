"""One edit for every record of a folder, on this machine or on a cluster."""

import contextlib
import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.cli.command import DONE, WRONG_INPUT, is_disk_full
from stylegan_latents.generator.cli.progress import Display
from stylegan_latents.generator.cluster.connection import ClusterOptions, on_cluster
from stylegan_latents.generator.cluster.spread import spread, workers_see
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.invert.record.files import RECORD_SUFFIX

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

Models = dict[str, "Generator"]
"""Generators that are loaded, by name."""

EditOne = Callable[[Path, Models], None]
"""Edits a record with generators that are kept for the next one; prints what it wrote."""


class EachRecord:
    """Edits one record after another, with their generators loaded once."""

    def __init__(self, edit: EditOne) -> None:
        self._edit = edit
        self._models: Models = {}

    def __call__(self, record: Path) -> tuple[str, str]:
        """Edit a record.

        Returns:
            What was printed, and the error if the record could not be edited.

        Raises:
            InputError: the disk is full.
        """
        with contextlib.redirect_stdout(io.StringIO()) as text:
            try:
                self._edit(record, self._models)
            except InputError as error:
                if is_disk_full(error):
                    raise
                return text.getvalue(), str(error)
        return text.getvalue(), ""


def edit_each(folder: Path, edit: EditOne, out: Path | None, cluster: ClusterOptions, device: str | None) -> int:
    """Edit all records of a folder, past those that cannot be edited.

    Args:
        folder: of ``*.inversion.safetensors``.
        edit: of one record; pickled if there is a cluster.
        out: the folder of results, for the cluster's workers.
        cluster, device: see ``on_cluster``.

    Returns:
        The exit status.

    Raises:
        InputError: there is no record, the disk is full, or the cluster cannot be used.
    """
    records = sorted(folder.glob(f"*{RECORD_SUFFIX}"))
    if not records:
        raise InputError(f"There is no *{RECORD_SUFFIX} in {folder}; name the folder that `invert` wrote to.")
    errors = []
    with on_cluster(cluster, device), workers_see(out or Path()) as needs, Display() as display:
        task = display.begin("records", len(records), unit="record", lines=5)
        needs = [*needs, folder.absolute()] if needs else []
        for record, (text, error) in zip(
            records, spread(partial(EachRecord, edit), records, needs=needs), strict=True
        ):
            if text:
                display.say(text.rstrip("\n"))
            if error:
                errors.append(f"{record.name}: {error}")
            task.advance()
    if not errors:
        return DONE
    first = f"edit: {len(errors)} of {len(records)} records could not be edited:"
    print("\n  ".join([first, *map(printable, errors)]), file=sys.stderr)
    return WRONG_INPUT
