"""Reads directions from the files of other projects.

InterFaceGAN's boundaries (``.npy``), tensors for W or W+ (``.pt``), GANSpace's components (``.npz``, and e4e's
``ffhq_pca.pt``) and SeFa's factors. Such files hold no calibrated strength and mostly no model: the strength is
calibrated here, and traces of their model (length of w, mean of W, the authors' file name) are checked.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.directions.calibration import calibrated, w_statistics
from stylegan_latents.editing.directions.direction import JSON, Direction
from stylegan_latents.editing.directions.row_mapping import map_rows, map_vectors
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.arrays import is_array_file, read_arrays, split_name

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.statistics import WStatistics


E4E_FFHQ: dict[str, tuple[int, int, int, int]] = {
    "eye_openness": (54, 7, 7, 1),
    "trimmed_beard": (58, 7, 8, 1),
    "lipstick": (34, 10, 10, 1),
    "face_roundness": (37, 0, 4, 1),
    "nose_length": (51, 4, 4, -1),
    "eyebrow_thickness": (37, 8, 8, 1),
    "head_angle_up": (11, 1, 3, -1),
    "displeased": (36, 4, 6, 1),
    "smile": (46, 4, 4, -1),
}
"""e4e's names for axes of ``ffhq_pca.pt``: component, first and last of 18 rows, sign."""

_E4E_FILE, _E4E_ROWS = "ffhq_pca", 18

# In standard deviations of W. From the default model's mean e4e's is 0.015 away, that of Z 0.4, another model's 2.
_FAR_MEAN = 0.15

# W's deviation along another model's boundary is 0.8 to 1.2 times the average, as along a random vector.
_CHANCE_SPREAD = 1.25
_MOST_ROWS = 20
_TABLE_CHANNELS = 1000

