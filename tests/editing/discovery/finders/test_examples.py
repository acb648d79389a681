from pathlib import Path

import pytest
import torch

from stylegan_latents.editing.discovery.finders.examples import ExamplePairs, Examples, read_examples
from stylegan_latents.generator.errors import InputError
from tests.small_models import small_generator, small_record

G = small_generator(latent_space="small-w")
STEP = torch.randn(1, G.num_ws, G.w_dim, generator=torch.Generator().manual_seed(0))


def _write(folder: Path, names: str, step: torch.Tensor | float = 0.0) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        ws = G.sample([ord(name)]) + step
        small_record(G, ws=ws, metrics={}).save(folder / f"{name}.inversion.safetensors")


def test_pairs_are_found_by_name_and_their_step_is_recovered(tmp_path: Path) -> None:
    _write(tmp_path / "a", "xyz")
    _write(tmp_path / "b", "yzw", STEP)
    examples = read_examples(tmp_path / "a", tmp_path / "b", G)
    assert examples.names == ("y", "z")
    assert examples.left_out == ("w", "x")
    one = Examples(G, examples, name="taller").find()[0]
    assert torch.allclose(one.vector, STEP[0], atol=1e-5)
    assert one.provenance["held_out_accuracy"] == 1
    assert one.provenance["agreement"] == pytest.approx(1, abs=1e-3)
    assert one.provenance["pairs"] == 2


def test_without_common_names_the_means_are_compared(tmp_path: Path) -> None:
    _write(tmp_path / "a", "xyz")
    _write(tmp_path / "b", "kl")
    examples = read_examples(tmp_path / "a", tmp_path / "b", G)
    assert examples.names == ()
    one = Examples(G, examples, "coarse", name="other").find()[0]
    wanted = G.sample([ord("k"), ord("l")]).mean(dim=0) - G.sample([ord(name) for name in "xyz"]).mean(dim=0)
    assert torch.allclose(one.vector[0], wanted[0], atol=1e-5)
    assert len(one.vector) == 1, "codes of W make a direction of W"
    assert one.rows == tuple(G.rows("coarse"))
    assert "agreement" not in one.provenance


def test_pairs_that_disagree_are_said_to() -> None:
    before = G.sample(range(40))
    noise = torch.randn(before.shape, generator=torch.Generator().manual_seed(1))
    one = Examples(G, ExamplePairs(before, before + noise, tuple(map(str, range(40)))), name="nothing").find()[0]
    assert abs(float(one.provenance["agreement"])) < 0.2  # type: ignore[arg-type]
    assert float(one.provenance["held_out_accuracy"]) < 0.75  # type: ignore[arg-type]


def test_bad_folders_are_said(tmp_path: Path) -> None:
    _write(tmp_path / "a", "x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no folder"):
        read_examples(tmp_path / "a", tmp_path / "missing", G)
    with pytest.raises(InputError, match=r"holds no \*.inversion.safetensors"):
        read_examples(tmp_path / "a", tmp_path / "empty", G)
    other = small_generator(7, name="horses")
    (tmp_path / "b").mkdir()
    small_record(other).save(tmp_path / "b" / "x.inversion.safetensors")
    with pytest.raises(InputError, match=r"x\.inversion\.safetensors: .*'horses'.*'small'"):
        read_examples(tmp_path / "a", tmp_path / "b", G)
    with pytest.raises(InputError, match="same codes"):
        Examples(G, read_examples(tmp_path / "a", tmp_path / "a", G), name="nothing").find()[0]
    with pytest.raises(InputError, match="at least one"):
        Examples(G, ExamplePairs(G.sample([]), G.sample([0])))
