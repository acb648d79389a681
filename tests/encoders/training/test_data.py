import torch

from stylegan_latents.encoders.training.data import degrade
from tests.encoders.small_encoders import noise_images


def test_each_image_is_degraded_in_its_own_way_by_the_seed() -> None:
    images = noise_images(1, 24).expand(12, -1, -1, -1)
    made = degrade(images, 5)
    assert made.shape == images.shape
    assert float(made.min()) >= -1
    assert float(made.max()) <= 1
    assert torch.equal(made, degrade(images, 5))
    assert not torch.equal(made, degrade(images, 6))
    assert len({float(image.sum()) for image in made}) > 8


def test_what_is_shown_is_still_there() -> None:
    ramp = torch.linspace(-0.8, 0.8, 32).expand(8, 3, 32, 32)
    made = degrade(ramp, 0)
    for image in made:
        both = torch.stack([image.flatten(), ramp[0].flatten()])
        assert torch.corrcoef(both)[0, 1] > 0.9
