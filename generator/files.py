"""Writing files so that a reader never meets half of one."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from generator.errors import InputError


@contextlib.contextmanager
def atomic_path(target: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path beside ``target`` that becomes ``target`` when the block ends without an error.

    The temporary name keeps the suffix, for writers that choose the format by it. When the block fails, also
    by Ctrl-C or a full disk, the temporary file is removed and ``target`` is as it was.

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
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.stem[:40]}.", suffix=f".part{target.suffix}"
        )
        os.close(handle)
    except OSError as error:
        raise InputError(f"Cannot write {target}: {error.strerror or error}.") from error
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp's mode is private to the user; a result should have the mode of any other new file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    except OSError as error:
        raise InputError(f"Cannot write {target}: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_folder(folder: Path) -> None:
    """Refuse, before the work, a folder that nothing could be written to after it. Nothing is made.

    Raises:
        InputError: it, or the nearest folder above it that exists, is no folder or may not be written to.
    """
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise InputError(f"Cannot write to {folder}: {nearest} is not a folder.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(f"Cannot write to {folder}: there is no permission to write to {nearest}.")


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
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part"))
    except OSError as error:
        raise InputError(f"Cannot write {target}: {error.strerror or error}.") from error
    try:
        yield temporary
        temporary.chmod(0o755)
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
