"""The one interface: shapes, truncation, seeds, StyleSpace, noise, precision and identity, on odd sizes."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator, check_same_space, fingerprint
from stylegan_latents.generator.layers import Layer
from stylegan_latents.generator.networks.mobile import Synthesis
from stylegan_latents.generator.networks.synthesis import FeatureMap, SynthesisNetwork
from stylegan_latents.generator.precision import in_precision
from stylegan_latents.generator.seeds import z_of_seeds
from tests.odd_models import ODD, odd_config, odd_generator, seeded


@pytest.fixture(name="G", scope="module")
def _generator() -> Generator:
    return odd_generator()


def _z(count: int) -> Tensor:
    with seeded(9):
        return torch.randn(count, ODD.z_dim)


def test_attributes(G: Generator) -> None:
    assert (G.resolution, G.num_ws, G.w_dim, G.z_dim, G.label_dim, G.image_channels) == (64, 8, 10, 7, 0, 3)
    assert G.w_avg.shape == (10,)
    assert not G.training
    assert not any(parameter.requires_grad for parameter in G.parameters())


@pytest.mark.parametrize("changes", [{"channels": (4, 5)}, {"w_dim": 3}, {"image_channels": 1}, {"z_dim": 1}])
def test_nothing_depends_on_known_sizes(changes: dict[str, Any]) -> None:
    config = odd_config(**changes)
    G = odd_generator(config)
    ws = G.sample([0, 1], truncation=0.5)
    assert ws.shape == (2, G.num_ws, config.w_dim)
    assert G.num_ws == 2 * len(config.channels)
    image = G.synthesize(ws)
    assert image.shape == (2, config.image_channels, config.resolution, config.resolution)


# z to w


def test_map_gives_equal_rows(G: Generator) -> None:
    ws = G.map(_z(3))
    assert ws.shape == (3, 8, 10)
    assert ws.dtype == torch.float32
    assert torch.equal(ws, ws[:, :1].expand_as(ws))
    assert torch.equal(ws[:, 0], G.mapping(_z(3)))
    ws[:, 0] = 0  # rows are the caller's own to edit
    assert ws[:, 1].abs().max() > 0


@pytest.mark.parametrize("psi", [1.0, 0.7, 0.0, -1.0, 1.5])
def test_truncation_moves_to_the_mean(G: Generator, psi: float) -> None:
    expected = G.w_avg + psi * (G.map(_z(3)) - G.w_avg)
    torch.testing.assert_close(G.map(_z(3), truncation=psi), expected, rtol=1e-5, atol=1e-6)
    if psi == 0:
        assert torch.equal(G.map(_z(3), truncation=0), G.w_avg.expand(3, 8, 10))
    if psi == 1:
        assert torch.equal(G.map(_z(3), truncation=1), G.map(_z(3)))


@pytest.mark.parametrize("cutoff", [0, 1, 3, 8, None])
def test_truncation_cutoff(G: Generator, cutoff: int | None) -> None:
    ws = G.map(_z(2), truncation=0.0, truncation_cutoff=cutoff)
    rows = 8 if cutoff is None else cutoff
    assert torch.equal(ws[:, :rows], G.w_avg.expand(2, rows, 10))
    assert torch.equal(ws[:, rows:], G.map(_z(2))[:, rows:])


def test_samples_are_their_seeds(G: Generator) -> None:
    ws = G.sample([5, 6, 5])
    assert torch.equal(G.sample([5, 6, 5]), ws)
    torch.testing.assert_close(ws[0], ws[2], rtol=1e-5, atol=1e-6)
    assert not torch.allclose(ws[0], ws[1])
    torch.testing.assert_close(G.sample([6]), ws[1:2])
    z = torch.from_numpy(np.random.RandomState(5).randn(1, ODD.z_dim)).float()
    torch.testing.assert_close(ws[0], G.map(z)[0])
    torch.testing.assert_close(G.sample(range(5, 7), truncation=0.3), G.w_avg.lerp(ws[:2], 0.3))
    assert torch.equal(G.sample([5], truncation=0, truncation_cutoff=2)[0, :2], G.w_avg.expand(2, -1))


@pytest.mark.parametrize(
    ("seed", "first"),
    [
        (0, [1.7640523, 0.4001572, 0.978738, 2.2408932]),
        (85, [0.1768507, 2.3777541, 0.9987329, -1.3101508]),
        (600, [0.0452786, -0.4992667, -1.271602, -0.5179831]),
        (4294967295, [0.6484087, 0.6693235, -1.0805437, 0.284501]),
    ],
)
def test_a_seed_draws_what_nvidias_scripts_draw(seed: int, first: list[float]) -> None:
    z = z_of_seeds([seed], 512)
    assert z.shape == (1, 512)
    assert z.dtype == torch.float32
    torch.testing.assert_close(z[0, :4], torch.tensor(first), rtol=1e-6, atol=1e-7)
    # gen_images.py: torch.from_numpy(np.random.RandomState(seed).randn(1, G.z_dim))
    assert torch.equal(z, torch.from_numpy(np.random.RandomState(seed).randn(1, 512)).float())


def test_a_seeds_z_does_not_depend_on_the_others() -> None:
    assert torch.equal(z_of_seeds([4, 85, 4], 16)[1:2], z_of_seeds([85], 16))


def test_seeds_of_64_bits_and_below_zero_have_a_z_of_their_own() -> None:
    z = z_of_seeds([0, 1, 2**32, 2**32 + 1, 2**33, 2**63 - 1, -1, -2], 8)
    assert len(np.unique(z.numpy().round(4), axis=0)) == len(z)


def test_pytorchs_numbers_are_those_of_a_generator_with_the_seed() -> None:
    wanted = torch.randn(8, generator=torch.Generator().manual_seed(5))
    assert torch.equal(z_of_seeds([5], 8, "torch")[0], wanted)


def test_no_seeds_give_no_z() -> None:
    assert z_of_seeds([], 8).shape == (0, 8)


def test_sampling_leaves_the_global_random_state(G: Generator) -> None:
    before = torch.get_rng_state()
    G.synthesize(G.sample([1]), "random")
    assert torch.equal(torch.get_rng_state(), before)


def test_no_seeds_give_no_codes(G: Generator) -> None:
    assert G.sample([]).shape == (0, 8, 10)


class _LabelledMapping(nn.Module):
    """A mapping network of a model with classes, whose rows already differ."""

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        w = torch.cat([z, label], dim=1)
        return torch.stack([w * (row + 1) for row in range(8)], dim=1)


def test_a_model_with_classes() -> None:
    with seeded(0):
        G = Generator(_LabelledMapping(), Synthesis(ODD), torch.zeros(10), name="classes", z_dim=7, label_dim=3)
    label = torch.eye(3)[:2]
    ws = G.map(_z(2), label)
    assert ws.shape == (2, 8, 10)
    assert torch.equal(ws[:, 1], 2 * ws[:, 0])
    assert torch.equal(G.sample([4], label[:1])[0, 0, 7:], label[0])
    for wrong in (None, label[:1], torch.eye(2)):
        with pytest.raises(ValueError, match=r"label needs the shape \[2, 3\]"):
            G.map(_z(2), wrong)


# StyleSpace


def test_styles_are_the_first_half_of_synthesize(G: Generator) -> None:
    with seeded(1):
        ws = torch.randn(2, 8, 10)
    styles = G.styles(ws)
    assert [tuple(style.shape) for style in styles] == [(2, layer.channels) for layer in G.layers]
    assert torch.equal(G.synthesize_styles(styles), G.synthesize(ws))
    small = G.synthesize_styles(styles, "random", size=16, seed=4)
    assert torch.equal(small, G.synthesize(ws, "random", size=16, seed=4))


def test_every_style_changes_the_image(G: Generator) -> None:
    styles = G.styles(G.sample([0]))
    before = G.synthesize_styles(styles)
    for i in range(len(styles)):
        moved = [style + 1 if j == i else style for j, style in enumerate(styles)]
        assert not torch.allclose(G.synthesize_styles(moved), before), G.layers[i].name


# Noise


def test_noise_modes(G: Generator) -> None:
    ws = G.sample([0, 1])
    constant = G.synthesize(ws)
    assert torch.equal(G.synthesize(ws, G.noise_constants()), constant)
    without = G.synthesize(ws, "none")
    zeros = [torch.zeros_like(map) for map in G.noise_constants()]
    torch.testing.assert_close(G.synthesize(ws, zeros), without)
    random = G.synthesize(ws, "random", seed=3)
    assert torch.equal(G.synthesize(ws, "random", seed=3), random)
    for other in (constant, without, G.synthesize(ws, "random", seed=4)):
        assert not torch.allclose(random, other)


def test_random_noise_is_of_the_constants_strength() -> None:
    G = odd_generator(odd_config(channels=(4, 4, 4, 4, 4)))
    for constant, drawn in zip(G.noise_constants(), G.synthesis.noise_maps("random", 0, 1), strict=True):
        assert drawn is not None
        assert drawn.shape == constant.shape
        assert not torch.equal(drawn, constant)
        if constant.shape[-1] >= 16:
            assert float(drawn.std() / constant.std()) == pytest.approx(1, abs=0.2)


def test_a_map_for_each_image(G: Generator) -> None:
    with seeded(2):
        own = [torch.randn(2, *map.shape[1:]) for map in G.noise_constants()]
    ws = G.sample([0, 1])
    both = G.synthesize(ws, own)
    for i in range(2):
        alone = G.synthesize(ws[i : i + 1], [map[i : i + 1] for map in own])
        torch.testing.assert_close(both[i : i + 1], alone, rtol=1e-5, atol=1e-5)


# Wrong shapes


@pytest.mark.parametrize(
    "call",
    [
        lambda G: G.map(torch.zeros(2, 8)),
        lambda G: G.map(torch.zeros(7)),
        lambda G: G.map(torch.zeros(1, 1, 7)),
        lambda G: G.styles(torch.zeros(8, 10)),
        lambda G: G.styles(torch.zeros(1, 7, 10)),
        lambda G: G.synthesize(torch.zeros(1, 8, 11)),
        lambda G: G.synthesize(torch.zeros(1, 1, 10)),
        lambda G: G.synthesize_styles(G.styles(G.sample([0]))[:-1]),
        lambda G: G.synthesize_styles([style[:, 1:] for style in G.styles(G.sample([0]))]),
        lambda G: G.synthesize_styles([style[0] for style in G.styles(G.sample([0]))]),
        lambda G: G.synthesize_styles([G.styles(G.sample([0, 1]))[0], *G.styles(G.sample([0]))[1:]]),
        lambda G: G.synthesize_styles([]),
        *(lambda G, size=size: G.synthesize(G.sample([0]), size=size) for size in (0, -1, 3, 48, 65, 128)),
        lambda G: G.synthesize(G.sample([0]), "constant"),
        lambda G: G.synthesize(G.sample([0]), []),
        lambda G: G.synthesize(G.sample([0]), G.noise_constants()[1:]),
        lambda G: G.synthesize(G.sample([0]), [map[..., 1:] for map in G.noise_constants()]),
        lambda G: G.synthesize(G.sample([0]), [map[0] for map in G.noise_constants()]),
        lambda G: G.synthesize(G.sample([0]), [map.repeat(1, 2, 1, 1) for map in G.noise_constants()]),
        lambda G: G.synthesize(G.sample([0, 1, 2]), [map.repeat(2, 1, 1, 1) for map in G.noise_constants()]),
    ],
)
def test_what_does_not_fit_is_refused(G: Generator, call: Callable[[Generator], Tensor]) -> None:
    with pytest.raises(ValueError, match=r"needs|has to be"):
        call(G)


# Precision


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_lower_precision_keeps_codes_and_images_in_float32(dtype: torch.dtype) -> None:
    G = odd_generator()
    ws, image = G.sample([0]), G.synthesize(G.sample([0]))
    mark = G.fingerprint
    assert G.to(dtype=dtype) is G
    assert G.dtype == dtype
    assert torch.equal(G.sample([0]), ws)
    assert G.w_avg.dtype == G.sample([0]).dtype == torch.float32
    assert all(style.dtype == torch.float32 for style in G.styles(ws))
    for size in (None, 32, 8):
        assert G.synthesize(ws, size=size).dtype == torch.float32
    assert not torch.equal(G.synthesize(ws), image)
    assert (G.synthesize(ws) - image).norm() < 0.02 * image.norm()
    assert G.fingerprint == mark


def test_precision_alone_may_come_first() -> None:
    """As for any other module; the mapping network stays as it is."""
    G = odd_generator()
    ws = G.sample([0])
    G.to(torch.bfloat16)
    assert G.dtype == torch.bfloat16
    assert torch.equal(G.sample([0]), ws)
    assert G.to("cpu", torch.bfloat16).device.type == "cpu"


def test_a_precision_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="float32, bfloat16 or float16"):
        odd_generator().to(dtype=torch.float64)


def test_a_copy_in_lower_precision_leaves_the_original(G: Generator) -> None:
    image = G.synthesize(G.sample([0]))
    lower = in_precision(G, torch.bfloat16)
    assert (G.dtype, lower.dtype) == (torch.float32, torch.bfloat16)
    assert torch.equal(G.synthesize(G.sample([0])), image)
    assert in_precision(G, torch.float32) is G
    assert in_precision(lower, torch.bfloat16) is lower


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_draws_the_same() -> None:
    G, there = odd_generator(), odd_generator().to("cuda")
    ws = there.sample([0, 1])
    assert ws.device.type == "cuda"
    torch.testing.assert_close(ws.cpu(), G.sample([0, 1]), rtol=1e-4, atol=1e-5)
    image = there.synthesize(ws, "random", size=32)
    torch.testing.assert_close(image.cpu(), G.synthesize(ws.cpu(), "random", size=32), rtol=1e-2, atol=1e-2)


# Who is who


def test_fingerprint_is_the_weights() -> None:
    G = odd_generator(name="a")
    assert len(G.fingerprint) == 64
    assert odd_generator(name="b", latent_space="c").fingerprint == G.fingerprint
    assert odd_generator(seed=1).fingerprint != G.fingerprint


def test_one_changed_weight_changes_the_fingerprint() -> None:
    G = odd_generator()
    for name in dict(G.state_dict()):
        changed = {key: value.clone() for key, value in G.state_dict().items()}
        changed[name].view(-1)[-1] += 1e-3
        again = odd_generator()
        again.load_state_dict(changed)
        assert (again.weights_fingerprint() == G.fingerprint) == (name == "w_avg"), name


def test_a_mean_that_another_processor_computed_is_of_the_same_model() -> None:
    G, other = odd_generator(), odd_generator()
    other.w_avg.add_(1e-7)
    assert other.weights_fingerprint() == G.fingerprint


def test_fingerprints_that_count_the_mean_in_are_known() -> None:
    G = odd_generator()
    assert G.has_fingerprint(G.fingerprint)
    assert G.has_fingerprint(fingerprint(G.state_dict().items()))
    assert not G.has_fingerprint(odd_generator(seed=1).fingerprint)


def test_fingerprint_ignores_order_and_memory_layout_but_not_names_and_shapes() -> None:
    a, b = torch.arange(6.0).reshape(2, 3), torch.ones(4)
    mark = fingerprint([("a", a), ("b", b)])
    assert fingerprint([("b", b), ("a", a.T.contiguous().T)]) == mark
    assert fingerprint([("a", a), ("c", b)]) != mark
    assert fingerprint([("a", a.reshape(3, 2)), ("b", b)]) != mark
    assert fingerprint([("a", a), ("b", b.reshape(2, 2))]) != mark


def test_latent_space() -> None:
    assert odd_generator(latent_space="shared").latent_space == "shared"
    G = odd_generator()
    assert G.latent_space == f"weights-{G.fingerprint[:16]}"
    assert odd_generator(seed=1).latent_space != G.latent_space


def test_check_same_space() -> None:
    G = odd_generator(name="mine", latent_space="here")
    check_same_space(G, "other", "here", "other weights", "This record")
    check_same_space(G, "renamed", "elsewhere", G.fingerprint, "This record")
    with pytest.raises(InputError, match=r"This record belongs to the model 'other' \(there\).*'mine' \(here\)"):
        check_same_space(G, "other", "there", "other weights", "This record")


def test_the_package_offers_its_names_and_no_others() -> None:
    assert generator.Generator is Generator
    assert generator.InputError is InputError
    assert set(generator.__all__) == {"Camera", "Generator", "InputError", "load", "load_discriminator", "save"}
    assert all(getattr(generator, name) is not None for name in generator.__all__)
    with pytest.raises(AttributeError, match="attribute lode"):
        _ = generator.lode


def test_the_package_lists_what_it_offers_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from stylegan_latents import encoders, generator; "
        "print(dir(generator), dir(encoders), {'torch', 'numpy'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == (
        "['Camera', 'Generator', 'InputError', 'load', 'load_discriminator', 'save'] "
        "['Encoder', 'EncoderConfig', 'ReStyle', 'load', 'save'] set()"
    )


def test_printed_it_tells_its_sizes_and_not_its_modules() -> None:
    G = odd_generator(name="mine", latent_space="here")
    shown = str(G)
    assert len(shown.splitlines()) <= 3
    for part in (
        "'mine'", f"{G.resolution} x {G.resolution}, {G.image_channels} channels", f"ws [N, {G.num_ws}, {G.w_dim}]",
        f"z [N, {G.z_dim}]", "no classes", "here", "float32 on cpu", G.fingerprint[:16],
    ):  # fmt: skip
        assert part in shown, part


def test_called_with_z_it_maps_and_synthesizes() -> None:
    G = odd_generator()
    z = torch.randn(2, G.z_dim)
    images = G(z, truncation=0.7, noise="none", size=G.resolution // 2)
    assert torch.equal(images, G.synthesize(G.map(z, truncation=0.7), "none", size=G.resolution // 2))
    assert images.shape == (2, G.image_channels, G.resolution // 2, G.resolution // 2)


def test_a_network_without_noise_sketch_or_movement_takes_the_base_class_s() -> None:
    class Flat(SynthesisNetwork):
        resolution, w_dim, num_ws, image_channels = 8, 4, 1, 3
        layers = (Layer("only", 8, 0, 4),)

        def styles(self, ws: Tensor) -> list[Tensor]:
            return [ws[:, 0]]

        def feature_maps(self) -> list[FeatureMap]:
            return []

        def set_precision(self, dtype: torch.dtype) -> None:
            self.to(dtype)

        def forward(self, styles, _noise, *, size=None, reference=False):  # noqa: ARG002
            return styles[0][:, :3, None, None].expand(-1, -1, size or 8, size or 8)

    G = Generator(nn.Identity(), Flat(), torch.zeros(4), name="flat", z_dim=4)
    z = torch.randn(2, 4)
    assert G.noise_constants() == []
    assert torch.equal(G(z, noise="random"), G(z))
    assert torch.equal(G.sketch(G.map(z), size=4), G(z, size=4))
    with pytest.raises(ValueError, match="only a StyleGAN3"):
        G.synthesize(G.map(z), translate=(0.5, 0.0))


def test_a_network_has_to_offer_what_every_network_offers() -> None:
    with pytest.raises(TypeError, match="abstract"):
        SynthesisNetwork()  # type: ignore[abstract]
