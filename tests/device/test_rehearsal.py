"""The whole program on a GPU and on Apple's device, as far as that can be told without one."""

import copy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from stylegan_latents.editing.commands.cli import main as edit
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.encoders.face_recognition import FaceDistance, FaceRecognition
from stylegan_latents.encoders.restyle import ReStyle
from stylegan_latents.encoders.training.data import GeneratorSamples
from stylegan_latents.encoders.training.loop import Training
from stylegan_latents.encoders.training.settings import TrainingSettings
from stylegan_latents.generator import load_discriminator
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.metrics.draws import draw_codes
from stylegan_latents.generator.metrics.equivariance import rotation_equivariance, translation_equivariance
from stylegan_latents.generator.metrics.features import VGGFeatures
from stylegan_latents.generator.metrics.frechet import FeatureStatistics, frechet_distance, sample_features
from stylegan_latents.generator.metrics.path_length import perceptual_path_length
from stylegan_latents.generator.networks.camera import Camera
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.invert.commands.cli import main as invert
from stylegan_latents.invert.inverters.by_name import INVERTERS, make_inverter
from stylegan_latents.invert.record.metrics import draw, measure
from stylegan_latents.invert.search.identity_loss import FaceIdentity
from tests.device.rehearsal import RefusedError, on_device, rehearsed
from tests.dlib_networks import parsed, small_network
from tests.editing.command_folder import enter_folder
from tests.editing.nonlinear.small_flows import small_flow
from tests.encoders.small_encoders import noise_images, small_encoder
from tests.generator.networks.eg3d_files import random_eg3d
from tests.generator.networks.stylegan_t_files import TEXTS, random_stylegan_t
from tests.generator.networks.stylenerf_files import random_stylenerf
from tests.generator.networks.test_stylegan1 import CONFIG as STYLEGAN1
from tests.generator.networks.test_stylegan1 import random_stylegan1
from tests.generator.stylegan2_files import random_stylegan2
from tests.generator.stylegan3_files import R, T, random_stylegan3
from tests.generator.tensorflow_files import tensorflow_pickle
from tests.generator.test_loading_discriminators import FOLDER, TENSORFLOW, TORCH
from tests.invert.small_people import small_person
from tests.invert.small_search import small_search
from tests.odd_models import odd_config, odd_generator, tiny_lpips

__all__ = ["small_search"]
DTYPES = (torch.float32, torch.bfloat16, torch.float16)
STYLEGAN2 = StyleGAN2Config(z_dim=4, mapping_widths=(6, 5), channels=(7, 6, 4))
NETWORKS: dict[str, Callable[[], Generator]] = {
    "eg3d": random_eg3d,
    "mobile": odd_generator,
    "stylegan1": lambda: random_stylegan1(STYLEGAN1),
    "stylegan2": lambda: random_stylegan2(STYLEGAN2),
    "stylegan2-resnet": lambda: random_stylegan2(
        StyleGAN2Config(z_dim=4, mapping_widths=(6, 5), channels=(7, 6, 4), architecture="resnet", clamp=256.0)
    ),
    "stylegan3-t": lambda: random_stylegan3(T),
    "stylegan3-r": lambda: random_stylegan3(R),
    "stylegan-t": lambda: random_stylegan_t(TEXTS, texts=1),
    "stylenerf": random_stylenerf,
}
MAPPER = Path(__file__).parents[1] / "data" / "styleclip" / "levels.pt"
HERE = ("--model", "../small.safetensors", "--device")


