"""Discriminators: the official code's scores come out, and what is none is named."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from stylegan_latents import generator
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.stylegan2_discriminator import (
    StyleGAN2DiscriminatorConfig,
    group_deviation,
)
from tests.generator import tensorflow_files
from tests.generator.stylegan2_files import nvidia_pickle, rosinality_checkpoint

FOLDER = Path(__file__).parents[1] / "data" / "discriminators"
TORCH = ("resnet-conditional", "skip-grey")
TENSORFLOW = ("stylegan1-conditional", "stylegan2-conditional", "stylegan2-revised", "stylegan2-ada-conditional")


def _close(value: Tensor, wanted: Tensor) -> None:
    assert value.shape == wanted.shape
    assert float((value - wanted).detach().abs().max()) <= 2e-5 * float(wanted.abs().max())


@pytest.mark.parametrize("name", TORCH)
def test_parity_with_the_official_pytorch_code(name: str) -> None:
    wanted = load_file(FOLDER / f"{name}.expected.safetensors")
    D = generator.load_discriminator(FOLDER / f"{name}.pkl")
    images = wanted["images"].requires_grad_()
    scores = D(images, wanted.get("label"))
    _close(scores, wanted["scores"])
    _close(torch.autograd.grad((scores * wanted["probe"]).sum(), images)[0], wanted["gradient"])


@pytest.mark.parametrize("name", TENSORFLOW)
def test_parity_with_the_official_tensorflow_code(name: str) -> None:
    wanted = tensorflow_files.expected(name)
    D = generator.load_discriminator(tensorflow_files.tensorflow_pickle(name))
    _close(D(wanted["critic_images"], wanted.get("critic_labels")), wanted["scores"])


def test_sizes_come_from_the_file() -> None:
    D = generator.load_discriminator(FOLDER / "resnet-conditional.pkl")
    assert (D.resolution, D.image_channels, D.label_dim, D.name) == (16, 3, 3, "resnet-conditional")
    assert (D.config.architecture, D.config.group, D.config.label_widths) == ("resnet", 2, (4, 5, 6))
    assert not any(parameter.requires_grad for parameter in D.parameters())


def test_the_discriminator_beside_a_generator_is_read() -> None:
    G, D = generator.load(nvidia_pickle()), generator.load_discriminator(nvidia_pickle())
    label = torch.eye(3)[:2]
    assert D(G.synthesize(G.sample([0, 1], label)), label).shape == (2, 1)


def test_what_does_not_fit_is_refused() -> None:
    D = generator.load_discriminator(FOLDER / "resnet-conditional.pkl")
    with pytest.raises(ValueError, match="images needs the shape"):
        D(torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match="label needs the shape"):
        D(torch.zeros(1, 3, 16, 16))
    with pytest.raises(ValueError, match="groups of 2"):
        D(torch.zeros(3, 3, 16, 16), torch.zeros(3, 3))


def test_group_deviation_is_that_of_each_group() -> None:
    x = torch.randn(6, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    out = group_deviation(x, 3, 2)
    assert torch.equal(out[:, :4], x)
    for i in range(6):
        members = x[i % 2 :: 2]
        for j, part in enumerate(members.split(2, dim=1)):
            deviation = (part.var(dim=0, correction=0) + 1e-8).sqrt().mean()
            torch.testing.assert_close(out[i, 4 + j], deviation.expand(2, 2))


@pytest.mark.parametrize("path", [FOLDER / "skip-grey.pkl", FOLDER / "resnet-conditional.pkl"])
def test_a_discriminator_is_no_generator(path: Path) -> None:
    with pytest.raises(InputError, match="a discriminator only; give a file with a generator"):
        generator.load(path)


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (nvidia_pickle("orig-four-channels").read_bytes(), "no discriminator"),
        (tensorflow_files.dumps(tensorflow_files.networks()[2]), "no discriminator"),
        (tensorflow_files.tensorflow_pickle("stylegan1-growing").read_bytes(), "still grew"),
        (rosinality_checkpoint().read_bytes(), "no discriminator"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x80\x04", "truncated"),
    ],
)
def test_other_files_are_named(tmp_path: Path, contents: bytes, sentence: str) -> None:
    path = tmp_path / "critic.pkl"
    path.write_bytes(contents)
    with pytest.raises(InputError, match=sentence) as caught:
        generator.load_discriminator(path)
    assert str(caught.value).startswith("critic.pkl")


def test_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read"):
        generator.load_discriminator(tmp_path / "none.pkl")


@pytest.mark.parametrize(
    "change", [{"channels": ()}, {"hidden": 0}, {"deviations": 3}, {"group": 0}, {"taps": (1.0,)}]
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        StyleGAN2DiscriminatorConfig(**({"channels": (4, 4), "hidden": 4} | change))  # type: ignore[arg-type]


def test_the_default_model_has_none() -> None:
    with pytest.raises(InputError, match="comes without its discriminator"):
        generator.load_discriminator("ffhq")
