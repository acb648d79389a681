import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.films.follow import Follower, FollowSettings
from tests.invert.small_search import breaking, own_images, small_search  # noqa: F401
from tests.odd_models import odd_generator

pytestmark = pytest.mark.usefixtures("small_search")


def test_a_few_steps_come_nearer_to_a_frame_and_stay_near_the_code_before() -> None:
    G = odd_generator()
    start, end = G.sample([1]), G.sample([2])
    wanted = start.lerp(end, 0.3)
    image = G.synthesize(wanted)
    follower = Follower(G, FollowSettings(steps=12, precision="float32"))
    found = follower.follow(image, start)
    error, before = ((G.synthesize(ws) - image).square().mean() for ws in (found, start))
    assert error < 0.3 * before
    held = Follower(G, FollowSettings(steps=12, still_weight=1e3, precision="float32")).follow(image, start)
    assert (held - start).norm() < 0.3 * (found - start).norm()


def test_a_frame_that_is_found_already_keeps_its_code() -> None:
    G = odd_generator()
    ws = G.sample([1])
    assert torch.equal(Follower(G, FollowSettings(steps=3, precision="float32")).follow(own_images(G, 1), ws), ws)


def test_a_code_of_w_stays_one() -> None:
    G = odd_generator()
    found = Follower(G, FollowSettings(space="w", steps=3, precision="float32")).follow(
        own_images(G, 2), G.sample([1])
    )
    assert not torch.equal(found, G.sample([1]))
    assert torch.equal(found, found[:, :1].expand_as(found))


def test_what_draws_finer_than_is_compared_stands_still() -> None:
    G = odd_generator()
    start = G.sample([1])
    found = Follower(G, FollowSettings(steps=3, search_size=16, precision="float32")).follow(
        own_images(G, 2), start
    )
    still = [row for row in range(G.num_ws) if torch.equal(found[:, row], start[:, row])]
    assert still
    assert set(still) == set(range(min(still), G.num_ws))


def test_divergence_keeps_the_best_and_is_told() -> None:
    G, start = odd_generator(), odd_generator().sample([1])
    steps: list[int] = []
    follower = Follower(breaking(G, 0, at=2), FollowSettings(steps=5, precision="float32"))
    found = follower.follow(own_images(odd_generator(), 2), start, on_divergence=steps.append)
    assert steps == [2]
    assert torch.isfinite(found).all()
    assert not torch.equal(found, start)


def test_bad_input() -> None:
    G = odd_generator()
    with pytest.raises(InputError, match="at least 1 step"):
        Follower(G, FollowSettings(steps=0))
    with pytest.raises(InputError, match="still weight"):
        Follower(G, FollowSettings(still_weight=-1))
    with pytest.raises(InputError, match="diverged"):
        Follower(G, FollowSettings(precision="float32")).follow(
            torch.full((1, 3, 64, 64), torch.nan), G.sample([1])
        )


def test_what_a_mask_hides_does_not_count() -> None:
    G = odd_generator()
    start, frame = G.sample([1]), own_images(G, 2)
    mask = torch.ones_like(frame[:, :1])
    mask[..., : frame.shape[-1] // 2] = 0
    other = torch.where(mask > 0, frame, -frame)
    follower = Follower(G, FollowSettings(steps=3, precision="float32"))
    found, same = (follower.follow(image, start, mask=mask) for image in (frame, other))
    assert torch.equal(found, same)
    assert not torch.equal(follower.follow(other, start), same)
