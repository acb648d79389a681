"""What evaluations are made of, from what a user typed."""

from pathlib import Path

import numpy as np
import torch

from stylegan_latents.editing.evaluation.inputs import find_directions
from stylegan_latents.generator.generator import Generator
from tests.small_models import small_generator


def _boundary(path: Path, G: Generator) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.ones((1, G.w_dim), dtype=np.float32))
    return str(path)


def test_directions_are_called_by_the_shortest_name_that_tells_them_apart(tmp_path: Path) -> None:
    G = small_generator()
    first, same, other = (_boundary(tmp_path / name, G) for name in ("a/age.npy", "b/age.npy", "a/smile.npy"))
    tensor = tmp_path / "c" / "smile.pt"
    tensor.parent.mkdir()
    torch.save(torch.ones(1, G.w_dim), tensor)

    def labels(*named: str) -> list[str]:
        return [label for label, _ in find_directions(named, G)]

    assert labels(first) == ["age"]
    assert labels(first, other) == ["age", "smile"]
    assert labels(other, str(tensor)) == ["smile.npy", "smile.pt"]
    assert labels(first, same, other) == [first, same, "smile"]
