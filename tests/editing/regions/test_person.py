"""The person in a generator's pictures, by its parts."""

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.regions.parts import Parts, part_features
from stylegan_latents.editing.regions.person import people_of_edit, person_guess, shows_people
from stylegan_latents.editing.regions.regions import region_masks
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.photos.person_mask import CLASSES, SIDE, PersonMask
from tests.odd_models import odd_generator

G = odd_generator()
NAMES = ("background", "hair", "skin", "body")


def _parts(names: tuple[str, ...] = NAMES) -> Parts:
    found = part_features(G, G.sample([0]))[0]
    centres = torch.stack([found[0, 0], found[8, 16], found[16, 16], found[31, 16]])[: len(names)]
    return Parts(names, centres, torch.arange(len(names)), torch.zeros(len(names), 1), G.name, G.fingerprint)


@pytest.mark.parametrize(
    ("names", "people"), [(NAMES, True), (("background", "hair"), False), (("0", "1", "2"), False)]
)
def test_only_parts_of_people_give_masks_of_people(names: tuple[str, ...], people: bool) -> None:
    assert shows_people(_parts(names)) is people


def test_the_guess_is_the_parts_with_soft_edges() -> None:
    ws = G.sample([0, 1])
    guess = person_guess(_parts(), G, ws)
    assert guess.shape == (2, len(CLASSES), 32, 32)
    assert np.allclose(guess.sum(axis=1), 1, atol=1e-5)
    parts = _parts().masks(G, ws).numpy()
    assert np.corrcoef(guess[:, 0].ravel(), parts[:, 0].ravel())[0, 1] > 0.8
    assert np.array_equal(person_guess(_parts(), G, G.styles(ws)), guess)


def test_an_edit_within_a_region_moves_the_person_there_alone() -> None:
    first, second = G.sample([0]), G.sample([5])
    with torch.no_grad():
        pictures = (to_picture(G.synthesize(first))[0], to_picture(G.synthesize(second))[0])
    codes = (G.styles(first), G.styles(second))
    people = people_of_edit(_parts(), G, codes, pictures)
    assert people is not None
    before, after = people
    assert not np.allclose(before.person, after.person)
    nowhere = np.zeros((64, 64), np.float32)
    people = people_of_edit(_parts(), G, codes, (pictures[0], pictures[0]), nowhere)
    assert people is not None
    same, still = people
    assert people_of_edit(None, G, codes, pictures) is None
    assert people_of_edit(_parts(("background", "hair")), G, codes, pictures) is None
    assert np.array_equal(same.shares, still.shares)
    assert np.array_equal(same.shares, before.shares)


def test_hair_and_background_are_outlined_by_the_person() -> None:
    """No face is needed, and the regions are the person's hair and background at their edges."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    shares = np.zeros((len(CLASSES), SIDE, SIDE), np.float32)
    shares[1] = (y > 40) & (y < 90) & (np.abs(x - 128) < 60)
    shares[2] = (y >= 90) & (np.abs(x - 128) < 50)
    shares[0] = 1 - shares[1] - shares[2]
    picture = Image.new("RGB", (SIDE, SIDE), (90, 90, 90))
    hair = region_masks(["hair"], [picture], feather=0.0, people=[PersonMask(shares)])
    assert np.array_equal(hair, shares[1])
    both = region_masks(["hair", "background"], [picture], feather=0.0, people=[PersonMask(shares)])
    assert np.array_equal(both, 1 - shares[2])
    with pytest.raises(InputError, match="No face was found"):
        region_masks(["hair"], [picture])
