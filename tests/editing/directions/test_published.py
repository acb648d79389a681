from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.editing.directions.calibration import calibrated, w_statistics
from stylegan_latents.editing.directions.catalogue import find_direction
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.directions.published import E4E_FFHQ
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.arrays import split_name
from tests.odd_models import odd_generator

G = odd_generator(latent_space="stylegan2-faces-w")
OTHER = odd_generator(seed=5)
STATISTICS = w_statistics(G)
VECTOR = torch.nn.functional.normalize(torch.randn(1, 10, generator=torch.Generator().manual_seed(0)))
PLAIN = calibrated(Direction("plain", G.latent_space, VECTOR, 1.0).bind(G), G)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _pca(rows: int = 60) -> dict[str, torch.Tensor]:
    components = torch.randn(rows, 1, 10, generator=torch.Generator().manual_seed(1))
    return {
        "comp": components / components.norm(dim=2, keepdim=True),
        "mean": STATISTICS.mean[None],
        "std": torch.ones(rows),
    }


@pytest.mark.parametrize("shape", [(10,), (1, 10), (1, 1, 10)])
def test_a_boundary_gets_w_s_own_scale(shape: tuple[int, ...]) -> None:
    np.save("age.npy", VECTOR.numpy().astype(np.float64).reshape(shape))
    torch.save(VECTOR.reshape(shape), "smile.pt")
    for name in ("age.npy", "smile.pt"):
        one = find_direction(name, G)
        assert one.name == Path(name).stem
        assert torch.allclose(one.vector, VECTOR)
        assert one.scale == pytest.approx(PLAIN.scale, rel=1e-6)
        ws = G.sample([0])
        assert torch.allclose(one.apply(ws, 2.0, raw=True), ws + 2 * VECTOR)
        assert torch.allclose(one.apply(ws, 2.0), ws + 2 * PLAIN.scale * VECTOR, atol=1e-6)


def test_a_vector_of_as_many_rows_as_the_model_is_taken_as_it_is() -> None:
    rows = torch.randn(G.num_ws, 10)
    torch.save(rows[None], "pose.pt")
    one = find_direction("pose.pt", G)
    assert torch.equal(one.vector, rows)
    assert "mapped" not in str(one.provenance.get("note"))


def test_other_numbers_of_rows_are_mapped_by_resolution_and_said() -> None:
    torch.save(torch.arange(1.0, 11)[:, None] * VECTOR, "pose.pt")
    one = find_direction("pose.pt", G)
    lengths = (one.vector @ VECTOR[0]).tolist()
    assert lengths == pytest.approx([1, 2, 3, 4, 5, 6, 7, 9])
    assert "its 10 rows were mapped by resolution to the 8" in str(one.provenance["note"])


def test_components_are_chosen_by_number_and_checked_by_their_mean() -> None:
    pca = _pca()
    torch.save(pca, "pca.pt")
    np.savez(
        "ganspace.npz",
        act_comp=pca["comp"].numpy(),
        act_mean=pca["mean"].numpy(),
        lat_comp=pca["comp"].numpy(),
        lat_mean=pca["mean"].numpy(),
        lat_stdev=np.ones(60),
    )
    for name in ("pca.pt", "ganspace.npz"):
        one = find_direction(f"{name}:7", G)
        assert torch.allclose(one.vector, pca["comp"][7])
        assert one.name == f"{Path(name).stem}-07"
        assert one.provenance["finder"] == "GANSpace"
        for wrong in (name, f"{name}:60", f"{name}:x", f"{name}:-1", f"{name}:"):
            with pytest.raises(InputError, match="60 directions; choose with"):
                find_direction(wrong, G)
        with pytest.raises(InputError, match="belongs to another latent space: the mean"):
            find_direction(f"{name}:7", OTHER)


