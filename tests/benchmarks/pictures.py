"""Makes the pictures of the README and of ``docs/`` by the commands that those pages show.

python -m tests.benchmarks.pictures examples/astronaut.jpg london_096_neutral.jpg --work work/ --out docs/pictures
python -m tests.benchmarks.pictures examples/astronaut.jpg --work work/ --out docs/pictures --only methods

The first photo is inverted by every method, the others by the default one; inversions that lie in the work folder
are kept. The demo's pictures come from ``tests.benchmarks.demo_screenshots``, which ``--only demo`` runs with the
first photo; the plot of LPIPS against time from ``tests.benchmarks.pareto``, as it measures for hours.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from stylegan_latents.editing import OpenRecord
from stylegan_latents.editing.commands.cli import main as edit
from stylegan_latents.invert import save_picture
from stylegan_latents.invert.commands.cli import main as invert
from stylegan_latents.invert.photos.contact_sheet import contact_sheet

METHODS = ("encode", "optimize", "hybrid", "noise", "pivotal")
EDITS = (("pose", 2), ("pose", -2), ("smile", 2), ("age", 2), ("gender", 2), ("eyes-open", 2))
MIXES = ("--layers coarse", "--region eyes", "--part eyes", "--part hair")
SHEETS = ("edits", "age", "paste-back", "methods", "mix", "demo")
_CELL = 224


class Studio:
    """Runs the commands in a work folder, and lays out what they draw.

    Args:
        photos: the first is shown in every sheet.
        work: for the commands' results.
    """

    def __init__(self, photos: Sequence[Path], work: Path) -> None:
        self.photos, self.work = photos, work

    def record(self, photo: Path, method: str = "hybrid") -> Path:
        """The record of a photo by a method, made where it is not there yet."""
        folder = self.work / method
        if invert([str(photo), "--method", method, "--out", str(folder), "--quiet"]):
            raise SystemExit(f"{photo} could not be inverted by {method}.")
        return folder / f"{photo.stem}.inversion.safetensors"

    def edited(self, *words: str) -> Image.Image:
        """What ``edit`` draws."""
        target = self.work / "edited.png"
        if edit([*words, "--out", str(target), "--overwrite"]):
            raise SystemExit(f"edit {' '.join(words)} failed.")
        return Image.open(target).convert("RGB")

    def moved(self, photo: Path, name: str, strength: float, *words: str) -> Image.Image:
        """A photo along a direction."""
        return self.edited(str(self.record(photo)), "--direction", name, "--strength", str(strength), *words)

    def edits(self) -> Image.Image:
        """A row for each photo: the crop, the inversion, some edits."""
        rows = []
        for photo in self.photos:
            opened = OpenRecord(self.record(photo))
            edits = [self.moved(photo, *one) for one in EDITS]
            rows.append([opened.crop(opened.photo()), opened.picture(), *edits])
        titles = ["photo", "inversion", *(f"{name} {strength:+d}" for name, strength in EDITS)]
        return contact_sheet(rows, titles, cell=_CELL)

    def age(self) -> Image.Image:
        """A strip over a range of ages."""
        ages = [number for number in range(-3, 4) if number]
        row = [self.moved(self.photos[0], "age", number) for number in ages]
        row.insert(3, OpenRecord(self.record(self.photos[0])).picture())
        return contact_sheet([row], [f"age {number:+d}" for number in range(-3, 4)], cell=_CELL)

    def paste_back(self) -> Image.Image:
        """A whole photo before and after edits."""
        edits = (("pose", -1.5), ("age", 2), ("smile", -1.5))
        after = [self.moved(self.photos[0], *edit, "--paste-back") for edit in edits]
        before = OpenRecord(self.record(self.photos[0])).photo()
        names = ["photo", *(f"{name} {amount:+g}, pasted back" for name, amount in edits)]
        return contact_sheet([[before, *after]], names, cell=512)

    def methods(self) -> Image.Image:
        """The first photo by every method."""
        opened = [OpenRecord(self.record(self.photos[0], method)) for method in METHODS]
        row = [opened[0].crop(opened[0].photo()), *(one.picture() for one in opened)]
        return contact_sheet([row], ["photo", *METHODS], cell=256)

    def mix(self) -> Image.Image:
        """The first photo with what the second gives."""
        first, second = (self.record(photo) for photo in self.photos[:2])
        row = [OpenRecord(first).picture(), OpenRecord(second).picture()]
        row += [self.edited("mix", str(first), str(second), *words.split()) for words in MIXES]
        return contact_sheet([row], ["receives", "gives", *MIXES], cell=_CELL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="folder for inversions, which are kept there")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=SHEETS, default=SHEETS)
    arguments = parser.parse_args()
    studio = Studio(arguments.photos, arguments.work)
    for name in arguments.only:
        if name == "demo":
            record = studio.record(arguments.photos[0])
            words = [str(arguments.photos[0]), str(record), "--out", str(arguments.out)]
            subprocess.run([sys.executable, "-m", "tests.benchmarks.demo_screenshots", *words], check=True)
        elif name != "mix" or len(arguments.photos) > 1:
            sheet = getattr(studio, name.replace("-", "_"))()
            save_picture(sheet, arguments.out / f"{name}.jpg", overwrite=True)


if __name__ == "__main__":
    main()
