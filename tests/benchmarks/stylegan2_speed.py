"""How much faster the fast operations draw with StyleGAN2 than the definition's do, and how exactly.

    python -m tests.benchmarks.stylegan2_speed                          # 1024 pixels, channel_base 32768: minutes
    python -m tests.benchmarks.stylegan2_speed --resolution 256 --device cuda --batch 8 --precision float16
    python -m tests.benchmarks.stylegan2_speed --official CLONE         # NVIDIA's own operations beside them

A network with random weights, once by the plain operations (float32, contiguous) and once by the fast ones, in
one process; forward, and forward and backward to ws. Times are medians; PSNR is between the lower precision's and
float32's image, for images in [-1, 1].

CLONE is a checkout of NVIDIA's stylegan2-ada-pytorch (not for commercial use), whose code this imports: on a CPU
its reference operations in float32, on a GPU its compiled ones, with float16 in the four largest blocks. Its
network has the same widths and random weights of its own. The plain operations are its reference ones in other
words, but keep freed memory from layer to layer, as all of ours do; it is timed as one finds it.
"""

import argparse
import copy
import importlib
import math
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.networks.mapping import Mapping
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config, Synthesis
from stylegan_latents.generator.ops.memory import keep_freed_memory


def random_stylegan2(resolution: int, channel_base: int, channel_max: int, seed: int = 0) -> Generator:
    """A StyleGAN2 of NVIDIA's widths; its image's standard deviation is about a photo's, 0.5."""
    sides = [4 << i for i in range(int(math.log2(resolution)) - 1)]
    channels = tuple(min(channel_base // side, channel_max) for side in sides)
    config = StyleGAN2Config(512, (512,) * 8, channels)
    draw = torch.Generator().manual_seed(seed)
    synthesis, mapping = Synthesis(config), Mapping(config)
    with torch.no_grad():
        for name, parameter in [*synthesis.named_parameters(), *mapping.named_parameters()]:
            fan_in = parameter[0].numel() if parameter.ndim == 2 else 1
            parameter.normal_(std=fan_in**-0.5, generator=draw)
            if name.endswith("style.bias"):
                parameter.fill_(1.0)
            elif name.endswith("noise_strength"):
                parameter.fill_(0.1)
    G = Generator(mapping, synthesis, torch.zeros(512), name="random", z_dim=512)
    with torch.no_grad():
        spread = G.synthesize(G.sample([seed]), size=min(resolution, 256)).std()
        for name, parameter in synthesis.named_parameters():
            if "rgb" in name and "style" not in name:
                parameter.mul_(0.5 / spread)
    return G


def seconds(work: Callable[[], object], device: torch.device, repeat: int) -> float:
    """The median time of some work, after one run to warm up."""
    times = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def backward(draw: Callable[[Tensor], Tensor], ws: Tensor) -> Tensor:
    """Gradient of the image's mean square, for ws."""
    ws = ws.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(draw(ws).square().mean(), ws)
    return gradient


def official_drawing(
    clone: Path, resolution: int, channel_base: int, channel_max: int, device: torch.device
) -> Callable[[Tensor], Tensor]:
    """NVIDIA's synthesis with random weights, in float32 on a CPU and its mixture with float16 on a GPU."""
    sys.path.insert(0, str(clone))
    networks = importlib.import_module("training.networks")
    synthesis = networks.SynthesisNetwork(
        w_dim=512,
        img_resolution=resolution,
        img_channels=3,
        channel_base=channel_base,
        channel_max=channel_max,
        num_fp16_res=0 if device.type == "cpu" else 4,
        conv_clamp=None if device.type == "cpu" else 256,
    )
    return partial(synthesis.eval().requires_grad_(False).to(device), noise_mode="const")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", type=int, default=1024)
    parser.add_argument("--channel-base", type=int, default=32768)
    parser.add_argument("--channel-max", type=int, default=512)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=("bfloat16", "float16"), default="bfloat16")
    parser.add_argument("--repeat", type=int, default=3, help="timed runs of each kind (default: 3)")
    parser.add_argument("--official", type=Path, metavar="CLONE", help="NVIDIA's stylegan2-ada-pytorch")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device, repeat = torch.device(arguments.device), arguments.repeat
    G = random_stylegan2(arguments.resolution, arguments.channel_base, arguments.channel_max).to(device)
    low = copy.deepcopy(G).to(dtype=getattr(torch, arguments.precision))
    ws = G.sample(range(arguments.batch))
    kinds = (("plain", G, True), ("float32", G, False), (arguments.precision, low, False))
    images: dict[str, Tensor] = {}
    timed: dict[str, tuple[float, float]] = {}

    def measure(name: str, draw: Callable[[Tensor], Tensor]) -> None:
        with torch.inference_mode():
            images[name] = draw(ws)
            forward = seconds(partial(draw, ws), device, repeat)
        both = seconds(partial(backward, draw, ws), device, repeat)
        timed[name] = forward, both
        ratios = [
            f"{base_forward / forward:.2f}x and {base_both / both:.2f}x {base}"
            for base, (base_forward, base_both) in timed.items()
            if base in ("official", "plain") and base != name
        ]
        print(f"{name:9} forward {forward:7.3f} s   with gradients {both:7.3f} s   {', '.join(ratios)}", flush=True)

    if arguments.official is not None:
        widths = arguments.resolution, arguments.channel_base, arguments.channel_max
        measure("official", official_drawing(arguments.official, *widths, device))
        del images["official"]  # of other weights
    with keep_freed_memory():
        for name, network, reference in kinds:
            measure(name, partial(network.synthesize, reference=reference))
    for name in list(images)[1:]:
        error = (images[name] - images["plain"]).square().mean().sqrt()
        print(f"{name}: {20 * math.log10(2 / float(error)):.1f} dB from the plain image")
    print(f"{arguments.resolution} pixels, batch {arguments.batch}, {device}, threads {arguments.threads}")


if __name__ == "__main__":
    main()
