"""Load a ``Generator``, or the discriminator that it was trained against, by a model's name or from a file."""

import contextlib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from torch import Tensor, nn

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.checkpoint import read_discriminator
from stylegan_latents.generator.formats.file_head import FileHead
from stylegan_latents.generator.formats.native import read_native
from stylegan_latents.generator.formats.native import save_native as save
from stylegan_latents.generator.formats.read import read_generator
from stylegan_latents.generator.formats.text_codes import with_texts
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.stylegan2_discriminator import Discriminator
from stylegan_latents.generator.reading.budget import bounded_tensors
from stylegan_latents.generator.reading.files import UNFITTING, refusing_damage
from stylegan_latents.generator.reading.tensor_file import TensorFile
from stylegan_latents.generator.weights import zoo
from stylegan_latents.generator.weights.fetch import cache_folder, cached_size
from stylegan_latents.generator.weights.hub import HubFile, on_this_machine
from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

__all__ = [
    "DEFAULT_MODEL", "check_checkpoint", "filled", "is_cached", "latent_space_of", "load", "load_discriminator",
    "read_generator", "save",
]  # fmt: skip
_LATENT_SPACE = "stylegan2-ffhq-w"
_HEADER = "stylegan-latents"  # as stylegan_latents.generator.formats.native writes it
_CONVERSION = 1  # part of the cached file's name, raised when the conversion changes


_Network = TypeVar("_Network", bound=nn.Module)


def load(name_or_path: str | Path = DEFAULT_MODEL, *, texts: Tensor | None = None) -> Generator:
    """Load a generator on the CPU, in float32.

    Args:
        name_or_path: a name that ``edit models`` lists (fetched once, then cached), such as the default ``ffhq``;
            or a file, recognised by its contents: one written by ``save``; a checkpoint of NVIDIA's repositories
            (StyleGAN, StyleGAN2, StyleGAN2-ADA, StyleGAN3, StyleGAN-T, TensorFlow or PyTorch), of rosinality's
            StyleGAN2, or of an encoder (pSp, e4e, ReStyle) that includes its generator, as a pickle, by
            ``torch.save`` or as safetensors; or a folder with MobileStyleGAN's OpenVINO files; or a file of the
            Hugging Face hub, ``hf://owner/repository/file@revision``, whose address with its commit becomes the
            model's name.
        texts: CLIP's codes of what a StyleGAN-T draws, ``[texts, length]``, as ``read_text_codes`` gives them; with
            several, a label says which. None for those that ``save`` kept with it.

    Raises:
        InputError: there is no such model or file, it cannot be read, or it cannot be fetched; or it draws texts
            and has none, or draws none and is given some.
    """
    if str(name_or_path) == DEFAULT_MODEL:
        with_texts(None, {}, texts, DEFAULT_MODEL)
        return _default_model()
    path, address = on_this_machine(name_or_path)
    if path.is_file() or path.is_dir():
        generator = read_generator(path, texts)
        generator.name = address or generator.name
        return generator
    known = zoo.models()
    if str(name_or_path) in known:
        entry = known[str(name_or_path)]
        generator = read_generator(zoo.fetch(entry.name), texts)
        generator.name, generator.latent_space = entry.name, entry.latent_space
        return generator
    near = get_close_matches(str(name_or_path), known, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "`edit models` lists the models that have names."
    raise InputError(f"There is no model or file '{name_or_path}'; {hint}")


def load_discriminator(name_or_path: str | Path) -> Discriminator:
    """Load the discriminator that a StyleGAN, StyleGAN2 or StyleGAN3 was trained with, on the CPU, in float32.

    Args:
        name_or_path: a checkpoint of NVIDIA's PyTorch or TensorFlow repositories, also of the hub as for ``load``,
            or the name of such a model that ``edit models`` lists.

    Returns:
        A ``Discriminator``: images ``[N, image_channels, resolution, resolution]``, -1 black to 1 white, and labels
        ``[N, label_dim]`` where there are classes, to scores ``[N, 1]``, higher for images that look real.

    Raises:
        InputError: there is no such file, it cannot be read, or it has no such discriminator.
    """
    path, _ = on_this_machine(name_or_path)
    if not path.exists() and str(name_or_path) == DEFAULT_MODEL:
        raise InputError(f"The model {DEFAULT_MODEL} comes without its discriminator; give a file with one.")
    if not path.exists() and str(name_or_path) in zoo.models():
        path = zoo.fetch(zoo.models()[str(name_or_path)].name)
    check_checkpoint(path, "a discriminator's file; get the weights themselves")
    config, tensors = read_discriminator(path)
    return filled(path, tensors, lambda: Discriminator(config, path.stem))


def check_checkpoint(path: Path, wanted: str) -> None:
    """Raise InputError for a file that is by its first bytes no checkpoint, which is "not" ``wanted``."""
    head = FileHead.of(path)
    if not (head.is_torch or head.is_pickle or head.is_safetensors):
        raise InputError(f"{path.name} is {head.kind}, not {wanted}.")


def filled(path: Path, tensors: Mapping[str, Tensor], make: Callable[[], _Network]) -> _Network:
    """A network with the tensors of a file, frozen and in evaluation mode.

    Args:
        path: of the file, for messages.
        tensors: every one of the network's, by name, float32.
        make: the network of the sizes that the file declares; it may allocate what the tensors hold.

    Raises:
        InputError: names or shapes do not agree, or the sizes need more memory than the tensors.
    """
    with refusing_damage(path, UNFITTING):
        with bounded_tensors(path.name, sum(4 * tensor.numel() for tensor in tensors.values())):
            network = make()
        network.load_state_dict(tensors, assign=True)
    return network.eval().requires_grad_(False)


def is_cached(name_or_path: str | Path) -> bool:
    """Whether ``load`` surely needs no download."""
    if str(name_or_path) == DEFAULT_MODEL:
        return _converted().is_file()
    if HubFile.parse(name_or_path) is not None:
        return False
    if Path(name_or_path).expanduser().exists() or str(name_or_path) not in zoo.models():
        return True
    return cached_size(zoo.models()[str(name_or_path)]) > 0


def latent_space_of(name_or_path: str | Path) -> str | None:
    """The latent space of a model that ``load`` takes; None if it is known only after loading."""
    if str(name_or_path) == DEFAULT_MODEL:
        return _LATENT_SPACE
    if not Path(name_or_path).expanduser().exists() and str(name_or_path) in zoo.models():
        return zoo.models()[str(name_or_path)].latent_space
    try:
        with TensorFile.open(Path(name_or_path).expanduser()) as file:
            header = file.json_header(_HEADER)
    except InputError:  # another format, or a file that load() will refuse
        return None
    space = header.get("latent_space") if isinstance(header, dict) else None
    return space if isinstance(space, str) else None


def _default_model() -> Generator:
    """The converted default model; the first call converts it, under a lock."""
    from filelock import FileLock

    path = _converted()
    if path.is_file():
        # A damaged file of the cache is not the user's fault: it is converted again below.
        with contextlib.suppress(InputError):
            return read_native(path)
    source = zoo.fetch("ffhq-openvino")
    with FileLock(path.with_suffix(".lock")):
        # Another process may have converted it while this one waited.
        if path.is_file():
            with contextlib.suppress(InputError):
                return read_native(path)
        made = read_generator(source)
        made.name, made.latent_space = DEFAULT_MODEL, _LATENT_SPACE
        save(made, path, overwrite=True)
    return read_native(path)


def _converted() -> Path:
    return cache_folder() / f"{DEFAULT_MODEL}-{_CONVERSION}.safetensors"
