"""Reads arrays from NumPy's, PyTorch's and safetensors files without executing code from them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.budget import check_declared
from stylegan_latents.generator.reading.files import open_regular, refusing_damage
from stylegan_latents.generator.reading.numpy_file import PickledObjectsError, npy_header, read_numpy

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

_NUMPY = (".npy", ".npz")
SUFFIXES = (*_NUMPY, ".pt", ".pth")

# In bytes: a larger file holds no directions or codes, or is a small archive that unpacks to any size.
_LARGEST = 256 << 20
_MOST_PARTS = 10_000


def split_name(text: str) -> tuple[Path, str | None]:
    """A file's path and, after a colon, which of its arrays or rows is meant: ``ffhq_pca.pt:54``."""
    path = Path(text).expanduser()
    head, colon, tail = text.rpartition(":")
    if colon and not path.exists() and is_array_file(Path(head)):
        return Path(head).expanduser(), tail.strip()
    return path, None


def is_array_file(path: Path) -> bool:
    """Whether the file's name ends as those that ``read_arrays`` reads, in upper or lower case."""
    return path.suffix.lower() in SUFFIXES


def read_arrays(path: Path, *, objects: bool = False) -> "Mapping[str, Tensor]":
    """The arrays of a file by name, in float32; a file of one array has it under the empty name.

    Dicts within dicts have names such as ``face.jpg/latent``. A list of arrays of one shape is one array.

    Args:
        path: the file.
        objects: read what ``numpy.save`` pickled, such as a dict of arrays, too; as inert objects.

    Raises:
        InputError: the file is missing, damaged, of another kind, too large for directions, or needs unpickling.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}; give a regular one.")
    from stylegan_latents.generator.formats.file_head import what_is_it

    with refusing_damage(path):
        with open_regular(path) as file:
            other = what_is_it(file.read(512))
        if other:  # such as a web page saved in its place
            raise InputError(f"{path} is {other}, and not the file itself; download that again.")
        try:
            kind = path.suffix.lower()
            read = _torch_arrays if kind != ".safetensors" else _safetensors_arrays
            found = _numpy_arrays(path, objects) if kind in _NUMPY else read(path)
        except InputError as error:
            message = str(error)
            raise InputError(message if path.name in message else f"{path.name}: {message}.") from error
    if not found:
        raise InputError(f"{path} holds no arrays of numbers.")
    return found


def _numpy_arrays(path: Path, objects: bool) -> "dict[str, Tensor]":
    try:
        arrays = read_numpy(path, largest=_LARGEST)
    except PickledObjectsError as error:
        if objects and path.suffix.lower() == ".npy":
            return _flattened(_pickled_objects(path), path)
        raise InputError(
            f"{path} holds pickled Python objects, which could run any program, and is not read; "
            "save the array alone with numpy.save."
        ) from error
    size = path.stat().st_size
    # In float32, in which most come.
    check_declared(path.name, sum(4 * array.size for array in arrays.values()), size)
    return {name: _tensor(arrays.pop(name), path) for name in list(arrays)}


def _tensor(array: "np.ndarray[Any, np.dtype[Any]]", path: Path) -> "Tensor":
    import numpy as np
    import torch

    if array.dtype.kind not in "fiu":
        raise InputError(f"{path} holds something other than an array of numbers.")
    with np.errstate(over="ignore"):
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32).reshape(array.shape))


def _pickled_objects(path: Path) -> object:
    """What the pickle behind the header of a ``.npy`` of Python objects holds."""
    from stylegan_latents.generator.formats.safe_pickle.inert_numpy import NUMPY_OBJECTS
    from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert

    with open_regular(path) as file:
        npy_header(file, path.name)
        return load_inert(file, stand_ins=NUMPY_OBJECTS, name=path.name)


def _torch_arrays(path: Path) -> "dict[str, Tensor]":
    from stylegan_latents.generator.formats.safe_pickle.checkpoint_names import CHECKPOINT
    from stylegan_latents.generator.formats.safe_pickle.torch_file import open_torch_file

    with open_torch_file(path, CHECKPOINT) as contents:
        return _flattened(contents, path)


def _safetensors_arrays(path: Path) -> "dict[str, Tensor]":
    from stylegan_latents.generator.formats.safe_pickle.inert_torch import tensors_of
    from stylegan_latents.generator.reading.tensor_file import TensorFile

    with TensorFile.open(path) as file:
        return _flattened(tensors_of(file), path)


def _flattened(contents: object, path: Path) -> "dict[str, Tensor]":
    """The arrays within containers, by the names of these."""
    from stylegan_latents.generator.formats.safe_pickle.inert_numpy import Objects

    found: dict[str, Tensor] = {}
    left = _LARGEST
    queue: list[tuple[str, object]] = [("", contents)]
    for count, (name, value) in enumerate(queue):
        if count > _MOST_PARTS:
            raise InputError(f"{path} holds more parts than directions or codes have.")
        value = value.contents if isinstance(value, Objects) else value
        array = _one_array(value)
        if array is not None:
            left -= 4 * array.numel()
            if left < 0:
                raise InputError(f"{path} is larger than directions are.")
            found[name] = array
        elif isinstance(value, dict):
            parts = list(value.items())[:_MOST_PARTS]
            queue += [(f"{name}/{str(key)[:100]}".lstrip("/"), part) for key, part in parts]
        elif isinstance(value, list | tuple):
            queue += [(f"{name}/{index}".lstrip("/"), part) for index, part in enumerate(value[:_MOST_PARTS])]
    return found


def _one_array(value: object) -> "Tensor | None":
    """An array in float32, also from a list of numbers or of arrays of one shape; None for anything else."""
    import numpy as np
    import torch

    from stylegan_latents.generator.formats.safe_pickle.inert_numpy import Objects
    from stylegan_latents.generator.formats.safe_pickle.inert_torch import StoredTensor

    if isinstance(value, Objects):
        return _one_array(value.contents)
    if isinstance(value, StoredTensor):
        if value.size > _LARGEST:
            raise InputError("it is larger than directions are")
        return value.read().float()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.array(value, dtype=np.float32)) if value.dtype.kind in "fiu" else None
    if isinstance(value, list | tuple) and 0 < len(value) <= _MOST_PARTS:
        return _stacked(value)
    return None


def _stacked(values: "Sequence[Any]") -> "Tensor | None":
    import torch

    if all(type(value) in (int, float) for value in values):
        return torch.tensor([float(value) for value in values])
    if any(isinstance(value, dict | str | int | float | bool | None) for value in values):
        return None
    parts = [_one_array(value) for value in values]
    arrays = [part for part in parts if part is not None]
    if len(arrays) != len(values) or len({array.shape for array in arrays}) != 1:
        return None
    return torch.stack(arrays) if len(arrays) > 1 else arrays[0]
