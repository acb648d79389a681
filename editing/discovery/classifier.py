"""Scores of any classifier or regressor in an ONNX or a TorchScript file."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from editing.discovery.scorer import Array
from generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Network = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float64]]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SIDE = 224


@dataclass(frozen=True)
class Preprocessing:
    """How a network wants its pictures.

    Attributes:
        side: of the square picture, in pixels; None takes what the file says, or 224 where it leaves that open.
        mean, std: of each channel from 0 to 1, subtracted and divided by; ImageNet's by default.
    """

    side: int | None = None
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD


class ClassifierScorer:
    """Runs a network from a file on pictures and gives its outputs as scores.

    An ONNX file holds a graph of known operations. A TorchScript file holds a program, which runs in PyTorch's own
    interpreter: take one from people you trust.

    Args:
        path: ``.onnx`` or TorchScript's ``.pt``, ``.pth`` or ``.torchscript``; pictures in, one number or one
            for each class out.
        names: of the outputs; None for the file's name, and with several outputs numbers behind it.
        preprocessing: what the network wants.
        probabilities: whether the outputs are probabilities. Their log odds are scored then: a probability does
            not move for a picture that the network is sure of.

    Raises:
        InputError: the file cannot be read as a network, or the names do not fit its outputs.
    """

    def __init__(
        self,
        path: Path,
        names: Sequence[str] | None = None,
        *,
        preprocessing: Preprocessing | None = None,
        probabilities: bool = False,
    ) -> None:
        if not path.is_file():
            raise InputError(f"There is no file {path}.")
        self.path, self.probabilities = path, probabilities
        self.preprocessing = preprocessing or Preprocessing()
        self._network, self._channels_last, side = (
            _read_onnx(path) if path.suffix == ".onnx" else _read_torchscript(path)
        )
        self.side = self.preprocessing.side or side or _SIDE
        outputs = self._run(np.zeros((1, 3, self.side, self.side), np.float32)).shape[1]
        if names is None:
            names = [path.stem] if outputs == 1 else [f"{path.stem}-{index}" for index in range(outputs)]
        if len(names) != outputs or len(set(names)) != outputs:
            raise InputError(
                f"{path.name} gives {outputs} numbers for a picture, and {len(set(names))} names came."
            )
        self.names = tuple(names)
        settings = f"{self.side} {self.preprocessing} {probabilities}"
        self.version = f"{path.stem}-{hashlib.sha256(path.read_bytes() + settings.encode()).hexdigest()[:16]}"

    def __call__(self, images: "Tensor") -> Array:
        """Score pictures.

        Args:
            images: float32 ``[N, 3, H, W]`` in [-1, 1]; resized as the network wants.

        Returns:
            float64 ``[N, len(names)]``.
        """
        import torch

        if not len(images):
            return np.empty((0, len(self.names)))
        small = torch.nn.functional.interpolate(
            images.detach().float(), (self.side, self.side), mode="bilinear", antialias=True
        )
        mean, std = (
            torch.tensor(value)[:, None, None].to(small)
            for value in (self.preprocessing.mean, self.preprocessing.std)
        )
        pixels = ((small.clamp(-1, 1) + 1) / 2 - mean) / std
        scores = self._run(pixels.cpu().numpy())
        if not self.probabilities:
            return scores
        likely = np.clip(scores, 1e-7, 1 - 1e-7)
        odds: Array = np.log(likely) - np.log1p(-likely)
        return odds

    def _run(self, pixels: npt.NDArray[np.float32]) -> Array:
        inputs = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)) if self._channels_last else pixels
        # One by one: many files fix the batch at 1.
        outputs = [self._network(inputs[index : index + 1]).reshape(-1) for index in range(len(inputs))]
        if not outputs[0].size:
            raise InputError(f"{self.path.name} gives no number for a picture of {self.side} pixels.")
        return np.stack(outputs)


def _read_onnx(path: Path) -> tuple[Network, bool, int | None]:
    """The network, whether it wants channels last, and its side where the file says."""
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise InputError(
            f"{path.name} needs onnxruntime; run pip install 'stylegan-latents[discovery]'."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    # onnxruntime's errors have no common class of their own.
    except Exception as error:
        raise InputError(f"{path.name} cannot be read as an ONNX network.") from error
    inputs = session.get_inputs()
    shape = inputs[0].shape
    if len(inputs) != 1 or len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise InputError(f"{path.name} takes {[one.shape for one in inputs]}, not one picture of three channels.")
    if inputs[0].type != "tensor(float)":
        raise InputError(f"{path.name} takes {inputs[0].type}; export it with float32 pictures.")
    last = shape[1] != 3
    side = shape[1] if last else shape[2]
    name = inputs[0].name

    def run(pixels: npt.NDArray[np.float32]) -> Array:
        try:
            return np.asarray(session.run(None, {name: pixels})[0], dtype=np.float64)
        except Exception as error:
            raise InputError(f"{path.name} cannot take a picture of {list(pixels.shape)}.") from error

    return run, last, side if isinstance(side, int) else None


def _read_torchscript(path: Path) -> tuple[Network, bool, int | None]:
    import warnings

    import torch

    try:
        with warnings.catch_warnings():
            # PyTorch has called TorchScript deprecated; its files are still about, and still read.
            warnings.simplefilter("ignore", FutureWarning)
            module = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"{path.name} cannot be read as a TorchScript network.") from error

    def run(pixels: npt.NDArray[np.float32]) -> Array:
        try:
            with torch.inference_mode():
                return np.asarray(module(torch.from_numpy(pixels)).double().numpy())
        except (RuntimeError, AttributeError, TypeError) as error:
            raise InputError(
                f"{path.name} cannot take a picture of {list(pixels.shape)}, or gives no tensor for it."
            ) from error

    return run, False, None
