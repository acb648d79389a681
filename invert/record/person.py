"""One person's model: the anchors of an album's photos, and weights tuned to all of them together.

After Nitzan et al., "MyStyle: A Personalized Generative Prior", 2022. On disk it is a record with one code for each
photo and one difference of weights for all, in a file of its own ending.
"""

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.tuned_weights import tuned_generator
from stylegan_latents.invert.search.span import DILATION, Span

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PERSON_SUFFIX = ".person.safetensors"
"""The end of a person's file name."""

METHOD = "album"
"""The method in a person's record."""

LEAST_PHOTOS = 3
"""Photos that make a person's model; fewer span next to nothing."""

_NAME, _FACES, _TUNED, _ANCHORS = "name", "embeddings", "photos_tuned", "anchors"


@dataclass(frozen=True, eq=False)
class Person:
    """One person's model.

    Attributes:
        record: N anchors with their sources and alignments; tuned weights shared by all of them, unless none were
            tuned yet.
    """

    record: Inversion

    @classmethod
    def of(
        cls,
        name: str,
        anchors: Sequence[Inversion],
        embeddings: "Sequence[npt.NDArray[np.float64] | None]",
        *,
        base: "Person | None" = None,
    ) -> "Person":
        """A person of new anchors, and of those of an earlier model, whose weights are kept until the next tuning.

        Args:
            name: the person's.
            anchors: records of one image each, of one generator, with source and alignment.
            embeddings: of the photos' faces; None for a photo that was not aligned.
            base: the earlier model.
        """
        import torch

        parts = [*([] if base is None else base.record.split()), *anchors]
        faces: list[JSON] = [None if one is None else [round(float(x), 5) for x in one] for one in embeddings]
        settings: dict[str, JSON] = {
            _NAME: name,
            _FACES: [*([] if base is None else base._list(_FACES)), *faces],
            _TUNED: 0 if base is None else base.record.settings[_TUNED],
            _ANCHORS: [*([] if base is None else base._list(_ANCHORS)), *(dict(one.settings) for one in anchors)],
        }
        record = dataclasses.replace(
            parts[0],
            ws=torch.cat([part.ws for part in parts]),
            method=METHOD,
            settings=settings,
            metrics={},
            weights=None if base is None else base.record.weights,
            sources=[source for part in parts for source in part.sources],
            alignments=[alignment for part in parts for alignment in part.alignments],
        )
        return cls(record)

    def tuned(
        self, weights: "dict[str, Any]", settings: dict[str, JSON], metrics: dict[str, list[float]]
    ) -> "Person":
        """The same anchors with weights tuned to all of them, which ``settings`` describe."""
        kept = self.record.settings | {_TUNED: len(self.record), "tuning": settings}
        return Person(dataclasses.replace(self.record, weights=weights, settings=kept, metrics=metrics))

    @property
    def name(self) -> str:
        return str(self.record.settings[_NAME])

    @property
    def is_tuned(self) -> bool:
        """Whether the weights are tuned to all photos."""
        return self.record.settings[_TUNED] == len(self.record)

    @property
    def embeddings(self) -> "list[npt.NDArray[np.float64] | None]":
        """Of each photo's face; None for a photo that was not aligned."""
        import numpy as np

        return [None if one is None else np.array(one, dtype=np.float64) for one in self._list(_FACES)]

    def generator(self, G: Generator) -> Generator:
        """A copy of ``G`` with the person's weights; InputError if they were tuned on another generator."""
        return tuned_generator(G, self.record)

    def span(self, G: Generator, dilation: float = DILATION) -> Span:
        """The codes that the anchors span, on the generator's device; InputError for another generator."""
        return Span(self.record.for_generator(G), dilation)

    @functools.cached_property
    def sha256(self) -> str:
        """Of the anchors and weights."""
        from stylegan_latents.invert.record.files import digest

        return digest({"model": self.record.fingerprint}, self.record.tensors())

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write one safetensors file, atomically; errors are those of ``Inversion.save``."""
        self.record.save(path, overwrite=overwrite)

    @classmethod
    def load(cls, path: Path) -> "Person":
        """Read what ``save`` wrote.

        Raises:
            InputError: there is no such file, it is damaged, or it holds no person.
        """
        if not path.is_file():
            raise InputError(f"There is no person's file {path}; `invert ALBUM --together --name NAME` makes one.")
        record = Inversion.load(path)
        count = len(record)
        whole = record.method == METHOD and {_NAME, _FACES, _TUNED, _ANCHORS} <= set(record.settings)
        if not whole or any(len(cls(record)._list(key)) != count for key in (_FACES, _ANCHORS)):
            raise InputError(
                f"{path} holds no person's model; give a *{PERSON_SUFFIX} that `invert ALBUM --together` wrote."
            )
        return cls(record)

    def _list(self, key: str) -> list[Any]:
        kept = self.record.settings.get(key)
        return kept if isinstance(kept, list) else []
