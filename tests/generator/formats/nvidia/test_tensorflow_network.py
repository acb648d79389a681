"""NVIDIA's TensorFlow pickles: the official code's numbers come out, and the text inside is never run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.stylegan1 import StyleGAN1Config
from stylegan_latents.generator.networks.stylegan2 import StyleGAN2Config
from tests.generator.tensorflow_files import (
    STYLEGAN1,
    STYLEGAN2,
    Network,
    dumps,
    expected,
    networks,
    tensorflow_pickle,
)

NAMES = STYLEGAN1 + STYLEGAN2


def _close(value: Tensor, wanted: Tensor) -> None:
    assert value.shape == wanted.shape
    assert float((value - wanted).detach().abs().max()) <= 2e-5 * float(wanted.abs().max())


def _write(folder: Path, contents: object, protocol: int = 4) -> Path:
    path = folder / "changed.pkl"
    path.write_bytes(dumps(contents, protocol))
    return path


def _changed(**changes: Any) -> tuple[Network, ...]:
    """The networks of a file with variables of Gs replaced; None takes one away."""
    parts = networks()
    for network in (parts[2], *parts[2].components.values()):
        network.variables = [
            (name, changes.get(name.replace("/", "_"), value))
            for name, value in network.variables
            if changes.get(name.replace("/", "_"), value) is not None
        ]
    return parts


@pytest.mark.parametrize("reference", [False, True], ids=["fast", "reference"])
@pytest.mark.parametrize("name", NAMES)
def test_parity_with_the_official_code(name: str, reference: bool) -> None:
    G, wanted = generator.load(tensorflow_pickle(name)), expected(name)
    label = wanted.get("label")
    _close(G.map(wanted["z"], label), wanted["ws"])
    truncated = G.map(wanted["z"], label, truncation=0.7, truncation_cutoff=3)
    _close(truncated, wanted["ws_truncated"])
    _close(G.synthesize(truncated, reference=reference), wanted["image_truncated"])
    ws = wanted["ws_plus"].requires_grad_()
    image = G.synthesize(ws, reference=reference)
    _close(image, wanted["image"])
    _close(G.synthesize(ws, noise="none", reference=reference), wanted["image_without_noise"])
    (gradient,) = torch.autograd.grad((image * wanted["probe"]).sum(), ws)
    _close(gradient, wanted["gradient"])


def test_sizes_come_from_the_file() -> None:
    G = generator.load(tensorflow_pickle())
    assert isinstance(G.synthesis.config, StyleGAN1Config)
    assert (G.z_dim, G.w_dim, G.label_dim, G.resolution, G.num_ws) == (5, 6, 3, 16, 6)
    assert G.synthesis.config.channels == (7, 7, 5)
    assert G.synthesis.config.mapping_widths == (7, 7, 6)
    growing = generator.load(tensorflow_pickle("stylegan1-growing")).synthesis.config
    assert isinstance(growing, StyleGAN1Config)
    assert growing.lod == pytest.approx(1.3)
    assert growing.pixel_norm
    ada = generator.load(tensorflow_pickle("stylegan2-ada-conditional")).synthesis.config
    assert isinstance(ada, StyleGAN2Config)
    assert (ada.architecture, ada.clamp, ada.joint_label) == ("resnet", 0.9, False), ada


def test_the_averaged_generator_is_picked(tmp_path: Path) -> None:
    parts = networks()
    parts[0].variables = parts[1].variables = []
    wanted = generator.load(tensorflow_pickle()).fingerprint
    assert generator.load(_write(tmp_path, parts)).fingerprint == wanted
    assert generator.load(_write(tmp_path, parts[2])).fingerprint == wanted
    parts[2].variables = dict(parts[2].variables)
    assert generator.load(_write(tmp_path, {"D": parts[1], "Gs": parts[2]})).fingerprint == wanted


def test_files_of_python_2_are_read(tmp_path: Path) -> None:
    whole = dumps(networks(), protocol=2)
    assert b"numpy.core.multiarray\n" in whole.replace(b"numpy._core", b"numpy.core")
    path = tmp_path / "python2.pkl"
    path.write_bytes(whole.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    assert generator.load(path).fingerprint == generator.load(tensorflow_pickle()).fingerprint


@pytest.mark.parametrize("name", ["stylegan1-growing", "stylegan2-conditional"])
def test_saving_keeps_the_image(tmp_path: Path, name: str) -> None:
    G = generator.load(tensorflow_pickle(name))
    path = tmp_path / "ours.safetensors"
    generator.save(G, path)
    again = generator.load(path)
    assert (again.fingerprint, again.latent_space, again.name) == (G.fingerprint, G.latent_space, G.name)
    assert again.synthesis.config == G.synthesis.config
    label = torch.eye(G.label_dim)[:1] if G.label_dim else None
    torch.testing.assert_close(again.synthesize(again.sample([0], label)), G.synthesize(G.sample([0], label)))


def test_a_file_without_the_mean_w_is_averaged(tmp_path: Path) -> None:
    G = generator.load(_write(tmp_path, _changed(dlatent_avg=None)))
    torch.testing.assert_close(
        G.w_avg,
        G.map(torch.randn(20_000, 5), torch.eye(3)[torch.randint(3, (20_000,))])[:, 0].mean(0),
        atol=0.1 * float(G.w_avg.norm()),
        rtol=0,
    )


def test_a_discriminator_only_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"changed\.pkl: it holds a discriminator only; .* generator"):
        generator.load(_write(tmp_path, networks()[1]))


PROGRESSIVE = Network([("4x4/Dense/weight", np.zeros((4, 4))), ("ToRGB_lod0/weight", np.zeros((1, 1, 4, 3)))])


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (PROGRESSIVE, "Progressive GAN"),
        (Network([]), "no generator"),
        (Network([("synthesis/a", 1.0)]), "another architecture"),
        (Network("no list"), "not understood"),
        (Network([("a", 1, 2)]), "variable that is not understood"),
        (Network([(f"v{i}", 1.0) for i in range(10_001)]), "without end"),
        (_changed(lod=np.float32("nan")), "level of detail"),
        (_changed(dlatent_avg=np.zeros((2, 3))), "shape"),
        (_changed(dlatent_avg=np.array(["a"] * 6)), "no array of numbers"),
        (_changed(Dense0_bias=None), "lacks 'mapping/Dense0/bias'"),
        (_changed(ToRGB_lod0_weight=np.zeros((1, 1, 7, 0))), "shape"),
    ],
)
def test_other_pickles_are_named(tmp_path: Path, contents: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        generator.load(_write(tmp_path, contents))
    assert str(caught.value).startswith("changed.pkl")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("nonlinearity", "relu"),
        ("mapping_nonlinearity", "relu"),
        ("normalize_latents", False),
        ("use_styles", False),
        ("mapping_lrmul", "fast"),
        ("blur_filter", [1, -1]),
        ("blur_filter", 7),
    ],
)
def test_settings_that_are_not_read_are_named(tmp_path: Path, setting: str, value: object) -> None:
    parts = networks()
    for network in (parts[2], *parts[2].components.values()):
        network.settings[setting] = value
    with pytest.raises(InputError, match=setting):
        generator.load(_write(tmp_path, parts))


def test_networks_that_contain_themselves_end(tmp_path: Path) -> None:
    network = Network([("synthesis/4x4/Const/StyleMod/weight", 1.0)])
    network.components["synthesis"] = network
    with pytest.raises(InputError, match="without end"):
        generator.load(_write(tmp_path, network))


class _Attack:
    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, ("touch PWNED",)


@pytest.mark.parametrize("place", ["variables", "components", "settings", "value", "class"])
def test_attacks_are_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    network = networks()[2]
    if place == "value":
        network.variables[0] = ("lod", _Attack())
    elif place != "class":
        setattr(network, place, _Attack())
    path = _write(tmp_path, (network, _Attack()) if place == "class" else network)
    with pytest.raises(InputError, match="system") as caught:
        generator.load(path)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.999])
def test_truncated_files_are_refused(tmp_path: Path, part: float) -> None:
    whole = tensorflow_pickle().read_bytes()
    path = tmp_path / "cut.pkl"
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(InputError, match=r"cut\.pkl"):
        generator.load(path)


@pytest.mark.parametrize("name", NAMES)
def test_mutated_files_never_do_more_than_fail(tmp_path: Path, name: str) -> None:
    whole = tensorflow_pickle(name).read_bytes()
    source = torch.Generator().manual_seed(0)
    path = tmp_path / "mutated.pkl"
    for _ in range(20):
        data = bytearray(whole)
        for _ in range(3):
            place, value = torch.randint(1 << 30, (2,), generator=source).tolist()
            data[1 + place % (len(data) - 1)] = value % 256
        path.write_bytes(data)
        for load in (generator.load, generator.load_discriminator):
            try:
                load(path)
            except InputError as error:
                assert "mutated.pkl" in str(error)  # noqa: PT017  # a changed weight is no error
