"""The header of a record's file: the type and the bounds of every value, which ``pydantic`` checks."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Len, MaxLen, MinLen

_CHECKED: Any = {"strict": True, "allow_inf_nan": False}
"""Other names are left alone: later versions may add some."""

_Text = Annotated[str, MaxLen(4096)]
_Count = Annotated[int, Ge(0), Le(1 << 40)]
_Pixels = Annotated[int, Ge(1), Le(1 << 30)]
_Crop = Annotated[int, Ge(1), Le(8192)]
_Place = Annotated[float, Ge(-1e10), Le(1e10)]


@dataclass(frozen=True)
class SourceHeader:
    """See ``Source``; the path is relative to the record's folder."""

    __pydantic_config__: ClassVar[Any] = _CHECKED
    name: _Text
    sha256: Annotated[str, MaxLen(64)]
    path: _Text | None


@dataclass(frozen=True)
class AlignmentHeader:
    """See ``Alignment``, which checks that the corners are a square's."""

    __pydantic_config__: ClassVar[Any] = _CHECKED
    method: Annotated[str, MaxLen(16)]
    size: _Crop
    photo_size: tuple[_Pixels, _Pixels]
    quad: Annotated[list[tuple[_Place, _Place]], Len(4, 4)]
    width: _Crop | None = None


@dataclass(frozen=True)
class FootageHeader:
    """See ``Footage``, which checks that the frames fit together."""

    __pydantic_config__: ClassVar[Any] = _CHECKED
    source: SourceHeader
    size: tuple[_Pixels, _Pixels]
    rate: Annotated[float, Gt(0), Le(1e6)]
    times: Annotated[list[float], MinLen(1)]
    frames: Annotated[list[_Count], MinLen(1)]
    bridged: list[_Count]
    every: Annotated[int, Ge(1), Le(1 << 30)]
    scenes: list[_Count]


@dataclass(frozen=True)
class RecordHeader:
    """See ``Inversion``."""

    __pydantic_config__: ClassVar[Any] = _CHECKED
    kind: Literal["inversion"]
    format: Literal[1]
    model: _Text
    fingerprint: _Text
    latent_space: _Text
    method: _Text
    settings: dict[str, Any]
    version: _Text
    metrics: dict[str, list[float | None]]
    sources: list[SourceHeader]
    alignments: list[AlignmentHeader | None]
    footage: FootageHeader | None = None
    model_file: _Text | None = None
