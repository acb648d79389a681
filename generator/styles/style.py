"""A style: a small difference of weights that makes a generator draw like a picture, kept in one file."""

import copy
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer
from annotated_types import Ge, Le, MaxLen

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import atomic_path
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.reading.files import DamagedFileError, refusing_damage
from stylegan_latents.generator.reading.headers import STRICT, validated
from stylegan_latents.generator.reading.tensor_file import TensorFile
from stylegan_latents.generator.weights.hub import HubFile, on_this_machine

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.generator.generator import Generator

SUFFIX = ".style.safetensors"
"""Of a style's file."""

_KEY = "stylegan-latents-style"
_LARGEST_STRENGTH = 4


@dataclass(frozen=True)
class _Header:
    """What a file says of its style; see ``Style``."""

    __pydantic_config__: ClassVar[Any] = STRICT
    name: Annotated[str, MaxLen(200)]
    model: Annotated[str, MaxLen(1000)]
    fingerprint: Annotated[str, MaxLen(1000)]
    resolution: Annotated[int, Ge(1), Le(1 << 16)]
    provenance: dict[str, Any]


_NAMES = tuple(one.name for one in fields(_Header))


@dataclass(frozen=True, eq=False)
class Style:
    """A difference of weights from those of one generator.

    Attributes:
        name: what the user types, such as ``pencil``.
        model, fingerprint, resolution: of the generator.
        parts: half-precision tensors by the names of parameters, in full or as low-rank products, as
            ``generator.styles.weights.low_rank`` gives them.
        provenance: the pictures' names and sha256, the settings of tuning, the licence.
    """

    name: str
    model: str
    fingerprint: str
    resolution: int
    parts: "Mapping[str, Tensor]"
    provenance: Mapping[str, JSON] = field(default_factory=dict)

    def check_generator(self, G: "Generator") -> None:
        """Raise InputError for another generator than the style's."""
        if not G.has_fingerprint(self.fingerprint):
            raise InputError(
                f"The style '{self.name}' belongs to the model '{self.model}' ({self.resolution} pixels), not to "
                f"'{G.name}'; give that model, or make the style again with `edit stylize --model`."
            )

    def apply(self, G: "Generator", strength: float = 1.0) -> "Generator":
        """A copy of ``G`` that draws in this style.

        The copy keeps name, fingerprint and latent space, so that codes and directions fit it as they fit ``G``.

        Args:
            G: the generator, which is not changed.
            strength: 0 gives ``G`` itself, 1 the style, values in between a part of it, up to 4 more of it.

        Raises:
            InputError: the style belongs to another generator, its weights do not fit, or the strength is out of
                range.
        """
        import torch

        check_style_strength(strength)
        differences = self.differences(G)
        if strength == 0:
            return G
        styled = copy.deepcopy(G)
        with torch.no_grad():
            for name, weight in styled.named_parameters():
                if name in differences:
                    weight.add_(strength * differences[name].to(weight.dtype))
        return styled

    def differences(self, G: "Generator") -> "dict[str, Tensor]":
        """The full difference of each parameter that the style changes, float32; errors are those of ``apply``."""
        from stylegan_latents.generator.styles.weights import expanded

        self.check_generator(G)
        try:
            return expanded(self.parts, dict(G.named_parameters()))
        except InputError as error:
            raise InputError(f"The style '{self.name}' is damaged: {error}.") from error

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write one safetensors file, which ``read_style`` reads.

        Raises:
            InputError: the name does not end with ``.style.safetensors``, the file exists and may not be replaced,
                or it cannot be written.
        """
        from safetensors.torch import save

        check_style_name(path)
        header = {name: getattr(self, name) for name in _NAMES} | {"provenance": dict(self.provenance)}
        tensors = {name: part.detach().cpu().contiguous() for name, part in self.parts.items()}
        with atomic_path(path, overwrite=overwrite) as temporary:
            temporary.write_bytes(save(tensors, metadata={_KEY: json.dumps(header)}))


@dataclass(frozen=True, kw_only=True)
class StyleOptions:
    """The options of every command that draws: a style, and how much of it."""

    panel: ClassVar[str] = "Style"

    style: Annotated[
        str | None,
        typer.Option(
            help="Draw in a style: pencil, oil, cartoon, or a file that `edit stylize` wrote.", metavar="NAME|FILE"
        ),
    ] = None
    style_strength: Annotated[
        float | None,
        typer.Option(help="How much of the --style: 0 is none, 1 all of it, the default.", show_default=False),
    ] = None

    def find_style(self) -> "tuple[Style, float] | None":
        """The style and its strength; None without one.

        Raises:
            InputError: there is no such style, or the strength is out of range or has no style.
        """
        if self.style is None:
            if self.style_strength is not None:
                raise InputError("--style-strength is of a --style; name one, such as --style pencil.")
            return None
        strength = 1.0 if self.style_strength is None else self.style_strength
        check_style_strength(strength)
        return find_style(self.style), strength

    def style_label(self) -> list[str]:
        """The style's part of a file's name, ``pencil`` or ``pencil0.6``; empty without one."""
        if self.style is None:
            return []
        name = _file_name(self.style).removesuffix(SUFFIX)
        return [name if self.style_strength is None else f"{name}{self.style_strength:g}"]


def check_style_name(path: Path) -> None:
    """Raise InputError for a style's file that does not end with ``.style.safetensors``."""
    if not path.name.endswith(SUFFIX) or path.name == SUFFIX:
        raise InputError(f"Cannot write {path}: give a name that ends with {SUFFIX}.")


