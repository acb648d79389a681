"""Whose face is in each photo of an album, and the tuning over all of them."""

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.album.build import faces_of_person, tune_person
from stylegan_latents.invert.faces.identity import Embedding
from stylegan_latents.invert.invert_face import Crop
from stylegan_latents.invert.inverters.tuning import TuningSettings
from stylegan_latents.invert.photos.crop import no_align
from stylegan_latents.invert.photos.files import to_picture
from tests.invert.small_people import small_person
from tests.invert.small_search import small_search  # noqa: F401
from tests.odd_models import odd_generator


def face(person: int, photo: int) -> Embedding:
    """Faces of one person are 0.3 apart or less, those of two people more than 1."""
    found = np.zeros(128)
    found[person] = 1
    found[64 + photo] = 0.2
    return found


def test_who_is_in_most_photos_is_found_and_others_are_left_out() -> None:
    anna, ben, eve = 0, 1, 2
    photos = [
        [face(anna, 0)],
        [face(ben, 1), face(anna, 1)],
        [face(eve, 2)],
        [face(anna, 3), face(eve, 3)],
        [],
    ]
    assert faces_of_person(photos) == [0, 1, None, 0, None]


def test_a_known_person_is_found_even_where_others_are_more() -> None:
    photos = [[face(1, 0)], [face(1, 1)], [face(1, 2), face(0, 2)]]
    assert faces_of_person(photos, [face(0, 9), face(0, 8)]) == [None, None, 1]


def test_an_album_of_several_people_is_refused() -> None:
    two = [[face(person, photo)] for person in (0, 1) for photo in range(3)]
    with pytest.raises(InputError, match="several people, two of them in 3 photos each"):
        faces_of_person(two)
    with pytest.raises(InputError, match="needs 3 photos of the same person or more; of these, at most 2"):
        faces_of_person([[face(0, 0)], [face(0, 1)], [face(1, 2)], [face(2, 3)]])


@pytest.mark.usefixtures("small_search")
def test_tuning_brings_all_photos_nearer_and_a_lost_one_stays() -> None:
    G = odd_generator()
    person = small_person(G, 3)
    with torch.no_grad():
        pictures = to_picture(person.generator(G).synthesize(person.record.ws))
    crops: list[Crop | None] = [Crop(*no_align(Image.fromarray(np.asarray(one) // 2 + 60), 64)) for one in pictures]
    steps: list[int] = []
    settings = TuningSettings(steps=25, learning_rate=0.02, precision="float32")
    tuned = tune_person(G, person, crops, settings, lambda step, count, _loss: steps.append(count - step))
    assert steps == list(range(26, -1, -1)), "whole rounds over the photos"
    assert tuned.is_tuned
    assert (tuned.record.weights or {}).keys() == (person.record.weights or {}).keys()

    def error(one: torch.Tensor, number: int) -> float:
        wanted = torch.from_numpy(np.array(crops[number].picture)).permute(2, 0, 1) / 127.5 - 1  # type: ignore[union-attr]
        return float((one[number] - wanted).square().mean())

    with torch.no_grad():
        before, after = (one.generator(G).synthesize(one.record.ws) for one in (person, tuned))
    assert all(error(after, number) < 0.5 * error(before, number) for number in range(3))
    assert tuned.record.metrics["mse"] == pytest.approx([error(after, number) for number in range(3)], rel=0.05)
    again = tune_person(G, tuned, [crops[0], None, crops[2]], settings, lambda *_: None)
    with torch.no_grad():
        kept = again.generator(G).synthesize(again.record.ws)
    assert error(kept, 1) < 0.5 * error(before, 1), "the picture of the lost photo stands in"
