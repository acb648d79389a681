"""Checks a pickle's opcodes before any of them is carried out.

The standard unpickler trusts some numbers in the file: a memo index alone can make it allocate gigabytes, and
hashing a deeply nested tuple overflows the C stack. This scan follows the stack with the depths of the values
only, and refuses a file whose opcodes no honest writer makes.
"""

import pickletools
from typing import IO, NamedTuple

from stylegan_latents.generator.errors import InputError

_MAX_DEPTH = 256
# Hashing a tuple visits shared parts again and again; this bounds the visits, not the memory.
_MAX_WEIGHT = 100_000
_FROZEN = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "FROZENSET"}
_GROWING = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_REFUSED = {
    "EXT1": "an extension code",
    "EXT2": "an extension code",
    "EXT4": "an extension code",
    "NEXT_BUFFER": "an out-of-band buffer",
    "READONLY_BUFFER": "an out-of-band buffer",
}


class _Value(NamedTuple):
    """What the scan keeps of a value on the stack: nesting depth, and visits that hashing it takes."""

    depth: int
    weight: int


_PLAIN = _Value(0, 1)


def scan(file: IO[bytes], name: str) -> None:
    """Read the opcodes up to the end of the pickle, leaving the file's position there.

    Args:
        file: at the start of the pickle; its ``read`` must not allocate more than the file has.
        name: how to call the file in messages.

    Raises:
        InputError: the pickle is truncated, malformed, nested too deeply, or uses a refused opcode.
    """
    stack: list[_Value] = []
    marks: list[int] = []
    memo: dict[int, _Value] = {}
    try:
        for count, (opcode, argument, _position) in enumerate(pickletools.genops(file)):
            kind = opcode.name
            if kind in _REFUSED:
                raise InputError(f"{name} uses {_REFUSED[kind]}, which a weights file does not need; not loaded.")
            if kind in _PUTS or kind == "MEMOIZE":
                index = len(memo) if argument is None else int(argument)
                if not 0 <= index <= count:  # writers count up from 0, so an index never exceeds the opcodes so far
                    raise InputError(f"{name} is no sound pickle: it asks for memo slot {index}; not loaded.")
                memo[index] = stack[-1]
            elif kind in _GETS:
                stack.append(memo[int(argument or 0)])
            elif kind == "MARK":
                marks.append(len(stack))
            elif kind == "DUP":
                stack.append(stack[-1])
            elif kind == "POP":
                _pop(stack, marks)
            else:
                _step(opcode, stack, marks, name)
    except (ValueError, IndexError, KeyError, OverflowError, MemoryError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error)[:80]  # which can quote all of the file
        raise InputError(f"{name} is truncated or no pickle ({reason}); fetch or copy it again.") from error


def _step(opcode: pickletools.OpcodeInfo, stack: list[_Value], marks: list[int], name: str) -> None:
    """Carry out any other opcode on the stack of depths, from its description of what it takes and gives."""
    taken: list[_Value] = []
    before = list(opcode.stack_before)
    if pickletools.markobject in before:
        start = marks.pop()
        taken, stack[start:] = stack[start:], []
        before = before[: before.index(pickletools.markobject)]
    floor = marks[-1] if marks else 0
    if len(stack) - len(before) < floor:
        raise IndexError("its stack runs empty")
    below = stack[len(stack) - len(before) :]
    del stack[len(stack) - len(before) :]
    if opcode.name in _GROWING:
        target, values = below[0], below[1:] + taken
        depth = max([target.depth, *(value.depth + 1 for value in values)])
        result = _Value(depth, target.weight)
    elif below or taken:
        values = below + taken
        frozen = opcode.name in _FROZEN
        weight = 1 + sum(value.weight for value in values) if frozen else 1
        result = _Value(1 + max(value.depth for value in values), weight)
    else:
        result = _PLAIN
    if result.depth > _MAX_DEPTH or result.weight > _MAX_WEIGHT:
        raise InputError(f"{name} nests its values too deeply for a weights file; not loaded.")
    stack.extend([result] * len(opcode.stack_after))


def _pop(stack: list[_Value], marks: list[int]) -> None:
    # POP takes the mark itself where the mark is on top.
    if marks and marks[-1] == len(stack):
        marks.pop()
    else:
        stack.pop()
