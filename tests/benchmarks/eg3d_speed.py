"""``python -m tests.benchmarks.eg3d_speed``: processor time and memory of an EG3D of published sizes."""

import resource
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import torch

from stylegan_latents.generator.networks.camera import Camera, field_of_view
from stylegan_latents.generator.networks.eg3d import EG3DConfig, SuperResolution
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.generator.ops.volume_rendering import Rendering, render
from tests.generator.networks.eg3d_files import random_eg3d

Result = TypeVar("Result")
FFHQ = EG3DConfig(
    backbone=StyleGAN2Config(
        z_dim=512, mapping_widths=(512, 512), channels=(512, 512, 512, 512, 512, 256, 128), image_channels=96,
        label_dim=25, label_width=512,
    ),
    hidden=64, colours=32,
    rendering=Rendering(side=128, near=2.25, far=3.3, samples=48, fine_samples=48, box=1.0),
    super_resolution=SuperResolution(side=128, channels=(256, 128), doubles=(True, True), clamp=256.0),
    distance=2.7, fov=field_of_view(4.2647), pivot=(0.0, 0.0, 0.2),
)  # fmt: skip
"""The sizes of NVIDIA's ffhq512-128.pkl."""


def timed(name: str, work: Callable[[], Result]) -> Result:
    """Do the work, and print the processor's and the clock's seconds."""
    processor, clock = time.process_time(), time.perf_counter()
    result = work()
    print(f"{name:16}{time.process_time() - processor:8.2f} s{time.perf_counter() - clock:8.2f} s", flush=True)
    return result


@torch.inference_mode()
def main() -> int:
    """Time each part of one picture, with random weights."""
    print(f"{torch.get_num_threads()} threads{'processor':>16}{'clock':>9}")
    G = random_eg3d(FFHQ)
    styles, noise = G.styles(G.sample([0])), G.noise_constants()
    planes = timed("planes", lambda: G.synthesis.planes(styles, noise))
    camera, decoder = G.synthesis.camera_matrices(Camera(5)), G.synthesis.decoder.bound()
    timed("rendering", lambda: render(planes, decoder, camera, FFHQ.rendering))
    timed("a further view", lambda: G.synthesize_styles(styles, camera=Camera(10)))
    timed("a first picture", lambda: G.synthesize(G.sample([1])))
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(f"peak memory {peak / 1e9:.1f} GB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
