"""The kind of a file of weights, by its first bytes."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stylegan_latents.generator.reading.files import open_regular, refusing_damage

STREAM_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How a file of ``torch.save`` begins that PyTorch before 1.6 wrote."""

_READ = 512
_LONGEST_HEADER = 1 << 28


@dataclass(frozen=True)
class FileHead:
    """The first bytes and the size of a file.

    Attributes:
        first: its first bytes, 512 where it has so many.
        size: of the whole file, in bytes.
        is_folder: whether it is a folder, which has no bytes of its own.
    """

    first: bytes
    size: int
    is_folder: bool = False

    @classmethod
    def of(cls, path: Path, what: str = "") -> Self:
        """Read the head of a file.

        Args:
            path: the file.
            what: what a message calls the file before its path, such as ``the encoder``.

        Raises:
            InputError: the file cannot be read.
        """
        with open_regular(path, what) as file, refusing_damage(path):
            return cls(file.read(_READ), os.fstat(file.fileno()).st_size)

    @property
    def is_safetensors(self) -> bool:
        """Check this first: a header's length can begin with the bytes of any other format."""
        length = int.from_bytes(self.first[:8], "little")
        return self.first[8:9] == b"{" and length < min(self.size, _LONGEST_HEADER)

    @property
    def is_torch(self) -> bool:
        """Whether ``torch.save`` wrote it: an archive, or a stream as before version 1.6."""
        return self.first.startswith((b"PK", STREAM_MAGIC))

    @property
    def is_pickle(self) -> bool:
        """Whether it is a pickle; so is a stream of ``torch.save``."""
        return self.first.startswith(b"\x80")

    @property
    def kind(self) -> str:
        """What a file of no known format seems to be, as the end of a sentence with "is"."""
        if not self.size:
            return "empty"
        for magic, kind in (
            (b"\x89HDF", "an HDF5 file (Keras keeps weights so)"),
            (b"GGUF", "a GGUF language model"),
            (b"\x1f\x8b", "a gzip archive (unpack it first)"),
            (b"<?xml", "an XML file (for OpenVINO files, give their folder)"),
            (b"\x89PNG", "a picture"),
            (b"\xff\xd8\xff", "a picture"),
        ):
            if self.first.startswith(magic):
                return what_is_it(self.first) or kind
        return what_is_it(self.first) or "of no format that is known here"


def what_is_it(head: bytes) -> str:
    """A file that is often saved by mistake in the place of weights, in words; empty for any other.

    Args:
        head: the first 512 bytes or more.
    """
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<") and any(sign in start for sign in (b"<!doctype html", b"<html", b"<head")):
        return "a web page (of a quota, a login or an error)"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer (a few lines that stand for the file)"
    return ""
