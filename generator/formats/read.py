"""Reads a generator from a file of any format that is known, by what the file holds."""

from pathlib import Path

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator


def read_generator(path: Path) -> Generator:
    """A generator from a file; the reader is chosen by the file's first bytes.

    Raises:
        InputError: the file cannot be read or holds no generator; the message says what it seems to be.
    """
    from stylegan_latents.generator.formats.file_head import FileHead
    from stylegan_latents.generator.formats.native import Config, build, read_native
    from stylegan_latents.generator.formats.nvidia.read import read_nvidia
    from stylegan_latents.generator.formats.rosinality import read_rosinality

    config: Config
    head = FileHead.of(path)
    if head.is_safetensors:
        return read_native(path)
    if head.is_torch:
        config, tensors = read_rosinality(path)
    elif head.is_pickle:
        config, tensors = read_nvidia(path)
    else:
        raise InputError(f"{path.name} is {head.kind}, not a generator's file; get the weights themselves.")
    try:
        return build(config, tensors, name=path.stem)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{path.name} is damaged: its tensors do not fit one another.") from error
