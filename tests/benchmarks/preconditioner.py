"""Measures the preconditioner that comes with the package, and what it is good for.

    python -m tests.benchmarks.preconditioner --out invert/search/measured/ffhq.safetensors      # 4 minutes
    python -m tests.benchmarks.preconditioner --photos ../shared/photos                          # what it saves

Gradients are of the search's loss for samples, at the encoder's code and once more between it and the sample's own.
Half of the samples are mixed of two codes, so that their rows differ. The comparison prints LPIPS after the same
number of steps, with the measured directions, with those of the weights alone, and with the axes as they are.
"""

import argparse
import statistics
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.perceptual import as_colour
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.generator.statistics import WStatistics
from stylegan_latents.invert.faces.align import align_face, require_faces
from stylegan_latents.invert.inverters.base import SearchSettings, identity_loss_of
from stylegan_latents.invert.inverters.hybrid import HybridInverter
from stylegan_latents.invert.photos.files import list_photos, read_photo, to_tensor
from stylegan_latents.invert.record.metrics import measure
from stylegan_latents.invert.search.loss import LPIPS, comparison_for
from stylegan_latents.invert.search.preconditioner import Preconditioner, row_resolutions

TRUNCATION = 0.7


def sampled(G: Generator, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Gradients and errors, as ``Preconditioner.of_gradients`` takes them."""
    inverter, of_w = HybridInverter(G), WStatistics.of(G)
    drawing = in_precision(G, inverter.search.dtype)
    random = torch.Generator().manual_seed(seed)
    size = 2 * inverter.search.search_size
    gradients, errors = [], []
    for number in range(count):
        first, second = G.map(torch.randn(2, G.z_dim, generator=random).to(G.device), truncation=TRUNCATION)
        ws = first[None].clone()
        row = int(torch.randint(G.num_ws // 4, G.num_ws, (1,), generator=random))
        if number % 2:
            ws[:, row:] = ws[:, row:].lerp(second[None, row:], 0.6)
        with torch.no_grad():
            image = as_colour(G.synthesize(ws)).clamp(-1, 1)
            start = inverter.own_start(image, None)
        compare = comparison_for(G, image, inverter.search, size)
        target, start = of_w.whiten(ws), of_w.whiten(start)
        for part in (0.0, 0.9 * float(torch.rand(1, generator=random))):
            code = start.lerp(target, part).requires_grad_()
            losses, _ = compare(as_colour(drawing.synthesize(of_w.unwhiten(code), size=size)))
            (gradient,) = torch.autograd.grad(losses.sum(), code)
            gradients.append(gradient[0])
            errors.append((target - code.detach())[0])
        print(f"{number + 1} of {count}", end="\r", flush=True)
    return torch.stack(gradients), torch.stack(errors)


def compared(G: Generator, folder: Path, steps: int) -> None:
    """LPIPS of photos after so many steps, each way."""
    lpips, of_w = LPIPS.load("alex"), WStatistics.of(G)
    crops = []
    for path in sorted(folder.glob("*_neutral.*")) or list_photos(folder):
        photo = read_photo(path)
        crops.append(align_face(photo, require_faces(photo, "largest", path.name)[0], G.resolution)[0])
    k = torch.zeros(G.num_ws, G.w_dim, 0, device=G.device)
    even = torch.ones(G.num_ws, 1, device=G.device)
    axes = Preconditioner(k, even, even, row_resolutions(G))
    ways = {"measured": Preconditioner.of(G, of_w), "weights": Preconditioner.of_weights(G, of_w), "axes": axes}
    for name, way in ways.items():
        found = []
        for crop in crops:
            inverter = HybridInverter(G, settings=SearchSettings(steps=steps))
            with mock.patch.object(Preconditioner, "of", return_value=way):
                record = inverter.invert(to_tensor(crop), identity_loss=identity_loss_of(inverter, crop))
            distance = float(of_w.distance(record.ws))
            found.append((measure(G, record.ws, to_tensor(crop), lpips=lpips)["lpips_alex"][0], distance))
        medians = [statistics.median(values) for values in zip(*found, strict=True)]
        print(f"{name:10} LPIPS {medians[0]:.4f}  distance from W's mean {medians[1]:.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ffhq")
    parser.add_argument("--samples", type=int, default=260)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--out", type=Path, help="measure, and write this file")
    parser.add_argument("--photos", type=Path, help="compare on this folder's photos; on *_neutral ones, if any")
    parser.add_argument("--steps", type=int, default=40)
    arguments = parser.parse_args()
    G = generator.load(arguments.model)
    if arguments.out is not None:
        gradients, errors = sampled(G, arguments.samples, arguments.seed)
        found = Preconditioner.of_gradients(gradients, errors, row_resolutions(G))
        found.save(arguments.out, WStatistics.of(G), G.latent_space)
    if arguments.photos is not None:
        compared(G, arguments.photos, arguments.steps)


if __name__ == "__main__":
    main()
