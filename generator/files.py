"""Atomic writing of files and folders."""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stylegan_latents.generator.errors import InputError

# Other names with a dot, such as results.v2, may be folders'.
_FILE_SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".avif", ".mp4", ".mov", ".webm",
    ".safetensors", ".npz", ".npy", ".pt", ".pth", ".pkl", ".csv", ".parquet", ".json", ".zip",
}  # fmt: skip


def check_writable(folder: Path) -> None:
    """Raise InputError, before any work, if files could not be written into ``folder``; nothing is created.

    A file is created and renamed as ``atomic_path`` does it: some network drives allow only the first.
    """
    try:
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not nearest.is_dir():
            raise InputError(f"Cannot write into the folder {folder}: {nearest} is a file.")
        temporary = _new_file(nearest, ".writable.", ".part")
        renamed = temporary.with_suffix(".renamed")
        try:
            temporary.replace(renamed)
        finally:
            temporary.unlink(missing_ok=True)
            renamed.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"Cannot write into the folder {folder}: {error.strerror or error}.") from error


def check_folder_name(folder: Path) -> None:
    """Raise InputError if an ``--out`` that takes a folder is given the name of a file, such as ``me.png``."""
    # Path.is_dir raises in a folder without permission.
    if folder.suffix.lower() in _FILE_SUFFIXES and not os.path.isdir(folder):  # noqa: PTH112
        raise InputError(f"--out takes a folder, and {folder} is the name of a file; name a folder.")


def printable(text: object) -> str:
    """A text, such as a file's name, as it may be printed or shown: on one line and without control characters.

    A name may hold any byte but 0 and ``/``: line ends, escape sequences that a terminal obeys, marks that reverse
    the reading direction, and bytes that are not UTF-8, which Python holds as lone surrogates. Each of these is
    shown as its escape, such as ``\\n``, ``\\x1b``, ``\\u202e`` or ``\\xff``.
    """
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in str(text))


def _escape(letter: str) -> str:
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # a byte by ``surrogateescape``
        return f"\\x{code - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")


@contextlib.contextmanager
def utf8_path(path: str | os.PathLike[str]) -> Iterator[str]:
    """A path in UTF-8 of a file or folder, for libraries that take no other; valid inside the block.

    Args:
        path: of an existing file or folder, in any bytes; given as it is where it is UTF-8 already.
    """
    name = os.fspath(path)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        descriptor = os.open(name, os.O_RDONLY)
        try:
            yield f"/dev/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        yield name


def check_replaceable(path: Path, overwrite: bool, remedy: str = "choose another name") -> None:
    """Raise InputError if ``path`` exists and may not be replaced."""
    if not overwrite and path.exists():
        raise InputError(f"{path} exists already; add --overwrite to replace it, or {remedy}.")


def shortened(name: str, longest: int) -> str:
    """The longest beginning of a name that fits into ``longest`` bytes: file systems allow 255."""
    while len(os.fsencode(name)) > longest:
        name = name[:-1]
    return name


@contextlib.contextmanager
def atomic_path(target: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` that becomes ``target`` when the block ends without an error.

    It keeps the suffix, by which some writers choose the format. When the block fails, also by Ctrl-C or a full
    disk, the temporary file and folders created for it are removed and ``target`` is unchanged.

    Args:
        target: the file to write; its folder is created if missing.
        overwrite: whether an existing ``target`` may be replaced.

    Raises:
        InputError: ``target`` exists and may not be replaced, or cannot be written.
    """
    target = Path(target)
    if target.is_dir():
        raise InputError(f"Cannot write {target}: it is a folder.")
    check_replaceable(target, overwrite)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_created(target.parent))
            temporary = _new_file(target.parent, f".{target.stem[:40]}.", f".part{target.suffix}")
        except OSError as error:
            raise InputError(f"Cannot write {target}: {error.strerror or error}.") from error
        try:
            yield temporary
            # mkstemp's mode is private to the user; a result should have the mode of any other new file.
            umask = os.umask(0)
            os.umask(umask)
            _set_mode(temporary, 0o666 & ~umask)
            temporary.replace(target)
        except OSError as error:
            raise InputError(f"Cannot write {target}: {error.strerror or error}.") from error
        finally:
            temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path, stem: str) -> None:
    """Remove what a killed process left in ``atomic_path``; ``stem`` is a regular expression of its targets' stems.

    Stems that ``atomic_path`` cuts do not match: they might be another file's.
    """
    name = re.compile(rf"\.(?:{stem})\.\w{{8}}\.part\.\w+")
    for path in folder.glob(".*.part.*"):
        if name.fullmatch(path.name):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(target: Path, replaced: str) -> Iterator[Path]:
    """Yield a temporary folder beside ``target`` that becomes ``target`` when the block ends without an error.

    An existing ``target`` loses its files that match ``replaced``, such as ``frame_*.png``.

    Raises:
        InputError: ``target`` cannot be written, or holds other files.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_created(target.parent))
            temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part"))
        except OSError as error:
            raise InputError(f"Cannot write {target}: {error.strerror or error}.") from error
        try:
            yield temporary
            _set_mode(temporary, 0o755)
            if target.is_dir():
                # Other files that were put there meanwhile make rmdir fail.
                for file in target.glob(replaced):
                    file.unlink()
                target.rmdir()
            temporary.replace(target)
        except OSError as error:
            raise InputError(f"Cannot write {target}: {error.strerror or error}.") from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _new_file(folder: Path, prefix: str, suffix: str) -> Path:
    handle, name = tempfile.mkstemp(dir=folder, prefix=prefix, suffix=suffix)
    os.close(handle)
    return Path(name)


def _set_mode(path: Path, mode: int) -> None:
    """Change who may read a file, where the file system knows modes: CIFS, NTFS and mounted buckets refuse."""
    with contextlib.suppress(OSError):
        path.chmod(mode)


@contextlib.contextmanager
def _created(folder: Path) -> Iterator[None]:
    """Create a folder and its parents; those created are removed again when the block fails."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for path in missing:
            with contextlib.suppress(OSError):  # another process may have put something there
                path.rmdir()
        raise