def check_style_strength(strength: float) -> None:
    """Raise InputError for a style's strength below 0, above 4, or not finite."""
    if not (math.isfinite(strength) and 0 <= strength <= _LARGEST_STRENGTH):
        raise InputError(f"A style's strength is from 0, none, over 1, all of it, to 4, not {strength:g}.")


def find_style(name_or_path: str | Path) -> Style:
    """The style of this name, among those shipped with the package, or in this file, also of the Hugging Face hub.

    Raises:
        InputError: there is none, or the file is damaged or no style's.
    """
    text = str(name_or_path).strip()
    known = {name.lower(): path for name, path in shipped_styles().items()}
    if text.lower() in known:
        return read_style(known[text.lower()])
    path, _ = on_this_machine(text)
    if path.is_file():
        return read_style(path)
    near = get_close_matches(text.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
    raise InputError(f"There is no style or file '{text}'; {hint}")


def _file_name(text: str) -> str:
    """The file's name of a path or of a hub's address."""
    file = HubFile.parse(text)
    return Path(text if file is None else file.file).name


def names_a_style(text: str) -> bool:
    """Whether a text names a style: one shipped with the package, or a file by its suffix."""
    return _file_name(text).endswith(SUFFIX) or (text.lower() in shipped_styles() and not Path(text).exists())


@cache
def shipped_styles() -> dict[str, Path]:
    """The files of the styles that are shipped with the package, by name; they are of the default model."""
    folder = Path(__file__).with_name("shipped")
    return {path.name.removesuffix(SUFFIX): path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def read_style(path: Path) -> Style:
    """Read what ``Style.save`` wrote.

    Raises:
        InputError: the file is missing, damaged, or no style's.
    """
    import torch

    if not path.is_file():
        raise InputError(f"There is no style's file {path}.")
    with refusing_damage(path):
        try:
            with TensorFile.open(path) as file:
                if _KEY not in file.metadata:
                    raise InputError(f"{path} holds no style; `edit stylize` makes one.")
                text, parts = file.metadata[_KEY], file.tensors()
        except DamagedFileError as error:
            raise InputError(f"{path} is no style's file, or a damaged one.") from error
        try:
            header = validated(_Header, text, path.name)
        except DamagedFileError as error:
            raise InputError(f"{path} is damaged: its header does not fit its weights.") from error
        finite = all(one.is_floating_point() and bool(torch.isfinite(one).all()) for one in parts.values())
        if not parts or not finite:
            raise InputError(f"{path} is damaged: it holds no weights, or some that are not finite.")
        return Style(parts=parts, **{name: getattr(header, name) for name in _NAMES})
