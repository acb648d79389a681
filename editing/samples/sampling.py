"""Samples: random codes from seeds, and their pictures."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.generator.seeds import RandomSource
    from stylegan_latents.invert.record.inversion import Inversion

NoiseMode = Literal["const", "random", "none"]

# Pixels of a batch: feature maps then stay under a gigabyte for the widest models.
_PIXELS_AT_ONCE = 2 << 20
_MOST_AT_ONCE = 32
MOST_SEEDS = 100_000
_LARGEST = 2**63 - 1  # PyTorch's largest seed
_SCHEMES: "dict[str, RandomSource]" = {"seed:": "numpy", "torch-seed:": "torch"}


@dataclass(frozen=True)
class Sampling:
    """Settings of sampling, the options of ``edit sample``.

    Attributes:
        truncation: 1 for w as drawn, 0 for the mean w.
        label: index of the class, for a model that has classes.
        noise: see ``Generator.synthesize``; random noise comes from each picture's seed.
        size: side of the pictures; None for the model's resolution.
        random: whose random numbers the seeds' z are; see ``z_of_seeds``.
    """

    truncation: float = 0.7
    label: int | None = None
    noise: NoiseMode = "const"
    size: int | None = None
    random: "RandomSource" = "numpy"

    def check(self, G: "Generator") -> None:
        """Raise InputError for settings that do not fit a model."""
        if G.label_dim and self.label is None:
            raise InputError(f"'{G.name}' has classes; choose one with --class, from 0 to {G.label_dim - 1}.")
        if not G.label_dim and self.label is not None:
            raise InputError(f"'{G.name}' has no classes; leave --class out.")
        if self.label is not None and not 0 <= self.label < G.label_dim:
            raise InputError(f"'{G.name}' has no class {self.label}; its classes are 0 to {G.label_dim - 1}.")
        if not 1 <= G.image_channels <= 4:
            raise InputError(f"'{G.name}' makes images of {G.image_channels} channels; pictures have 1 to 4.")
        check_truncation(self.truncation)
        sizes = [G.resolution >> i for i in range(G.resolution.bit_length()) if G.resolution % (1 << i) == 0]
        if self.size is not None and self.size not in sizes:
            known = ", ".join(map(str, sizes[:-2] or sizes))
            raise InputError(f"'{G.name}' makes no pictures of {self.size} pixels; give --size {known}.")

    def codes(self, G: "Generator", seeds: Sequence[int]) -> "Tensor":
        """ws of the seeds, ``[len(seeds), num_ws, w_dim]``."""
        import torch

        label = None
        if self.label is not None:
            label = torch.zeros(len(seeds), G.label_dim)
            label[:, self.label] = 1
        return G.sample(seeds, label, self.truncation, random=self.random)

    def parts(self, G: "Generator", count: int) -> list[range]:
        """The places of the pictures that are drawn at once, of ``count`` in all."""
        at_once = 1 if self.noise == "random" else max(1, min(_MOST_AT_ONCE, _PIXELS_AT_ONCE // G.resolution**2))
        return [range(start, min(start + at_once, count)) for start in range(0, count, at_once)]

    def pictures(self, G: "Generator", seeds: Sequence[int]) -> "Iterator[tuple[int, Tensor, Image.Image]]":
        """Yield each seed with its ws ``[1, num_ws, w_dim]`` and its picture, made in small batches.

        A seed's picture depends on the other seeds in its rounding only.

        Raises:
            InputError: see ``check``.
        """
        import torch

        from stylegan_latents.invert.photos.files import to_picture

        self.check(G)
        for place in self.parts(G, len(seeds)):
            part = seeds[place.start : place.stop]
            with torch.inference_mode():
                ws = self.codes(G, part)
                images = G.synthesize(ws, self.noise, size=self.size, seed=part[0])
            for i, picture in enumerate(to_picture(images, opacity=True)):
                yield part[i], ws[i : i + 1], picture

    def record(self, G: "Generator", seed: int, ws: "Tensor") -> "Inversion":
        """A sample as a record for ``edit``, or InputError if its noise is random."""
        import torch

        from stylegan_latents.invert.record.inversion import Inversion
        from stylegan_latents.invert.record.run_settings import view_settings

        if self.noise == "random":
            raise InputError("A record's picture has the model's own noise or none; leave --noise random out.")
        maps = [torch.zeros_like(map) for map in G.noise_constants()] if self.noise == "none" else None
        settings: dict[str, JSON] = {
            "seed": seed,
            "random": self.random,
            "truncation": self.truncation,
            "class": self.label,
            "noise": self.noise,
            **view_settings(G.camera),
        }
        return Inversion(ws.clone(), G.name, G.fingerprint, G.latent_space, "sample", settings, noise=maps or None)


@dataclass(frozen=True)
class Seed:
    """A seed as a user names it: ``seed:5``, ``torch-seed:5`` with PyTorch's numbers, ``seed:5@3`` of class 3.

    Attributes:
        number: of the seed.
        label: index of the class, for a model that has classes.
        random: whose random numbers it draws; see ``z_of_seeds``.
    """

    number: int
    label: int | None = None
    random: "RandomSource" = "numpy"

    @classmethod
    def named(cls, name: str) -> "Seed | None":
        """The seed that a text names; None for any other text. InputError for one that is no whole number."""
        scheme, colon, number = name.partition(":")
        random = _SCHEMES.get(scheme + colon)
        if random is None:
            return None
        match = re.fullmatch(r"\s*([0-9]{1,19})\s*(?:@\s*([0-9]{1,9})\s*)?", number)
        if match is None or int(match[1]) > _LARGEST:
            raise InputError(
                f"'{name}' is no seed: give a whole number from 0 up, such as seed:5, or seed:5@3 of class 3."
            )
        return cls(int(match[1]), None if match[2] is None else int(match[2]), random)

    @property
    def name(self) -> str:
        """For titles and files: ``seed5``, ``torch-seed5``, ``seed5@3``."""
        scheme = "seed" if self.random == "numpy" else f"{self.random}-seed"
        return f"{scheme}{self.number}" if self.label is None else f"{scheme}{self.number}@{self.label}"

    def check(self, G: "Generator") -> None:
        """Raise InputError unless the seed has a class of the model, or none where the model has none."""
        if G.label_dim and self.label is None:
            raise InputError(
                f"The model '{G.name}' has classes; give the seed's, from 0 to {G.label_dim - 1}, as "
                f"seed:{self.number}@0."
            )
        if self.label is not None and not self.label < G.label_dim:
            last = f"only 0 to {G.label_dim - 1}" if G.label_dim else "as it has none"
            raise InputError(f"The model '{G.name}' has no class {self.label}, {last}.")

    def record(self, G: "Generator") -> "Inversion":
        """The record that ``edit sample --records`` writes of it; InputError as for ``check``."""
        self.check(G)
        sampling = Sampling(label=self.label, random=self.random)
        sampling.check(G)
        return sampling.record(G, self.number, sampling.codes(G, [self.number]))


class SampleWriter:
    """Draws and writes some of many samples.

    Args:
        G: the generator.
        sampling: the settings.
        seeds: of all samples.
        files: of their pictures; empty to keep them.
        records: of their codes; empty for none.
        overwrite: whether files may be replaced.
    """

    def __init__(
        self,
        G: "Generator",
        sampling: Sampling,
        seeds: Sequence[int],
        files: Sequence[Path],
        records: Sequence[Path],
        overwrite: bool,
    ) -> None:
        self._G, self._sampling, self._seeds = G, sampling, seeds
        self._files, self._records, self._overwrite = files, records, overwrite

    def __call__(self, places: range) -> "tuple[list[Image.Image], int]":
        """Draw the samples at these places, and return the pictures that are kept, and how many there are."""
        from stylegan_latents.invert.photos.files import save_picture

        kept = []
        seeds = self._seeds[places.start : places.stop]
        for i, (seed, ws, picture) in zip(places, self._sampling.pictures(self._G, seeds), strict=True):
            if self._files:
                save_picture(picture, self._files[i], overwrite=self._overwrite)
            else:
                kept.append(picture)
            if self._records:
                self._sampling.record(self._G, seed, ws).save(self._records[i], overwrite=self._overwrite)
        return kept, len(places)


def lay_out(pictures: "Sequence[Image.Image]", columns: int) -> "Image.Image":
    """A grid of pictures of one size, row by row without margins; missing ones in the last row are black."""
    if not pictures or columns < 1:
        raise ValueError("a grid needs a picture and a column")
    from PIL import Image

    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    grid = Image.new(pictures[0].mode, (min(columns, len(pictures)) * width, rows * height))
    for i, picture in enumerate(pictures):
        grid.paste(picture, (i % columns * width, i // columns * height))
    return grid


def default_columns(count: int) -> int:
    """Columns of a nearly square grid, with full rows if that takes at most twice as many columns."""
    widest = math.ceil(count**0.5)
    near = [columns for columns in range(widest, 2 * widest + 1) if count % columns == 0]
    return near[0] if near else widest


def grid_cell(resolution: int, count: int) -> int:
    """Side of a grid's pictures: the resolution, halved until at most 512 and the grid at most 64 megapixels."""
    size = resolution
    while size > 32 and size % 2 == 0 and (size > 512 or size**2 * count > 64 << 20):
        size //= 2
    return size


