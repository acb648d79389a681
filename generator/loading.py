"""From a model's name or a file to a :class:`Generator`."""

from difflib import get_close_matches
from pathlib import Path

from generator.errors import InputError
from generator.generator import Generator
from generator.zoo import DEFAULT_MODEL

__all__ = ["DEFAULT_MODEL", "load", "read_generator"]

_CONVERSION = 1  # part of the cached file's name: a change in how the model is converted makes it anew


def load(name_or_path: str | Path = DEFAULT_MODEL) -> Generator:
    """Load a generator on the CPU, in float32.

    Args:
        name_or_path: a name that ``edit models`` lists (fetched once, then kept in the cache folder), such as the
            default ``ffhq``; or the path of a file: written by
            :func:`generator.save`, a StyleGAN2 pickle of NVIDIA's PyTorch repositories, or a checkpoint of
            rosinality's StyleGAN2 or of an encoder (pSp, e4e) with its generator; what a file is, is read from
            its contents, not its name. Or a folder with MobileStyleGAN's OpenVINO files.

    Raises:
        InputError: there is no such model or file, it cannot be read, or it cannot be fetched.
    """
    from generator.formats.native import build_mobile
    from generator.formats.openvino_ir import read_mobile_stylegan
    from generator.zoo import fetch, models

    if str(name_or_path) == DEFAULT_MODEL:
        return _default_model()
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        config, tensors = read_mobile_stylegan(path)
        try:
            return build_mobile(config, tensors, name=path.name)
        except RuntimeError as error:
            raise InputError(f"{path} holds no MobileStyleGAN: its weights do not fit together.") from error
    if path.is_file():
        return read_generator(path)
    known = models()
    if str(name_or_path) in known:
        entry = known[str(name_or_path)]
        generator = read_generator(fetch(entry.name))
        generator.name, generator.latent_space = entry.name, entry.latent_space
        return generator
    near = get_close_matches(str(name_or_path), known, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "`edit models` lists the models that have names."
    raise InputError(f"There is no model or file '{name_or_path}'; {hint}")


def read_generator(path: Path) -> Generator:
    """A generator from a file; the reader is chosen by the file's first bytes.

    Raises:
        InputError: the file cannot be read or holds no generator; the message says what it seems to be.
    """
    from generator.download_url import what_is_it
    from generator.formats.native import build_stylegan2, read_native
    from generator.formats.nvidia_torch import read_nvidia_torch
    from generator.formats.rosinality import read_rosinality
    from generator.formats.torch_file import STREAM_MAGIC

    try:
        with path.open("rb") as file:
            head = file.read(512)
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.") from error
    # First, as the length of a header can begin with any two bytes, a pickle's or an archive's among them.
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < min(size, 1 << 28):
        return read_native(path)
    if head.startswith(b"PK") or head.startswith(STREAM_MAGIC):
        read = read_rosinality
    elif head.startswith(b"\x80"):
        read = read_nvidia_torch
    else:
        kind = what_is_it(head) or _other_kind(head, size)
        raise InputError(f"{path.name} is {kind}, not a generator's file; get the weights themselves.")
    config, tensors = read(path)
    try:
        return build_stylegan2(config, tensors, name=path.stem)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{path.name} is damaged: its tensors do not fit one another.") from error


def _other_kind(head: bytes, size: int) -> str:
    """What a file seems to be that is of no known format."""
    if not size:
        return "empty"
    for magic, kind in (
        (b"\x89HDF", "an HDF5 file (Keras keeps weights so)"),
        (b"GGUF", "a GGUF language model"),
        (b"\x1f\x8b", "a gzip archive (unpack it first)"),
        (b"<?xml", "an XML file (for OpenVINO files, give their folder)"),
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
    ):
        if head.startswith(magic):
            return kind
    return "of no format that is known here"


def _default_model() -> Generator:
    """Convert once, under the lock of its cache file; later loads read one safetensors file."""
    from filelock import FileLock

    from generator.fetch import cache_folder
    from generator.formats.native import build_mobile, read_native, save_native
    from generator.formats.openvino_ir import read_mobile_stylegan
    from generator.zoo import fetch

    path = cache_folder() / f"{DEFAULT_MODEL}-{_CONVERSION}.safetensors"
    if path.is_file():
        try:
            return read_native(path)
        except InputError:
            # A damaged cache is ours to mend, not the user's: convert again below.
            path.unlink(missing_ok=True)
    source = fetch("ffhq-openvino")
    with FileLock(path.with_suffix(".lock")):
        if not path.is_file():
            config, tensors = read_mobile_stylegan(source)
            made = build_mobile(config, tensors, name=DEFAULT_MODEL, latent_space="stylegan2-ffhq-w")
            save_native(made, path)
    return read_native(path)
