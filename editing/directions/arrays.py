"""Reads arrays from NumPy's and PyTorch's files without executing code from them."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = (".npy", ".npz", ".pt", ".pth")

# In bytes: a larger file holds no directions, or is a small archive that unpacks to any size.
_LARGEST = 256 << 20


def read_arrays(path: Path) -> "Mapping[str, Tensor]":
    """The arrays of a file by name, in float32; a file of one array has it under the empty name.

    Raises:
        InputError: the file is missing, damaged, of another kind, too large for directions, or needs unpickling.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    from stylegan_latents.generator.formats.file_head import what_is_it

    try:
        with path.open("rb") as file:
            other = what_is_it(file.read(512))
        if other:  # such as a web page saved in its place
            raise InputError(f"{path} is {other}, and not the file itself; download that again.")
        found = _torch_arrays(path) if path.suffix in (".pt", ".pth") else _numpy_arrays(path)
    except InputError as error:
        message = str(error)
        raise InputError(message if path.name in message else f"{path.name}: {message}.") from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} cannot be read: it is cut short or damaged ({error}).") from error
    if not found:
        raise InputError(f"{path} holds no arrays of numbers.")
    return found


def _numpy_arrays(path: Path) -> "dict[str, Tensor]":
    import numpy as np

    try:
        if path.suffix == ".npy":
            # Mapped, so that a header that declares too large an array costs nothing.
            return {"": _tensor(np.load(path, mmap_mode="r", allow_pickle=False), path)}
        with np.load(path, allow_pickle=False) as file:
            if sum(member.file_size for member in file.zip.infolist()) > _LARGEST:
                raise InputError(f"{path} unpacks to more than directions need.")
            return {name: _tensor(file[name], path) for name in file.files}
    except ValueError as error:
        if any(word in str(error) for word in ("allow_pickle", "pickled", "Python objects")):
            raise InputError(
                f"{path} holds pickled Python objects, which could run any program, and is not read; "
                "save the array alone with numpy.save."
            ) from error
        raise InputError(f"{path} cannot be read as a NumPy file: {str(error).rstrip('.')}.") from error


def _tensor(array: object, path: Path) -> "Tensor":
    import numpy as np
    import torch

    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise InputError(f"{path} holds something other than an array of numbers.")
    if array.nbytes > _LARGEST:
        raise InputError(f"{path} is larger than directions are.")
    return torch.from_numpy(np.array(array, dtype=np.float32))


def _torch_arrays(path: Path) -> "dict[str, Tensor]":
    from stylegan_latents.generator.formats.safe_pickle.inert_torch import StoredTensor
    from stylegan_latents.generator.formats.safe_pickle.torch_file import open_torch_file

    with open_torch_file(path) as contents:
        named = contents if isinstance(contents, dict) else {"": contents}
        stored = {str(name): value for name, value in named.items() if isinstance(value, StoredTensor)}
        if sum(value.size for value in stored.values()) > _LARGEST:
            raise InputError(f"{path} is larger than directions are.")
        return {name: value.read().float() for name, value in stored.items()}
