from stylegan_latents.invert.record.run_settings import diverged_images, diverged_settings, settings_of_image


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
