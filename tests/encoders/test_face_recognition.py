"""dlib's recognition network in PyTorch is dlib's, with a gradient, and faces are cut out where dlib cuts them."""

import dataclasses

import numpy as np
import pytest
import torch

from stylegan_latents.encoders.face_recognition import FaceDistance, FaceRecognition, face_chips
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights.zoo import fetch
from tests.dlib_networks import parsed, small_network
from tests.encoders.small_encoders import noise_images
from tests.photos import ASTRONAUT

PHOTO = ASTRONAUT


@pytest.mark.slow
def test_descriptors_are_those_of_dlib() -> None:
    import dlib

    from stylegan_latents.invert.faces.find import find_faces
    from stylegan_latents.invert.photos.files import read_photo, to_tensor

    photo = read_photo(PHOTO)
    left, top, right, bottom = find_faces(photo)[0].box
    face = photo.convert("RGB").resize((150, 150), box=(left, top, right, bottom))
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    theirs = dlib.face_recognition_model_v1(str(fetch("dlib-face-recognition")))
    expected = [np.array(theirs.compute_face_descriptor(pixels)) for pixels in (np.asarray(face), noise)]
    images = torch.cat([to_tensor(face), torch.from_numpy(noise).permute(2, 0, 1)[None].float() / 127.5 - 1])
    np.testing.assert_allclose(FaceRecognition.load()(images).numpy(), np.stack(expected), atol=1e-5)


def test_there_is_a_gradient_in_either_precision() -> None:
    faces = noise_images(2, size=39).requires_grad_()
    for dtype, tolerance in ((torch.float32, 1e-6), (torch.bfloat16, 0.1)):
        found = FaceRecognition(parsed(small_network())).in_precision(dtype)(faces)
        assert found.shape == (2, 5)
        assert found.dtype == torch.float32
        torch.testing.assert_close(
            found, FaceRecognition(parsed(small_network()))(faces), atol=tolerance, rtol=tolerance
        )
        (slope,) = torch.autograd.grad(found.square().sum(), faces)
        assert float(slope.abs().amax(dim=(1, 2, 3)).min()) > 0


def test_another_network_is_refused() -> None:
    network = parsed(small_network())
    first, affine, *others = network.layers
    for layers in (network.layers[:-1], [first, *others], [affine, first, *others], [first, affine, others[-1]]):
        with pytest.raises(InputError, match=r"this network of dlib's|This network of dlib's"):
            FaceRecognition(dataclasses.replace(network, layers=layers))


def test_a_square_is_cut_out_as_it_lies() -> None:
    ramp = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64).contiguous()
    # The middles of pixels 16 to 47, upright and turned by a right angle.
    low, high = 16.5 / 64, 47.5 / 64
    upright = torch.tensor([[[low, low], [high, low], [low, high]]])
    turned = torch.tensor([[[low, high], [low, low], [high, high]]])
    torch.testing.assert_close(face_chips(ramp, upright, 32), ramp[:, :, 16:48, 16:48])
    torch.testing.assert_close(face_chips(ramp, turned, 32), ramp[:, :, 16:48, 16:48].transpose(2, 3))


def test_fine_checks_average_and_outside_is_black() -> None:
    checks = (torch.arange(256)[:, None] + torch.arange(256)) % 2 * 2.0 - 1
    whole = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    chips = face_chips(checks.expand(1, 3, -1, -1), whole, 16)
    torch.testing.assert_close(chips[:, :, 1:-1, 1:-1], torch.zeros(1, 3, 14, 14))
    outside = face_chips(torch.ones(1, 3, 8, 8), whole - 2, 4)
    torch.testing.assert_close(outside, -torch.ones(1, 3, 4, 4))


def test_the_distance_of_aligned_faces() -> None:
    measure = FaceDistance(FaceRecognition(parsed(small_network())))
    ours, theirs = noise_images(2, size=64).requires_grad_(), noise_images(2, size=64, seed=1)
    torch.testing.assert_close(measure(ours, ours), torch.zeros(2))
    found = measure(ours, theirs)
    (slope,) = torch.autograd.grad(found.sum(), ours)
    assert float(found.detach().min()) > 0
    # Only the face counts, not what is around it.
    assert float(slope[:, :, :10].abs().max()) == 0
    assert float(slope[:, :, 20:50, 20:50].abs().max()) > 0
