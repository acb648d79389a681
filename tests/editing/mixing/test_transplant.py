from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.mixing.transplant import Transplant, can_transplant, transplanted
from stylegan_latents.editing.records.codes import open_sources, read_sources
from stylegan_latents.editing.regions.parts import Parts, stored_parts
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.files import to_picture
from tests.odd_models import odd_generator

PEOPLE = ("background", "hair", "skin", "eyes")


def _parts(names: tuple[str, ...]) -> Parts:
    G = odd_generator()
    centres = torch.eye(len(names))
    return Parts(names, centres, torch.arange(len(names)), torch.zeros(len(names), 1), G.name, G.fingerprint)


def test_features_and_hair_of_people_can_be_transplanted() -> None:
    G = odd_generator()
    assert can_transplant(G, _parts(PEOPLE), ["eyes", "hair"])
    assert not can_transplant(G, _parts(PEOPLE), ["hair", "background"])
    assert not can_transplant(G, _parts(("0", "1")), ["hair"])


@pytest.mark.slow  # the default model
def test_hair_and_eyes_come_over_and_the_rest_stays() -> None:
    G, (receiver, hair, eyes) = open_sources(read_sources(["seed:85", "seed:5", "seed:33"]), truncation=0.7)
    parts = stored_parts(G)
    assert parts is not None
    done = []
    picture = transplanted(
        G,
        receiver,
        [Transplant(hair, ["hair"]), Transplant(eyes, ["eyes"], 0.5)],
        parts,
        steps=2,
        on_step=lambda step, steps: done.append((step, steps)),
    )
    assert done == [(1, 2), (2, 2)]
    before = _pixels(G.synthesize(receiver.ws))
    change = np.abs(_pixels(picture) - before).mean(axis=2)
    side = len(change)
    assert change[side // 20 : side // 8, side // 4 : -side // 4].mean() > 10  # the crown
    assert change[round(0.44 * side) : round(0.5 * side), side // 3 : -side // 3].mean() > 2  # the eyes
    assert change[round(0.65 * side) : round(0.75 * side), side // 2 - 50 : side // 2 + 50].max() == 0  # the mouth
    with pytest.raises(InputError, match="from 0"):
        transplanted(G, receiver, [Transplant(hair, ["hair"], 1.5)], parts, steps=1)


@pytest.mark.slow  # the default model
def test_a_strength_of_0_keeps_the_receivers_own_noise() -> None:
    G, (receiver, eyes) = open_sources(read_sources(["seed:85", "seed:33"]), truncation=0.7)
    parts = stored_parts(G)
    assert parts is not None
    noisy = replace(receiver, noise=[one.roll(3, -1) for one in G.noise_constants()])
    before, plain = (_pixels(G.synthesize(receiver.ws, noise)) for noise in (noisy.noise_or_const, "const"))
    assert np.abs(before - plain).max() > 5
    kept = transplanted(G, noisy, [Transplant(eyes, ["eyes"], 0.0)], parts, steps=1)
    assert np.abs(_pixels(kept) - before).max() <= 1


def _pixels(picture: "Image.Image | torch.Tensor") -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    shown = to_picture(picture)[0] if isinstance(picture, torch.Tensor) else picture
    return np.asarray(shown).astype(np.int64)
