import json
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.files import is_film_record
from stylegan_latents.invert.record.footage import Footage
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.source import Source
from tests.small_models import small_generator, small_record

SOURCE = Source("clip.mp4", "0" * 64, None)


def _footage(**changes: Any) -> Footage:
    values: dict[str, Any] = {
        "source": SOURCE,
        "size": (64, 48),
        "rate": 25.0,
        "times": tuple(i / 25 for i in range(14)),
        "frames": (0, 2, 4, 10, 12),
        "bridged": (2,),
        "every": 2,
        "scenes": (0, 10),
    }
    return Footage(**(values | changes))


@pytest.mark.parametrize(
    ("frame", "place"),
    [
        (0, (0, 0, 0.0)),
        (1, (0, 1, 0.5)),
        (4, (2, 2, 0.0)),
        (5, (1, 2, 1.5)),
        (6, None),
        (9, None),
        (10, (3, 3, 0.0)),
        (13, (3, 4, 1.5)),
    ],
)
def test_where_a_frame_lies_among_the_codes(frame: int, place: tuple[int, int, float] | None) -> None:
    footage = _footage()
    found = footage.between(frame)
    if place is None:
        assert found is None
        assert footage.nearest(frame) in [(2, 2, 0.0), (3, 3, 0.0)]
        return
    assert found is not None
    first, second, fraction = found
    mine = [(1 - fraction) * (row == first) + fraction * (row == second) for row in range(5)]
    first, second, fraction = place
    assert mine == [(1 - fraction) * (row == first) + fraction * (row == second) for row in range(5)]


def test_nothing_lies_between_two_scenes() -> None:
    footage = _footage(frames=(0, 2, 4), scenes=(0, 4), bridged=())
    assert footage.between(3) == (0, 1, 1.5)  # on from the scene before


def test_a_record_keeps_it(tmp_path: Path) -> None:
    G = small_generator()
    path = tmp_path / "clip.inversion.safetensors"
    record = small_record(G, 5, footage=_footage())
    record.save(path)
    assert Inversion.load(path).footage == _footage()
    assert is_film_record(path)
    assert Inversion.load(path).split()[0].footage is None
    small_record(G).save(tmp_path / "me.inversion.safetensors")
    assert not is_film_record(tmp_path / "me.inversion.safetensors")
    assert not is_film_record(tmp_path / "none.safetensors")
    (tmp_path / "short").write_bytes(b"{}")
    assert not is_film_record(tmp_path / "short")
    with pytest.raises(InputError, match="holds 4 codes, but 5 of frames"):
        small_record(G, 4, footage=_footage())


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": (0, 2, 2, 10, 12)},
        {"frames": (0, 2, 4, 10, 99)},
        {"frames": ()},
        {"times": (0.0, float("nan"))},
        {"rate": 0.0},
        {"size": (0, 48)},
        {"bridged": (3,)},
        {"every": 0},
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"fit|bridged"):
        _footage(**changes)
    # As in a file that somebody wrote.
    values = json.loads(json.dumps(_footage().to_dict(tmp_path)))
    values |= {name: list(value) if isinstance(value, tuple) else value for name, value in changes.items()}
    with pytest.raises(ValueError, match=r"fit|bridged"):
        Footage.from_dict(values, tmp_path)


def test_codes_are_not_touched() -> None:
    G = small_generator()
    record = small_record(G, 5, footage=_footage())
    assert torch.equal(record.ws, G.sample(range(5)))
