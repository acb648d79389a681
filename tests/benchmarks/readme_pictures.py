"""Draws the README's pictures from records that `invert` wrote.

invert ../shared/photos/astronaut.png ../shared/photos/london_096_neutral.jpg --out records
python -m tests.benchmarks.readme_pictures records/*.inversion.safetensors --out docs/pictures
"""

import argparse
from pathlib import Path

from PIL import Image

from stylegan_latents.editing.directions.apply import apply_edits
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.invert.paste_back.paste import paste_back
from stylegan_latents.invert.photos.contact_sheet import contact_sheet
from stylegan_latents.invert.photos.files import save_picture

EDITS = (("pose", 2), ("pose", -2), ("smile", 2), ("age", 2), ("gender", 2), ("eyes-open", 2))


def edited(record: OpenRecord, name: str, strength: float) -> Image.Image:
    """The picture of a record after one edit."""
    return record.picture(apply_edits(record.ws, [(find_direction(name, record.generator), strength)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    records = [OpenRecord(path) for path in arguments.records]
    rows = [
        [record.crop(record.photo()), record.picture(), *(edited(record, *edit) for edit in EDITS)]
        for record in records
    ]
    titles = ["photo", "inversion", *(f"{name} {strength:+d}" for name, strength in EDITS)]
    save_picture(contact_sheet(rows, titles, cell=224), arguments.out / "edits.jpg", overwrite=True)

    ages = range(-3, 4)
    row = [edited(records[0], "age", strength) for strength in ages]
    strip = contact_sheet([row], [f"age {strength:+d}" for strength in ages], cell=224)
    save_picture(strip, arguments.out / "age.jpg", overwrite=True)

    photo = records[0].photo()
    pasted = paste_back(
        photo, edited(records[0], "smile", -2), records[0].alignment(), reference=records[0].picture()
    )
    both = contact_sheet([[photo, pasted]], ["photo", "smile -2, pasted back"], cell=512)
    save_picture(both, arguments.out / "paste-back.jpg", overwrite=True)


if __name__ == "__main__":
    main()
