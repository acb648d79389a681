"""Writing files so that a reader never meets half of one."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stylegan_latents.generator.errors import InputError


def check_writable(folder: Path) -> None:
    """Refuse, before the work, a folder in which nothing could be written after it; nothing is left there.

    A file is made and renamed as ``atomic_path`` does it: some network drives and mounted buckets allow only the
    first.

    Args:
        folder: where it is missing, its nearest parent that exists is tried.

    Raises:
        InputError: it is a file or lies below one, or files in it cannot be made or renamed.
    """
    try:
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
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


def shortened(name: str, longest: int) -> str:
    """As many of a name's first letters as fit into ``longest`` bytes: file systems take 255 at most."""
    while len(os.fsencode(name)) > longest:
        name = name[:-1]
    return name


@contextlib.contextmanager
def atomic_path(target: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path beside ``target`` that becomes ``target`` when the block ends without an error.

    The temporary name keeps the suffix, for writers that choose the format by it. When the block fails, also
    by Ctrl-C or a full disk, the temporary file and folders made for it are removed and ``target`` is as it was.

    Args:
        target: the file to write; its folder is made when it is missing.
        overwrite: whether an existing ``target`` may be replaced.

    Raises:
        InputError: ``target`` exists and may not be replaced, or cannot be written.
    """
    target = Path(target)
    if target.is_dir():
        raise InputError(f"Cannot write {target}: it is a folder.")
    if not overwrite and target.exists():
        raise InputError(f"{target} exists already; add --overwrite to replace it, or choose another name.")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_made(target.parent))
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


@contextlib.contextmanager
def atomic_folder(target: Path, replaced: str) -> Iterator[Path]:
    """Give a temporary folder beside ``target`` that becomes ``target`` when the block ends without an error.

    Args:
        target: the folder to make; where it exists, the files in it that match ``replaced`` give way.
        replaced: what such files are called, such as ``frame_*.png``. A folder that holds anything else is left
            as it is but for them.

    Raises:
        InputError: ``target`` cannot be written, or holds other files.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_made(target.parent))
            temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part"))
        except OSError as error:
            raise InputError(f"Cannot write {target}: {error.strerror or error}.") from error
        try:
            yield temporary
            _set_mode(temporary, 0o755)
            if target.is_dir():
                # Only those go; anything else that came into the folder meanwhile makes rmdir refuse.
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
def _made(folder: Path) -> Iterator[None]:
    """Make a folder and its parents; those that were not there go again when the block fails."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for place in missing:
            with contextlib.suppress(OSError):  # somebody else may have put something there
                place.rmdir()
        raise
