from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from stylegan_latents.editing.directions import catalogue as module
from stylegan_latents.editing.directions.apply import apply_edits
from stylegan_latents.editing.directions.catalogue import find_direction, known_directions, shipped_path
from stylegan_latents.editing.directions.direction import Direction, load
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.statistics import WStatistics
from tests.small_models import small_generator

W_DIM = 8


def make(name: str = "tall", **changes: object) -> Direction:
    values: dict[str, object] = {
        "name": name,
        "latent_space": "here",
        "vector": torch.arange(1.0, W_DIM + 1)[None],
        "scale": 0.5,
        "provenance": {"positive": "taller", "samples": 3, "fixed": ["wide"]},
    }
    return Direction(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder that stands for the package's own."""
    for one in (make("tall"), make("wide"), make("deep", latent_space="there")):
        one.save(shipped_path(one.latent_space, one.name, tmp_path))
    monkeypatch.setattr(module, "_SHIPPED", tmp_path)
    module.all_shipped.cache_clear()
    yield tmp_path
    module.all_shipped.cache_clear()


def test_strength_counts_in_units_of_scale_and_raw_in_vectors():
    ws = torch.zeros(2, 6, W_DIM)
    one = make()
    assert torch.equal(one.apply(ws, 2.0), one.vector.expand_as(ws))
    assert torch.equal(one.apply(ws, 2.0, raw=True), 2 * one.vector.expand_as(ws))
    assert not ws.any(), "the codes given were changed"


def test_a_direction_that_keeps_the_distance_moves_codes_around_the_mean(tmp_path):
    G = small_generator(latent_space="here")
    vector = torch.arange(1.0, G.w_dim + 1)[None]
    make(vector=vector, keeps_distance=True, layers="coarse").save(tmp_path / "age.safetensors")
    age = load(tmp_path / "age.safetensors").bind(G)
    statistics, ws = WStatistics.of(G), G.sample([0, 1])
    moved = age.apply(ws, 3.0)
    assert torch.allclose(_far(statistics, moved), _far(statistics, ws), rtol=1e-3)
    assert (moved - ws)[:, G.rows("coarse")].abs().amax(dim=2).min() > 0.01
    assert torch.equal(moved[:, G.rows("fine")], ws[:, G.rows("fine")])
    assert torch.equal(age.apply(ws, 0.0), ws)
    straight = make(vector=vector, layers="coarse").bind(G)
    assert torch.equal(age.apply(ws, 3.0, raw=True), straight.apply(ws, 3.0, raw=True))
    edits = [(age, 2.0), (straight, 1.0)]
    assert torch.equal(apply_edits(ws, edits), apply_edits(ws, edits[::-1]))


def test_negative_strengths_may_go_another_way(tmp_path):
    G = small_generator(latent_space="here")
    back = torch.arange(G.w_dim, 0.0, -1)[None]
    make(negative=back).save(tmp_path / "age.safetensors")
    age = load(tmp_path / "age.safetensors").bind(G)
    ws = torch.zeros(1, G.num_ws, G.w_dim)
    assert torch.equal(age.apply(ws, -2.0), -back.expand_as(ws))
    assert torch.equal(age.apply(ws, 2.0), age.vector.expand_as(ws))
    assert torch.equal(age.apply(ws, -2.0, raw=True), -2 * age.vector.expand_as(ws))


def test_negative_strengths_of_groups_of_rows_go_their_own_way():
    G = small_generator(latent_space="here")
    vector = torch.arange(3.0)[:, None].expand(3, G.w_dim)
    age = make(vector=vector.contiguous(), negative=vector.flip(0), by_group=True, scale=1.0).bind(G)
    moved = age.apply(torch.zeros(1, G.num_ws, G.w_dim), -1.0)
    assert not moved[:, G.rows("fine")].any()
    assert torch.equal(moved[:, G.rows("coarse")], torch.full_like(moved[:, G.rows("coarse")], -2))


def test_rows_of_one_tensor_are_saved(tmp_path):
    both = torch.arange(1.0, 2 * W_DIM + 1).reshape(2, W_DIM)
    make(vector=both[:1], negative=both[1:]).save(tmp_path / "age.safetensors")
    found = load(tmp_path / "age.safetensors")
    assert found.negative is not None
    assert torch.equal(torch.cat([found.vector, found.negative]), both)


def test_both_vectors_have_one_shape(tmp_path):
    with pytest.raises(ValueError, match="same shape"):
        make(negative=torch.ones(3, W_DIM))
    make(negative=torch.ones(1, W_DIM)).save(tmp_path / "age.safetensors")
    with safe_open(tmp_path / "age.safetensors", "pt") as file:
        metadata = file.metadata()
    vectors = {"vector": torch.ones(1, W_DIM), "negative": torch.ones(3, W_DIM)}
    save_file(vectors, tmp_path / "other.safetensors", metadata)
    with pytest.raises(InputError, match="damaged"):
        load(tmp_path / "other.safetensors")


def _far(statistics: WStatistics, ws: torch.Tensor) -> torch.Tensor:
    return statistics.whiten(ws).norm(dim=2)


def test_only_chosen_rows_move():
    moved = make().apply(torch.zeros(1, 6, W_DIM), 1.0, rows=[1, 4])
    assert [bool(row.any()) for row in moved[0]] == [False, True, False, False, True, False]


def test_default_layers_need_a_generator():
    G = small_generator(latent_space="here")
    one = make(layers="coarse")
    with pytest.raises(ValueError, match="bound"):
        one.apply(torch.zeros(1, G.num_ws, G.w_dim), 1.0)
    bound = one.bind(G)
    assert bound.rows == tuple(G.rows("coarse"))
    moved = bound.apply(torch.zeros(1, G.num_ws, G.w_dim), 1.0)
    assert [bool(row.any()) for row in moved[0]] == [group == "coarse" for group in G.ws_groups]


def test_a_vector_by_groups_spreads_over_the_rows_of_any_generator():
    G = small_generator(latent_space="here")
    vector = torch.tensor([[1.0], [2.0], [3.0]]).repeat(1, W_DIM)
    bound = make(vector=vector, by_group=True, scale=1.0).bind(G)
    moved = bound.apply(torch.zeros(1, G.num_ws, G.w_dim), 1.0)
    expected = {"coarse": 1.0, "middle": 2.0, "fine": 3.0}
    assert moved[0, :, 0].tolist() == [expected[group] for group in G.ws_groups]


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), -float("inf")])
def test_a_strength_that_is_not_finite_is_refused(strength):
    with pytest.raises(InputError, match="finite"):
        make().apply(torch.zeros(1, 6, W_DIM), strength)


