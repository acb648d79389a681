from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.generator.networks.camera import Camera
from stylegan_latents.generator.networks.stylenerf_layers import FieldSizes
from tests.generator.networks.stylenerf_files import PICKLES, SMALL, expected, random_stylenerf, stylenerf_pickle


def _apart(value: torch.Tensor, wanted: torch.Tensor) -> float:
    assert value.shape == wanted.shape
    return float((value - wanted).detach().abs().max() / wanted.abs().max())


@pytest.mark.parametrize("reference", [False, True], ids=["fast", "reference"])
@pytest.mark.parametrize("name", PICKLES)
def test_parity_with_the_official_code(name: str, reference: bool) -> None:
    G, wanted = generator.load(stylenerf_pickle(name)), expected(name)
    assert _apart(G.map(wanted["z"]), wanted["ws"]) < 1e-5
    truncated = G.map(wanted["z"], truncation=0.7, truncation_cutoff=2)
    assert _apart(truncated, wanted["ws_truncated"]) < 1e-5
    ws, angles = wanted["ws_plus"].requires_grad_(), wanted["angles"].requires_grad_()
    background = [wanted["code"][:, None, None]]
    camera = G.synthesis.camera_matrices(angles)
    view = G.synthesis.view(G.styles(ws), background, camera, reference=reference)
    for value, kind in ((view.image, "image"), (view.raw, "raw"), (view.depth, "depth")):
        assert _apart(value, wanted[kind]) < 1e-4
    slopes = torch.autograd.grad((view.image * wanted["probe"]).sum(), [ws, angles])
    assert _apart(slopes[0], wanted["gradient"]) < 1e-3
    assert _apart(slopes[1], wanted["angles_gradient"]) < 1e-3
    with torch.no_grad():
        for one, code, numbers, image in zip(ws, background[0], angles.tolist(), wanted["image_fov"], strict=True):
            drawn = G.synthesize(one[None], [code[None]], camera=Camera(*numbers, fov=9.5), reference=reference)
            assert _apart(drawn, image[None]) < 1e-4


def test_the_models_camera_counts_where_none_is_given() -> None:
    G = random_stylenerf()
    ws = G.sample([0])
    assert G.camera == Camera()
    front = G.synthesize(ws)
    assert torch.equal(front, G.synthesize(ws, camera=Camera()))
    G.camera = Camera(yaw=25, pitch=-5)
    assert torch.equal(G.synthesize(ws), G.synthesize(ws, camera=Camera(yaw=25, pitch=-5)))
    assert not torch.equal(G.synthesize(ws), front)
    view = G.view(ws)
    assert torch.equal(view.image, G.synthesize(ws))
    assert view.raw.shape == (1, 3, 8, 8)
    assert 0.88 <= view.depth.min() <= view.depth.max() < 1.2


def test_a_nearer_camera_sees_the_same_part_of_space_nearer() -> None:
    G = random_stylenerf()
    near = G.view(G.sample([0]), Camera(distance=0.7))
    assert 0.58 <= near.depth.min() <= near.depth.max() < 0.9
    far = G.view(G.sample([0]), Camera(yaw=40, distance=30, fov=100))  # beyond the sphere of the background
    assert torch.isfinite(far.image).all()


def test_the_background_is_random_numbers_beside_the_code() -> None:
    G = random_stylenerf()
    ws = G.sample([0])
    assert [map.shape for map in G.noise_constants()] == [(1, 1, 1, 3)]
    assert torch.equal(G.synthesize(ws), G.synthesize(ws, "none")), "zero is the mean"
    one, other = (G.synthesize(ws, "random", seed=seed) for seed in (1, 2))
    assert not torch.equal(one, other)
    assert torch.equal(one, G.synthesize(ws, "random", seed=1))


def test_geometry_decides_densities_and_appearance_does_not() -> None:
    G = random_stylenerf()
    parts, one, other = G.synthesis.code_parts, G.sample([0]), G.sample([1])
    assert {name: part.rows for name, part in parts.items()} == {"geometry": (0, 3), "appearance": (3, 9)}
    assert G.ws_groups == ["coarse"] * 3 + ["middle"] * 6
    mixed = one.clone()
    mixed[:, slice(*parts["appearance"].rows)] = other[:, slice(*parts["appearance"].rows)]
    assert torch.equal(G.view(mixed).depth, G.view(one).depth)
    assert not torch.equal(G.view(mixed).image, G.view(one).image)
    assert not torch.equal(G.view(other).depth, G.view(one).depth)


@pytest.mark.parametrize(
    "change",
    [
        {"channels": ()},
        {"channels": (3,)},
        {"channels": (4,) * 9},
        {"features": 0},
        {"background_dim": 0},
        {"upsampling": "bilinear"},
        {"distance": 0.0},
        {"fov": 180.0},
        {"label_dim": 2, "label_width": 2},
        {"marching": replace(SMALL.marching, grid=64)},
    ],
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"StyleNeRF|camera"):
        replace(SMALL, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("sizes", [(0, 2, 3), (4, 0, 3), (4, 1000, 3), (4, 2, 0), (4, 2, 99)])
def test_an_impossible_field_is_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no StyleNeRF"):
        FieldSizes(*sizes)


def test_what_is_in_space_is_what_the_rays_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    G, met = random_stylenerf(), []
    ws, field = G.sample([0]), G.synthesis.foreground
    look = field.look

    def looked(points: Tensor, styles: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        density, x = look(points, styles)
        met.append((points[0], density[0]))
        return density, x

    monkeypatch.setattr(field, "look", looked)
    G.view(ws)
    solid = G.synthesis.solid(G.styles(ws), G.noise_constants())
    assert solid.box == pytest.approx(0.24)
    points, wanted = met[0]
    towards, right, up = points[0].tolist()  # of the first ray, at the left, above
    assert right < 0 < up
    assert towards == pytest.approx(0.12)
    density, colours = solid.look(points[:, [1, 2, 0]])
    torch.testing.assert_close(density, wanted)
    assert colours.shape == (len(points), 3)
