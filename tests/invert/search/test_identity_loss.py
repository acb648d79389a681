"""A search is told whose face it is: the distance looks where dlib looks, and makes searches come nearer to it."""

import dlib
import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.encoders.face_recognition import FaceRecognition, face_chips
from stylegan_latents.invert.faces.align import Face, align_face, find_faces
from stylegan_latents.invert.faces.landmarks import Landmarks
from stylegan_latents.invert.inverters.base import SearchSettings, identity_loss_for
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.pivotal import PivotalTuning
from stylegan_latents.invert.inverters.tuning import TuningSettings
from stylegan_latents.invert.photos.crop import no_align
from stylegan_latents.invert.photos.files import read_photo, to_picture, to_tensor
from stylegan_latents.invert.search.identity_loss import FaceIdentity, chip_corners
from stylegan_latents.invert.search.loss import Comparison
from tests.dlib_networks import parsed, small_network
from tests.invert.small_search import exact, own_images, small_search
from tests.odd_models import odd_generator, tiny_lpips
from tests.photos import ASTRONAUT

__all__ = ["small_search"]
PHOTO = ASTRONAUT
LOW, HIGH = 0.2, 0.8


def _identity(count: int, has_face: list[bool] | None = None) -> FaceIdentity:
    corners = torch.tensor([[[LOW, LOW], [HIGH, LOW], [LOW, HIGH]]]).repeat(count, 1, 1)
    network = FaceRecognition(parsed(small_network()))
    return FaceIdentity(corners, torch.tensor(has_face or [True] * count), network)


def test_the_face_is_cut_out_where_dlib_cuts_it_out() -> None:
    photo = read_photo(PHOTO)
    face = find_faces(photo)[0]
    crop, alignment = align_face(photo, face, 256)
    landmarks = face.landmarks.mapped(alignment.into_crop)
    np.testing.assert_allclose(landmarks.points, find_faces(crop)[0].landmarks.points, atol=2)
    points = [dlib.point(round(x), round(y)) for x, y in landmarks.points]
    whole = dlib.full_object_detection(dlib.rectangle(0, 0, 256, 256), points)
    theirs = dlib.get_face_chip(np.asarray(crop), whole, 150, 0.25)
    corners = torch.from_numpy(chip_corners(landmarks, 256)).float()[None]
    ours = np.asarray(to_picture(face_chips(to_tensor(crop), corners, 150))[0])
    # Whole pixels of landmarks and dlib's own sampling leave edges a little apart.
    assert np.abs(ours.astype(float) - theirs.astype(float)).mean() < 4
    moved = np.abs(np.roll(ours, 6, axis=1).astype(float) - theirs.astype(float)).mean()
    assert moved > 8


def test_images_without_a_face_have_no_distance() -> None:
    images, others = torch.rand(2, 3, 64, 64) * 2 - 1, torch.rand(2, 3, 64, 64) * 2 - 1
    identity = _identity(2, [True, False])
    found = identity.distance(identity.features(images), identity.features(others))
    assert float(found[0]) > 0
    assert float(found[1]) == 0
    alone = identity[0]
    torch.testing.assert_close(alone.distance(alone.features(images[:1]), alone.features(others[:1])), found[:1])
    assert FaceIdentity.of_landmarks([None, None], 64) is None


def test_it_is_weighed_in_a_comparison() -> None:
    target, drawn = torch.rand(2, 3, 128, 128) * 2 - 1, torch.rand(2, 3, 128, 128) * 2 - 1
    weights = {"pixel_weight": 1.0, "detail_weight": 1.0}

    def losses(weight: float, row: int | None = None) -> torch.Tensor:
        compare = Comparison(
            target, 64, 128, tiny_lpips(), **weights, identity_loss=_identity(2), identity_weight=weight
        )
        return (compare if row is None else compare[row])(drawn if row is None else drawn[row : row + 1])[0]

    identity, small = _identity(2), torch.nn.functional.avg_pool2d
    expected = identity.distance(identity.features(small(drawn, 2)), identity.features(small(target, 2)))
    torch.testing.assert_close(losses(0.5) - losses(0), 0.5 * expected)
    torch.testing.assert_close(losses(0.5, row=1), losses(0.5)[1:])


