"""How much sooner the search without an encoder, `invert --method optimize`, reaches what a plain loop reaches.

    python -m tests.benchmarks.projection ../shared/photos   # about 8 minutes a photo
    python -m tests.benchmarks.projection ../shared/photos --only london_005_neutral --only astronaut
    python -m tests.benchmarks.projection ../shared/photos --estimate # a third of the time: see below

The plain loop is what one writes first: the network's plain operations in float32, contiguous, the whole image at
every step, LPIPS (Alex) and mean squared error at 256 pixels, Adam from the mean code: 100 steps in W at learning
rate 0.1, then 150 in W+ at 0.05. Both run in this process, one after the other, for each photo, and both results
are measured in float32.

Beside the time stands what the code is worth afterwards: how far it lies from W's samples (1 is a typical sample),
and dlib's identity distance between the photo and the picture after each shipped direction at +2 and -2 (mean).

With --estimate the plain loop goes by the fast operations in float32, whose gradients equal the plain
ones to 2e-5, and its time is 250 times the median of a few plain steps that are measured beside it.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.editing.directions.catalogue import known_directions
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.ops.memory import keep_freed_memory
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.faces.align import align_face, require_faces
from stylegan_latents.invert.faces.identity import Identity
from stylegan_latents.invert.inverters.base import SearchSettings
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.photos.files import read_photo, to_picture, to_tensor
from stylegan_latents.invert.record.metrics import measure
from stylegan_latents.invert.search.loss import LPIPS, area_resize

W_STEPS, W_RATE = 100, 0.1
W_PLUS_STEPS, W_PLUS_RATE = 150, 0.05
TIMED_STEPS = 6


class PlainLoop:
    """The loop to beat, on one image, on the generator's device."""

    def __init__(self, G: Generator, lpips: LPIPS, image: Tensor, *, plain_operations: bool) -> None:
        self.G, self.lpips, self.plain_operations = G, lpips.to(G.device), plain_operations
        self.target = area_resize(image.to(G.device), 256)
        with torch.no_grad():
            self.features = lpips.features(self.target)

    def run(self, steps: int, rate: float, start: Tensor) -> Tensor:
        """Adam on a code of one row (W) or of num_ws rows (W+)."""
        code = start.clone().requires_grad_()
        adam = torch.optim.Adam([code], lr=rate)
        for _ in range(steps):
            adam.zero_grad()
            ws = code.expand(-1, self.G.num_ws, -1)
            size = None if self.plain_operations else 256
            made = area_resize(self.G.synthesize(ws, size=size, reference=self.plain_operations), 256)
            loss = self.lpips.distance(self.lpips.features(made), self.features).sum()
            (loss + (made - self.target).square().mean()).backward()
            adam.step()
        return code.detach()

    def search(self) -> Tensor:
        """The whole loop: ws ``[1, num_ws, w_dim]``."""
        w = self.run(W_STEPS, W_RATE, self.G.w_avg.reshape(1, 1, -1))
        return self.run(W_PLUS_STEPS, W_PLUS_RATE, w.expand(-1, self.G.num_ws, -1))


def plain_result(G: Generator, lpips: LPIPS, image: Tensor, estimate: bool) -> tuple[Tensor, float]:
    """The plain loop's code and its seconds."""
    loop = PlainLoop(G, lpips, image, plain_operations=True)
    if not estimate:
        start = time.perf_counter()
        return loop.search(), time.perf_counter() - start
    times = []
    for _ in range(TIMED_STEPS):
        start = time.perf_counter()
        loop.run(1, W_PLUS_RATE, G.w_avg.reshape(1, 1, -1).expand(-1, G.num_ws, -1))
        times.append(time.perf_counter() - start)
    with keep_freed_memory():
        ws = PlainLoop(G, lpips, image, plain_operations=False).search()
    return ws, statistics.median(times[1:]) * (W_STEPS + W_PLUS_STEPS)


def edited_identity(G: Generator, ws: Tensor, photo: Image.Image) -> float:
    """The mean identity distance from the photo after every shipped direction at +2 and -2."""
    identity = Identity()
    person = identity(photo)
    assert person is not None
    distances = []
    for direction in known_directions(G.latent_space).values():
        for strength in (2, -2):
            with torch.inference_mode():
                picture = to_picture(G.synthesize(direction.bind(G).apply(ws, strength), size=G.resolution // 2))[0]
            found = identity(picture)
            if found is not None:
                distances.append(identity.distance(person, found))
    return statistics.mean(distances)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("--only", action="append", help="a photo's name without suffix; repeatable")
    parser.add_argument("--estimate", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", type=int, help="of our search")
    parser.add_argument("--json", type=Path, help="where to write the rows")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    paths = sorted([*arguments.photos.glob("*_neutral.*"), *arguments.photos.glob("astronaut.*")])
    if arguments.only:
        paths = [path for path in paths if path.stem in arguments.only]
    if not paths:
        sys.exit(f"no such photos in {arguments.photos}")
    G, lpips = generator.load("ffhq"), LPIPS.load("alex")
    rows: list[dict[str, float | str]] = []
    typical = WStatistics.of(G)
    print(f"{'photo':22} {'plain':>15} {'ours':>15}   time ratio  LPIPS ratio  distance in W  identity, edited")
    for path in paths:
        photo = read_photo(path)
        crop, _ = align_face(photo, require_faces(photo, "largest", path.name)[0], G.resolution)
        image = to_tensor(crop)
        plain, plain_seconds = plain_result(G, lpips, image, arguments.estimate)
        start = time.perf_counter()
        ours = OptimizationInverter(G, SearchSettings(steps=arguments.steps)).invert(image)
        seconds = time.perf_counter() - start
        ours_row, plain_row = (measure(G, ws, image, lpips=lpips) for ws in (ours.ws, plain))
        row: dict[str, float | str] = {
            "photo": path.stem,
            "plain_seconds": plain_seconds,
            "plain_lpips": plain_row["lpips_alex"][0],
            "seconds": seconds,
            "lpips": ours_row["lpips_alex"][0],
            "time_ratio": plain_seconds / seconds,
            "lpips_ratio": ours_row["lpips_alex"][0] / plain_row["lpips_alex"][0],
            "plain_w_distance": float(typical.distance(plain)),
            "w_distance": float(typical.distance(ours.ws)),
            "plain_edited_identity": edited_identity(G, plain, crop),
            "edited_identity": edited_identity(G, ours.ws, crop),
        }
        rows.append(row)
        print(
            f"{path.stem:22} {plain_seconds:7.1f} s {row['plain_lpips']:.4f} {seconds:7.1f} s {row['lpips']:.4f}"
            f"   {row['time_ratio']:9.1f}x {row['lpips_ratio']:11.2f}"
            f"   {row['plain_w_distance']:5.2f} -> {row['w_distance']:4.2f}"
            f"   {row['plain_edited_identity']:5.2f} -> {row['edited_identity']:4.2f}",
            flush=True,
        )
        if arguments.json:
            arguments.json.write_text(json.dumps(rows, indent=1))
    neutral = [row for row in rows if str(row["photo"]).endswith("_neutral")] or rows
    for key in list(rows[0])[1:]:
        values = [float(row[key]) for row in neutral]
        print(f"{key}: median {statistics.median(values):.4f}, from {min(values):.4f} to {max(values):.4f}")
    print("plain loop:", "estimated from single steps" if arguments.estimate else "run in full")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    print(f"threads {arguments.threads}; peak memory of this process {peak:.2f} GB (the plain loop's included)")


if __name__ == "__main__":
    main()
