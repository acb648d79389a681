"""From a model's name or a file to a ``Generator``."""

import contextlib
import json
from difflib import get_close_matches
from pathlib import Path

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import utf8_path
from stylegan_latents.generator.formats.read import read_generator
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

__all__ = ["DEFAULT_MODEL", "load", "read_generator"]
_LATENT_SPACE = "stylegan2-ffhq-w"
_HEADER = "stylegan-latents"  # as stylegan_latents.generator.formats.native writes it
_CONVERSION = 1  # part of the cached file's name: a change in how the model is converted makes it anew


def load(name_or_path: str | Path = DEFAULT_MODEL) -> Generator:
    """Load a generator on the CPU, in float32.

    Args:
        name_or_path: a name that ``edit models`` lists (fetched once, then kept in the cache folder), such as the
            default ``ffhq``; or the path of a file: written by ``save``, a pickle of NVIDIA's
            repositories (StyleGAN and StyleGAN2 of TensorFlow, StyleGAN2-ADA of TensorFlow or PyTorch, StyleGAN3),
            or a file of rosinality's StyleGAN2 or of an encoder (pSp, e4e) with its generator; what a file is, is
            read from its contents, not its name. Or a folder with MobileStyleGAN's OpenVINO files.

    Raises:
        InputError: there is no such model or file, it cannot be read, or it cannot be fetched.
    """
    from stylegan_latents.generator.formats.native import build_mobile
    from stylegan_latents.generator.formats.openvino_ir import read_mobile_stylegan
    from stylegan_latents.generator.weights.zoo import fetch, models

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


def is_at_hand(name_or_path: str | Path) -> bool:
    """Whether ``load`` has to fetch nothing."""
    from stylegan_latents.generator.weights.fetch import cached_size
    from stylegan_latents.generator.weights.zoo import models

    if str(name_or_path) == DEFAULT_MODEL:
        return _converted().is_file()
    if Path(name_or_path).expanduser().exists() or str(name_or_path) not in models():
        return True
    return cached_size(models()[str(name_or_path)]) > 0


def latent_space_of(name_or_path: str | Path) -> str | None:
    """The latent space of a model that ``load`` takes; None where it is known only after loading."""
    from safetensors import SafetensorError, safe_open

    from stylegan_latents.generator.weights.zoo import models

    if str(name_or_path) == DEFAULT_MODEL:
        return _LATENT_SPACE
    if not Path(name_or_path).expanduser().exists() and str(name_or_path) in models():
        return models()[str(name_or_path)].latent_space
    try:
        with utf8_path(Path(name_or_path).expanduser()) as name, safe_open(name, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_HEADER, "null"))
    except (SafetensorError, OSError, ValueError):  # another format, or what load() will refuse
        return None
    space = header.get("latent_space") if isinstance(header, dict) else None
    return space if isinstance(space, str) else None


def _default_model() -> Generator:
    """Convert once, under the lock of its cache file; later loads read one safetensors file."""
    from filelock import FileLock

    from stylegan_latents.generator.formats.native import build_mobile, read_native, save_native
    from stylegan_latents.generator.formats.openvino_ir import read_mobile_stylegan
    from stylegan_latents.generator.weights.zoo import fetch

    path = _converted()
    if path.is_file():
        # Damaged, it is ours to mend, not the user's: it is converted again below.
        with contextlib.suppress(InputError):
            return read_native(path)
    source = fetch("ffhq-openvino")
    with FileLock(path.with_suffix(".lock")):
        # Another process may have made or mended it while this one waited.
        if path.is_file():
            with contextlib.suppress(InputError):
                return read_native(path)
        config, tensors = read_mobile_stylegan(source)
        made = build_mobile(config, tensors, name=DEFAULT_MODEL, latent_space=_LATENT_SPACE)
        save_native(made, path, overwrite=True)
    return read_native(path)


def _converted() -> Path:
    """Where the default model is kept, ready to read."""
    from stylegan_latents.generator.weights.fetch import cache_folder

    return cache_folder() / f"{DEFAULT_MODEL}-{_CONVERSION}.safetensors"