def test_between_two_looks_the_last_one_counts_without_a_gradient() -> None:
    target, first, second = (torch.rand(2, 3, 64, 64) * 2 - 1 for _ in range(3))
    weights = {"pixel_weight": 1.0, "detail_weight": 0.0}
    who, nobody = (
        Comparison(target, 64, 64, tiny_lpips(), **weights, identity_loss=_identity(2), identity_weight=weight)
        for weight in (0.5, 0)
    )

    def loss(compare: Comparison, drawn: torch.Tensor, update_identity: bool) -> tuple[torch.Tensor, torch.Tensor]:
        drawn = drawn.clone().requires_grad_()
        losses, _ = compare(drawn, 2.0, update_identity=update_identity)
        return losses.detach(), torch.autograd.grad(losses.sum(), drawn)[0]

    seen, pull = loss(who, first, True)
    plain, plain_pull = loss(nobody, first, True)
    assert float((pull - plain_pull).abs().max()) > 0
    held, no_pull = loss(who, second, False)
    other, other_pull = loss(nobody, second, False)
    torch.testing.assert_close(held - other, seen - plain)
    torch.testing.assert_close(no_pull, other_pull)
    # One image's own comparison does not count what another was told.
    alone = who[1](second[1:], 2.0, update_identity=False)[0]
    torch.testing.assert_close(alone, loss(who, second, True)[0][1:])


@pytest.mark.usefixtures("small_search")
def test_searches_come_nearer_to_who_is_seen() -> None:
    G = odd_generator()
    images = own_images(G, 3, 4).flip(2, 3)  # which it cannot draw, so that there is something to weigh
    identity = _identity(2)

    def distance(weight: float) -> float:
        found = OptimizationInverter(G, exact(25, identity_weight=weight)).invert(images, identity_loss=identity)
        assert found.settings["identity_weight"] == weight
        with torch.no_grad():
            drawn = identity.features(G.synthesize(found.ws))
            return float(identity.distance(drawn, identity.features(images)).mean())

    assert distance(10.0) < 0.8 * distance(0.0)


@pytest.mark.usefixtures("small_search")
def test_tuning_takes_each_image_s_own() -> None:
    G = odd_generator()
    images = own_images(G, 3, 4)
    pivot = OptimizationInverter(G, exact(2, space="w"))

    def tuned(has_face: list[bool]) -> torch.Tensor:
        tuning = PivotalTuning(G, pivot, TuningSettings(steps=3, precision="float32", identity_weight=1.0))
        weights = tuning.invert(images, identity_loss=_identity(2, has_face)).weights
        assert weights is not None
        return torch.cat([part.float().flatten(1) for part in weights.values()], dim=1)

    both, first = tuned([True, True]), tuned([True, False])
    assert torch.equal(both[0], first[0])
    assert not torch.equal(both[1], first[1])


def test_nothing_is_loaded_where_nothing_is_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("the network was loaded")

    monkeypatch.setattr("stylegan_latents.invert.search.identity_loss._network", fail)
    G = odd_generator()
    face = Face((0.0, 0.0, 9.0, 9.0), Landmarks.from_ibug(np.zeros((68, 2))), 1.0)
    _, alignment = no_align(Image.new("RGB", (64, 64)), 64)
    without, with_it = (OptimizationInverter(G, SearchSettings(identity_weight=weight)) for weight in (0, 1))
    assert identity_loss_for(without, [face], [alignment]) is None
    assert identity_loss_for(with_it, [None], [alignment]) is None
    with pytest.raises(AssertionError, match="was loaded"):
        identity_loss_for(with_it, [face], [alignment])
