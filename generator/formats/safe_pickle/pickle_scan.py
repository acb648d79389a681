"""Checks a pickle's opcodes before any of them is carried out.

The standard unpickler trusts some numbers in the file: a memo index alone can make it allocate gigabytes, and
hashing a deeply nested tuple overflows the C stack, an empty set of one byte takes 216, and keys that are made to
have one hash take the square of their number. This scan follows the stack with the depths of the values only, adds
up what the opcodes make, and refuses a file whose opcodes no honest writer writes.
"""

import pickletools
import sys
from typing import IO, NamedTuple

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.budget import Budget

_MAX_DEPTH = 256
# Hashing a tuple visits shared parts again and again; this bounds the visits, not the memory.
_MAX_WEIGHT = 100_000
_MOST_OPCODES = 2_000_000  # some seconds
_MOST_MADE_KEYS = 4096  # keys other than texts and numbers, whose hashes a file can choose
_VALUE, _MEMO, _ITEM = 48, 112, 16  # bytes of a value on the stacks, of a memo's entry, of an item in a list
_COSTS = {"EMPTY_SET": 232, "FROZENSET": 232, "EMPTY_DICT": 80, "DICT": 80, "EMPTY_LIST": 72, "LIST": 72}
_KEYED = {"SETITEM": 2, "SETITEMS": 2, "DICT": 2, "ADDITEMS": 1, "FROZENSET": 1}
"""Opcodes that hash values, and every how many they hash one."""

_KEY = 112
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


_PLAIN, _LONG = _Value(0, 1), _Value(1, 1)


def scan(file: IO[bytes], name: str, budget: Budget) -> None:
    """Read the opcodes up to the end of the pickle, leaving the file's position there.

    Args:
        file: at the start of the pickle; its ``read`` must not allocate more than the file has.
        name: how to call the file in messages.
        budget: what is charged for all that the opcodes make.

    Raises:
        InputError: the pickle is truncated, malformed, nested too deeply, makes more than the budget allows, or
            uses a refused opcode.
    """
    stack: list[_Value] = []
    made_keys = 0
    marks: list[int] = []
    memo: dict[int, _Value] = {}
    try:
        for count, (opcode, argument, _position) in enumerate(pickletools.genops(file)):
            kind = opcode.name
            budget.charge(_COSTS.get(kind, _VALUE))
            if count == _MOST_OPCODES:
                raise InputError(f"{name} has more values than any file of weights; not loaded.")
            if kind in _REFUSED:
                raise InputError(f"{name} uses {_REFUSED[kind]}, which a weights file does not need; not loaded.")
            if kind in _PUTS or kind == "MEMOIZE":
                index = len(memo) if argument is None else int(argument)
                if not 0 <= index <= count:  # writers count up from 0, so an index never exceeds the opcodes so far
                    raise InputError(f"{name} is no sound pickle: it asks for memo slot {index}; not loaded.")
                memo[index] = stack[-1]
                budget.charge(_MEMO)
            elif kind in _GETS:
                stack.append(memo[int(argument or 0)])
            elif kind == "MARK":
                marks.append(len(stack))
            elif kind == "DUP":
                stack.append(stack[-1])
            elif kind == "POP":
                _pop(stack, marks)
            elif argument is not None and opcode.stack_after and not opcode.stack_before:
                is_long = isinstance(argument, int) and argument.bit_length() > 64
                budget.charge(sys.getsizeof(argument))
                stack.append(_LONG if is_long else _PLAIN)
            else:
                values = _step(opcode, stack, marks, name)
                budget.charge(_ITEM * len(values))
                if kind in _KEYED:
                    budget.charge(_KEY * len(values))
                    made_keys += sum(value.depth > 0 for value in values[:: _KEYED[kind]])
                    if made_keys > _MOST_MADE_KEYS:
                        raise InputError(f"{name} has more keys than any file of weights; not loaded.")
    except (ValueError, IndexError, KeyError, OverflowError, MemoryError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error)[:80]  # which can quote all of the file
        raise InputError(f"{name} is truncated or no pickle ({reason}); fetch or copy it again.") from error


def _step(opcode: pickletools.OpcodeInfo, stack: list[_Value], marks: list[int], name: str) -> list[_Value]:
    """Carry out any other opcode on the stack of depths, from its description of what it takes and gives.

    Returns:
        The values that it takes, without the container that it fills.
    """
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
    grown = below.pop(0) if opcode.name in _GROWING else None
    values = below + taken
    depth = max((value.depth + 1 for value in values), default=0)
    if grown is not None:
        result = _Value(max(grown.depth, depth), grown.weight)
    else:
        weight = sum(value.weight for value in values) if opcode.name in _FROZEN else 0
        result = _Value(depth, 1 + weight) if values else _PLAIN
    if result.depth > _MAX_DEPTH or result.weight > _MAX_WEIGHT:
        raise InputError(f"{name} nests its values too deeply for a weights file; not loaded.")
    stack.extend([result] * len(opcode.stack_after))
    return values


def _pop(stack: list[_Value], marks: list[int]) -> None:
    # POP takes the mark itself where the mark is on top.
    if marks and marks[-1] == len(stack):
        marks.pop()
    else:
        stack.pop()
