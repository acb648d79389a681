"""Harmless replacements for the names inside a pickle: callables that check and build, and cannot be changed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.budget import Budget


class StandIn:
    """The harmless replacement for one name in a pickle.

    Args:
        build: called with the file's ``Budget`` and then with what the file gives as arguments, none of
            which can be trusted.
    """

    __slots__ = ("_build",)
    _build: Callable[..., object]

    def __init__(self, build: Callable[..., object]) -> None:
        self._build = build

    def __setstate__(self, state: object) -> None:
        # A pickle may give any object a state; without this method it could replace what is called here.
        raise InputError("the file changes a function, which a weights file does not need")

    def __call__(self, *arguments: object) -> object:
        return self._build(*arguments)

    def bound(self, budget: Budget) -> object:
        """The same stand-in, charging what it builds to ``budget``."""
        build = self._build
        return StandIn(lambda *arguments: build(budget, *arguments))


def name_only(_budget: Budget, *_arguments: object) -> object:
    """For a class that a file may mention and not call."""
    raise InputError("the file calls a class that it may only name")


def raw_bytes(contents: object) -> bytes:
    """The bytes of an array; Python 2 wrote them as a string, which latin1 maps back.

    Raises:
        InputError: they are something else, such as the list of an array of Python objects.
    """
    if isinstance(contents, str):
        return contents.encode("latin1")
    if isinstance(contents, bytes | bytearray):
        return bytes(contents)
    raise InputError("the file has an array of Python objects, which could run code")


_MOST_MADE_KEYS = 4096


def check_keys(keys: Iterable[object]) -> None:
    """Refuse thousands of keys whose hashes a file can choose so that all are one: neither texts nor small numbers.

    Raises:
        InputError: there are so many.
    """
    made = sum(not _is_plain_key(key) for key in keys)
    if made > _MOST_MADE_KEYS:
        raise InputError("the file has more keys than any file of weights")


def _is_plain_key(key: object) -> bool:
    return isinstance(key, str | bytes | float) or (isinstance(key, int) and key.bit_length() <= 64)


def _items(budget: Budget, values: object) -> Iterable[Any]:
    if not isinstance(values, list | tuple | set | frozenset | dict):
        raise InputError("the file has a container that is not understood")
    budget.charge(64 * len(values))
    return values


def _dict(budget: Budget, pairs: object = ()) -> dict[Any, Any]:
    items = list(_items(budget, pairs))
    check_keys(items if isinstance(pairs, dict) else (pair[0] for pair in items))
    return dict(pairs)  # type: ignore[call-overload,no-any-return]


def _set(budget: Budget, values: object = ()) -> set[Any]:
    items = _items(budget, values)
    check_keys(items)
    return set(items)


def _frozenset(budget: Budget, values: object = ()) -> frozenset[Any]:
    items = _items(budget, values)
    check_keys(items)
    return frozenset(items)


def _encode(budget: Budget, text: object, encoding: object = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise InputError("the file has a text encoding that is not read")
    budget.charge(len(text))
    return text.encode("latin1")


def _bytes(_budget: Budget) -> bytes:
    return b""  # old protocols write no bytes at all as a call without arguments, and others by _codecs.encode


def _bytearray(budget: Budget, contents: object = b"", _encoding: object = "latin1") -> bytearray:
    data = raw_bytes(contents)
    budget.charge(len(data))
    return bytearray(data)


def _complex(_budget: Budget, real: object, imaginary: object) -> complex:
    if not isinstance(real, float) or not isinstance(imaginary, float):
        raise InputError("the file has a number that is not understood")
    return complex(real, imaginary)


def _plain_table() -> dict[str, StandIn]:
    # An ordered dict is read as a dict: that keeps the order too, and has no attributes a file could set.
    table: dict[str, Callable[..., object]] = {"collections.OrderedDict": _dict, "_codecs.encode": _encode}
    for builtins in ("builtins", "__builtin__"):  # the second is Python 2's name
        table[f"{builtins}.set"] = _set
        table[f"{builtins}.frozenset"] = _frozenset
        table[f"{builtins}.bytes"] = _bytes
        table[f"{builtins}.bytearray"] = _bytearray
        table[f"{builtins}.complex"] = _complex
    return {name: StandIn(build) for name, build in table.items()}


PLAIN: Mapping[str, StandIn] = _plain_table()
"""The names that pickles of Python's own containers and scalars use."""
