import numpy as np
import pytest
import torch

from stylegan_latents.editing.discovery.fitting.samples import draw_codes, expand, sample
from stylegan_latents.editing.discovery.scorers.scorer import Scorer, Scorers, to_pixels
from stylegan_latents.generator.errors import InputError
from tests.odd_models import odd_config, odd_generator
from tests.small_models import small_generator

COUNT = 120


class Brightness(Scorer):
    """Mean of each colour; NaN for the pictures told to be faceless. Counts what it scored."""

    names = ("red", "green")
    version = "brightness-1"

    def __init__(self, stop_after=None):
        self.scored, self.stop_after = 0, stop_after

    def score(self, images):
        if self.stop_after is not None and self.scored >= self.stop_after:
            raise KeyboardInterrupt
        self.scored += len(images)
        return images[:, :2].double().mean((2, 3)).numpy()


def test_half_of_the_codes_mix_three_styles():
    codes = draw_codes(small_generator(), 10, 0, 1.0)
    equal = [bool((code == code[0]).all()) for code in codes]
    assert equal == [True, False] * 5
    assert len({tuple(w.tolist()) for w in codes.flatten(0, 1)}) == 5 + 15, "a seed was used twice"


def test_seeds_differ_and_repeat():
    G = small_generator()
    assert torch.equal(draw_codes(G, 10, 1, 0.8), draw_codes(G, 10, 1, 0.8))
    first, second = draw_codes(G, 10, 0, 0.8), draw_codes(G, 10, 1, 0.8)
    assert not any(bool((first == code).all(-1).any()) for code in second.flatten(0, 1))


def test_expand_gives_each_row_its_groups_w():
    G = small_generator()
    codes = draw_codes(G, 4, 0, 1.0)
    ws = expand(codes, G)
    assert ws.shape == (4, G.num_ws, G.w_dim)
    for row, group in enumerate(G.ws_groups):
        assert torch.equal(ws[:, row], codes[:, ("coarse", "middle", "fine").index(group)])


def test_scores_are_those_of_the_pictures_and_come_from_the_cache_next_time(tmp_path):
    G = small_generator()
    scorer = Brightness()
    first = sample(G, scorer, COUNT, size=16, cache=tmp_path)
    assert scorer.scored == COUNT
    again = sample(G, scorer, COUNT, size=16, cache=tmp_path)
    assert scorer.scored == COUNT, "the cache was not used"
    np.testing.assert_array_equal(first.scores, again.scores)
    pictures = G.synthesize(expand(torch.from_numpy(first.codes).float(), G)[:4], size=16)
    np.testing.assert_allclose(first.scores[:4], Brightness().score(pictures), atol=1e-6)


@pytest.mark.parametrize("changes", [{"seed": 1}, {"truncation": 0.5}, {"size": 32}])
def test_other_settings_are_other_samples(tmp_path, changes):
    G, scorer = small_generator(), Brightness()
    sample(G, scorer, COUNT, cache=tmp_path, **({"size": 16} | {}))
    sample(G, scorer, COUNT, cache=tmp_path, **({"size": 16} | changes))
    assert scorer.scored == 2 * COUNT


def test_sketches_and_exact_pictures_are_other_samples(tmp_path):
    G, scorer = odd_generator(odd_config(channels=(8, 8, 8))), Brightness()
    size = G.resolution // 4
    sketched = sample(G, scorer, COUNT, size=size, cache=tmp_path)
    exact = sample(G, scorer, COUNT, size=size, exact=True, cache=tmp_path)
    assert scorer.scored == 2 * COUNT, "scores of sketches were taken for exact ones"
    ws = expand(torch.from_numpy(exact.codes).float(), G)
    np.testing.assert_allclose(exact.scores, Brightness().score(G.synthesize(ws, size=size)), atol=1e-5)
    np.testing.assert_allclose(sketched.scores, Brightness().score(G.sketch(ws, size=size)), atol=1e-5)
    assert not np.allclose(sketched.scores, exact.scores, atol=1e-3)


def test_what_a_scorer_looks_at_closely_is_drawn_so(tmp_path):
    class Corner(Brightness):
        focus = (0.0, 0.0, 0.25, 0.25)

    G = odd_generator(odd_config(channels=(8, 8, 8, 8)))
    size = G.resolution // 4
    all_of_it = sample(G, Brightness(), COUNT, size=size, cache=tmp_path)
    corner = sample(G, Corner(), COUNT, size=size, cache=tmp_path)
    ws = expand(torch.from_numpy(corner.codes).float(), G)
    drawn = G.sketch(ws, size=size, focus=Corner.focus)
    np.testing.assert_allclose(corner.scores, Brightness().score(drawn), atol=1e-5)
    assert not np.allclose(corner.scores, all_of_it.scores, atol=1e-4), "scores of other pictures were taken"


def test_scorers_together_look_at_what_each_looks_at():
    def one(name, focus):
        scorer = Brightness()
        scorer.names, scorer.focus = (name,), focus
        return scorer

    left, right = one("a", (0.1, 0.2, 0.3, 0.4)), one("b", (0.2, 0.1, 0.5, 0.3))
    assert Scorers([left, right]).focus == (0.1, 0.1, 0.5, 0.4)
    assert Scorers([left, Brightness()]).focus is None
    assert Brightness().focus is None


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    from stylegan_latents.editing.discovery.fitting import samples as module

    monkeypatch.setattr(module, "_SAVE_EVERY", 2 * COUNT)
    G = small_generator()
    with pytest.raises(KeyboardInterrupt):
        sample(G, Brightness(stop_after=100), COUNT, size=16, cache=tmp_path)
    rest = Brightness()
    resumed = sample(G, rest, COUNT, size=16, cache=tmp_path)
    # How much less depends on which core the pictures before the last were on.
    assert rest.scored < COUNT, "what was scored when it was stopped was lost"
    np.testing.assert_array_equal(resumed.scores, sample(G, Brightness(), COUNT, size=16).scores)


def test_a_damaged_cache_is_made_anew(tmp_path):
    G, scorer = small_generator(), Brightness()
    sample(G, scorer, COUNT, size=16, cache=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    sample(G, scorer, COUNT, size=16, cache=tmp_path)
    assert scorer.scored == 2 * COUNT


def test_too_few_samples_are_refused():
    with pytest.raises(InputError, match="at least 100"):
        sample(small_generator(), Brightness(), 5)


def test_scorers_side_by_side():
    class Blue(Scorer):
        names = ("blue",)
        version = "blue-1"

        def score(self, images):
            return images[:, 2:].double().mean((2, 3)).numpy()

    images = torch.rand(2, 3, 4, 4)
    both = Scorers([Brightness(), Blue()])
    assert both.names == ("red", "green", "blue")
    np.testing.assert_allclose(both.score(images), images.double().mean((2, 3)).numpy())
    with pytest.raises(ValueError, match="not unique"):
        Scorers([Brightness(), Brightness()])


def test_pixels_are_rounded_and_clamped():
    values = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])[None, None, None].repeat(1, 3, 1, 1)
    assert to_pixels(values)[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_scorers_see_three_channels_of_every_model(channels, exact):
    seen = set()

    class Shape(Brightness):
        def score(self, images):
            seen.add(tuple(images.shape[1:]))
            return super().score(images)

    G = odd_generator(odd_config(image_channels=channels))
    scores = sample(G, Shape(), 100, size=16, exact=exact).scores
    assert seen == {(3, 16, 16)}
    assert bool((scores[:, 0] == scores[:, 1]).all()) == (channels < 3)