@pytest.mark.parametrize(
    "changes",
    [
        {"vector": torch.zeros(1, W_DIM)},
        {"vector": torch.full((1, W_DIM), float("nan"))},
        {"vector": torch.ones(W_DIM)},
        {"vector": torch.ones(1, W_DIM, dtype=torch.float64)},
        {"scale": 0.0},
        {"scale": float("inf")},
        {"vector": torch.ones(2, W_DIM), "by_group": True},
    ],
)
def test_impossible_directions_are_refused(changes):
    with pytest.raises(ValueError, match=r"vector|scale"):
        make(**changes)


def test_codes_of_another_width_are_refused():
    with pytest.raises(ValueError, match="does not fit"):
        make().apply(torch.zeros(1, 6, W_DIM + 1), 1.0)


def test_saved_and_loaded_is_the_same(tmp_path):
    one = make(layers="0-2", vector=torch.randn(3, W_DIM), by_group=True)
    one.save(tmp_path / "one.safetensors")
    two = load(tmp_path / "one.safetensors")
    assert torch.equal(one.vector, two.vector)
    for name in ("name", "latent_space", "scale", "layers", "by_group", "provenance"):
        assert getattr(one, name) == getattr(two, name)
    assert two.description == "taller"


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path):
    path = tmp_path / "one.safetensors"
    make(scale=1.0).save(path)
    with pytest.raises(InputError, match="exists"):
        make(scale=2.0).save(path)
    assert load(path).scale == 1.0
    make(scale=2.0).save(path, overwrite=True)
    assert load(path).scale == 2.0


def test_a_tampered_file_is_refused(tmp_path):
    path = tmp_path / "one.safetensors"
    make().save(path)
    data = path.read_bytes()
    for broken in (data[:40], b"", b"<html>" + data, data.replace(b'\\"scale\\": 0.5', b'\\"scale\\": -.5')):
        path.write_bytes(broken)
        with pytest.raises(InputError):
            load(path)


def test_a_safetensors_file_of_another_kind_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"vector": torch.ones(1, W_DIM)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="no direction"):
        load(tmp_path / "other.safetensors")


