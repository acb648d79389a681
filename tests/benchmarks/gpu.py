"""What a GPU makes of all this, in one run of less than ten minutes; its table is for the documentation.

    python -m tests.benchmarks.gpu                    # on the first CUDA device
    python -m tests.benchmarks.gpu --device cpu --resolution 32 --photos 1      # that the script itself works

Parity: every kind of network and one whole inversion, on the device and on the processor; on CUDA in real float32,
and the networks again with convolutions in TF32, which is PyTorch's default. Then StyleGAN2 with random weights:
memory at batches of 1 and 8, time of a picture and of its gradient in each precision. Last, photos inverted in a
second by the default model and method. For NVIDIA's compiled operations beside ours, see
``tests.benchmarks.stylegan2_speed --official``.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from stylegan_latents.generator import load
from stylegan_latents.generator.cli.command import choose_device, status_of
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.commands.cli import main as invert
from stylegan_latents.invert.inverters.base import SearchSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.photos.files import save_picture, to_picture
from tests.benchmarks.stylegan2_speed import random_stylegan2
from tests.generator.networks.test_stylegan1 import CONFIG, random_stylegan1
from tests.generator.stylegan3_files import R, T, random_stylegan3
from tests.odd_models import odd_generator

PARTS = ("parity", "speed", "photos")
_LIMIT = 540.0  # seconds; what has not begun by then is left out, and said


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--resolution", type=int, default=1024)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS, help="what to measure; all by default")
    given = parser.parse_args(arguments)
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        print("There is no CUDA device here, so nothing was measured.", file=sys.stderr)
        return 2
    return status_of(lambda: _measure(choose_device(given.device), given.resolution, given.photos, given.parts))


def _measure(device: torch.device, resolution: int, photos: int, chosen: Sequence[str]) -> None:
    begun = time.perf_counter()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    print(f"| {name}, PyTorch {torch.__version__} | |\n|---|---|")
    parts: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "parity": lambda: _parity(device),
        "speed": lambda: _speed(device, resolution),
        "photos": lambda: _photos(device, photos),
    }
    for what, measure in parts.items():
        if what not in chosen:
            continue
        if time.perf_counter() - begun > _LIMIT:
            print(f"| {what} | left out: no time |")
            continue
        for label, value in measure():
            print(f"| {label} | {value} |", flush=True)


def _parity(device: torch.device) -> list[tuple[str, str]]:
    """The largest difference of pictures and of gradients, in parts of the largest value."""
    made: dict[str, Callable[[], Generator]] = {
        "MobileStyleGAN": odd_generator,
        "StyleGAN": lambda: random_stylegan1(CONFIG),
        "StyleGAN2": lambda: random_stylegan2(64, 512, 32),
        "StyleGAN3-T": lambda: random_stylegan3(T),
        "StyleGAN3-R": lambda: random_stylegan3(R),
    }
    rows = []
    usual = torch.backends.cudnn.allow_tf32
    for name, make in made.items():
        here, worst = _pictures(make()), []
        for tf32 in (False, True) if device.type == "cuda" else (usual,):
            torch.backends.cudnn.allow_tf32 = tf32
            pairs = zip(here, _pictures(make().to(device)), strict=True)
            worst.append(f"{max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs):.1e}")
        rows.append((f"{name}: picture and gradient from the processor's", ", in TF32 ".join(worst)))
    torch.backends.cudnn.allow_tf32 = False
    codes = []
    for place in (torch.device("cpu"), device):
        G = odd_generator().to(place)
        images = odd_generator().synthesize(G.sample([5, 6]).cpu()).detach()
        codes.append(OptimizationInverter(G, SearchSettings(steps=20, precision="float32")).invert(images).ws)
    torch.backends.cudnn.allow_tf32 = usual
    apart = float((codes[0] - codes[1]).norm() / codes[0].norm())
    return [*rows, ("An inversion of 20 steps: codes from the processor's", f"{apart:.1e}")]


def _pictures(G: Generator) -> tuple[torch.Tensor, torch.Tensor]:
    ws = G.sample([1, 2]).detach().requires_grad_()
    images = G.synthesize(ws)
    (gradient,) = torch.autograd.grad(images.square().mean(), ws)
    return images.detach().cpu(), gradient.cpu()


def _speed(device: torch.device, resolution: int) -> list[tuple[str, str]]:
    rows = []
    G = random_stylegan2(resolution, 32 * resolution, 512).to(device)
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        G.to(dtype=dtype)
        for batch in (1, 8):
            ws = G.sample(range(batch)).detach().requires_grad_()
            with torch.inference_mode():
                drawing = _seconds(device, lambda ws=ws: G.synthesize(ws.detach()))  # type: ignore[misc]
            learning = _seconds(device, lambda ws=ws: torch.autograd.grad(G.synthesize(ws).sum(), ws))  # type: ignore[misc]
            memory = f", {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB" if device.type == "cuda" else ""
            label = f"StyleGAN2 of {resolution} pixels, {str(dtype).removeprefix('torch.')}, batch {batch}"
            rows.append((label, f"{1000 * drawing:.1f} ms, with gradient {1000 * learning:.1f} ms{memory}"))
    return rows


def _seconds(device: torch.device, work: Callable[[], object], repeats: int = 5) -> float:
    """The median time; the peak of the memory is counted from here on."""
    work()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _photos(device: torch.device, count: int) -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        G = load("ffhq").to(device)
        for seed in range(count):
            with torch.inference_mode():
                save_picture(to_picture(G.synthesize(G.sample([seed], truncation=0.7)))[0], photos / f"{seed}.png")
        begun = time.perf_counter()
        words = ["--no-align", "--quiet", "--out", f"{folder}/out", "--device", str(device), "--steps", "40"]
        if invert([str(photos), *words]) != 0:
            return [("Photos inverted", "failed")]
        seconds = time.perf_counter() - begun
    return [("Photos inverted by the default method, files and start included", f"{count / seconds:.2f} a second")]


if __name__ == "__main__":
    sys.exit(main())
