import pytest
import torch

from stylegan_latents.editing.styles.stylize import (
    StyleTuning,
    StylizeSettings,
    exchanged_rows,
    keeping_person,
    stylize,
)
from stylegan_latents.encoders.face_recognition import FaceDistance
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.loading import load
from stylegan_latents.generator.styles.weights import layers_of_parameters, side
from stylegan_latents.invert.record.tuned_weights import tunable
from tests.generator.stylegan2_files import rosinality_checkpoint
from tests.odd_models import odd_generator
from tests.small_models import small_generator

_JOJOGAN_LOSSES = [0.5368367, 0.4604318, 0.6250702, 0.6681519, 0.4440538]
"""Of five steps of JoJoGAN's code (its model.py, version ff33d3f, and the loop of its notebook) with the same file,
codes and picture, fixed noise, LPIPS-VGG at 16 pixels, and without the modulations and the noise's strengths."""

_JOJOGAN_PICTURE = [
    -3.465275, -0.659255, -2.265157, 0.040144, -0.663674, -0.578006, -0.635751, -1.109353, -5.097571, -2.171875,
    -3.38446, -0.925183,
]  # fmt: skip
"""Twelve values of the tuned generator's picture of the first code."""


def equalised(G: Generator) -> dict[str, float]:
    """The units of JoJoGAN's steps: 1, or the equalised learning rate's factor that is folded into our weights."""
    units = {}
    for name, weight in tunable(G).items():
        folded = weight.ndim > 1 and not name.endswith("constant")
        units[name] = weight[0].numel() ** -0.5 if folded else 1.0
    return units


def test_five_steps_equal_those_of_jojogan() -> None:
    G = load(rosinality_checkpoint())
    random = torch.Generator().manual_seed(5)
    codes = torch.randn(5, G.num_ws, G.w_dim, generator=random)
    picture = torch.rand(1, 3, G.resolution, G.resolution, generator=random) * 2 - 1
    settings = StylizeSettings(steps=5, learning_rate=2e-3, constant_rate=True, precision="float32")
    tuning = StyleTuning(G, picture, codes[:1], settings, step_units=equalised(G))
    losses = [tuning.step_at(step, 0, codes[step : step + 1]) for step in range(5)]
    assert losses == pytest.approx(_JOJOGAN_LOSSES, abs=1e-5)
    with torch.no_grad():
        for name, change in tuning.full_difference().items():
            G.get_parameter(name).add_(change)
        drawn = G.synthesize(codes[:1])
    half = G.resolution // 2
    assert drawn[0, :, ::half, ::half].flatten().tolist() == pytest.approx(_JOJOGAN_PICTURE, abs=1e-5)


def _example(G: Generator) -> tuple[torch.Tensor, torch.Tensor]:
    picture = torch.linspace(-1, 1, G.resolution).expand(1, 3, G.resolution, -1)
    return picture, G.sample([1])


@pytest.mark.slow
def test_a_style_comes_nearer_to_its_picture_and_is_the_same_again() -> None:
    G = odd_generator()
    picture, ws = _example(G)
    losses: list[float] = []
    settings = StylizeSettings(steps=12, learning_rate=0.02, precision="float32")
    made = stylize(G, picture, ws, settings, name="ramp", on_step=lambda _, loss: losses.append(loss))
    assert sum(losses[-3:]) < 0.97 * sum(losses[:3])
    again = stylize(G, picture, ws, settings, name="ramp")
    assert torch.equal(made.apply(G).synthesize(ws), again.apply(G).synthesize(ws))
    assert made.provenance["settings"]["steps"] == 12  # type: ignore[call-overload, index]
    assert (made.fingerprint, made.resolution) == (G.fingerprint, G.resolution)


