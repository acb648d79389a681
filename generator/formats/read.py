"""The registry of generators' file formats, told apart by a file's first bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.checkpoint import read_checkpoint
from stylegan_latents.generator.formats.file_head import FileHead
from stylegan_latents.generator.formats.native import build, is_native, read_native
from stylegan_latents.generator.formats.openvino_ir import read_mobile_stylegan
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.reading.files import UNFITTING, refusing_damage

Reader = Callable[[Path, Tensor | None], Generator]


@dataclass(frozen=True)
class Format:
    """One format of generators' files.

    Attributes:
        name: what it is called in messages.
        matches: whether a file that begins so is of this format.
        read: path and texts, see ``read_generator``, to generator; raises ``InputError`` where the file is damaged
            or holds no generator, or the texts do not suit it.
    """

    name: str
    matches: Callable[[FileHead], bool]
    read: Reader


def from_weights(
    read: Callable[[Path], tuple[Any, dict[str, Tensor]]],
) -> Callable[[Path, Tensor | None], Generator]:
    """Make the ``read`` of a ``Format`` from a function that reads sizes and tensors.

    Args:
        read: path to one of the ``Config`` classes of ``generator.networks`` and the tensors by the names of that
            network (``mapping.``, ``synthesis.``), with ``w_avg`` where the file holds it.
    """

    def read_and_build(path: Path, texts: Tensor | None) -> Generator:
        config, tensors = read(path)
        with refusing_damage(path, UNFITTING):
            return build(config, tensors, name=path.name if path.is_dir() else path.stem, texts=texts)

    return read_and_build


def _read_safetensors(path: Path, texts: Tensor | None) -> Generator:
    return read_native(path, texts) if is_native(path) else from_weights(read_checkpoint)(path, texts)


FORMATS = [
    Format("a safetensors file", lambda head: head.is_safetensors, _read_safetensors),
    Format("a checkpoint", lambda head: head.is_torch or head.is_pickle, from_weights(read_checkpoint)),
    Format("MobileStyleGAN's OpenVINO files", lambda head: head.is_folder, from_weights(read_mobile_stylegan)),
]
"""Every format that is read; the first that matches a file reads it. A new one is one module and one line here."""


def read_generator(path: Path, texts: Tensor | None = None) -> Generator:
    """Read a generator from a file, or a folder, of any format of ``FORMATS``; on the CPU, in float32.

    Args:
        path: the file or folder.
        texts: CLIP's codes of what a StyleGAN-T draws, ``[texts, length]``; None for those in the file.

    Raises:
        InputError: the file cannot be read or holds no generator; the message says what it seems to be. Or the
            model draws texts and has none, or draws none and is given some.
    """
    head = FileHead(b"", 0, is_folder=True) if path.is_dir() else FileHead.of(path)
    for known in FORMATS:
        if known.matches(head):
            return known.read(path, texts)
    raise InputError(f"{path.name} is {head.kind}, not a generator's file; get the weights themselves.")