@pytest.fixture(name="device", params=["cuda", "mps"])
def _device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _drawn(G: Generator, device: str) -> tuple[Tensor, Tensor]:
    """Pictures of two codes, and the gradient."""
    G = G.to(device)
    ws = G.sample([1, 2]).detach().requires_grad_()
    images = G.synthesize(ws)
    images.square().mean().backward()
    assert images.device.type == device
    assert ws.grad is not None
    return images.detach().cpu(), ws.grad.cpu()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_draws_and_learns_as_on_the_processor(name: str, dtype: torch.dtype, device: str) -> None:
    wanted = _drawn(NETWORKS[name]().to(dtype=dtype), "cpu")
    with on_device(device) as rehearsal:
        G = NETWORKS[name]().to(device).to(dtype=dtype)
        for found, expected in zip(_drawn(G, device), wanted, strict=True):
            # Devices take parts of other sizes, and a low precision rounds between them.
            assert (found - expected).norm() <= (1e-4 if dtype == torch.float32 else 0.05) * expected.norm()
        ws = G.sample([1, 2])
        with torch.inference_mode():
            for size in (G.resolution, G.resolution // 2):
                assert G.synthesize(ws, "random", size=size, seed=3).device.type == device
                G.sketch(ws, size=size, focus=(0.2, 0.2, 0.7, 0.7))
            G.synthesize(ws, "none", reference=True)
            if name.startswith(("stylegan3", "stylegan-t")):
                G.synthesize(ws, translate=(0.1, 0.0), rotate=10.0)
            if G.camera is not None:
                assert G.view(ws, Camera(yaw=10)).depth.device.type == device
            G.synthesize(ws, [one.clone() for one in G.noise_constants()])
        copy.deepcopy(G).to("cpu").synthesize(ws.cpu())
    assert rehearsal.operations


@pytest.mark.parametrize("name", [*TORCH, *TENSORFLOW])
def test_every_discriminator_scores(name: str, device: str) -> None:
    with on_device(device):
        path = FOLDER / f"{name}.pkl" if name in TORCH else tensorflow_pickle(name)
        D = load_discriminator(path).to(device)
        side, channels = D.config.resolution, D.config.image_channels
        images = torch.rand(2, channels, side, side, device=device).requires_grad_()
        label = torch.eye(D.config.label_dim, device=device)[:1].repeat(2, 1) if D.config.label_dim else None
        scores = D(images, label)
        scores.sum().backward()
        assert scores.device.type == device


@pytest.mark.slow
@pytest.mark.usefixtures("small_search")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("method", INVERTERS)
def test_every_inverter_finds_two_codes(method: str, precision: Any, device: str) -> None:
    with on_device(device):
        G = odd_generator(odd_config(w_dim=8, z_dim=8, channels=(8, 8, 8))).to(device)
        images = noise_images(2, G.resolution)
        pivot = {"pivot": "optimize"} if INVERTERS[method].refines != "no" else {}
        given = {} if method == "encode" else {"precision": precision, "steps": 3}
        inverter = _inverter(G, method, given | pivot)
        mask = {} if method == "encode" else {"mask": torch.ones(1, 1, G.resolution, G.resolution)}
        record = inverter.invert(images, **mask)
        assert record.ws.shape == (2, G.num_ws, G.w_dim)
        for one in record.split():
            draw(G, one)
        measure(G, record.ws, images, lpips=tiny_lpips(), lpips_vgg=tiny_lpips(1), full=True)


def _inverter(G: Generator, method: str, options: dict[str, Any]) -> Any:
    from stylegan_latents.invert.inverters.base import SearchSettings
    from stylegan_latents.invert.inverters.encode import EncoderInverter
    from stylegan_latents.invert.inverters.hybrid import HybridInverter
    from stylegan_latents.invert.inverters.person import PersonInverter

    if method == "person":
        person = small_person(copy.deepcopy(G).to("cpu"))
        return PersonInverter(G, person, SearchSettings(**options))
    if method == "encode":
        return EncoderInverter(G, small_encoder(G).to(G.device))
    if method == "hybrid":
        return HybridInverter(G, small_encoder(G).to(G.device), SearchSettings(**options))
    return make_inverter(G, method, **options)


@pytest.mark.slow
@pytest.mark.usefixtures("small_search")
@pytest.mark.parametrize("weights", ["low-rank", "channels"])
def test_tuning_in_every_form(weights: Any, device: str) -> None:
    with on_device(device):
        G = odd_generator().to(device)
        inverter = make_inverter(G, "pivotal", pivot="optimize", steps=2, weights=weights)
        record = inverter.invert(noise_images(2, G.resolution))
        draw(G, record.split()[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "restyle"),
    [("plain", False), ("plain", True), ("perceptual", False), ("psp", False), ("psp", True), ("e4e", False)],
)
def test_every_encoder_encodes_and_learns(architecture: Any, restyle: bool, device: str) -> None:
    with on_device(device):
        G = odd_generator(odd_config(w_dim=8, z_dim=8, channels=(8, 8, 8)))
        encoder = small_encoder(G, architecture, restyle=restyle)
        accelerator = SimpleNamespace(
            device=torch.device(device),
            num_processes=1,
            process_index=0,
            prepare=lambda *things: [one.to(device) if isinstance(one, torch.nn.Module) else one for one in things],
            backward=torch.Tensor.backward,
        )
        settings = TrainingSettings(steps=4, batch=2, warm_up=1, loss_size=32, adversarial_weight=0.1)
        lpips = tiny_lpips().to(device)
        faces = FaceDistance(FaceRecognition(parsed(small_network()))).to(device)
        source = GeneratorSamples(G, 32)
        training = Training(
            encoder, G, source, settings, {"lpips": (0.5, lpips), "identity": (0.1, faces)}, accelerator
        )  # type: ignore[arg-type]
        told = [training.step() for _ in range(2)]
        assert told[1]["loss"] > 0
        training.pictures(2)
        kept = training.tensors()
        training.resume(kept, 1)
        training.step()
        coder = ReStyle(encoder, G) if restyle else encoder
        assert coder.encode(noise_images()).device.type == device


def test_the_identity_loss_in_a_search(device: str) -> None:
    with on_device(device):
        corners = torch.tensor([[[0.2, 0.2], [0.8, 0.2], [0.2, 0.8]]]).repeat(2, 1, 1)
        loss = FaceIdentity(corners, torch.tensor([True, False]), FaceRecognition(parsed(small_network())))
        for dtype in (torch.float32, torch.bfloat16):
            one = loss.to(torch.device(device), dtype)
            images = torch.rand(2, 3, 64, 64, device=device).requires_grad_()
            one.distance(one.features(images), one.features(images.detach())).sum().backward()
            one[1].features(images[1:])


@pytest.mark.slow
def test_metrics(device: str) -> None:
    widths = (3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8)
    with on_device(device):
        tensors = {f"conv{i}.weight": torch.rand(widths[i + 1], widths[i], 3, 3) for i in range(13)}
        tensors |= {f"conv{i}.bias": torch.rand(widths[i + 1]) for i in range(13)}
        G = random_stylegan3(T).to(device)
        features = VGGFeatures(tensors, side=32, device=G.device)
        found = [FeatureStatistics.of(sample_features(G, features, 20, batch=10, seed=seed)) for seed in (0, 20)]
        assert frechet_distance(*found) >= 0
        lpips = tiny_lpips().to(device)
        for space in ("z", "w"):
            perceptual_path_length(G, lpips, space=space, samples=4, batch=2)  # type: ignore[arg-type]
        for measured in (translation_equivariance, rotation_equivariance):
            measured(G.synthesize, draw_codes(G, 2, batch=2))  # type: ignore[operator]
        translation_equivariance(G.synthesize, draw_codes(G, 2, batch=2), fractional=True)


A, B = "a.inversion.safetensors", "b.inversion.safetensors"
COMMANDS = {
    "edit": [A, "-d", "smile", "-s", "2", "--sheet"],
    "by features": [A, "-d", "smile", "-s", "2", "--region", "mask.png", "--blend", "features"],
    "grid": ["grid", A, "-d", "smile", "--range", "-1", "1"],
    "drag": ["drag", A, "--from", "10,10", "--to", "20,10", "--steps", "3", "--mask", "mask.png"],
    "mix": ["mix", A, B, "--layers", "coarse"],
    "matrix": ["mix", A, B, "seed:5", "--matrix", "--layers", "middle"],
    "interpolate": ["interpolate", A, B, "--frames", "3", "--out", "frames"],
    "even": ["interpolate", A, B, "--frames", "3", "--even", "--curve", "spline", "--out", "frames"],
    "slerp": ["interpolate", "seed:1", "seed:2", "--curve", "slerp", "--frames", "3", "--out", "frames"],
    "sweep": ["interpolate", A, "-d", "smile", "--range", "-1", "1", "--frames", "3", "--out", "frames"],
    "sample": ["sample", "--seeds", "0-3", "--records", "--out", "samples"],
    "evaluate": ["evaluate", "-d", "smile", "--scorer", "colour", "--score", "redness", "--codes", "2", "--steps",
                 "3", "--features", "none", "--no-figure"],
    "sefa": ["discover", "-m", "sefa", "-n", "2"],
    "ganspace": ["discover", "-m", "ganspace", "-n", "2", "--samples", "300"],
    "stylespace": ["discover", "-m", "stylespace", "-n", "2", "--mask", "mask.png", "--samples", "2"],
    "examples": ["discover", "-m", "examples", "--before", "one", "--after", "two"],
    "lowrank": ["discover", "-m", "lowrank", "-n", "2", "--mask", "mask.png", "--samples", "2"],
    "interfacegan": ["discover", "-m", "interfacegan", "--scorer", "colour", "--score", "redness",
                     "--samples", "300"],
    "wayback": ["discover", "-m", "wayback", "-d", "../groups.safetensors", "--scorer", "colour",
                "--samples", "120"],
    "flow": ["discover", "-m", "flow", "--scorer", "colour", "--score", "redness", "--samples", "120"],
    "by flow": [A, "--flow", "../flow.safetensors", "--set", "redness=0.5"],
    "mapper": [A, "--mapper", str(MAPPER)],
    "parts": ["parts", A],
}  # fmt: skip


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STYLEGAN_HOME", str(tmp_path / "cache"))
    folder = enter_folder(tmp_path, monkeypatch)
    Image.linear_gradient("L").resize((32, 32)).save("mask.png")
    small_flow().save(tmp_path / "flow.safetensors")
    Direction("groups", "small-w", torch.ones(3, 8), 1.0, by_group=True).save(tmp_path / "groups.safetensors")
    for name in ("one", "two"):
        Path(name).mkdir()
        Path(f"{name}/{A}").write_bytes(Path(A if name == "one" else B).read_bytes())
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_edit(name: str, device: str, capsys: pytest.CaptureFixture[str]) -> None:
    with on_device(device) as rehearsal:
        assert edit([*COMMANDS[name], *HERE, device]) == 0, capsys.readouterr().err
    assert rehearsal.operations


@pytest.mark.slow
@pytest.mark.usefixtures("folder", "small_search")
def test_photos_in_a_batch(device: str) -> None:
    Path("photos").mkdir()
    for number in range(2):
        Image.new("RGB", (64, 64), (80 * number, 80, 200)).save(f"photos/{number}.png")
    with on_device(device):
        words = [
            "photos",
            "--no-align",
            "--method",
            "optimize",
            "--steps",
            "3",
            "--out",
            "out",
            "--preview",
            "p.gif",
        ]
        assert invert([*words, *HERE, device]) == 0
        assert len(list(Path("out").glob("*.inverted.png"))) == 2


def test_what_a_device_refuses_is_refused() -> None:
    with rehearsed("cuda"):
        there, here = torch.rand(3, 3, device="cuda"), torch.rand(3, 3)
        for wrong in (
            lambda: there + here,
            lambda: torch.cat([there, here]),
            lambda: here[there.argmax(0)],
            lambda: there.numpy(),
            lambda: torch.nn.Linear(3, 3)(there),
            lambda: torch.randn(3, device="cuda", generator=torch.Generator()),
        ):
            with pytest.raises(RefusedError):
                wrong()
        assert (there * here.sum() + torch.tensor(2.0)).device == torch.device("cuda", 0)
        assert there[here.argmax(0)].device.type == "cuda"
        assert here.to(there).is_cuda
        assert torch.nn.Linear(3, 3).to("cuda")(there).detach().cpu().numpy().shape == (3, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x.double(),
        lambda x: x.to(torch.float64),
        lambda _: torch.zeros(3, dtype=torch.float64, device="mps"),
        lambda _: torch.zeros(3, dtype=torch.float64).to("mps"),
        lambda x: torch.linspace(0, 1, 3, device=x.device, dtype=torch.float64),
        lambda x: torch.linalg.eig(x),
    ],
)
def test_what_mps_does_not_know_is_refused(wrong: Callable[[Tensor], Tensor]) -> None:
    with rehearsed("mps"), pytest.raises(RefusedError, match="mps"):
        wrong(torch.eye(3, device="mps"))


class _Broken(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        return x * 2

    @staticmethod
    def backward(_ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        return grad * (torch.ones(3, device="cuda") + torch.ones(3))


def test_a_backward_pass_is_watched_too() -> None:
    with rehearsed("cuda"):
        x = torch.ones(3, device="cuda").requires_grad_()
        with pytest.raises(RefusedError):
            _Broken.apply(x).sum().backward()
