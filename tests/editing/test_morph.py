import pytest
import torch

from editing.interpolation import slerp
from editing.morph import Morph, film_side
from editing.sources import Code, seed_code
from generator.errors import InputError
from tests.small_models import small_generator

G = small_generator()


def test_slerp_goes_through_z_at_the_seeds_own_truncation() -> None:
    codes = [seed_code(G, seed, 0.5) for seed in (1, 2)]
    morph = Morph(frames=3, curve="slerp")
    way = morph.way(G, codes)
    z = torch.cat([code.z for code in codes if code.z is not None])
    times = morph.times(G, codes)
    assert torch.equal(way(times), slerp(G, z, truncation=0.5)(times))
    assert torch.allclose(way(times)[0], codes[0].ws[0], atol=1e-6)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ([seed_code(G, 1, 0.5), seed_code(G, 2, 0.7)], "one truncation"),
        ([seed_code(G, 1), Code("photo", G.sample([2]))], "photo is a record"),
        ([seed_code(G, 1)], "two key frames"),
    ],
)
def test_what_is_no_way_through_z(codes: list[Code], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Morph(curve="slerp").times(G, codes)


def test_frames_have_the_side_that_the_model_draws() -> None:
    assert film_side(None, G) is None
    assert film_side(16, G) == 16
    with pytest.raises(InputError, match="--size takes 32, 16"):
        film_side(64, G)
    codes = [seed_code(G, seed) for seed in (1, 2, 3)]
    morph = Morph(frames=5, curve="spline", loop=True)
    frames = list(morph.draw(G, codes, morph.times(G, codes), size=16))
    assert [frame.shape for frame in frames] == [(16, 16, 3)] * 5
