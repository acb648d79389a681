import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from stylegan_latents.editing.directions.bend import Bend
from stylegan_latents.editing.directions.direction import Direction, load
from stylegan_latents.generator.errors import InputError
from tests.small_models import small_generator

G = small_generator(latent_space="here")
VECTOR = torch.arange(3.0)[:, None].expand(3, G.w_dim).contiguous()


def _bend(steps: int = 1) -> Bend:
    """One step of ones, whose size is a tenth of the sum of w and 0.25 more."""
    readings = torch.full((steps, G.w_dim + 1), 0.1)
    readings[:, -1] = 0.25
    return Bend(readings, torch.ones(steps, 3, G.w_dim))


def _direction(bend: Bend | None) -> Direction:
    return Direction("age", "here", VECTOR, 0.5, by_group=True, bend=bend)


def test_a_bend_adds_steps_of_the_codes_size_to_negative_strengths_alone() -> None:
    bent, plain = _direction(_bend()).bind(G), _direction(None).bind(G)
    ws = torch.randn(3, G.num_ws, G.w_dim, generator=torch.Generator().manual_seed(0)) / G.w_dim
    sizes = 0.1 * ws[:, G.rows("middle")].mean(1).sum(1) + 0.25
    added = bent.apply(ws, -2.0) - plain.apply(ws, -2.0)
    assert torch.allclose(added, -2 * 0.5 * sizes[:, None, None].expand_as(added), atol=1e-6)
    assert torch.equal(bent.apply(ws, 2.0), plain.apply(ws, 2.0))
    assert torch.equal(bent.apply(ws, -2.0, raw=True), plain.apply(ws, -2.0, raw=True))
    only = bent.apply(ws, -2.0, rows=G.rows("coarse"))
    assert torch.equal(only[:, G.rows("fine")], ws[:, G.rows("fine")])


def test_each_code_of_a_batch_takes_its_own_way_and_none_goes_too_far() -> None:
    bent = _direction(_bend(2)).bind(G)
    ws = torch.stack([torch.zeros(G.num_ws, G.w_dim), torch.full((G.num_ws, G.w_dim), 1e3)])
    moved = bent.apply(ws, -1.0)
    assert torch.allclose(moved[:1], bent.apply(ws[:1], -1.0))
    coarse = moved[1, G.rows("coarse")] - ws[1, G.rows("coarse")]
    assert torch.allclose(coarse, torch.full_like(coarse, -0.5 * 2))


def test_a_bend_is_saved_with_its_direction(tmp_path) -> None:
    path = tmp_path / "age.safetensors"
    _direction(_bend()).save(path)
    found = load(path)
    assert found.bend is not None
    assert torch.equal(found.bend.readings, _bend().readings)
    ws = G.sample([0, 1])
    assert torch.equal(found.bind(G).apply(ws, -1.0), _direction(_bend()).bind(G).apply(ws, -1.0))


def test_a_bend_that_does_not_fit_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="do not fit each other"):
        Bend(torch.ones(2, G.w_dim + 1), torch.ones(1, 3, G.w_dim))
    with pytest.raises(ValueError, match="finite"):
        Bend(torch.full((1, G.w_dim + 1), torch.nan), torch.ones(1, 3, G.w_dim))
    with pytest.raises(ValueError, match="vector's shape"):
        _direction(Bend(torch.ones(1, G.w_dim + 1), torch.ones(1, 2, G.w_dim)))
    with pytest.raises(ValueError, match="only a direction of codes"):
        Direction(
            "s", "here", VECTOR[1:2], 1.0, space="s", bend=Bend(torch.ones(1, G.w_dim + 1), VECTOR[None, 1:2])
        )
    path = tmp_path / "age.safetensors"
    _direction(_bend()).save(path)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    for wrong in ({"steps": torch.ones(1, 2, G.w_dim)}, {"readings": torch.ones(2, 3)}, {"steps": torch.ones(2)}):
        save_file(tensors | wrong, path, metadata)
        with pytest.raises(InputError, match="damaged"):
            load(path)