def test_components_in_z_are_refused() -> None:
    pca = _pca()
    np.savez("z.npz", lat_comp=pca["comp"].numpy(), lat_mean=np.zeros((1, 10)), lat_stdev=np.ones(60))
    with pytest.raises(InputError, match="belongs to another latent space: the mean"):
        find_direction("z.npz:0", G)


def test_e4e_s_names_are_known_with_their_layers_and_signs() -> None:
    pca = _pca()
    torch.save(pca, "ffhq_pca.pt")
    for name, (index, *_, sign) in E4E_FFHQ.items():
        if name in ("lipstick", "eyebrow_thickness"):
            continue
        one = find_direction(f"ffhq_pca.pt:{name}", G)
        assert torch.allclose(one.vector, sign * pca["comp"][index])
    # Its rows 0 to 4 of a model of 1024 pixels are those at 4 to 16 pixels here, too.
    assert find_direction("ffhq_pca.pt:face_roundness", G).rows == (0, 1, 2, 3, 4)
    beard = find_direction(
        "ffhq_pca.pt:trimmed_beard", G
    )  # rows 7 and 8, at 64 pixels; here these have one row, to-RGB's
    assert beard.layers == "7"
    assert "mapped by resolution to 7" in str(beard.provenance["note"])
    with pytest.raises(InputError, match=r"layers 10 of 18, .* none of their resolution"):
        find_direction("ffhq_pca.pt:lipstick", G)


def test_sefa_s_factors_are_columns_in_factor_pt_and_rows_in_a_plain_array() -> None:
    factors = torch.linalg.qr(torch.randn(10, 10, generator=torch.Generator().manual_seed(2))).Q
    torch.save({"ckpt": "some.pt", "eigvec": factors}, "factor.pt")
    assert torch.allclose(find_direction("factor.pt:3", G).vector, factors[:, 3][None])
    np.save("boundaries.npy", torch.randn(24, 10).numpy())
    assert find_direction("boundaries.npy:23", G).vector.shape == (1, 10)


def test_a_vector_like_any_by_chance_is_said_and_a_wide_one_is_not() -> None:
    torch.save(STATISTICS.axes[:, 0], "wide.pt")
    torch.save(STATISTICS.axes[:, -1], "narrow.pt")
    assert "another model" in str(find_direction("narrow.pt", G).provenance["note"])
    assert "note" not in find_direction("wide.pt", G).provenance


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("stylegan_faces_age_w_boundary.npy", "stylegan-faces-w"),
        ("stylegan2_cars_age_w_boundary.npy", "stylegan2-cars-w"),
        ("stylegan2_faces_age_boundary.npy", "in Z"),
        ("pggan_faces_age_boundary.npy", "in Z"),
        ("stylegan2_faces_z/boundary_Smiling.npy", "in Z"),
    ],
)
def test_a_boundary_whose_name_is_another_space_s_is_refused(name: str, space: str) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    np.save(name, VECTOR.numpy())
    with pytest.raises(InputError, match=f"belongs to another latent space: .*{space}"):
        find_direction(name, G)


def test_a_boundary_whose_name_is_this_space_s_is_taken() -> None:
    for name in ("stylegan2_faces_age_w_boundary.npy", "stylegan2_faces_w/boundary_Smiling.npy"):
        Path(name).parent.mkdir(exist_ok=True)
        np.save(name, VECTOR.numpy())
        assert find_direction(name, G).scale == pytest.approx(PLAIN.scale, rel=1e-6)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.ones((1, 12)), "another latent space: its vectors have 12 values, .* has 10"),
        (np.ones((7, 10)), "7 directions; choose"),
        (np.ones((1, 7, 10)), "no StyleGAN2 has codes of 7"),
        (np.ones((6048, 512)), "StyleCLIP's table of 6048"),
        (np.zeros((1, 10)), "no direction"),
        (np.full((1, 10), np.nan), "no direction"),
        (np.ones(()), "no direction"),
        (np.ones((1, 1, 1, 10)), "no direction"),
        (np.ones((0, 10)), "0 rows"),
    ],
)
def test_what_is_no_direction_for_this_model_is_said(array: np.ndarray, words: str) -> None:
    np.save("odd.npy", array)
    with pytest.raises(InputError, match=words):
        find_direction("odd.npy", G)


