"""JSON of strangers: parsed within bounds, and validated against a dataclass that states types and bounds.

A header is a frozen dataclass, whose annotations say what each value is (``Annotated[int, Ge(1), Le(64)]``, with
the bounds of ``annotated_types``); pydantic checks a text against it, strictly: no text is taken for a number. With
``__pydantic_config__ = STRICT`` unknown names and values that are not finite are refused, too.
"""

import json
import math
from functools import cache
from typing import Any, NoReturn, TypeVar

from stylegan_latents.generator.files import printable
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.reading.files import DamagedFileError

T = TypeVar("T")

STRICT: Any = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
"""For a dataclass's ``__pydantic_config__``: no other names, no text for numbers, no infinities."""

OPEN: Any = {**STRICT, "extra": "ignore"}
"""As ``STRICT``, with unknown names left aside, as an earlier version may have written more."""

_MOST_DIGITS = 32
_LARGEST = 100 << 20
_VALUE, _OBJECT = 64, 120


def parse_json(text: str | bytes, name: str) -> JSON:
    """Parse JSON whose numbers are finite and of at most 32 digits, and whose values fit into the memory.

    Args:
        text: the JSON; bytes are UTF-8.
        name: of the file, for messages.

    Raises:
        DamagedFileError: it is no JSON, or exceeds a bound.
    """
    marks = (",", ":", "[", "{") if isinstance(text, str) else (b",", b":", b"[", b"{")
    counts = [text.count(mark) for mark in marks]  # type: ignore[arg-type]
    if _VALUE * sum(counts) + _OBJECT * counts[-1] > _LARGEST + len(text):
        raise _damaged(name, "its header has more values than any honest one")
    try:
        parsed: JSON = json.loads(
            text if isinstance(text, str) else text.decode("utf-8"),
            parse_int=_whole,
            parse_float=_number,
            parse_constant=_no_number,
        )
    except RecursionError as error:
        raise _damaged(name, "its header is nested without end") from error
    except ValueError as error:
        raise _damaged(name, f"its header is no JSON that is read ({' '.join(str(error).split())[:80]})") from error
    return parsed


def validated(model: type[T], text: str | bytes, name: str) -> T:
    """JSON as an object of a dataclass, with every value of its declared type and within its bounds.

    Args:
        model: the dataclass, or any other type that pydantic validates.
        text: the JSON; bytes are UTF-8.
        name: of the file, for messages.

    Raises:
        DamagedFileError: it is no JSON, or a value is missing, unknown, of another type or out of bounds; the
            message names it.
    """
    from pydantic import ValidationError

    # Names of files may hold bytes that are no UTF-8, which pydantic refuses.
    checked = json.dumps(parse_json(text, name), ensure_ascii=False).encode("utf-8", "replace")
    try:
        return _adapter(model).validate_json(checked, strict=True)  # type: ignore[no-any-return,arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = printable(".".join(str(part)[:40] for part in first["loc"]))[:120]
        reason = printable(first["msg"].removeprefix("Value error, ").rstrip("."))[:160]
        where = f"its header's '{place}' is not right" if place else "its header is not right"
        raise _damaged(name, f"{where} ({reason[:1].lower()}{reason[1:]})") from error


def validated_value(model: type[T], value: JSON, name: str) -> T:
    """As ``validated``, from a value that ``parse_json`` gave."""
    return validated(model, json.dumps(value), name)


@cache
def _adapter(model: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(model)


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if len(digits) > 2 * _MOST_DIGITS or not math.isfinite(value):
        raise ValueError(f"{digits[:20]}... is no number that is read")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _damaged(name: str, reason: str) -> DamagedFileError:
    return DamagedFileError(f"{printable(name)} is damaged: {reason}.")
