"""Small people for tests: three anchors of a random generator, with weights that are a little tuned."""

import numpy as np
import torch

from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.record.person import Person
from stylegan_latents.invert.record.source import Source
from stylegan_latents.invert.record.tuned_weights import tunable
from tests.small_models import small_record


def small_person(G: Generator, count: int = 3, *, tuned: bool = True) -> Person:
    """Anna, in photos that do not exist."""
    anchors = [
        small_record(
            G,
            ws=G.sample([10 + number]),
            sources=[Source(f"{number}.png", f"{number:064x}")],
            alignments=[None],
        )
        for number in range(count)
    ]
    person = Person.of("anna", anchors, [np.full(128, 0.01 * number) for number in range(count)])
    if not tuned:
        return person
    source = torch.Generator().manual_seed(1)
    weights = {
        name: (0.05 * weight.abs().mean() * torch.randn(weight.shape, generator=source)).half()[None]
        for name, weight in tunable(G).items()
    }
    return person.tuned(weights, {"steps": 3}, {"lpips_alex": [0.1] * count})
