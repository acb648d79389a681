import numpy as np
import pytest
import torch

from stylegan_latents.editing.directions.calibration import w_statistics
from stylegan_latents.editing.directions.direction import load
from stylegan_latents.editing.discovery.finders.sefa import SeFa
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.stylegan2_files import random_stylegan2
from tests.odd_models import odd_generator

G = odd_generator()


def _reference(weights: list[torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """SeFa in NumPy: the singular vectors of the channels' unit-length weights, one a row."""
    matrix = np.concatenate([weight.double().numpy() for weight in weights])
    matrix = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    _, values, vectors = np.linalg.svd(matrix, full_matrices=True)
    return vectors, values**2


def test_the_factors_are_a_float64_reference_s() -> None:
    vectors, values = SeFa(G).factors()
    expected, strengths = _reference([affine.weight for affine in G.synthesis._affines()])  # type: ignore[operator, union-attr]
    assert values.numpy() == pytest.approx(strengths, rel=1e-9)
    cosines = np.abs((vectors.numpy() * expected).sum(axis=1))
    assert cosines.min() > 1 - 1e-9
    # A fixed sign: the entry of the largest size is positive.
    assert bool((vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True)) > 0).all())


def test_layers_choose_what_is_factorised_and_what_moves() -> None:
    coarse = SeFa(G, "coarse")
    rows = set(G.rows("coarse"))
    affines = G.synthesis._affines()  # type: ignore[operator, union-attr]
    chosen = [affine.weight for affine, layer in zip(affines, G.layers, strict=True) if layer.ws_index in rows]
    expected, _ = _reference(chosen)
    vectors, _ = coarse.factors()
    assert np.abs((vectors.numpy() * expected).sum(axis=1)).min() > 1 - 1e-9
    (one,) = coarse.find(1)
    moved = one.apply(torch.zeros(1, G.num_ws, G.w_dim), 1.0)
    assert [bool(row.any()) for row in moved[0]] == [index in rows for index in range(G.num_ws)]


def test_an_inner_to_rgb_of_stylegan2_has_no_say_and_the_last_has() -> None:
    other = random_stylegan2(StyleGAN2Config(z_dim=6, mapping_widths=(9, 7), channels=(8, 12, 5)))
    _, values = _reference(
        [
            affine.weight
            for affine, layer in zip(other.synthesis._affines(), other.layers, strict=True)  # type: ignore[operator, union-attr]
            if "rgb" not in layer.name or layer.ws_index == other.num_ws - 1
        ]
    )
    assert SeFa(other).factors()[1].numpy() == pytest.approx(values, rel=1e-6)


def test_directions_are_named_calibrated_and_kept(tmp_path) -> None:  # type: ignore[no-untyped-def]
    found = SeFa(G).find(3)
    assert [one.name for one in found] == ["sefa-00", "sefa-01", "sefa-02"]
    statistics = w_statistics(G)
    for one in found:
        spread = (one.vector @ statistics.axes * statistics.deviations).norm()
        assert one.scale == pytest.approx(float(spread), rel=1e-5)
    found[0].save(tmp_path / "one.safetensors")
    again = load(tmp_path / "one.safetensors").bind(G)
    assert torch.equal(again.vector, found[0].vector)
    assert again.provenance["finder"] == "SeFa"


def test_it_is_the_same_every_time() -> None:
    first, second = SeFa(G).find(4), SeFa(odd_generator()).find(4)
    assert all(torch.equal(a.vector, b.vector) and a.scale == b.scale for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("count", [0, -1, G.w_dim + 1])
def test_impossible_counts_are_refused(count: int) -> None:
    with pytest.raises(InputError, match=f"between 1 and {G.w_dim}"):
        SeFa(G).find(count)


def test_an_unknown_layer_is_refused() -> None:
    with pytest.raises(InputError, match="deep"):
        SeFa(G, "deep")