@pytest.mark.usefixtures("shipped")
def test_known_lists_one_latent_space_by_name():
    assert list(known_directions("here")) == ["tall", "wide"]
    assert list(known_directions("there")) == ["deep"]
    assert known_directions("nowhere") == {}


@pytest.mark.usefixtures("shipped")
def test_find_by_name_binds():
    G = small_generator(latent_space="here")
    assert find_direction("Tall", G).rows == tuple(range(G.num_ws))


@pytest.mark.usefixtures("shipped")
def test_find_by_path(tmp_path):
    G = small_generator(latent_space="here")
    make("own").save(tmp_path / "own.safetensors")
    assert find_direction(tmp_path / "own.safetensors", G).name == "own"
    with pytest.raises(InputError, match="no file"):
        find_direction(tmp_path / "missing.safetensors", G)


@pytest.mark.usefixtures("shipped")
def test_an_unknown_name_gets_near_names_and_the_list():
    with pytest.raises(InputError, match=r"did you mean tall\? .*tall, wide"):
        find_direction("tal", small_generator(latent_space="here"))


def test_a_direction_of_another_space_names_both(shipped):
    G = small_generator(latent_space="here")
    with pytest.raises(InputError, match=r"there.*here"):
        find_direction("deep", G)
    with pytest.raises(InputError, match=r"there.*here"):
        find_direction(shipped_path("there", "deep", shipped), G)


def test_a_direction_of_another_shape_is_refused():
    G = small_generator(latent_space="here")
    with pytest.raises(InputError, match="fit"):
        make(vector=torch.ones(1, W_DIM + 1)).bind(G)
    with pytest.raises(InputError, match="fit"):
        make(vector=torch.ones(G.num_ws + 1, W_DIM)).bind(G)


SHIPPED = ("age", "eyes-open", "gender", "light", "mouth-open", "pitch", "pose", "smile")


def test_the_package_ships_the_face_directions():
    assert tuple(known_directions("stylegan2-ffhq-w")) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_directions_say_where_they_came_from_and_keep_what_was_promised(name):
    one = known_directions("stylegan2-ffhq-w")[name]
    assert one.by_group
    assert one.description
    provenance = one.provenance
    assert {"finder", "method", "scorer", "samples", "held_out_accuracy", "moved"} <= set(provenance)
    assert 0.7 <= float(provenance["intended_change"]) <= 1.3  # type: ignore[arg-type]
    assert float(provenance["leakage"]) <= 0.35  # type: ignore[arg-type]
    assert shipped_path(one.latent_space, name) == Path(module.__file__).parent.joinpath(
        f"{one.latent_space}.{name}.safetensors"
    )


def test_a_direction_of_style_space_moves_styles_of_its_layers_and_no_codes(tmp_path):
    G = small_generator(latent_space="here")
    channels = sum(layer.channels for layer in G.layers)
    one = make(vector=torch.ones(1, channels), space="s", layers="coarse")
    one.save(tmp_path / "one.safetensors")
    bound = find_direction(tmp_path / "one.safetensors", G)
    assert bound.space == "s"
    styles = G.styles(G.sample([0]))
    moved = bound.apply_styles(styles, 2.0, G)
    coarse = set(G.rows("coarse"))
    for before, after, layer in zip(styles, moved, G.layers, strict=True):
        assert torch.allclose(after - before, torch.full_like(before, float(layer.ws_index in coarse)), atol=1e-5)
    chosen = bound.apply_styles(styles, 2.0, G, rows=[5], raw=True)
    changed = [
        layer.ws_index for a, b, layer in zip(styles, chosen, G.layers, strict=True) if not torch.equal(a, b)
    ]
    assert changed == [5]
    with pytest.raises(ValueError, match="styles"):
        bound.apply(G.sample([0]), 1.0)
    with pytest.raises(ValueError, match="codes"):
        make().bind(G).apply_styles(styles, 1.0, G)


def test_a_style_space_of_another_size_is_refused():
    G = small_generator(latent_space="here")
    with pytest.raises(InputError, match=r"StyleSpace of 3 channels"):
        make(vector=torch.ones(1, 3), space="s").bind(G)


@pytest.mark.parametrize("changes", [{"space": "z"}, {"space": "s", "vector": torch.ones(2, W_DIM)}])
def test_impossible_spaces_are_refused(changes):
    with pytest.raises(ValueError, match="space"):
        make(**changes)
