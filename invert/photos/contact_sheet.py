"""Contact sheets: a table of pictures with titles, such as strips over strengths."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.files import read_photo

CELL = 512
"""Side of one picture on a sheet, in pixels."""

_GAP = 8
_PAPER, _INK = (255, 255, 255), (30, 30, 30)
_LARGEST_SHEET = 100_000_000


def contact_sheet(
    rows: Sequence[Sequence[Image.Image]],
    column_titles: Sequence[str],
    row_titles: Sequence[str] = (),
    *,
    cell: int = CELL,
) -> Image.Image:
    """Lay out pictures in rows and columns, as one RGB picture.

    Args:
        rows: each as long as ``column_titles``.
        column_titles: above each column.
        row_titles: left of each row; may be empty.
        cell: height of a picture in pixels, smaller on a sheet that would exceed 100 megapixels; the width is in
            the proportions of the first row's last.

    Raises:
        ValueError: the counts do not fit.
    """
    if not rows or any(len(row) != len(column_titles) for row in rows):
        raise ValueError("each row of a sheet needs one picture for each column's title")
    if row_titles and len(row_titles) != len(rows):
        raise ValueError("a sheet needs a title for each row, or none")
    cell = max(32, min(cell, int((_LARGEST_SHEET / (len(rows) * len(column_titles))) ** 0.5)))
    size = max(10, cell // 18)
    widest = max(ImageFont.load_default(size).getlength(title) for title in column_titles)
    font = ImageFont.load_default(max(6, min(size, int(size * cell / max(widest, 1)))))
    line = round(font.getbbox("Ag")[3] + _GAP)
    margin = round(max((font.getlength(title) for title in row_titles), default=0))
    left, top = (margin + 2 * _GAP if row_titles else _GAP), line + _GAP
    last = rows[0][-1]  # what a generator draws, where the first is a photo
    wide = max(1, round(cell * last.width / last.height))
    step, step_across = cell + _GAP, wide + _GAP
    sheet = Image.new("RGB", (left + step_across * len(column_titles), top + step * len(rows)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(column_titles):
        draw.text((left + column * step_across + wide / 2, top - _GAP), title, _INK, font, anchor="ms")
    for row, pictures in enumerate(rows):
        y = top + row * step
        if row_titles:
            draw.text((_GAP, y + cell / 2), row_titles[row], _INK, font, anchor="lm")
        for column, picture in enumerate(pictures):
            small = picture.convert("RGB").resize((wide, cell), Image.Resampling.LANCZOS)
            sheet.paste(small, (left + column * step_across, y))
    return sheet


def thumbnail(path: Path, blank: Image.Image) -> Image.Image:
    """A picture's file in the size of ``blank``, which takes its place if the file is gone."""
    try:
        return read_photo(path).resize(blank.size)
    except InputError:
        return blank
