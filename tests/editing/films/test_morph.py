from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.editing.directions import catalogue
from stylegan_latents.editing.directions.apply import edited_styles
from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.films import even_speed as speed
from stylegan_latents.editing.films.morph import Morph, film_side
from stylegan_latents.editing.films.trajectories import slerp
from stylegan_latents.editing.records.codes import Code, record_code, seed_code
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.tuned_weights import tunable
from tests.generator.stylegan2_files import random_stylegan2
from tests.generator.styles.test_style import small_style
from tests.small_models import small_generator, small_record

G = small_generator()


def test_slerp_goes_through_z_at_the_seeds_own_truncation() -> None:
    codes = [seed_code(G, seed, 0.5) for seed in (1, 2)]
    morph = Morph(frames=3, curve="slerp")
    trajectory = morph.trajectory(G, codes)
    z = torch.cat([code.z for code in codes if code.z is not None])
    times = morph.times(G, codes)
    assert torch.equal(trajectory(times), slerp(G, z, truncation=0.5)(times))
    assert torch.allclose(trajectory(times)[0], codes[0].ws[0], atol=1e-6)


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


def test_directions_of_style_channels_are_swept() -> None:
    width = sum(layer.channels for layer in G.layers)
    channels = Direction("channels", G.latent_space, torch.ones(1, width), 1.0, space="s").bind(G)
    smile = Direction("smile", G.latent_space, torch.ones(1, G.w_dim), 1.0).bind(G)
    code = seed_code(G, 1)
    for layers in (None, "coarse"):
        morph = Morph(frames=3, directions=[channels, smile], ends=(-1, 3), layers=layers)
        frames = list(morph.draw(G, [code], morph.times(G, [code])))
        rows = None if layers is None else G.rows(layers)
        for frame, strength in zip(frames, (-1, 1, 3), strict=True):
            styles = edited_styles(G, code.ws, [(channels, strength), (smile, strength)], rows=rows)
            expected = np.asarray(to_picture(G.synthesize_styles(styles))[0]).astype(int)
            assert np.abs(frame - expected).mean() < 4


def test_an_even_pace_sees_style_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    width = sum(layer.channels for layer in G.layers)
    channels = Direction("channels", G.latent_space, torch.ones(1, width), 1.0, space="s").bind(G)
    monkeypatch.setattr("stylegan_latents.invert.search.loss.LPIPS.load", lambda _: _Squares())
    code = seed_code(G, 1)
    # Where nothing changed there would be no speed.
    times = Morph(frames=5, directions=[channels], ends=(0, 3), even=True).times(G, [code])
    assert (times.diff() > 0).all()


@pytest.mark.parametrize("ends", ["ends", "truncation_ends"])
def test_sweeps_move_only_the_layers_that_are_named(ends: str) -> None:
    smile = Direction("smile", G.latent_space, torch.ones(1, G.w_dim), 1.0).bind(G)
    code = seed_code(G, 1)
    morph = Morph(frames=3, directions=[smile] if ends == "ends" else [], layers="coarse", **{ends: (0.5, 2)})  # type: ignore[arg-type]
    moved = (morph.trajectory(G, [code])(morph.times(G, [code])) != code.ws).any(2)
    coarse = torch.tensor([row in G.rows("coarse") for row in range(G.num_ws)])
    assert torch.equal(moved, coarse.expand(3, -1))


def test_an_even_film_is_slow_at_every_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = torch.linspace(0, 1, 3, dtype=torch.float64)
    lengths = torch.tensor([1.0] * 24 + [3.0] * 24, dtype=torch.float64)
    steady = speed.EvenSpeed(torch.linspace(0, 1, 49, dtype=torch.float64), lengths)
    monkeypatch.setattr(speed, "even_speed", lambda *_, **__: steady)
    codes = [seed_code(G, seed) for seed in (1, 2, 3)]
    times = Morph(frames=401, even=True, easing="smooth").times(G, codes)
    steps = times.diff()
    for key in keys:
        near = int((times[:-1] - key).abs().argmin())
        assert steps[near] < 0.1 * steps.max()
    assert steps.min() >= 0


