from dataclasses import replace

import pytest
import torch
from torch.func import functional_call

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.camera import Camera
from stylegan_latents.generator.networks.eg3d import SuperResolution
from stylegan_latents.generator.ops import volume_rendering
from tests.generator.networks.eg3d_files import PICKLES, SMALL, eg3d_pickle, expected, random_eg3d
from tests.small_models import small_generator


def _apart(value: torch.Tensor, wanted: torch.Tensor) -> float:
    assert value.shape == wanted.shape
    return float((value - wanted).detach().abs().max() / wanted.abs().max())


@pytest.mark.parametrize("reference", [False, True], ids=["fast", "reference"])
@pytest.mark.parametrize("name", PICKLES)
def test_parity_with_the_official_code(name: str, reference: bool) -> None:
    G, wanted = generator.load(eg3d_pickle(name)), expected(name)
    z, camera = wanted["z"], wanted["camera"].requires_grad_()
    assert _apart(G.map(z, camera=camera), wanted["ws"]) < 1e-5
    truncated = G.map(z, truncation=0.7, truncation_cutoff=2, camera=camera)
    assert _apart(truncated, wanted["ws_truncated"]) < 1e-5
    ws = wanted["ws_plus"].requires_grad_()
    styles, noise = G.styles(ws), G.noise_constants()
    planes = G.synthesis.planes(styles, noise, reference=reference)
    assert _apart(planes[:1].flatten(1, 2), wanted["planes"]) < 1e-5
    view = G.synthesis.view(styles, noise, camera, reference=reference)
    for value, kind in ((view.image, "image"), (view.raw, "raw")):
        assert _apart(value, wanted[kind]) < 1e-4
    # Where a ray is sampled finely jumps with the last bits of its coarse densities, which the processor decides.
    off = (view.depth - wanted["depth"]).detach().abs() / wanted["depth"].max()
    assert float((off > 1e-4).float().mean()) <= 0.06  # 3 of 50 rays
    assert float(off.max()) < 0.01
    probed = (view.image * wanted["probe"]).sum() + (view.depth * wanted["depth_probe"]).sum()
    slopes = torch.autograd.grad(probed, [ws, camera])
    # Such rays' depths are part of the gradients.
    near = 1e-3 if float(off.max()) < 1e-4 else 0.05
    assert _apart(slopes[0], wanted["gradient"]) < near
    assert _apart(slopes[1], wanted["camera_gradient"]) < near
    with torch.no_grad():
        assert _apart(G.synthesize(ws, camera=camera), wanted["image"]) < 1e-4


def test_planes_are_drawn_once_for_all_views_of_a_code() -> None:
    G = random_eg3d()
    ws, drawn = G.sample([3]), []
    handle = G.synthesis.backbone.register_forward_hook(lambda *_: drawn.append(1))
    with torch.no_grad():
        first = G.synthesize(ws, camera=Camera(yaw=10))
        assert not torch.equal(G.synthesize(ws, camera=Camera(yaw=-10)), first)
        assert torch.equal(G.synthesize(ws, camera=Camera(yaw=10)), first)
        assert len(drawn) == 1
        assert not torch.equal(G.synthesize(G.sample([4]), camera=Camera(yaw=10)), first)
        G.synthesis.backbone.blocks[0].constant.data.mul_(3)  # as tuning changes them
        assert not torch.equal(G.synthesize(ws, camera=Camera(yaw=10)), first)
        assert len(drawn) == 3
    handle.remove()


def test_other_weights_for_one_pass_count_in_its_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_rendering, "PART", 6)  # so that parts are computed again
    G = random_eg3d()
    styles, noise, found = G.styles(G.sample([1])), G.noise_constants(), []
    for reference in (True, False):
        other = {name: (1.1 * one).requires_grad_() for name, one in G.synthesis.named_parameters()}
        image = functional_call(G.synthesis, other, (styles, noise), {"reference": reference})
        names = [
            "decoder.hidden.weight",
            "decoder.out.bias",
            "backbone.blocks.0.constant",
            "blocks.1.second.weight",
        ]
        found.append([image, *torch.autograd.grad(image.square().sum(), [other[name] for name in names])])
    for value, wanted in zip(found[1], found[0], strict=True):
        torch.testing.assert_close(value, wanted, rtol=1e-3, atol=1e-3 * float(wanted.detach().abs().max()))


def test_the_models_camera_counts_where_none_is_given() -> None:
    G = random_eg3d()
    ws = G.sample([0])
    assert G.camera == Camera()
    assert torch.equal(G.synthesize(ws), G.synthesize(ws, camera=Camera()))
    G.camera = Camera(yaw=25, pitch=-5)
    assert torch.equal(G.synthesize(ws), G.synthesize(ws, camera=Camera(yaw=25, pitch=-5)))
    view = G.view(ws)
    assert torch.equal(view.image, G.synthesize(ws))
    assert view.raw.shape == (1, 3, 4, 4)
    assert 2.25 < view.depth.min() <= view.depth.max() < 3.5


def test_a_model_without_a_camera_says_so() -> None:
    G = small_generator()
    assert G.camera is None
    with pytest.raises(InputError, match="'small' has no camera"):
        G.synthesize(G.sample([0]), camera=Camera(yaw=5))
    with pytest.raises(InputError, match="no camera"):
        G.camera = Camera(yaw=5)
    with pytest.raises(InputError, match="no camera"):
        G.view(G.sample([0]))
    with pytest.raises(ValueError, match=r"\[N, 25\]"):
        random_eg3d().map(torch.zeros(1, 4), camera=torch.zeros(1, 16))


def test_codes_depend_on_the_camera_that_they_are_likely_seen_from() -> None:
    G, z = random_eg3d(), torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(G.map(z), G.map(z, camera=Camera()))
    assert not torch.equal(G.map(z), G.map(z, camera=Camera(yaw=30)))
    free = random_eg3d(replace(SMALL, label_scale=0.0))
    assert torch.equal(free.map(z), free.map(z, camera=Camera(yaw=30)))


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": 0},
        {"colours": 2},
        {"distance": 0.0},
        {"fov": 180.0},
        {"label_scale": float("inf")},
        {"pivot": (float("nan"), 0.0, 0.0)},
        {"backbone": replace(SMALL.backbone, image_channels=10)},
        {"backbone": replace(SMALL.backbone, base_width=2)},
    ],
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"EG3D|camera"):
        replace(SMALL, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change", [{"channels": ()}, {"channels": (4, 1 << 30)}, {"side": 0}, {"side": 2000}, {"doubles": (True,)}]
)
def test_an_impossible_super_resolution_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="super-resolution"):
        replace(SuperResolution(8, (6, 4), (True, True)), **change)  # type: ignore[arg-type]