def check_truncation(truncation: float) -> None:
    """Raise InputError for a truncation that is no number, or beyond -10 to 10."""
    if not -10 <= truncation <= 10:  # false for NaN, too
        raise InputError("--truncation takes a number, usually from 0 (the mean) to 1 (as drawn).")


def parse_seeds(text: str, *, what: str = "seed") -> list[int]:
    """Seeds, or classes where ``what`` says so, from ``0-15`` or ``3,7,9-12``, in that order, each once.

    Raises:
        InputError: a part is neither a seed nor a range of seeds, or there are more than 100,000.
    """
    seeds: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            of_class = "; classes are named by --class" if "@" in part else ""
            raise InputError(
                f"'{part.strip()}' is no {what}: give whole numbers and ranges such as 0-15 or 3,7,9-12{of_class}."
            )
        start, end = int(first), int(last or first)
        if end < start or end > _LARGEST:
            raise InputError(f"{part.strip()} is no range of {what}s: give the smaller number first, below 2**63.")
        if end - start >= MOST_SEEDS:
            raise InputError(f"The range {part.strip()} has more than {MOST_SEEDS} {what}s; give fewer.")
        seeds.update(dict.fromkeys(range(start, end + 1)))
    if len(seeds) > MOST_SEEDS:
        raise InputError(f"These are more than {MOST_SEEDS} seeds; give fewer.")
    return list(seeds)
