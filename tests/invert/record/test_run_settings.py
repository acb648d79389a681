import pytest

from stylegan_latents.generator.networks.camera import Camera
from stylegan_latents.invert.record.run_settings import (
    camera_settings,
    diverged_images,
    diverged_settings,
    settings_of_image,
    view_of,
    view_settings,
)


def test_records_tell_it_of_one_image_as_a_number_and_of_several_as_a_list() -> None:
    assert diverged_settings({}, 3) == {}
    assert diverged_settings({0: 5}, 1) == {"diverged_at_step": 5}
    several = diverged_settings({1: 5}, 3)
    assert several == {"diverged_at_step": [None, 5, None]}
    assert diverged_images(several, 3) == {1: 5}
    assert diverged_images({"diverged_at_step": 2}, 2) == {0: 2, 1: 2}  # as records were written before
    assert diverged_images({"steps": 3}, 2) == {}
    settings = {"steps": 3, **several}
    assert settings_of_image(settings, 0, 3) == {"steps": 3}
    assert settings_of_image(settings, 1, 3) == {"steps": 3, "diverged_at_step": 5}


@pytest.mark.parametrize("camera", [Camera(12, -3, 4), Camera(fov=9.5), Camera(20, fov=10)])
def test_a_view_comes_back_from_its_settings(camera: Camera) -> None:
    settings = view_settings(camera)
    assert view_of(settings, 0, 1) == camera
    assert view_of(settings_of_image({"steps": 3, **settings}, 0, 1), 0, 1) == camera


def test_a_models_own_view_is_not_kept() -> None:
    assert view_settings(None) == view_settings(Camera()) == {}
    assert view_of({}, 0, 1) is None
    assert view_of(camera_settings([(1, 2, 3)]), 0, 1) == Camera(1, 2, 3)
    with pytest.raises(ValueError, match="field of view"):
        view_of(camera_settings([(1, 2, 3, 500)]), 0, 1)
