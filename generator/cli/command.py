"""Shared by the command lines: running a command, its exit status, warnings and errors.

Exit status 0: done. 1: a fault of this program. 2: wrong input. 130: Ctrl-C.
"""

import difflib
import errno
import io
import os
import re
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from stylegan_latents.generator.cli import help_page
from stylegan_latents.generator.cluster.connection import with_address
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import printable

if TYPE_CHECKING:
    import torch

DONE, FAULT, WRONG_INPUT, STOPPED = 0, 1, 2, 130
LARGEST_SEED = 10**9
"""Upper bound of --seed: random generators take 64 bits, and training multiplies the seed by 2**32."""

# Click's UsageError; newer versions of Typer contain their own copy of Click, so it cannot be imported by name.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
# Messages of Typer, and what they are in plain words.
_PLAIN = (
    (r"Input should be a valid integer.*", "it takes a whole number"),
    (r"Input should be a valid number.*", "it takes a number"),
    (r"Input should be greater than or equal to (\S+)", r"it takes \1 at least"),
    (r"Input should be less than or equal to (\S+)", r"it takes \1 at most"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", r"More is given than the command takes: \1"),
)
_FRAMES_SHOWN = 4
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def new_app() -> typer.Typer:
    """A Typer application with this project's settings: ``-h`` as well as ``--help``, plain tracebacks."""
    return typer.Typer(
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["--help", "-h"]},
    )


def status_of(work: Callable[[], int | None]) -> int:
    """The exit status of a script's work (None for 0); an InputError is printed on stderr."""
    try:
        return work() or DONE
    except InputError as error:
        print(printable(error), file=sys.stderr)
        return WRONG_INPUT


def run(app: typer.Typer, program: str, arguments: list[str]) -> int:
    """Run a command line and return its exit status; an error is printed on stderr in one sentence.

    Args:
        app: an application whose commands return their exit status (None for 0).
        program: the words that start it, for messages.
        arguments: the words after them.
    """
    _never_fail_to_print()
    # Read by torch's OpenMP when it is loaded. Threads that wait busily take the cores from other programs;
    # asleep at once, they lose time on an idle machine: see tests/benchmarks/threads.py.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "30000")
    # `invert "$PHOTO"` with an unset PHOTO: an empty path would mean the current folder.
    if "" in arguments:
        return _say(
            program, f"An argument is empty; fill it in, or remove it. See `{program} --help`.", WRONG_INPUT
        )
    command = typer.main.get_command(app)
    help_page.program_options(command, completes=" " not in program)
    _refuse_repeated(command)
    if {"--help", "-h"} & set(arguments):
        help_page.complete(command)
    try:
        status = command.main(with_address(arguments), prog_name=program, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        status = STOPPED
    except InputError as error:
        return _say(program, str(error), WRONG_INPUT)
    except _UsageError as error:
        hint = f" For the file write ./{files[0]}." if (files := _files_like_options(arguments)) else ""
        return _say(program, f"{_usage_sentence(error)}{hint} See `{program} --help`.", WRONG_INPUT)
    except BrokenPipeError:
        # The reader of our output (`| head`) has ended; Python would print another error while exiting.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAULT
    except OSError as error:
        return _say(program, describe_os_error(error), WRONG_INPUT)
    except MemoryError:
        return _say(program, "There is not enough memory; close other programs and try again.", FAULT)
    except Exception as error:
        if _is_out_of_device_memory(error):
            return _say(program, "The device has not enough memory; try --device cpu.", FAULT)
        return _report_fault(program, error)
    if status == STOPPED:
        return _say(program, "Stopped.", STOPPED)
    return int(status or DONE)


def _refuse_repeated(command: Any) -> None:
    """Let a command and its subcommands refuse an option that takes a list and is written twice.

    Of others the last counts, so that an alias's can be overridden.
    """
    for one in getattr(command, "commands", {}).values():
        _refuse_repeated(one)
    make_parser = command.make_parser

    def strict(ctx: Any) -> Any:
        parser = make_parser(ctx)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            found = parse(args)
            seen: list[Any] = []
            for parameter in found[2]:
                lists = parameter.param_type_name == "option" and "," in (parameter.metavar or "")
                if lists and not parameter.multiple and parameter in seen:
                    raise InputError(f"{max(parameter.opts, key=len)} is given twice; separate values by commas.")
                seen.append(parameter)
            return found

        parser.parse_args = parse_args
        return parser

    command.make_parser = strict


def warn(program: str, sentence: str) -> None:
    """Print a warning of ``program`` on stderr, in yellow on a terminal."""
    line = f"{program}: Warning: {printable(' '.join(sentence.split()))}"
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    print(typer.style(line, fg=typer.colors.YELLOW) if coloured else line, file=sys.stderr, flush=True)


def describe_os_error(error: OSError) -> str:
    """One sentence for an error of the operating system."""
    if error.errno in _DISK_FULL:
        return "The disk is full; free some space and try again."
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror or error}."


def is_disk_full(error: BaseException) -> bool:
    """Whether a full disk is an error's cause, directly or through ``__cause__``."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _DISK_FULL:
            return True
        cause = cause.__cause__
    return False


def choose_device(name: str | None) -> "torch.device":
    """The device of this name; without one, or for ``auto``, a CUDA device if there is one, else the CPU."""
    import torch

    if name is None or name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    # The exception depends on the device's backend and on how torch was built.
    except (RuntimeError, AssertionError, ImportError, NotImplementedError) as error:
        raise InputError(f"There is no device '{name}' on this machine; use --device cpu.") from error
    return device


def _say(program: str, sentence: str, status: int) -> int:
    print(f"{program}: {printable(' '.join(sentence.split()))}", file=sys.stderr)
    return status


def _usage_sentence(error: Exception) -> str:
    if possible := getattr(error, "possibilities", None):
        # Typer suggests whatever is remotely similar, in the order of the alphabet.
        message = str(error.message)  # type: ignore[attr-defined]
        nearest = difflib.get_close_matches(error.option_name, possible, n=1, cutoff=0.75)  # type: ignore[attr-defined]
        return f"{message}; did you mean {nearest[0]}?" if nearest else f"{message}."
    # Typer's own checks begin with "Value error".
    message = " ".join(str(error.format_message()).replace("Value error, ", "").split())  # type: ignore[attr-defined]
    for pattern, words in _PLAIN:
        message = re.sub(pattern, words, message)
    return message if message.endswith((".", "?", "!")) else f"{message}."


def _files_like_options(arguments: list[str]) -> list[str]:
    """Arguments that look like options but are files here."""
    return [word for word in arguments if word.startswith("-") and os.path.lexists(word)]


def _is_out_of_device_memory(error: Exception) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)


def _report_fault(program: str, error: Exception) -> int:
    frames = traceback.format_tb(error.__traceback__)[-_FRAMES_SHOWN:]
    print("".join(frames).rstrip(), file=sys.stderr)
    sentence = f"A fault of this program: {type(error).__name__}: {error} (please report the lines above)"
    return _say(program, sentence, FAULT)


def _never_fail_to_print() -> None:
    """Print an escape for characters that the terminal's encoding lacks, such as in a file's name."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
