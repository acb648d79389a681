"""Fuzz readers of files, guided by what of their code each input reaches.

    pip install -e ".[fuzz]"
    python -m tests.benchmarks.fuzz generator --runs 100000
    python -m tests.benchmarks.fuzz all --runs 600000 --corpus /tmp/corpus

Whatever a reader raises beyond ``InputError`` ends the run, with the input in a file ``crash-...``; so does one
that takes 60 s or 3 GB. Inputs begin as the small honest files of ``tests.hostile.honest``. How many were tried,
and how many a second, goes to standard error at the end.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from stylegan_latents.generator.errors import InputError
from tests.hostile.honest import HONEST, OTHERS, honest_files
from tests.hostile.mutations import mutated
from tests.hostile.readers import FILE_NAMES, READERS, prepare

_LONGEST_INPUT = 400_000


def seeds(reader: str) -> list[bytes]:
    """The honest files of a reader; where all are long, their beginnings."""
    with tempfile.TemporaryDirectory() as folder:
        files = [path.read_bytes() for path in honest_files(reader, Path(folder))]
    return [file for file in files if len(file) < _LONGEST_INPUT] or [file[:_LONGEST_INPUT] for file in files]


def target(names: list[str], folder: Path) -> Callable[[bytes], None]:
    """What the fuzzer calls: of several readers, the first byte of an input chooses one.

    Args:
        names: of the readers.
        folder: of the files that inputs are written to.
    """

    def give(data: bytes) -> None:
        name = names[data[0] % len(names) if data else 0] if len(names) > 1 else names[0]
        path = folder / FILE_NAMES.get(name, "input")
        # Its own bytes are changed, not the file replaced: that is several times as fast.
        path.write_bytes(data[1:] if len(names) > 1 else data)
        try:
            READERS[name](path)
        except InputError:
            return

    return give


def run_without_guidance(reader: str, count: int, seed: int = 0) -> int:
    """Give ``count`` inputs, the same for the same seed, to a reader; how many of them it refused.

    Raises:
        Exception: whatever the reader raises beyond ``InputError``.
    """
    source, honest, refused = random.Random(seed), seeds(reader), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAMES.get(reader, "input")
        for _ in range(count):
            path.write_bytes(mutated(source.choice(honest), source))
            try:
                READERS[reader](path)
            except InputError:
                refused += 1
    return refused


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", nargs="+", choices=[*HONEST, *OTHERS, "all"])
    parser.add_argument("--runs", type=int, default=100_000, help="inputs to try")
    parser.add_argument("--corpus", type=Path, help="folder of inputs, kept between runs")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    import atheris

    names = [*HONEST, *OTHERS] if "all" in options.reader else options.reader
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:  # noqa: PTH112
        corpus = options.corpus or Path(folder) / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        inputs = Path(folder) / "inputs"
        inputs.mkdir()
        (inputs / "MappingNetwork.bin").write_bytes(bytes(64))
        for number, name in enumerate(names):
            for place, data in enumerate(seeds(name)):
                first = bytes([number]) if len(names) > 1 else b""
                (corpus / f"{name.replace(' ', '-')}-{place}").write_bytes(first + data)
        prepare(names)
        modules = [name for name in sys.modules if name.startswith(("stylegan_latents", "pickletools"))]
        for name in modules:
            _instrument(sys.modules[name], atheris.instrument_func)
        keep = 1 if len(names) > 1 else 0

        def mutate(data: bytes, most: int, seed: int) -> bytes:
            source = random.Random(seed)
            if source.random() < 0.5:
                return bytes(atheris.Mutate(data, most))
            return (data[:keep] + mutated(data[keep:], source))[:most]

        arguments = [
            sys.argv[0], str(corpus), f"-runs={options.runs}", f"-seed={options.seed}", "-print_final_stats=1",
            f"-max_len={_LONGEST_INPUT}", "-timeout=60", "-rss_limit_mb=3000", f"-artifact_prefix={corpus.parent}/",
        ]  # fmt: skip
        atheris.Setup(arguments, target(names, inputs), custom_mutator=mutate)
        print(f"{len(names)} readers, from {time.strftime('%H:%M:%S')}", file=sys.stderr)
        atheris.Fuzz()


def _instrument(module: object, instrument: Callable[..., object]) -> None:
    """Count what an imported module's functions and methods reach."""
    for value in list(vars(module).values()):
        members = vars(value).values() if isinstance(value, type) else [value]
        for function in members:
            if callable(function) and getattr(function, "__module__", "") == getattr(module, "__name__", None):
                inner = getattr(function, "__func__", function)
                if hasattr(inner, "__code__"):
                    instrument(inner)


if __name__ == "__main__":
    main()