class _Squares:
    def to(self, _: object) -> "_Squares":
        return self

    def __call__(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return (one - other).square().mean(dim=(1, 2, 3))


def test_slerp_goes_from_class_to_class() -> None:
    classes = random_stylegan2(
        StyleGAN2Config(z_dim=8, mapping_widths=(8,), channels=(8, 8), label_dim=4, label_width=3)
    )
    codes = [seed_code(classes, 1, 0.5, label=label) for label in (0, 3)]
    morph = Morph(frames=3, curve="slerp")
    ws = morph.trajectory(classes, codes)(morph.times(classes, codes))
    z, half = codes[0].z, torch.tensor([[0.5, 0, 0, 0.5]])
    assert z is not None
    assert torch.allclose(ws[1:2], classes.map(z, half, 0.5), atol=1e-5)
    assert torch.allclose(ws[[0, 2]], torch.cat([code.ws for code in codes]), atol=1e-5)


@pytest.mark.parametrize("tuned", [False, True])
def test_a_film_goes_from_no_style_to_all_of_it(tmp_path: Path, tuned: bool) -> None:
    style = small_style(G)
    path = tmp_path / "a.inversion.safetensors"
    record = small_record(G)
    if tuned:
        weights = {name: 0.1 * torch.ones_like(one)[None] for name, one in list(tunable(G).items())[:3]}
        record = replace(record, weights=weights)
    record.save(path)
    code = record_code(OpenRecord(path, generator=G))
    morph = Morph(frames=3, ping_pong=True, style=style, style_ends=(0.0, 1.0))
    times = morph.times(G, [code])
    assert {0.0, 1.0} <= set(times.tolist())
    for frame, strength in zip(morph.draw(G, [code], times), times.tolist(), strict=True):
        drawn = OpenRecord(path, generator=style.apply(G, strength)).picture()
        assert np.abs(frame.astype(int) - np.asarray(drawn).astype(int)).mean() < 1


def test_a_style_of_another_generator_makes_no_film() -> None:
    other = small_style(small_generator(seed=9))
    morph = Morph(frames=2, style=other, style_ends=(0.0, 1.0))
    codes = [seed_code(G, 1)]
    with pytest.raises(InputError, match="belongs to the model"):
        next(morph.draw(G, codes, morph.times(G, codes)))
    with pytest.raises(InputError, match="strength is from 0"):
        Morph(frames=2, style=other, style_ends=(0.0, 5.0)).check(1)


@pytest.mark.parametrize("layers", [None, "0-1"])
def test_without_a_camera_an_orbit_turns_the_head_and_ends_where_it_began(
    monkeypatch: pytest.MonkeyPatch, layers: str | None
) -> None:
    G = small_generator(latent_space="small-w")
    measured = {"score": "pose", "moved": {"pose": 0.5}, "score_deviations": {"pose": 20.0}}
    pose = Direction("pose", "small-w", torch.ones(1, 8), 1.0, provenance=measured)
    monkeypatch.setattr(catalogue, "all_shipped", lambda: {"small-w": {"pose": pose}})
    code, morph = seed_code(G, 0, 1.0), Morph(5, orbit=True, layers=layers)
    moved = morph.trajectory(G, [code])(morph.times(G, [code])) - code.ws
    # 25 degrees, of which a unit of strength makes 10.
    for frame, strength in enumerate((0.0, 2.5, 0.0, -2.5, 0.0)):
        torch.testing.assert_close(moved[frame], torch.full_like(moved[frame], strength), atol=1e-5, rtol=0)
    assert morph.cameras(G, [code], morph.times(G, [code])) is None


def test_an_orbit_needs_a_camera_or_a_direction_of_known_angles(monkeypatch: pytest.MonkeyPatch) -> None:
    G = small_generator(latent_space="small-w")
    unknown = Direction("pose", "small-w", torch.ones(1, 8), 1.0)
    for shipped in ({}, {"pose": unknown}):
        monkeypatch.setattr(catalogue, "all_shipped", lambda shipped=shipped: {"small-w": shipped})
        with pytest.raises(InputError, match="'small' has no camera"):
            Morph(5, orbit=True).trajectory(G, [seed_code(G, 0, 1.0)])
