import numpy as np
import pytest
import torch

from stylegan_latents.editing.films import trajectories as interpolation
from stylegan_latents.editing.films.animation import draw_frames, noise_between
from stylegan_latents.editing.films.trajectories import frame_times
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.files import to_picture
from tests.small_models import small_generator

G = small_generator()
KEYS = G.sample([0, 1])
WAY = interpolation.linear(KEYS)


def test_frames_are_the_pictures_of_the_way() -> None:
    frames = list(draw_frames(G, WAY, frame_times(3), precision="float32"))
    assert len(frames) == 3
    for frame, ws in zip(frames, (KEYS[:1], KEYS.mean(0, keepdim=True), KEYS[1:]), strict=True):
        expected = np.asarray(to_picture(G.synthesize(ws))[0]).astype(int)
        assert np.abs(frame - expected).max() <= 1
    assert next(draw_frames(G, WAY, frame_times(3), size=16)).shape == (16, 16, 3)


def test_bfloat16_is_near_and_leaves_the_generator() -> None:
    exact = next(draw_frames(G, WAY, frame_times(2), precision="float32"))
    rounded = next(draw_frames(G, WAY, frame_times(2), precision="bfloat16"))
    assert 0 < np.abs(exact.astype(int) - rounded).mean() < 4
    assert G.dtype == torch.float32


def test_frames_are_drawn_one_at_a_time() -> None:
    asked: list[int] = []

    def trajectory(times: torch.Tensor) -> torch.Tensor:
        asked.append(len(times))
        return WAY(times)

    frames = draw_frames(G, trajectory, frame_times(1000))
    next(frames)
    next(frames)
    assert asked == [1, 1]
    assert not torch.is_inference_mode_enabled()
    frames.close()


def test_codes_beyond_all_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="is not finite"):
        next(draw_frames(G, interpolation.still(KEYS[:1] * torch.inf), frame_times(2)))


def test_noise_goes_from_key_to_key() -> None:
    constants = G.noise_constants()
    assert noise_between([None, None], constants) is None
    loud = [torch.full_like(map, 4.0) for map in constants]
    noise = noise_between([None, loud], constants, loop=True)
    assert noise is not None
    for time, share in ((0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (1.0, 0.0)):
        for map, constant in zip(noise(time), constants, strict=True):
            assert torch.allclose(map, constant + share * (4 - constant), atol=1e-5)  # type: ignore[arg-type]
    single = noise_between([loud], constants)
    assert single is not None
    assert torch.equal(single(0.7)[0], loud[0])  # type: ignore[arg-type]
    frames = list(draw_frames(G, WAY, frame_times(2, loop=True), noise=noise, precision="float32"))
    assert np.abs(frames[0].astype(int) - np.asarray(to_picture(G.synthesize(KEYS[:1]))[0])).max() <= 1
