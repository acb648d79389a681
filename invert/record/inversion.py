"""The record of an inversion: codes, settings, metrics and sources."""

import dataclasses
import importlib.metadata
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.generator import Generator, check_same_space
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.reading.files import DamagedFileError, refusing_damage
from stylegan_latents.generator.reading.headers import validated_value
from stylegan_latents.generator.reading.tensor_file import TensorFile
from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.record.files import FOOTAGE, HEADER, RECORD_SUFFIX, canonical, digest
from stylegan_latents.invert.record.footage import Footage
from stylegan_latents.invert.record.header import RecordHeader
from stylegan_latents.invert.record.run_settings import diverged_images, settings_of_image
from stylegan_latents.invert.record.source import Source, relative_path

__all__ = ["JSON", "Inversion", "Source", "library_version"]
_FORMAT = 1
_PLAIN = ("model", "fingerprint", "latent_space", "method", "settings", "version")
_DIGEST = "sha256"
_MODEL_FILE = "model_file"
_WEIGHTS = "weights."


@dataclass(frozen=True, eq=False)
class Inversion:
    """N images in the latent space of one generator.

    Attributes:
        ws: float32 ``[N, num_ws, w_dim]``, on the CPU.
        model, fingerprint, latent_space: of the generator.
        method: the inverter, such as ``optimize``.
        settings: of the inverter and the run.
        metrics: by name, one float32 value per image, NaN where it has none.
        noise: optimised noise maps, ``[1 or N, 1, H, W]`` each; None for the model's own.
        weights: tuned weights as differences (see ``invert.record.tuned_weights``), float16 or float32, with a
            leading axis of length 1 (shared by all images) or N; None for none.
        sources: the photo of each image; empty for images from memory.
        alignments: of each image's crop, None for a whole image; may be empty.
        version: of this library, when the record was made.
        footage: the film that the images are frames of, in place of ``sources``; None for photos.
        model_file: the generator's file, for one without a name; stored relative to the record's folder.

    Raises:
        InputError: a shape does not fit, or a value is not finite.
    """

    ws: Tensor
    model: str
    fingerprint: str
    latent_space: str
    method: str
    settings: dict[str, JSON] = field(default_factory=dict)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    noise: list[Tensor] | None = None
    weights: dict[str, Tensor] | None = None
    sources: list[Source] = field(default_factory=list)
    alignments: list[Alignment | None] = field(default_factory=list)
    version: str = field(default_factory=lambda: library_version())
    footage: Footage | None = None
    model_file: Path | None = None

    def __post_init__(self) -> None:
        def plain(tensor: Tensor) -> Tensor:
            return tensor.detach().to("cpu", torch.float32).contiguous()

        object.__setattr__(self, "ws", plain(self.ws))
        if self.noise is not None:
            object.__setattr__(self, "noise", [plain(map) for map in self.noise])
        if self.weights is not None:
            # Differences are small beside the weights, so that half precision is enough.
            half = torch.float16
            kept = {
                name: part.detach().cpu().contiguous() if part.dtype == half else plain(part)
                for name, part in self.weights.items()
            }
            object.__setattr__(self, "weights", kept)
        if self.ws.ndim != 3 or 0 in self.ws.shape:
            raise InputError(f"A code needs the shape [N, num_ws, w_dim], got {list(self.ws.shape)}.")
        if not all(bool(torch.isfinite(tensor).all()) for tensor in self.tensors().values()):
            raise InputError("The code holds values that are not finite; invert the photo again.")
        for map in self.noise or []:
            if map.ndim != 4 or map.shape[0] not in (1, len(self)) or map.shape[1] != 1:
                raise InputError(f"A noise map needs the shape [1 or N, 1, H, W], got {list(map.shape)}.")
        for name, weight in (self.weights or {}).items():
            if weight.ndim < 1 or len(weight) not in (1, len(self)):
                raise InputError(f"Tuned weights need 1 or N entries in front, {name} has {list(weight.shape)}.")
        counts = {name: len(values) for name, values in self.metrics.items()}
        counts |= {"sources": len(self.sources) or len(self), "alignments": len(self.alignments) or len(self)}
        counts |= {} if self.footage is None else {"frames": len(self.footage.frames)}
        for name, count in counts.items():
            if count != len(self):
                raise InputError(f"The record holds {len(self)} codes, but {count} of {name}.")

    def __len__(self) -> int:
        return self.ws.shape[0]

    @property
    def diverged(self) -> dict[int, int]:
        """The images whose search diverged, each with the step; their codes are the best before it."""
        return diverged_images(self.settings, len(self))

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by their names in the file."""
        noise = {f"noise.{i:03d}": map for i, map in enumerate(self.noise or [])}
        weights = {_WEIGHTS + name: value for name, value in (self.weights or {}).items()}
        return {"ws": self.ws, **noise, **weights}

    def split(self) -> "list[Inversion]":
        """N records of one image each, in order."""
        return [
            dataclasses.replace(
                self,
                ws=self.ws[i : i + 1],
                settings=settings_of_image(self.settings, i, len(self)),
                metrics={name: values[i : i + 1] for name, values in self.metrics.items()},
                noise=self.noise and [map if len(map) == 1 else map[i : i + 1] for map in self.noise],
                weights=self.weights
                and {name: part if len(part) == 1 else part[i : i + 1] for name, part in self.weights.items()},
                sources=self.sources[i : i + 1],
                alignments=self.alignments[i : i + 1],
                footage=None,
            )
            for i in range(len(self))
        ]

    def for_generator(self, G: Generator) -> Tensor:
        """The codes on the generator's device, ``[N, num_ws, w_dim]``.

        A code of W (equal rows) also fits a generator of the same latent space with another number of rows.

        Raises:
            InputError: the record was made with another model, its W+ has another number of rows, or its noise maps
                do not fit.
        """
        check_same_space(G, self.model, self.latent_space, self.fingerprint, "This record")
        if self.ws.shape[2] != G.w_dim:
            raise InputError(f"This record's codes have {self.ws.shape[2]} values a row, '{G.name}' has {G.w_dim}.")
        ws = self.ws
        if ws.shape[1] != G.num_ws:
            if not torch.equal(ws, ws[:, :1].expand_as(ws)):
                raise InputError(
                    f"This record holds a W+ code of {ws.shape[1]} rows from the model '{self.model}', and "
                    f"'{G.name}' takes {G.num_ws}; invert the photo again with --space w or with this model."
                )
            ws = ws[:, :1].repeat(1, G.num_ws, 1)
        shapes = [tuple(map.shape[1:]) for map in self.noise or []]
        if shapes and shapes != [tuple(map.shape[1:]) for map in G.noise_constants()]:
            raise InputError(f"This record's noise maps do not fit '{G.name}'; invert the photo again.")
        return ws.to(G.device)

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Write the record as one safetensors file, atomically.

        Raises:
            InputError: the file exists and ``overwrite`` is False, or it cannot be written.
        """
        from safetensors.torch import save

        path = Path(path)
        if path.suffix != ".safetensors":
            raise InputError(f"Cannot write {path}: a record's name ends with {RECORD_SUFFIX}.")
        header = self._header(path.absolute().parent)
        tensors = self.tensors()
        # One entry, as safetensors writes several in any order, and equal records should be equal files.
        header[_DIGEST] = digest(header, tensors)
        content = save(tensors, metadata={HEADER: canonical(header)})
        with atomic_path(path, overwrite=overwrite) as temporary:
            temporary.write_bytes(content)

    def save_npz(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Write the code as NVIDIA's projector does: ``.npz`` with ``w``, float32 ``[1, num_ws, w_dim]``.

        Raises:
            InputError: the record holds several codes, the name does not end with .npz, the file exists and
                ``overwrite`` is False, or it cannot be written.
        """
        import numpy as np

        path = Path(path)
        if len(self) != 1:
            raise InputError(f"An .npz holds one code and this record holds {len(self)}; split it first.")
        if path.suffix != ".npz":
            raise InputError(f"Cannot write {path}: give a name that ends with .npz.")
        with atomic_path(path, overwrite=overwrite) as temporary:
            np.savez(temporary, w=self.ws.numpy())

    def _header(self, folder: Path) -> dict[str, JSON]:
        return {
            "kind": "inversion",
            "format": _FORMAT,
            **{name: getattr(self, name) for name in _PLAIN},
            "metrics": {
                # JSON has no NaN and no infinity.
                name: [value if math.isfinite(value) else None for value in map(float, values)]
                for name, values in self.metrics.items()
            },
            "sources": [source.to_dict(folder) for source in self.sources],
            "alignments": [None if item is None else item.to_dict() for item in self.alignments],
            # Absent where not used, as in records of earlier versions.
            **({} if self.footage is None else {FOOTAGE: self.footage.to_dict(folder)}),
            **({} if self.model_file is None else {_MODEL_FILE: relative_path(self.model_file, folder)}),
        }

    @staticmethod
    def load(path: str | os.PathLike[str]) -> "Inversion":
        """Read a record.

        Raises:
            InputError: there is no such file, it is no record, it was changed since it was written, or a later
                version wrote it.
        """
        path = Path(path)
        if path.is_dir() or not path.exists():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise InputError(f"The record {path} {what}; give a file that ends with {RECORD_SUFFIX}.")
        with refusing_damage(path, "invert the photo again"):
            return _read(path)


def _read(path: Path) -> Inversion:
    """See ``Inversion.load``; any exception stands for a damaged file."""
    try:
        with TensorFile.open(path) as file:
            for name in file.shapes:
                half = name.startswith(_WEIGHTS) and file.dtype(name) == torch.float16
                if not half and file.dtype(name) != torch.float32:
                    raise DamagedFileError(f"its tensor '{name}' has {file.dtype(name)}")
            header, tensors = file.json_header(HEADER), file.tensors()
    except DamagedFileError as error:
        raise InputError(f"{path} is no record, or is cut off; invert the photo again with --overwrite.") from error
    if not isinstance(header, dict) or header.get("kind") != "inversion":
        raise InputError(f"{path} is no record of an inversion; give a file that `invert` wrote.")
    if header.get("format") != _FORMAT:
        raise InputError(f"{path} was written by a later version of stylegan-latents; update this one.")
    if header.pop(_DIGEST, None) != digest(header, tensors):
        raise InputError(f"{path} was changed or damaged since it was written; invert the photo again.")
    try:
        validated_value(RecordHeader, header, path.name)
        return _from_header(header, tensors, path.absolute().parent)
    except (KeyError, ValueError, DamagedFileError) as error:
        raise InputError(f"{path} cannot be used: its header does not fit its tensors.") from error


def library_version() -> str:
    """The installed version of stylegan-latents; ``unknown`` if it is not installed."""
    try:
        return importlib.metadata.version("stylegan-latents")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _from_header(header: dict[str, Any], tensors: dict[str, Tensor], folder: Path) -> Inversion:
    noise = [tensors[name] for name in sorted(tensors) if name.startswith("noise.")]
    weights = {name.removeprefix(_WEIGHTS): value for name, value in tensors.items() if name.startswith(_WEIGHTS)}
    model_file = header.get(_MODEL_FILE)
    return Inversion(
        ws=tensors["ws"],
        **{name: header[name] for name in _PLAIN},
        metrics={
            name: [math.nan if value is None else float(value) for value in values]
            for name, values in header["metrics"].items()
        },
        noise=noise or None,
        weights=weights or None,
        sources=[Source.from_dict(item, folder) for item in header["sources"]],
        alignments=[None if item is None else Alignment.from_dict(item) for item in header["alignments"]],
        footage=None if header.get(FOOTAGE) is None else Footage.from_dict(header[FOOTAGE], folder),
        model_file=None if model_file is None else Path(os.path.normpath(folder / model_file)),
    )
