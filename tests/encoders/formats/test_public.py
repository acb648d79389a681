import argparse
import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from stylegan_latents import encoders, generator
from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.encoders.formats.public import read_public_encoder
from stylegan_latents.encoders.loading import contains_generator
from stylegan_latents.encoders.restyle import ReStyle
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.checkpoint import open_checkpoint
from stylegan_latents.generator.formats.network_weights import NetworkWeights
from stylegan_latents.generator.reading.budget import Budget
from tests.encoders.small_encoders import DATA, noise_images, public_contents
from tests.generator.stylegan2_files import rosinality_checkpoint
from tests.generator.stylegan3_files import stylegan3_pickle
from tests.small_models import small_generator

FILES = ("psp", "psp-w", "e4e", "restyle-e4e", "restyle-resnet")


@pytest.mark.parametrize("name", FILES)
def test_parity_with_the_public_code(name: str) -> None:
    encoder = read_public_encoder(DATA / f"{name}.pt")
    wanted = load_file(DATA / f"{name}.expected.safetensors")
    with torch.no_grad():
        codes = encoder(wanted["images"])
    assert codes.shape == (2, 8, 16)
    assert (codes - wanted["codes"]).abs().max() < 1e-5
    assert wanted["codes"].std() > 0.05
    assert torch.equal(encoder.ws_avg, public_contents(name)["latent_avg"])


@pytest.mark.parametrize(
    ("name", "architecture", "backbone", "pyramid", "channels", "looks"),
    [
        ("psp", "psp", "irse", True, 3, 1),
        ("psp-w", "single", "irse", False, 3, 1),
        ("e4e", "e4e", "irse", True, 3, 1),
        ("restyle-e4e", "e4e", "irse", False, 6, 3),
        ("restyle-resnet", "psp", "resnet", True, 6, 3),
    ],
)
def test_the_sizes(name: str, architecture: str, backbone: str, pyramid: bool, channels: int, looks: int) -> None:
    encoder = read_public_encoder(DATA / f"{name}.pt")
    config = encoder.config
    found = (config.architecture, config.backbone, config.pyramid, config.input_channels, encoder.iterations)
    assert found == (architecture, backbone, pyramid, channels, looks)
    assert (config.num_ws, config.w_dim) == (8, 16)
    assert config.input_shape == ((256, 256) if name == "psp-w" else (32, 32))
    assert (config.first_middle_row, config.first_fine_row) == (3, 7)


def _save(path: Path, contents: dict[str, Any]) -> Path:
    torch.save({key: value for key, value in contents.items() if value is not None}, path)
    return path


def test_codes_start_from_the_mean_where_the_settings_say_so(tmp_path: Path) -> None:
    images = load_file(DATA / "psp.expected.safetensors")["images"]
    contents = public_contents("psp")
    wanted = load_file(DATA / "psp.expected.safetensors")["codes"]
    codes = encoders.load(DATA / "psp.pt").encode(images)
    assert torch.allclose(codes, wanted + contents["latent_avg"], atol=1e-5)
    contents["opts"].start_from_latent_avg = False
    without = encoders.load(_save(tmp_path / "zero.pt", contents)).encode(images)
    assert torch.allclose(without, wanted, atol=1e-5)


def test_settings_may_be_a_namespace_or_a_dict(tmp_path: Path) -> None:
    contents = public_contents("e4e")
    assert isinstance(contents["opts"], dict)
    contents["opts"] = argparse.Namespace(**contents["opts"])
    one, two = (read_public_encoder(p) for p in (DATA / "e4e.pt", _save(tmp_path / "other.pt", contents)))
    assert one.config == two.config


def test_settings_may_hold_paths_and_tensors_may_be_wrapped(tmp_path: Path) -> None:
    contents = public_contents("e4e")
    contents["opts"] = {
        **contents["opts"],
        "exp_dir": PurePosixPath("/experiments"),
        "when": datetime.date(2022, 1, 1),
    }
    contents["state_dict"] = {f"module.{name}": value for name, value in contents["state_dict"].items()}
    one, two = (read_public_encoder(p) for p in (DATA / "e4e.pt", _save(tmp_path / "other.pt", contents)))
    assert one.fingerprint == two.fingerprint
    images = noise_images(1, 64)
    assert torch.equal(one.encode(images), two.encode(images))


def test_a_stylegan3_generator_inside_is_loaded(tmp_path: Path) -> None:
    contents = public_contents("restyle-e4e")
    with open_checkpoint(stylegan3_pickle()) as pickled:
        assert isinstance(pickled, dict)
        found = NetworkWeights(pickled["G_ema"], Budget(1 << 30))
        state = {f"decoder.{name}": stored.read() for name, stored in found.tensors.items()}
    contents["opts"] = {**vars(contents["opts"]), "exp_dir": PurePosixPath("/experiments")}
    path = _save(tmp_path / "restyle3.pt", contents | {"state_dict": contents["state_dict"] | state})
    assert contains_generator(path)
    assert generator.load(path).resolution == 32


def test_cars_are_seen_in_their_aspect(tmp_path: Path) -> None:
    contents = public_contents("e4e")
    contents["opts"]["dataset_type"] = "cars_encode"
    encoder = read_public_encoder(_save(tmp_path / "cars.pt", contents))
    assert encoder.config.input_shape == (24, 32)
    images = noise_images(1, 64)
    assert torch.equal(encoder.fit(images), encoder.fit(images[:, :, 8:56]))
    assert encoder.encode(images).shape == (1, 8, 16)


