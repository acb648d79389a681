"""Whether GANSpace's first axes are those of an exact PCA of other samples.

    python -m tests.benchmarks.ganspace                 # both of 200,000 samples

The reference draws its own samples, keeps them all, and takes scikit-learn's PCA in float64. Only the mapping
network runs.
"""

import argparse
import sys
import time

import numpy as np
import torch
from sklearn.decomposition import PCA

from stylegan_latents import generator
from stylegan_latents.editing.discovery.finders.ganspace import GANSpace
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator

_WANTED = 0.99
_REFERENCE_SEED = 20_240_601
_BATCH = 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ffhq", help="a model's name or file (default: ffhq)")
    parser.add_argument("--samples", type=int, default=200_000, help="of W, for each (default: 200000)")
    parser.add_argument("--axes", type=int, default=8, help="how many to compare (default: 8)")
    chosen = parser.parse_args()
    try:
        G = generator.load(chosen.model)
        start = time.perf_counter()
        found = GANSpace(G, samples=chosen.samples).axes()
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"GANSpace: {chosen.samples} samples in {time.perf_counter() - start:.1f} s")
    reference = PCA(chosen.axes, svd_solver="covariance_eigh").fit(_samples(G, chosen.samples))
    cosines = np.abs((found.axes[: chosen.axes].numpy() * reference.components_).sum(axis=1))
    for index, cosine in enumerate(cosines):
        sigma, exact = float(found.deviations[index]), reference.explained_variance_[index] ** 0.5
        print(f"axis {index}: |cos| {cosine:.4f}   sigma {sigma:.3f}, exact {exact:.3f}")
    reached = bool(cosines.min() >= _WANTED)
    print(f"smallest |cos| {cosines.min():.4f}, wanted {_WANTED}: {'reached' if reached else 'NOT reached'}")
    return 0 if reached else 1


def _samples(G: Generator, samples: int) -> np.ndarray:
    w = np.empty((samples, G.w_dim), dtype=np.float64)
    source = torch.Generator().manual_seed(_REFERENCE_SEED)
    with torch.no_grad():
        for start in range(0, samples, _BATCH):
            count = min(_BATCH, samples - start)
            z = torch.randn(count, G.z_dim, generator=source)
            w[start : start + count] = G.map(z)[:, 0].cpu().double().numpy()
    return w


if __name__ == "__main__":
    sys.exit(main())
