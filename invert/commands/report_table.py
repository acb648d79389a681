"""The table of a report: one row for each photo and method, as CSV or Parquet and as a picture.

Rows of other runs stay in the file, so that one run of each method makes the table that compares them.
"""

import csv
import io
import math
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path, check_writable
from stylegan_latents.generator.reading.tables import read_csv
from stylegan_latents.invert.record.files import PICTURE_SUFFIX, RECORD_SUFFIX
from stylegan_latents.invert.record.parquet import import_pyarrow, read_parquet, utf8, write_parquet

if TYPE_CHECKING:
    from PIL import Image

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.commands.jobs import Outputs
    from stylegan_latents.invert.commands.settings import Settings
    from stylegan_latents.invert.record.inversion import Inversion

METRICS = ("lpips_alex", "lpips_vgg", "mse", "psnr", "ms_ssim", "identity", "w_distance")
EDITABILITY = ("edit_identity", "edit_identity_worst", "edit_change")
"""Columns that ``edit evaluate --report`` fills in: the mean identity distance from the photo after edits, that of
the worst direction, and the mean change of the intended scores at strength 1, in their standard deviations."""

_NUMBERS = ("seconds", *METRICS, *EDITABILITY)
_KEY = ("photo", "method", "quality", "options")
COLUMNS = (*_KEY, *_NUMBERS, "picture")
_MEDIAN, _PARQUET = "(median)", ".parquet"
_CELL, _MOST_ROWS = 256, 24


def check_report(path: Path) -> None:
    """Refuse, before the work, a report that could not be written after it.

    Raises:
        InputError: another suffix than .csv or .parquet, a read-only folder, or a file that is no report.
    """
    if path.suffix.lower() not in (".csv", _PARQUET):
        raise InputError(f"Cannot write a report to {path}: end the name with .csv or .parquet.")
    if path.suffix.lower() == _PARQUET:
        import_pyarrow(f"The report {path}")
    check_writable(path.parent)
    if path.is_dir():
        raise InputError(f"Cannot write a report to {path}: it is a folder.")
    _read(path)
    picture = path.with_suffix(".png")
    if picture.exists() and not any(path.with_suffix(suffix).exists() for suffix in (".csv", _PARQUET)):
        raise InputError(
            f"{picture} exists already and would be replaced by the report's picture; give the report another name."
        )


