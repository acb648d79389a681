"""JSON within bounds, validated against dataclasses."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pytest
from annotated_types import Ge, Le, Len

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.headers import STRICT, parse_json, validated


@dataclass(frozen=True)
class Header:
    name: Annotated[str, Len(1, 100)]
    widths: Annotated[tuple[Annotated[int, Ge(1), Le(64)], ...], Len(1, 8)]
    scale: float = 1.0
    __pydantic_config__: ClassVar[Any] = STRICT


def test_a_right_header_becomes_its_dataclass() -> None:
    assert validated(Header, '{"name": "a", "widths": [1, 64]}', "a.bin") == Header("a", (1, 64))


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "a"}',
        '{"name": "", "widths": [1]}',
        '{"name": ["a"], "widths": [1]}',
        '{"name": "a", "widths": []}',
        '{"name": "a", "widths": [0]}',
        '{"name": "a", "widths": ["1"]}',
        '{"name": "a", "widths": [true]}',
        '{"name": "a", "widths": [1.5]}',
        '{"name": "a", "widths": [1], "scale": NaN}',
        '{"name": "a", "widths": [1], "scale": Infinity}',
        '{"name": "a", "widths": [1], "scale": 1e999}',
        '{"name": "a", "widths": [1], "scale": "1"}',
        '{"name": "a", "widths": [1], "more": 1}',
        '{"name": "a", "widths": [' + "9" * 5000 + "]}",
        '{"name": "a", "widths": [1], "scale": 1' + "0" * 401 + ".0}",
        '{"name": "a", "widths": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "null",
        "[]",
        "",
        "{",
    ],
)
def test_a_wrong_header_is_one_sentence_with_the_files_name(text: str) -> None:
    with pytest.raises(InputError, match=r"^a\.bin is damaged: its header.*\.$"):
        validated(Header, text, "a.bin")


def test_more_values_than_any_honest_header_has_are_not_parsed() -> None:
    with pytest.raises(InputError, match="more values"):
        parse_json("[" + "[]," * 2_000_000 + "[]]", "a.bin")
