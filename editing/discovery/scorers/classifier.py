"""Scores of any classifier or regressor in an ONNX or a TorchScript file.

Its preprocessing and the names of its outputs are read from the files beside it; see ``network_settings``.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from stylegan_latents.editing.discovery.scorers.network_file import open_network
from stylegan_latents.editing.discovery.scorers.network_settings import NetworkSettings, Outputs, read_settings
from stylegan_latents.editing.discovery.scorers.preprocessing import Preprocessing
from stylegan_latents.editing.discovery.scorers.scorer import Array, Scorer
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.cli.progress import Begin

_SIDE = 224


class ClassifierScorer(Scorer):
    """Runs a network from a file on pictures and gives its outputs as scores.

    It runs in a process of its own with bounded memory and time, and on Linux without the right to open files or
    to connect; see ``network_file``. A TorchScript file holds a program: elsewhere it is refused unless trusted.

    Outputs that are probabilities, or logits of classes of which a picture has one, are scored as log odds: those
    of one class against all others. A probability does not move for a picture that the network is sure of, and a
    logit says nothing without the others.

    Args:
        path: ``.onnx`` or TorchScript's ``.pt``, ``.pth`` or ``.torchscript``; pictures in, one number or one
            for each class out. Of several outputs the first is taken.
        names: of the outputs; None for what the files beside it say, or for the file's name, and with several
            outputs numbers behind it.
        preprocessing: of its pictures; None for that of the files beside it, see ``read_settings``.
        outputs: ``scores`` to take as they are, ``logits`` of exclusive classes, or ``probabilities``; None for
            what the files say. Where nothing says, or logits are said, outputs that sum to one are probabilities.
        trusted: whether TorchScript may run where the system has no sandbox for it.

    Attributes:
        names: of the scores.
        exclusive: the classes as one group, where they are mutually exclusive.
        size: height and width of what the network gets.
        notes: sentences on what the network is given and what is made of its outputs.

    Raises:
        InputError: the file cannot be read as a network, the files beside it make no sense, or the names do not fit
            its outputs.
    """

    def __init__(
        self,
        path: Path,
        names: Sequence[str] | None = None,
        *,
        preprocessing: Preprocessing | None = None,
        outputs: Outputs | None = None,
        trusted: bool = False,
    ) -> None:
        if not path.is_file():
            raise InputError(f"There is no file {path}.")
        self.path = path
        settings = read_settings(path)
        self.preprocessing = preprocessing or settings.preprocessing
        opened = open_network(path, trusted=trusted)
        self._network = opened.run
        wanted = self.preprocessing.channels_last if opened.channels_last is None else opened.channels_last
        self._channels_last = wanted is True
        height, width = opened.size
        self.size = self.preprocessing.size or (height or width or _SIDE, width or height or _SIDE)
        probes = self._probe()
        count = probes.shape[1]
        self.names = self._names(names, settings, count)
        sums = count > 1 and bool((probes >= 0).all() and np.allclose(probes.sum(axis=1), 1, atol=1e-3))
        declared = outputs or settings.outputs
        self.outputs: Outputs = "probabilities" if sums and declared != "scores" else declared or "scores"
        self.exclusive = (self.names,) if sums or (count > 1 and self.outputs == "logits") else ()
        key = f"{self.size} {self.preprocessing} {self._channels_last} {self.outputs}"
        self.version = f"{path.stem}-{hashlib.sha256(path.read_bytes() + key.encode()).hexdigest()[:16]}"
        self.notes = (self._describe(settings if preprocessing is None else NetworkSettings()),)

    @classmethod
    def open(cls, text: str, begin: "Begin", *, trusted: bool = False) -> Self:  # noqa: ARG003 - quickly read
        """The network in a file."""
        return cls(Path(text).expanduser(), trusted=trusted)

    def _names(self, names: Sequence[str] | None, settings: NetworkSettings, count: int) -> tuple[str, ...]:
        stem = self.path.stem
        numbered = [stem] if count == 1 else [f"{stem}-{index}" for index in range(count)]
        chosen = tuple(names or settings.names or numbered)
        if len(chosen) != count or len(set(chosen)) != count:
            own = self.path.with_suffix(".json").name
            source = (
                ""
                if names or settings.names is None
                else f" from {settings.files[-1].name}; name all of them in {own}"
            )
            raise InputError(
                f"{self.path.name} gives {count} numbers for a picture, and {len(set(chosen))} names came{source}."
            )
        return chosen

    def _describe(self, settings: NetworkSettings) -> str:
        files = " and ".join(file.name for file in settings.files)
        source = f"as {files} {'says' if len(settings.files) == 1 else 'say'}" if files else "ImageNet's way"
        if not files and self.preprocessing != Preprocessing():
            source = "as given"
        kinds = {
            "scores": "its outputs are the scores",
            "logits": "its logits become log odds",
            "probabilities": "its probabilities become log odds",
        }
        given = self.preprocessing.describe(self.size)
        return f"{self.path.name} is given {given}, {source}; {kinds[self.outputs]}."

    def _probe(self) -> Array:
        """What the network gives for black, for white and for noise."""
        import torch

        noise = torch.rand(2, 3, *self.size, generator=torch.Generator().manual_seed(0)) * 2 - 1
        ends = torch.tensor([-1.0, 1.0])[:, None, None, None].expand_as(noise)
        return self._run(self.preprocessing(torch.cat([ends, noise]), self.size))

    def score(self, images: "Tensor") -> Array:
        """Score pictures.

        Args:
            images: float32 ``[N, 3, H, W]`` in [-1, 1]; resized as the network wants.

        Returns:
            float64 ``[N, len(names)]``.
        """
        if not len(images):
            return np.empty((0, len(self.names)))
        scores = self._run(self.preprocessing(images, self.size))
        if self.outputs == "scores":
            return scores
        if self.outputs == "logits":
            return scores if scores.shape[1] == 1 else _log_odds(scores)
        likely = np.clip(scores, 1e-7, 1 - 1e-7)
        odds: Array = np.log(likely) - np.log1p(-likely)
        return odds

    def _run(self, pixels: npt.NDArray[np.float32]) -> Array:
        inputs = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)) if self._channels_last else pixels
        # One by one: many files fix the batch at 1.
        outputs = [self._network(inputs[index : index + 1]).reshape(-1) for index in range(len(inputs))]
        if not outputs[0].size:
            raise InputError(
                f"{self.path.name} gives no number for a picture of {self.size[1]} x {self.size[0]} pixels."
            )
        return np.stack(outputs)


def _log_odds(logits: Array) -> Array:
    """Of each class against all others, ``[N, classes]``, from their logits."""
    odds = np.empty_like(logits)
    for index in range(logits.shape[1]):
        others = np.delete(logits, index, axis=1)
        highest = others.max(axis=1, keepdims=True)
        odds[:, index] = logits[:, index] - (highest[:, 0] + np.log(np.exp(others - highest).sum(axis=1)))
    return odds