def test_codes_share_the_coarse_rows_of_their_picture_in_turn() -> None:
    G = odd_generator()
    picture, _ = _example(G)
    ws = G.sample([1, 2])
    tuning = StyleTuning(G, picture.expand(2, -1, -1, -1), ws, StylizeSettings())
    rows = exchanged_rows(G)
    kept = [row for row in range(G.num_ws) if row not in rows]
    codes = [tuning.code(step) for step in range(3)]
    assert [number for number, _ in codes] == [0, 1, 0]
    for number, code in codes:
        assert torch.equal(code[0, kept], ws[number, kept])
        assert not torch.isclose(code[0, rows], ws[number, rows]).any()
    assert not torch.equal(codes[0][1][:, rows], codes[2][1][:, rows])


def test_rows_of_64_pixels_and_finer_are_exchanged_or_the_last_of_a_smaller_model() -> None:
    assert exchanged_rows(odd_generator()) == [7]
    assert exchanged_rows(small_generator()) == [4, 5]
    assert exchanged_rows(small_generator(), "0-1") == [0, 1]


def test_keep_shape_leaves_coarse_layers_alone() -> None:
    G = odd_generator()
    tuning = StyleTuning(G, *_example(G), StylizeSettings(keep_shape=True))
    tuning.step(0)
    layers = layers_of_parameters(G)
    assert {side(layers[name]) for name in tuning.full_difference()} == {64}


@pytest.mark.slow
def test_keep_colour_changes_colours_less() -> None:
    G = odd_generator()
    ws = G.sample([1])
    red = torch.full((1, 3, G.resolution, G.resolution), -0.8)
    red[:, 0] = 0.9

    def colour(keep: bool) -> float:
        settings = StylizeSettings(steps=10, learning_rate=0.02, keep_colour=keep, precision="float32")
        styled = stylize(G, red, ws, settings, name="red").apply(G)
        change = styled.synthesize(ws) - G.synthesize(ws)
        return float((change[:, 0] - change[:, 2]).mean())

    assert abs(colour(keep=True)) < 0.5 * abs(colour(keep=False))


@pytest.mark.slow
def test_the_identity_loss_keeps_faces_nearer_to_themselves() -> None:
    G = odd_generator()
    picture, ws = _example(G)
    network = FaceDistance()
    others = G.sample([3, 4, 5])

    def moved(weight: float) -> float:
        settings = StylizeSettings(steps=10, learning_rate=0.02, identity_weight=weight, precision="float32")
        styled = stylize(G, picture, ws, settings, name="ramp").apply(G)
        with torch.no_grad():
            return float(network(styled.synthesize(others), G.synthesize(others)).mean())

    assert moved(20.0) < 0.8 * moved(0.0)


def test_only_a_model_of_faces_keeps_people_apart() -> None:
    settings = StylizeSettings(steps=7)
    assert keeping_person(settings, small_generator()) == settings


def test_settings_out_of_range_are_refused() -> None:
    G = small_generator()
    for change in ({"steps": 0}, {"learning_rate": 0.0}, {"structure_weight": -1.0}, {"identity_weight": -1.0}):
        with pytest.raises(InputError):
            StylizeSettings(**change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not a layer"):
        StyleTuning(G, *_example(G), StylizeSettings(exchange="hair"))


def test_a_loss_that_is_not_finite_ends_in_a_sentence() -> None:
    G = small_generator()
    picture, ws = _example(G)
    with pytest.raises(InputError, match="diverged"):
        StyleTuning(G, picture * float("nan"), ws, StylizeSettings()).step(0)


def test_a_stopped_tuning_gives_the_style_so_far_if_it_is_wanted() -> None:
    G = small_generator()
    picture, ws = _example(G)

    def stop(step: int, _loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    settings = StylizeSettings(steps=9)
    made = stylize(G, picture, ws, settings, name="half", on_step=stop, keep_partial=True)
    assert made.provenance["stopped_at_step"] == 2
    with pytest.raises(KeyboardInterrupt):
        stylize(G, picture, ws, settings, name="half", on_step=stop)
