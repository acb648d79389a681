"""Files with a few bytes changed, which may do no more than fail."""

from pathlib import Path

import torch

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError


def check_mutated_files(whole: bytes, path: Path, count: int = 60) -> None:
    """Load a generator's file as often with three other bytes: it is read, or refused by its name."""
    source = torch.Generator().manual_seed(0)
    for _ in range(count):
        data = bytearray(whole)
        for _ in range(3):
            place, value = torch.randint(1 << 30, (2,), generator=source).tolist()
            data[1 + place % (len(data) - 1)] = value % 256
        path.write_bytes(data)
        try:
            generator.load(path)
        except InputError as error:
            assert path.name in str(error)  # noqa: PT017  # a changed weight is no error