class Report:
    """The rows of one report.

    Args:
        path: the CSV or Parquet file, which is read if it exists. The picture gets the same name with .png.

    Attributes:
        rows: by photo, method, quality and options; each holds ``COLUMNS`` as text.

    Raises:
        InputError: as ``check_report``.
    """

    def __init__(self, path: Path) -> None:
        check_report(path)
        self.path = path
        self.rows: dict[tuple[str, ...], dict[str, str]] = {_key(row): row for row in _read(path)}
        self._crops: dict[str, Image.Image] = {}

    def add(
        self,
        *,
        photo: str,
        method: str,
        quality: str,
        seconds: float,
        metrics: Mapping[str, float],
        picture: Path,
        crop: "Image.Image | None" = None,
        options: str = "",
    ) -> None:
        """Add a row, or replace the one of the same photo, method, quality and options.

        Args:
            photo, method, quality: of the inversion.
            seconds: of the search; NaN for a record of an earlier run, whose row keeps time and editability.
            metrics: as ``measure`` gives them for one image.
            picture: the inversion's file.
            crop: the aligned photo, to be shown.
            options: other options of the search, such as ``weights low-rank``.
        """
        photo = utf8(photo) if self.path.suffix.lower() == _PARQUET else photo
        row = {"photo": photo, "method": method, "quality": quality, "options": options}
        row["picture"] = picture.absolute().as_posix()
        row |= {name: _text(metrics.get(name, math.nan)) for name in METRICS}
        kept = {} if math.isfinite(seconds) else self.rows.get(_key(row), {})
        row["seconds"] = f"{seconds:.3f}" if math.isfinite(seconds) else kept.get("seconds", "")
        row |= {name: kept.get(name, "") for name in EDITABILITY}
        self.rows[_key(row)] = row
        if crop is not None:
            self._crops[photo] = crop.resize((_CELL, _CELL))

    def merge(self, other: "Report") -> None:
        """Put all rows of another report in; of two runs of one inversion the other report's row stays.

        Raises:
            InputError: a row is there already for another picture, that of another photo of the same name.
        """
        for key, row in other.rows.items():
            old = self.rows.get(key, row)
            if old["picture"] != row["picture"]:
                raise InputError(
                    f"{other.path} has another '{row['photo']}' than the tables before it ({row['picture']}, and "
                    f"{old['picture']}); keep them in tables of their own."
                )
            self.rows[key] = row

    def records(self) -> dict[tuple[str, ...], Path]:
        """The record of each row, by its key in ``rows``, unless another run has replaced it since."""
        from stylegan_latents.invert.record.inversion import Inversion

        found: dict[tuple[str, ...], Path] = {}
        for key, row in self.rows.items():
            picture = Path(row["picture"])
            path = picture.with_name(picture.name.removesuffix(PICTURE_SUFFIX) + RECORD_SUFFIX)
            try:
                record = Inversion.load(path)
            except InputError:
                continue
            lpips = record.metrics.get("lpips_alex", [math.nan])[0]
            if (record.method, _text(lpips)) == (row["method"], row["lpips_alex"]):
                found[key] = path
        return found

    def set_editability(self, key: tuple[str, ...], values: Mapping[str, float]) -> None:
        """Fill in the ``EDITABILITY`` columns of a row; NaN leaves a cell empty."""
        self.rows[key] |= {name: _text(values[name]) for name in EDITABILITY}

    def medians(self) -> list[dict[str, str]]:
        """For each method, quality and options the median of every number over its photos."""
        found = []
        for settings in dict.fromkeys(key[1:] for key in self.rows):
            rows = [row for key, row in self.rows.items() if key[1:] == settings]
            medians = dict(zip(_KEY, (_MEDIAN, *settings), strict=True)) | {"picture": ""}
            for name in _NUMBERS:
                values = [float(row[name]) for row in rows if row[name]]
                medians[name] = _text(statistics.median(values)) if values else ""
            found.append(medians)
        return found

    def write(self) -> list[Path]:
        """Write the table and its picture, and return both files; InputError if that fails."""
        from stylegan_latents.invert.photos.files import save_picture

        self.write_table()
        picture = self.path.with_suffix(".png")
        save_picture(self.picture(), picture, overwrite=True)
        return [self.path, picture]

    def write_table(self) -> None:
        """Write the table alone, which is quick; InputError if that fails."""
        if self.path.suffix.lower() == _PARQUET:
            # Without the medians: every row is of one photo.
            columns = {name: [self.rows[key][name] for key in sorted(self.rows)] for name in COLUMNS}
            write_parquet(self.path, columns, _NUMBERS)
            return
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows([*(self.rows[key] for key in sorted(self.rows)), *self.medians()])
        with atomic_path(self.path, overwrite=True) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape")

    def picture(self) -> "Image.Image":
        """A row of inversions for each photo, a column for each method with its medians as the title."""
        from PIL import Image

        from stylegan_latents.invert.photos.contact_sheet import contact_sheet, thumbnail

        medians = self.medians()
        photos = sorted({key[0] for key in self.rows})[:_MOST_ROWS]
        blank = Image.new("RGB", (_CELL, _CELL), (230, 230, 230))
        lines = []
        for photo in photos:
            line = [self._crops.get(photo, blank)]
            for column in medians:
                row = self.rows.get((photo, *_key(column)[1:]))
                line.append(thumbnail(Path(row["picture"]), blank) if row is not None else blank)
            lines.append(line)
        return contact_sheet(lines, ["photo", *(_title(column) for column in medians)], photos, cell=_CELL)


