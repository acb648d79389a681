"""Codes in the files of other projects, opened as records: NumPy's and PyTorch's arrays of W and W+.

``projected_w.npz`` of NVIDIA's projectors (and of ``invert --npz``), ``.npy`` and ``.pt`` of ``[w_dim]``,
``[rows, w_dim]`` or ``[1, rows, w_dim]``, PTI's ``0.pt``, rosinality's projections, ReStyle's ``latents.npy``. They
do not say their model: the code becomes one of the generator that it is opened with.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.arrays import is_array_file, read_arrays, split_name
from stylegan_latents.invert.record.files import record_stem

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.invert.record.inversion import Inversion

METHOD = "file"
"""The ``Inversion.method`` of a code that was read here."""

_NAMES = {
    "w", "ws", "wp", "w_plus", "w_pivot", "latent", "latents", "latent_code", "code", "codes", "dlatent",
    "dlatents",
}  # fmt: skip


def is_code_file(named: str | Path) -> bool:
    """Whether a user named such a file, with or without one of its codes (``latents.npy:face.jpg``)."""
    return is_array_file(split_name(str(named))[0])


def read_code(named: str | Path) -> "tuple[Path, Inversion]":
    """One code, as a record of no model yet; ``adopted`` makes it one of a generator.

    Args:
        named: the file, and after a colon which of its codes: an index, or a name in the file.

    Raises:
        InputError: the file cannot be read, holds no code, or several of which none is chosen.
    """
    from stylegan_latents.invert.record.inversion import Inversion

    path, wanted = split_name(str(named))
    codes = _codes(path)
    names = list(codes)
    if wanted is None and len(codes) == 1:
        wanted = names[0]
    elif wanted is not None and wanted not in codes and wanted.isdecimal() and int(wanted) < len(codes):
        wanted = names[int(wanted)]
    if wanted not in codes:
        listed = ", ".join(name for name in names[:5]) + ", ..." * (len(names) > 5)
        raise InputError(f"{path.name} holds {len(codes)} codes ({listed}); choose one, as {path.name}:{names[0]}.")
    settings = {"file": path.name} | ({"code": wanted} if len(codes) > 1 else {})
    return path, Inversion(
        ws=codes[wanted], model="", fingerprint="", latent_space="", method=METHOD, settings={**settings}
    )


def adopted(inversion: "Inversion", G: "Generator", model_file: Path | None) -> "Inversion":
    """The code as a record of ``G``; a code of W fits any number of rows.

    Raises:
        InputError: its shape does not fit ``G``.
    """
    rows, width = inversion.ws.shape[1:]
    in_w = bool((inversion.ws == inversion.ws[:, :1]).all())
    if width != G.w_dim or (rows != G.num_ws and not in_w):
        raise InputError(
            f"{inversion.settings['file']} holds a code of {rows} rows of {width} values, and '{G.name}' takes "
            f"{G.num_ws} of {G.w_dim}; give the model that it was made with to --model."
        )
    ws = inversion.ws if rows == G.num_ws else inversion.ws[:, :1].repeat(1, G.num_ws, 1)
    return replace(
        inversion,
        ws=ws,
        model=G.name,
        fingerprint=G.fingerprint,
        latent_space=G.latent_space,
        model_file=model_file,
    )


def code_name(path: Path, inversion: "Inversion") -> str:
    """What the names of files begin with that are made from a record or a code: the file's, and its code's."""
    chosen = inversion.settings.get("code") if inversion.method == METHOD else None
    return record_stem(path) if chosen is None else path.stem + "-" + re.sub(r"[^\w.+-]+", "_", str(chosen))


def _codes(path: Path) -> "dict[str, Tensor]":
    """The codes of a file by name, ``[1, rows, w_dim]`` each."""
    arrays = {name: array for name, array in read_arrays(path, objects=True).items() if 0 < array.ndim < 5}
    known = {name: array for name, array in arrays.items() if name.rpartition("/")[2].lower() in _NAMES}
    found: dict[str, Tensor] = {}
    for name, array in (known or arrays).items():
        if not array.numel():
            continue
        place = name.rpartition("/")[0] if known else name
        stack = array.reshape(-1, *array.shape[-2:]) if array.ndim > 2 else array.reshape(1, -1, array.shape[-1])
        if name and not known:  # of each picture, one code of every pass: the last is the result
            stack = stack[-1:]
        for index, code in enumerate(stack):
            label = place if len(stack) == 1 else f"{place}/{index}".lstrip("/")
            found[label] = code[None]
    if not found:
        raise InputError(f"{path.name} holds no code of W or W+.")
    return found
