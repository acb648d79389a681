"""Who may use the page: users with passwords from a table, or everyone who knows a class code."""

import asyncio
import csv
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from stylegan_latents.generator.errors import InputError

Login = Callable[[str, str], Awaitable[bool]]

_LARGEST, _LONGEST_NAME, _SHORTEST_CODE = 1 << 20, 40, 4
_WAIT_SECONDS = 1.0
ASKING_FOR_CODE = "Type your name, and the class code as the password."
ASKING_FOR_PASSWORD = "Type your name and your password."


def read_users(path: Path) -> dict[str, str]:
    """Passwords by user names, from a CSV file of lines ``name,password``; a first line of titles is left out.

    Raises:
        InputError: the file cannot be read, is empty, or a line has no name or password.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is larger than a table of users; give lines of name,password.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise InputError(f"The users in {path} cannot be read: {reason}.") from error
    users: dict[str, str] = {}
    for number, row in enumerate(csv.reader(text.splitlines()), 1):
        cells = [cell.strip() for cell in row]
        titles = number == 1 and [cell.lower() for cell in cells] in (["name", "password"], ["user", "password"])
        if not any(cells) or titles:
            continue
        if len(cells) != 2 or not all(cells) or len(cells[0]) > _LONGEST_NAME:
            raise InputError(
                f"Line {number} of {path} is not name,password, with a name of up to {_LONGEST_NAME} letters."
            )
        if cells[0] in users:
            raise InputError(f"Line {number} of {path} names the user '{cells[0]}' again; give each one line.")
        users[cells[0]] = cells[1]
    if not users:
        raise InputError(f"{path} has no users; write one name,password a line.")
    return users


def login(auth: Path | None, class_code: str | None) -> tuple[Login, str] | None:
    """The check of names and passwords, and what the page asks for; None if everyone may come.

    Args:
        auth: the table of users, see ``read_users``.
        class_code: the password of everyone, under any name.

    Raises:
        InputError: both are given, the table cannot be used, or the code is short.
    """
    if auth is not None and class_code is not None:
        raise InputError("--auth and --class-code exclude each other; give one of them.")
    if class_code is not None and len(class_code) < _SHORTEST_CODE:
        raise InputError(f"A class code has at least {_SHORTEST_CODE} letters, as others may guess it.")
    if auth is None and class_code is None:
        return None
    users = None if auth is None else read_users(auth)

    async def check(name: str, password: str) -> bool:
        known = class_code if users is None else users.get(name)
        right = secrets.compare_digest((known or "").encode(), password.encode())
        if known and right and 0 < len(name) <= _LONGEST_NAME and name.isprintable():
            return True
        await asyncio.sleep(_WAIT_SECONDS)  # guessing takes time
        return False

    return check, ASKING_FOR_CODE if users is None else ASKING_FOR_PASSWORD


def open_to_others(host: str, share: bool) -> bool:
    """Whether other machines can reach the page at this address."""
    try:
        own = ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = host == "localhost"
    return share or not own