# genforce's names: stylegan_ffhq_age_w_boundary.npy, and in later files stylegan2_ffhq_z/boundary_Smiling.npy.
_BOUNDARY = re.compile(r"(?P<family>pggan|stylegan[23]?)_(?P<domain>[a-z]+)_(?P<rest>.*boundary.*)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class _Stack:
    """The directions in one file, ``[count, rows, w_dim]``, and the mean of W, ``[w_dim]``, where it is stored.

    ``is_named``: the direction is one of several in the file, chosen by its name.
    """

    vectors: "Tensor"
    finder: str
    mean: "Tensor | None" = None
    is_named: bool = False


@dataclass(frozen=True)
class PublishedDirection:
    """A direction in a file of another project, which ``bind`` reads; see ``read`` for the attributes."""

    path: Path
    component: str | None = None

    def __post_init__(self) -> None:
        if not self.path.is_file():
            raise InputError(f"There is no file {self.path}.")

    @staticmethod
    def is_one(text: str) -> bool:
        """Whether a text names such a file, with or without one of its directions."""
        return is_array_file(split_name(text)[0])

    @property
    def name(self) -> str:
        """What ``bind`` calls the direction."""
        if self.component is None:
            return self.path.stem
        label = f"{int(self.component):02d}" if self.component.isdecimal() else self.component
        return f"{self.path.stem}-{label}"

    def bind(self, G: "Generator") -> Direction:
        """The direction, calibrated and bound to ``G``; see ``read``."""
        return read(self.path, G, self.component)


def read(path: Path, G: "Generator", component: str | None = None) -> Direction:
    """One published direction, calibrated and bound to ``G``.

    Args:
        path: a file of one of the kinds above.
        G: the generator.
        component: the index or the name of the direction in the file, or for e4e's ``ffhq_pca.pt`` a name from
            ``E4E_FFHQ``; None for a file with one direction.

    Returns:
        The direction; ``provenance["note"]`` holds warnings for the user, if any.

    Raises:
        InputError: the file cannot be read, belongs to another latent space, or the component is missing.
    """
    _check_name(path, G)
    stack = _stack(path, G, component)
    width = stack.vectors.shape[2]
    if width != G.w_dim:
        raise InputError(
            f"{path.name} belongs to another latent space: its vectors have {width} values, and w of the model "
            f"'{G.name}' has {G.w_dim}."
        )
    statistics = w_statistics(G)
    if stack.mean is not None:
        if len(stack.mean) != width:
            raise InputError(f"{path.name} is damaged: its mean has {len(stack.mean)} values, its vectors {width}.")
        _check_mean(stack.mean, statistics, path, G)
    index, layers, sign, label = _component(path, stack, component, G)
    vector = sign * stack.vectors[index]
    notes = []
    rows = len(vector)
    if rows not in (1, G.num_ws):
        try:
            vector = map_vectors(vector, G)
        except InputError as error:
            raise InputError(f"{path.name} does not fit the model '{G.name}': {error}.") from error
        notes.append(f"its {rows} rows were mapped by resolution to the {G.num_ws} of the model '{G.name}'")
    elif component in E4E_FFHQ and layers != _span(*E4E_FFHQ[component][1:3]):
        notes.append(f"its layers were mapped by resolution to {layers} of the model '{G.name}'")
    provenance: dict[str, JSON] = {"finder": stack.finder, "file": path.name, "component": component, "rows": rows}
    if attribute := _attribute(path, component):
        provenance["positive"] = f"more {attribute}, by its authors' name for it"
    try:
        direction = Direction(label, G.latent_space, vector.contiguous(), 1.0, layers, provenance).bind(G)
    except ValueError as error:
        raise InputError(f"{path.name} holds no direction: {error}.") from error
    direction = calibrated(direction, G, statistics)
    if stack.mean is None and _is_like_chance(direction, statistics):
        notes.append(
            "W spreads along it no more than along a random vector, so that it may belong to another model"
        )
    if notes:
        direction = replace(direction, provenance={**provenance, "note": "; ".join(notes)})
    return direction


def _stack(path: Path, G: "Generator", wanted: str | None) -> _Stack:
    arrays = read_arrays(path)
    for components in ("lat_comp", "X_comp", "comp"):
        if components in arrays:
            vectors, kind = arrays[components], components.removesuffix("comp")
            mean = next((arrays[name] for name in (f"{kind}mean", f"{kind}global_mean") if name in arrays), None)
            if vectors.ndim < 2 or mean is None:
                raise InputError(f"{path.name} is damaged: GANSpace's components come with their mean.")
            return _Stack(vectors.reshape(len(vectors), 1, -1), "GANSpace", mean.reshape(-1))
    if "eigvec" in arrays:
        factors = arrays["eigvec"]
        if factors.ndim != 2:
            raise InputError(f"{path.name} is damaged: SeFa's factors are a matrix.")
        return _Stack(factors.T[:, None], "SeFa")  # one a column
    if wanted is not None and wanted in arrays:
        return _Stack(_directions(arrays[wanted], path, G), "unknown", is_named=True)
    if len(arrays) > 1:
        names = sorted(arrays)
        listed = ", ".join(names[:5]) + ", ..." * (len(names) > 5)
        raise InputError(f"{path.name} holds {listed}; choose one, as {path.name}:{names[0]}.")
    (array,) = arrays.values()
    if array.ndim == 2 and len(array) > _TABLE_CHANNELS:
        raise InputError(
            f"{path.name} is StyleCLIP's table of {len(array)} style channels, which becomes a direction only "
            f"with a text: `edit discover --method text --table {path.name} --text ... --neutral ...`."
        )
    return _Stack(_directions(array, path, G), "unknown")


def _directions(array: "Tensor", path: Path, G: "Generator") -> "Tensor":
    """An array without a name as ``[count, rows, w_dim]``, judged by its shape."""
    shape = tuple(array.shape)
    rows = shape[-1] // G.w_dim if shape else 0
    if array.ndim in (1, 2) and rows > 1 and shape[-1] == rows * G.w_dim and _is_code(rows, G) and array.numel():
        return array.reshape(-1, rows, G.w_dim)  # boundaries in W+, flattened
    if array.ndim == 1:
        return array[None, None]
    if array.ndim == 2:
        return array[None] if len(array) == 1 or _is_code(len(array), G) else array[:, None]
    if array.ndim == 3 and array.numel():
        return array
    raise InputError(f"{path.name} holds an array of shape {list(shape)}, which is no direction.")


def _is_code(rows: int, G: "Generator") -> bool:
    """Whether so many rows of ``w_dim`` values are one code of W+, of this model or another StyleGAN2."""
    return rows == G.num_ws or (rows <= _MOST_ROWS and rows % 2 == 0)


def _component(path: Path, stack: _Stack, wanted: str | None, G: "Generator") -> tuple[int, str, int, str]:
    """Index, default layers, sign and name of the wanted direction."""
    count = len(stack.vectors)
    names = E4E_FFHQ if path.stem == _E4E_FILE and stack.mean is not None else {}
    if wanted in names:
        index, first, last, sign = names[wanted]
        if index < count:
            rows = map_rows(range(first, last + 1), _E4E_ROWS, G)
            if not rows:
                raise InputError(
                    f"'{wanted}' of {path.name} moves layers {_span(first, last)} of {_E4E_ROWS}, and the model "
                    f"'{G.name}' has none of their resolution."
                )
            return index, _span(rows[0], rows[-1]), sign, f"{path.stem}-{wanted}"
    if wanted is None and count == 1:
        return 0, "all", 1, path.stem
    if stack.is_named and count == 1:
        return 0, "all", 1, f"{path.stem}-{wanted}"
    if wanted is not None and wanted.isdecimal() and int(wanted) < count:
        return int(wanted), "all", 1, f"{path.stem}-{int(wanted):02d}"
    named = f", or {', '.join(names)}" if names else ""
    what = "one direction" if count == 1 else f"{count} directions"
    raise InputError(f"{path.name} holds {what}; choose with {path.name}:0 up to {path.name}:{count - 1}{named}.")


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _attribute(path: Path, component: str | None) -> str:
    """The authors' name of a direction: ``smile`` of e4e's axes, ``age`` of stylegan_ffhq_age_w_boundary.npy."""
    if component in E4E_FFHQ:
        return component.replace("_", " ")
    match = _BOUNDARY.match(path.stem)
    words = match["rest"].lower().split("_") if match is not None and component is None else []
    return " ".join(word for word in words if word not in ("w", "z", "boundary", "c", "unconditioned"))


def _check_name(path: Path, G: "Generator") -> None:
    """Raise InputError for a boundary whose published file name belongs to another space."""
    match = _BOUNDARY.match(path.stem) or _BOUNDARY.match(f"{path.absolute().parent.name}_{path.stem}")
    if match is None:
        return
    family, domain, rest = match["family"].lower(), match["domain"].lower(), match["rest"].lower().split("_")
    if family == "pggan" or "w" not in rest:
        raise InputError(
            f"{path.name} belongs to another latent space: by its name it is a boundary in Z of {family} "
            f"{domain}, and directions here are in W."
        )
    theirs, ours = f"{family}-{domain}-w", G.latent_space
    if re.match(r"stylegan[123]?-", ours) and ours.replace("stylegan1-", "stylegan-") != theirs:
        raise InputError(
            f"{path.name} belongs to another latent space: by its name to {theirs}, and the model '{G.name}' has "
            f"{ours}."
        )


def _check_mean(mean: "Tensor", statistics: "WStatistics", path: Path, G: "Generator") -> None:
    away = float(statistics.distance(mean.to(statistics.mean.device)[None, None]))
    if not away < _FAR_MEAN:
        raise InputError(
            f"{path.name} belongs to another latent space: the mean of its W is {away:.1f} standard deviations "
            f"from that of the model '{G.name}'."
        )


def _is_like_chance(direction: Direction, statistics: "WStatistics") -> bool:
    """Whether W's deviation along the direction is about the average over all axes."""
    rows = direction.vector[direction.vector.abs().sum(dim=1) > 0]
    along = direction.scale * float(rows.square().sum(dim=1).mean().sqrt())
    average = float(statistics.deviations.square().mean().sqrt())
    return along < _CHANCE_SPREAD * average
