"""Style pictures: reading, aligning, and the realistic codes of their faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from stylegan_latents.encoders.loading import shipped_encoder
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.faces.find import DLIB, require_faces
from stylegan_latents.invert.faces.landmarks_file import landmarks_of_photos
from stylegan_latents.invert.invert_face import cut_out
from stylegan_latents.invert.inverters.base import Inverter, SearchSettings
from stylegan_latents.invert.inverters.encode import EncoderInverter
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.photos.files import list_photos, read_photo, to_tensor
from stylegan_latents.invert.record.source import Source

_STEPS = 70


@dataclass(frozen=True, eq=False)
class StylePictures:
    """Aligned style pictures.

    Attributes:
        images: ``[N, 3, H, H]`` in [-1, 1].
        crops: the same as pictures.
        sources: name and sha256 of each file.
    """

    images: Tensor
    crops: list[Image.Image]
    sources: list[JSON]


def picture_files(named: Sequence[Path]) -> list[Path]:
    """The pictures of files and folders, each once.

    Raises:
        InputError: there is no such file, or a folder without pictures.
    """
    files: list[Path] = []
    for path in named:
        if path.is_dir():
            files += list_photos(path)
        elif path.is_file():
            files.append(path)
        else:
            raise InputError(f"There is no style picture {path}.")
    return list(dict.fromkeys(files))


def read_pictures(
    files: Sequence[Path], resolution: int, *, align: bool = True, landmarks: Path | None = None
) -> StylePictures:
    """Read and align style pictures; of several faces the largest is taken.

    Args:
        files: the pictures.
        resolution: of the crops.
        align: look for the face; else the central square is taken.
        landmarks: placed by hand, see ``landmarks_of_photos``; the other pictures' faces are detected.

    Raises:
        InputError: a picture cannot be read, or shows no face that is found.
    """
    placed = {} if landmarks is None else landmarks_of_photos(landmarks, files)
    crops = []
    for file in files:
        photo = read_photo(file)
        face = None
        if align:
            face = require_faces(photo, name=f"the style picture {file}", detector=placed.get(file, DLIB))[0]
        crops.append(cut_out(photo, face, resolution).picture)
    sources: list[JSON] = [{"name": file.name, "sha256": Source.of(file).sha256} for file in files]
    return StylePictures(torch.cat([to_tensor(crop) for crop in crops]), crops, sources)


def realistic_codes(G: Generator, images: Tensor, encoder: Path | None = None) -> Tensor:
    """The codes ``[N, num_ws, w_dim]`` of realistic faces like those of style pictures.

    They are an encoder's; without one for the generator, a short search in W finds them.

    Args:
        G: the generator.
        images: ``[N, 3, H, W]`` in [-1, 1].
        encoder: its file; None for the one that comes with the package.

    Raises:
        InputError: the encoder does not fit the generator.
    """
    inverter: Inverter
    if encoder is not None or shipped_encoder(G) is not None:
        inverter = EncoderInverter(G, encoder)
    else:
        inverter = OptimizationInverter(G, SearchSettings(steps=_STEPS, space="w"))
    found = [inverter.invert(image[None].to(G.device)).ws for image in images]
    return torch.cat(found).to(G.device)
