"""What one run of the command ``invert`` puts into its report."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.invert.commands.report_table import METRICS, Report

if TYPE_CHECKING:
    from PIL import Image
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.commands.jobs import Outputs
    from stylegan_latents.invert.commands.settings import Settings
    from stylegan_latents.invert.record.inversion import Inversion


class RunReport:
    """A report, and how this run's rows are told from those of others.

    Args:
        path: of the table.
        settings: of the run.

    Attributes:
        table: the report.

    Raises:
        InputError: the file is no report.
    """

    def __init__(self, path: Path, settings: "Settings") -> None:
        self.table = Report(path)
        self._quality, self._options = settings.quality, settings.options()

    def add(
        self, inversion: "Inversion", label: str, outputs: "Outputs", seconds: float, crop: "Image.Image"
    ) -> None:
        """Put one face in and write the table: what is done is kept, however the run ends.

        Args:
            inversion: the record, with its metrics.
            label: of the face.
            outputs: its files.
            seconds: that it took; NaN for a record that was there already.
            crop: the photo's part that was inverted.

        Raises:
            InputError: the table cannot be written.
        """
        self.table.add(
            photo=label, method=inversion.method, quality=self._quality, options=self._options, seconds=seconds,
            metrics={name: values[0] for name, values in inversion.metrics.items()},
            picture=outputs.picture, crop=crop,
        )  # fmt: skip
        self.table.write_table()

    def add_done(self, G: "Generator", found: "Inversion", photo: Path, label: str, outputs: "Outputs") -> None:
        """Put in a face whose record was there already; what that run did not measure is measured now.

        Raises:
            InputError: the photo cannot be read, or the table cannot be written.
        """
        import dataclasses

        from stylegan_latents.invert.faces.align import crop_of
        from stylegan_latents.invert.photos.files import read_photo, to_tensor
        from stylegan_latents.invert.record.pictures import measured

        alignment = found.alignments[0]
        picture = read_photo(photo)
        crop = picture if alignment is None else crop_of(picture, alignment)
        if not set(METRICS) - {"identity"} <= set(found.metrics):
            metrics = measured(G, found, to_tensor(crop, device=G.device), full=True)
            found = dataclasses.replace(found, metrics=metrics)
        self.add(found, label, outputs, math.nan, crop)
