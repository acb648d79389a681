"""Record files: names, listing, digests."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import shortened
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.reading.files import refusing_damage
from stylegan_latents.generator.reading.tensor_file import TensorFile

if TYPE_CHECKING:
    from torch import Tensor

RECORD_SUFFIX = ".inversion.safetensors"
"""The end of a record's file name."""

PICTURE_SUFFIX = ".inverted.png"
"""The end of its picture's file name."""

HEADER, FOOTAGE = "stylegan-latents", "footage"
"""Keys of the record's header among a file's metadata, and of the film in the header."""


_LONGEST_STEM = 180  # bytes of the 255 that a file's name may have; the rest is for what edits append


def result_stem(name: str) -> str:
    """The beginning of the names of a photo's results, from the photo's; a very long one is shortened."""
    return shortened(name, _LONGEST_STEM)


def record_name(stem: str) -> str:
    """``me.inversion.safetensors`` for ``me``, shortened to the 255 bytes that a name may have."""
    return f"{shortened(stem, 255 - len(RECORD_SUFFIX))}{RECORD_SUFFIX}"


def is_film_record(path: Path) -> bool:
    """Whether a record is a film's, from the file's header; False for a file that is no record."""
    try:
        with refusing_damage(path), TensorFile.open(path) as file:
            header = file.json_header(HEADER)
    except InputError:
        return False
    return isinstance(header, dict) and FOOTAGE in header


def records_by_age(folder: Path) -> list[Path]:
    """The records in a folder, newest first; InputError if it holds none or may not be read."""
    try:
        records = [(path.stat().st_mtime_ns, path) for path in folder.glob(f"*{RECORD_SUFFIX}")]
    except OSError as error:
        raise InputError(f"The folder {folder} may not be read: {error.strerror or error}.") from error
    if not records:
        where = "this folder" if folder == Path() else folder
        raise InputError(f"There is no *{RECORD_SUFFIX} in {where}; run `invert PHOTO` first, or name a record.")
    return [path for _, path in sorted(records, reverse=True)]


def record_stem(record: Path) -> str:
    """``me`` for ``me.inversion.safetensors``."""
    return record.name.removesuffix(RECORD_SUFFIX) if record.name.endswith(RECORD_SUFFIX) else record.stem


def canonical(header: Mapping[str, JSON]) -> str:
    """A header as JSON, in the same form before writing and after reading."""
    return json.dumps(header, sort_keys=True, allow_nan=False)


def digest(header: Mapping[str, JSON], tensors: "Mapping[str, Tensor]") -> str:
    """sha256 over the header and every tensor's name, type, shape and bytes."""
    import torch

    found = hashlib.sha256(canonical(header).encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()