def _title(medians: Mapping[str, str]) -> str:
    parts = [f"{medians['method']} {medians['quality']}"]
    if medians["options"]:
        parts.append(medians["options"])
    if medians["lpips_alex"]:
        parts.append(f"LPIPS {float(medians['lpips_alex']):.4f}")
    if medians["psnr"]:
        parts.append(f"{float(medians['psnr']):.1f} dB")
    if medians["edit_identity"]:
        parts.append(f"edited ID {float(medians['edit_identity']):.2f}")
    if medians["seconds"]:
        parts.append(f"{float(medians['seconds']):.0f} s")
    return "  ".join(parts)


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    # Reports of earlier versions lack the later columns.
    later = ("options", *EDITABILITY)
    known = (COLUMNS, *(tuple(name for name in COLUMNS if name not in later[:n]) for n in (1, len(later))))
    try:
        if path.suffix.lower() == _PARQUET:
            header, rows = read_parquet(path)
        else:
            header, lines = read_csv(path, encoding="utf-8", errors="surrogateescape")
            rows = [row for _, row in lines]
        if header in known:
            for row in rows:
                row.update({name: row.get(name, "") for name in later})
                for name in _NUMBERS:
                    float(row[name] or 0)
    except (InputError, ValueError, TypeError) as error:
        raise InputError(f"The report {path} cannot be read; give it another name.") from error
    if header not in known:
        raise InputError(f"{path} is another table, not a report of `invert`; give the report another name.")
    return [row for row in rows if row["photo"] != _MEDIAN]


def _key(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in _KEY)


def _text(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


class Rows(Report):
    """The rows that one worker adds to a report, as arguments of ``Report.add``; nothing is written."""

    def __init__(self) -> None:
        self.added: list[dict[str, Any]] = []

    def add(self, *, crop: "Image.Image | None" = None, **row: Any) -> None:
        """See ``Report.add``."""
        self.added.append(row | {"crop": crop and crop.resize((_CELL, _CELL))})

    def write_table(self) -> None:
        """Nothing: the run that the worker is of writes the table."""


class RunReport:
    """The rows of one run with these settings, added to a report."""

    def __init__(self, table: Report, settings: "Settings") -> None:
        self.table = table
        self._quality, self._options = settings.quality, settings.search_options()

    def add(
        self, inversion: "Inversion", label: str, outputs: "Outputs", seconds: float, crop: "Image.Image"
    ) -> None:
        """Add the row of one face and write the table, so that it is kept however the run ends."""
        self.table.add(
            photo=label, method=inversion.method, quality=self._quality, options=self._options, seconds=seconds,
            metrics={name: values[0] for name, values in inversion.metrics.items()},
            picture=outputs.picture, crop=crop,
        )  # fmt: skip
        self.table.write_table()

    def add_done(self, G: "Generator", found: "Inversion", photo: Path, label: str, outputs: "Outputs") -> None:
        """Add the row of a face with a record of an earlier run; metrics that it lacks are measured now.

        Raises:
            InputError: the photo cannot be read, or the table cannot be written.
        """
        import dataclasses

        from stylegan_latents.invert.photos.crop import crop_of, part_in_photo
        from stylegan_latents.invert.photos.files import read_photo, to_tensor
        from stylegan_latents.invert.record.metrics import measured
        from stylegan_latents.invert.record.run_settings import compared_side

        alignment = found.alignments[0]
        picture = read_photo(photo)
        crop = picture if alignment is None else crop_of(picture, alignment)
        if not set(METRICS) - {"identity"} <= set(found.metrics):
            mask = None if alignment is None else part_in_photo(alignment)
            image, side = to_tensor(crop, device=G.device), compared_side(found.settings)
            metrics = measured(G, found, image, full=True, mask=mask, compared_at=side)
            found = dataclasses.replace(found, metrics=metrics)
        self.add(found, label, outputs, math.nan, crop)
