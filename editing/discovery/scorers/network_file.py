"""Networks in files: ONNX and TorchScript, as one function from pixels to numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stylegan_latents.editing.discovery.scorers.scorer import Array
from stylegan_latents.generator.errors import InputError


@dataclass(frozen=True)
class Network:
    """A network, and what its file says of its pictures.

    Attributes:
        run: float32 ``[1, 3, height, width]``, or channels last, to what it gives, float64.
        channels_last: whether the channels come last; None where the file leaves that open.
        size: height and width; None for what the file leaves open.
    """

    run: Callable[[npt.NDArray[np.float32]], Array]
    channels_last: bool | None = None
    size: tuple[int | None, int | None] = (None, None)


def open_network(path: Path) -> Network:
    """Read ``.onnx``, or TorchScript under any other name.

    Of several outputs the first is taken, or the one that is called ``logits``.

    Raises:
        InputError: the file is no such network, or takes something else than one float32 picture.
    """
    return _read_onnx(path) if path.suffix == ".onnx" else _read_torchscript(path)


def _read_onnx(path: Path) -> Network:
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
    first, last = (_is_three(shape[axis]) if len(shape) == 4 else False for axis in (1, 3))
    if len(inputs) != 1 or (first is False and last is False):
        raise InputError(f"{path.name} takes {[one.shape for one in inputs]}, not one picture of three channels.")
    if inputs[0].type != "tensor(float)":
        raise InputError(f"{path.name} takes {inputs[0].type}; export it with float32 pictures.")
    name = inputs[0].name

    def run(pixels: npt.NDArray[np.float32]) -> Array:
        try:
            return np.asarray(session.run(None, {name: pixels})[0], dtype=np.float64)
        except Exception as error:
            raise InputError(f"{path.name} cannot take a picture of {list(pixels.shape)}.") from error

    channels_last = False if first or last is False else True if last or first is False else None
    sides = (shape[1], shape[2]) if channels_last else (shape[2], shape[3])
    height, width = (side if isinstance(side, int) else None for side in sides)
    return Network(run, channels_last, (height, width))


def _is_three(axis: object) -> bool | None:
    """Whether an axis has three entries; None for one that the export left open, which has a name or nothing."""
    return axis == 3 if isinstance(axis, int) else None


def _read_torchscript(path: Path) -> Network:
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
                given = module(torch.from_numpy(pixels))
            if isinstance(given, dict):
                given = given["logits"] if "logits" in given else next(iter(given.values()))
            while isinstance(given, tuple | list):
                given = given[0]
            return np.asarray(given.double().numpy())
        except (RuntimeError, AttributeError, TypeError, IndexError, StopIteration) as error:
            raise InputError(
                f"{path.name} cannot take a picture of {list(pixels.shape)}, or gives no tensor for it."
            ) from error

    return Network(run)