def test_an_archive_of_something_else_names_its_contents() -> None:
    np.savez("code.npz", w=np.ones((1, 10)), img=np.ones(3))
    with pytest.raises(InputError, match="holds img, w"):
        find_direction("code.npz", G)


def test_a_component_is_split_off_only_where_it_is_one() -> None:
    assert split_name("a/ffhq_pca.pt:54") == (Path("a/ffhq_pca.pt"), "54")
    assert split_name("C:/a.npy") == (Path("C:/a.npy"), None)
    assert split_name("pose") == (Path("pose"), None)
    Path("odd:name.pt").touch()
    assert split_name("odd:name.pt") == (Path("odd:name.pt"), None)


def _same(name: str, vector: torch.Tensor) -> None:
    found = find_direction(name, G)
    torch.testing.assert_close(found.vector, vector)


def test_a_flattened_boundary_is_one_of_w_plus() -> None:
    plus = torch.arange(1.0, 1 + G.num_ws * 10).reshape(G.num_ws, 10)
    np.save("one.npy", plus.reshape(1, -1).numpy())
    np.save("flat.npy", plus.flatten().numpy())
    torch.save([plus.flatten()], "list.pt")
    for name in ("one.npy", "flat.npy", "list.pt"):
        _same(name, plus)
    np.save("many.npy", torch.stack([plus, 2 - plus]).flatten(1).numpy())
    _same("many.npy:1", 2 - plus)


def test_arrays_lists_and_tuples_of_torch_save_are_arrays() -> None:
    vector = np.arange(1.0, 11.0)
    for index, contents in enumerate((vector, vector.tolist(), tuple(vector.tolist()), [torch.tensor(vector)])):
        torch.save(contents, f"{index}.pt")
        torch.save(contents, f"old-{index}.pt", _use_new_zipfile_serialization=False)
        for name in (f"{index}.pt", f"old-{index}.pt"):
            _same(name, torch.tensor(vector).float()[None])


def test_suffixes_may_be_in_upper_case() -> None:
    torch.save(torch.arange(1.0, 11.0), "SMILE.PT")
    np.savez("b.npz", a=np.arange(1.0, 11.0))
    Path("b.npz").rename("B.NPZ")
    _same("SMILE.PT", torch.arange(1.0, 11.0)[None])
    _same("B.NPZ", torch.arange(1.0, 11.0)[None])


def test_one_of_several_named_directions_is_chosen_by_its_name() -> None:
    vectors = {
        "smile": torch.arange(1.0, 11.0)[None],
        "age": torch.ones(1, 10),
        "nested": {"hair": -torch.ones(10)},
    }
    smile = vectors["smile"]
    assert isinstance(smile, torch.Tensor)
    torch.save(vectors, "attributes.pt")
    _same("attributes.pt:smile", smile)
    _same("attributes.pt:age", torch.ones(1, 10))
    _same("attributes.pt:nested/hair", -torch.ones(1, 10))
    assert find_direction("attributes.pt:smile", G).name == "attributes-smile"
    for name in ("attributes.pt", "attributes.pt:pose"):
        with pytest.raises(InputError, match=r"holds age, nested/hair, smile; choose one, as attributes\.pt:age"):
            find_direction(name, G)
    with pytest.raises(InputError, match="SMILE"):
        find_direction("SMILE.pt:smile", G)


@pytest.mark.parametrize("mean", ["X_mean", "X_global_mean"])
def test_a_pca_under_the_names_of_ganspaces_estimator(mean: str) -> None:
    pca = _pca()
    np.savez("x.npz", **{"X_comp": pca["comp"].numpy(), mean: pca["mean"].numpy()})
    torch.save(pca, "plain.pt")
    _same("x.npz:2", find_direction("plain.pt:2", G).vector)
