"""From a model's name or a file to a :class:`Generator`."""

from difflib import get_close_matches
from pathlib import Path

from generator.errors import InputError
from generator.generator import Generator

DEFAULT_MODEL = "ffhq"

_CONVERSION = 1  # part of the cached file's name: a change in how the model is converted makes it anew


def load(name_or_path: str | Path = DEFAULT_MODEL) -> Generator:
    """Load a generator on the CPU, in float32.

    Args:
        name_or_path: ``ffhq`` (fetched once, then kept in the cache folder), a file written by
            :func:`generator.save`, or a folder with MobileStyleGAN's OpenVINO files.

    Raises:
        InputError: there is no such model or file, it cannot be read, or it cannot be fetched.
    """
    from generator.formats.native import build_mobile, read_native
    from generator.formats.openvino_ir import read_mobile_stylegan

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
        return read_native(path)
    near = get_close_matches(str(name_or_path), [DEFAULT_MODEL], cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"the model known by name is {DEFAULT_MODEL}."
    raise InputError(f"There is no model or file '{name_or_path}'; {hint}")


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