def test_a_mean_that_the_file_lacks_is_the_generators(tmp_path: Path) -> None:
    contents = public_contents("psp") | {"latent_avg": None}
    path = _save(tmp_path / "psp.pt", contents)
    with pytest.raises(InputError, match="lacks the mean code"):
        read_public_encoder(path)
    mean = torch.arange(16.0)
    assert torch.equal(read_public_encoder(path, mean=mean).ws_avg, mean.repeat(8, 1))


def _with_generator(path: Path, name: str) -> Path:
    """A file with rosinality's little generator, of 6 rows, inside."""
    with torch.serialization.safe_globals([argparse.Namespace]):
        inside = torch.load(rosinality_checkpoint(), weights_only=True)
    contents = public_contents(name)
    w_dim = inside["latent_avg"].numel()
    state = {}
    for key, value in contents["state_dict"].items():
        if key.startswith(("encoder.styles.6", "encoder.styles.7")):
            continue
        if key.startswith("encoder.styles.") and w_dim != 16:
            shape = [w_dim if n == 16 and (i == 0 or ".linear." in key) else n for i, n in enumerate(value.shape)]
            value = 0.1 * torch.randn(shape)
        state[key] = value
    state |= {f"decoder.{key}": value for key, value in inside["g_ema"].items()}
    return _save(path, contents | {"state_dict": state, "latent_avg": inside["latent_avg"].repeat(6, 1)})


def test_a_file_with_its_generator_needs_no_other(tmp_path: Path) -> None:
    path = _with_generator(tmp_path / "restyle.pt", "restyle-e4e")
    assert contains_generator(path)
    assert not contains_generator(DATA / "restyle-e4e.pt")
    G = generator.load(path)
    restyle = encoders.load(path)
    assert isinstance(restyle, ReStyle)
    assert restyle.iterations == 3
    assert restyle.G.fingerprint == G.fingerprint
    images = noise_images()
    assert torch.equal(restyle.encode(images), encoders.load(path, G).encode(images))


def test_a_generator_alone_is_said_to_be_no_encoder(tmp_path: Path) -> None:
    path = tmp_path / "generator.pt"
    torch.save({"state_dict": {"decoder.style.0.weight": torch.zeros(2)}}, path)
    with pytest.raises(InputError, match=r"generator\.pt holds no encoder; give a checkpoint"):
        contains_generator(path)


def test_an_encoder_of_another_generator_is_refused(tmp_path: Path) -> None:
    path = _with_generator(tmp_path / "restyle.pt", "restyle-e4e")
    G = generator.load(path)
    with pytest.raises(InputError, match="takes 6 of 8") as caught:
        encoders.load(DATA / "psp.pt", small_generator())
    assert "8 rows of 16" in str(caught.value)
    G.w_avg.neg_()
    with pytest.raises(InputError, match="trained with another model"):
        encoders.load(path, G)


def test_a_restyle_without_a_generator_is_refused() -> None:
    with pytest.raises(InputError, match="ReStyle encoder without its generator"):
        encoders.load(DATA / "restyle-e4e.pt")
    with pytest.raises(InputError, match="encodes in one pass"):
        encoders.load(DATA / "psp.pt", iterations=3)


def _without(contents: dict[str, Any], part: str) -> dict[str, Any]:
    state = {key: value for key, value in contents["state_dict"].items() if part not in key}
    return contents | {"state_dict": state}


def _with(contents: dict[str, Any], name: str) -> dict[str, Any]:
    return contents | {"state_dict": contents["state_dict"] | {name: torch.zeros(1)}}


def _renamed(contents: dict[str, Any], **opts: object) -> dict[str, Any]:
    return contents | {"opts": {key: value for key, value in opts.items() if value is not None}}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: _without(c, "encoder."), "holds no encoder"),
        (lambda c: {"g_ema": c["state_dict"]}, "holds no encoder"),
        (lambda c: c | {"opts": None}, "does not say in its settings which encoder"),
        (lambda c: _renamed(c, encoder_type="HyperNet"), "holds a 'HyperNet', which is not known"),
        (lambda c: _without(c, "styles.7"), "is damaged"),
        (lambda c: _without(c, "res_layer.1"), "is damaged"),
        (lambda c: _without(c, "latlayer1"), "is damaged"),
        (lambda c: c | {"latent_avg": torch.zeros(3, 16)}, "is damaged"),
        (
            lambda c: c | {"state_dict": c["state_dict"] | {"encoder.odd": torch.zeros(1)}},
            "'odd', which is not known",
        ),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, change: Any, sentence: str) -> None:
    path = _save(tmp_path / "some.pt", change(public_contents("psp")))
    with pytest.raises(InputError, match=sentence) as caught:
        read_public_encoder(path)
    assert str(caught.value).startswith("some.pt")


def test_other_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read the encoder"):
        encoders.load(tmp_path / "missing.pt")
    page = tmp_path / "page.pt"
    page.write_text("<!DOCTYPE html><html>quota exceeded</html>")
    with pytest.raises(InputError, match="not an encoder's file"):
        encoders.load(page)
    short = tmp_path / "short.pt"
    short.write_bytes((DATA / "psp.pt").read_bytes()[:9000])
    with pytest.raises(InputError, match="cut short"):
        encoders.load(short)


def test_the_type_of_what_is_loaded() -> None:
    assert isinstance(encoders.load(DATA / "e4e.pt"), Encoder)
