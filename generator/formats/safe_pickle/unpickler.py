"""A pickle reader that builds arrays, containers and scalars, and runs nothing that the file names.

The pickle machine calls what ``find_class`` answers with. Here the answers are stand-ins: callables of this
project that check their arguments and build inert values. A format that needs more names passes a larger
table to ``load_inert``.
"""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import Unpickler
from typing import IO, Any, cast

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable
from stylegan_latents.generator.formats.safe_pickle.inert_numpy import NUMPY
from stylegan_latents.generator.formats.safe_pickle.pickle_scan import scan
from stylegan_latents.generator.formats.safe_pickle.stand_ins import StandIn
from stylegan_latents.generator.reading.budget import Budget
from stylegan_latents.generator.reading.files import open_regular, refusing_damage

__all__ = ["NUMPY", "Budget", "InertUnpickler", "StandIn", "load_inert"]

_SLACK, _SMALL = 110 << 20, 8 << 20


class InertUnpickler(Unpickler):
    """An unpickler that knows only the given stand-ins.

    Args:
        file: at the start of a pickle that ``scan`` has passed.
        budget: of the file.
        stand_ins: what each full name (``module.name``) in the file is taken for.
        persistent: what answers the file's references to data outside of the pickle; refused without it.
        name: how to call the file in messages.
    """

    def __init__(
        self,
        file: IO[bytes],
        budget: Budget,
        stand_ins: Mapping[str, StandIn],
        persistent: Callable[[object], object] | None,
        name: str,
    ) -> None:
        # latin1 keeps the bytes of Python 2 strings, in which older files store arrays.
        super().__init__(file, fix_imports=False, encoding="latin1")
        self._budget = budget
        self._stand_ins = stand_ins
        self._persistent = persistent
        self._name = name
        self._bound: dict[str, object] = {}

    def find_class(self, module: str, name: str, /) -> object:
        """The stand-in of a name in the file.

        Raises:
            InputError: the name is not in the table.
        """
        full = f"{module}.{name}"
        if full not in self._stand_ins:
            raise InputError(
                f"{self._name} asks for '{full[:100]}', which could run code and is not needed for weights; "
                "it was not loaded."
            )
        if full not in self._bound:  # a file may name the same one a million times
            self._bound[full] = self._stand_ins[full].bound(self._budget)
        return self._bound[full]

    def persistent_load(self, pid: object) -> object:
        """What a reference to outside of the pickle stands for.

        Raises:
            InputError: nothing was given that answers it.
        """
        if self._persistent is None:
            raise InputError(f"{self._name} refers to data outside of it; it was not loaded.")
        return self._persistent(pid)


def load_inert(
    file: Path | IO[bytes],
    *,
    stand_ins: Mapping[str, StandIn] = NUMPY,
    persistent: Callable[[object], object] | None = None,
    name: str = "",
    slack: int = _SLACK,
) -> object:
    """Read one pickle without running anything that it names.

    Args:
        file: a path, or a seekable binary file at the start of the pickle; its position is then behind it.
        stand_ins: the names that are allowed, and what they are taken for.
        persistent: what answers the file's references to data outside of the pickle; refused without it.
        name: how to call the file in messages; its own name when left out.
        slack: bytes that its values may take beyond 1.2 times the file.

    Returns:
        Dicts, lists, tuples, sets, text, bytes, numbers and numpy arrays (of a subclass that adds nothing;
        ``numpy.asarray`` gives the plain one).

    Raises:
        InputError: the file cannot be read, is truncated or no pickle, asks for anything that is not allowed
            (the message names it), or declares sizes that it does not hold.
    """
    if isinstance(file, Path):
        with open_regular(file) as handle, refusing_damage(file):
            return load_inert(
                handle, stand_ins=stand_ins, persistent=persistent, name=name or file.name, slack=slack
            )
    name = name or Path(str(getattr(file, "name", "the pickle"))).name
    bounded = _Bounded(file)
    reader = cast(IO[bytes], bounded)
    start = file.tell()
    whole = bounded.size - start
    try:
        if whole <= _SMALL:  # in memory, as the scan reads byte by byte
            scan(io.BytesIO(file.read()), name, Budget(whole, whole // 5 + slack))
        else:
            scan(reader, name, Budget(whole, whole // 5 + slack))
    except InputError as error:
        raise _told(error, name) from error
    file.seek(start)
    try:
        return InertUnpickler(reader, Budget(whole), stand_ins, persistent, name).load()
    except InputError as error:
        raise _told(error, name) from error
    except OSError as error:
        raise InputError(f"Cannot read {name}: {error.strerror or error}.") from error
    except Exception as error:  # whatever the pickle machine stumbles over, the file caused it
        reason = str(error)[:80]
        raise InputError(
            printable(f"{name} is damaged or no pickle of weights ({reason}); fetch or copy it again.")
        ) from error


def _told(error: InputError, name: str) -> InputError:
    """An error as a sentence with the file's name; what it quotes of the file may hold control characters."""
    message = str(error)
    return InputError(printable(message if message.startswith(name) else f"{name}: {message}; not loaded."))


class _Bounded(io.RawIOBase):
    """A file whose reads never ask for more than is there, so that a declared size alone takes no memory."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        position = file.tell()
        self.size = file.seek(0, io.SEEK_END)
        file.seek(position)

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        left = self.size - self._file.tell()
        return self._file.read(left if size is None or size < 0 else min(size, left))

    def readinto(self, buffer: Any, /) -> int:
        return cast(io.BufferedReader, self._file).readinto(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._file.readline(-1 if size is None else size)
