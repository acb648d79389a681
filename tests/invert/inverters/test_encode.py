from pathlib import Path

import pytest
import torch
from PIL import Image

from stylegan_latents.encoders.formats.native import save_encoder
from stylegan_latents.encoders.restyle import ReStyle
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.formats.native import save_native
from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.inverters.encode import EncoderInverter, model_of
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.search.loss import LPIPS
from tests.encoders.small_encoders import noise_images, small_encoder
from tests.hub import COMMIT, REPOSITORY, serve_hub
from tests.odd_models import tiny_lpips
from tests.small_models import small_generator


def test_the_record_of_an_encoder(tmp_path: Path) -> None:
    G = small_generator()
    encoder = small_encoder(G, "e4e")
    save_encoder(encoder, tmp_path / "mine.safetensors")
    images = noise_images()
    record = EncoderInverter(G, tmp_path / "mine.safetensors").invert(images)
    assert torch.equal(record.ws, encoder.encode(images))
    assert (record.method, record.fingerprint) == ("encode", G.fingerprint)
    assert record.settings["encoder"] == "small-e4e"
    assert len(str(record.settings["sha256"])) == 64
    from_memory = EncoderInverter(G, encoder).invert(images)
    assert torch.equal(from_memory.ws, record.ws)
    assert from_memory.settings["sha256"] is None


def test_a_restyle_looks_as_often_as_asked() -> None:
    G = small_generator()
    encoder = small_encoder(G, "psp", restyle=True)
    images = noise_images()
    for inverter in (EncoderInverter(G, encoder, steps=2), EncoderInverter(G, ReStyle(encoder, G, 2))):
        record = inverter.invert(images)
        assert record.settings["steps"] == 2
        assert torch.equal(record.ws, ReStyle(encoder, G, 2).encode(images))
    assert EncoderInverter(G, encoder).steps == 5


def test_an_encoder_of_another_model_is_refused() -> None:
    encoder = small_encoder(small_generator())
    with pytest.raises(InputError, match="belongs to the model 'small'"):
        EncoderInverter(small_generator(1), encoder)
    with pytest.raises(InputError, match="leave it out"):
        EncoderInverter(small_generator(), encoder, steps=3)


def test_a_mask_is_refused() -> None:
    G = small_generator()
    with pytest.raises(InputError, match="leave the mask out"):
        EncoderInverter(G, small_encoder(G)).invert(noise_images(), mask=torch.ones(1, 1, 32, 32))


def test_codes_that_are_not_finite_are_refused() -> None:
    G = small_generator()
    encoder = small_encoder(G)
    encoder.ws_avg.fill_(torch.nan)
    with pytest.raises(InputError, match="not finite"):
        EncoderInverter(G, encoder).invert(noise_images())


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder with a photo, a model and an encoder for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(LPIPS, "load", lambda *_: tiny_lpips())
    G = small_generator()
    save_native(G, tmp_path / "small.safetensors")
    save_encoder(small_encoder(G), tmp_path / "plain.safetensors")
    save_encoder(small_encoder(G, "psp", restyle=True), tmp_path / "restyle.safetensors")
    Image.linear_gradient("L").convert("RGB").save("me.png")
    return tmp_path


def _run(*arguments: str) -> int:
    return main(["me.png", "--no-align", "--device", "cpu", "--method", "encode", *arguments])


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--encoder", "plain.safetensors", "--model", "small.safetensors") == 0
    record = Inversion.load("me.inversion.safetensors")
    assert record.method == "encode"
    assert record.settings["space"] == "w+"
    assert {"lpips_alex", "psnr"} <= set(record.metrics)
    assert (folder / "me.inverted.png").exists()
    assert "Wrote me.inversion.safetensors" in capsys.readouterr().out
    assert _run("--encoder", "plain.safetensors", "--model", "small.safetensors") == 0
    assert "Skipped 1 already done" in capsys.readouterr().out
    assert _run("--encoder", "restyle.safetensors", "--model", "small.safetensors", "--steps", "2") == 2
    again = ("--encoder", "restyle.safetensors", "--model", "small.safetensors", "--steps", "2", "--overwrite")
    assert _run(*again) == 0
    assert Inversion.load("me.inversion.safetensors").settings["steps"] == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--encoder", "missing.pt"), "Cannot read the encoder missing.pt"),
        (("--encoder", "me.png"), "me.png is a picture, not an encoder's file"),
        (("--encoder", "small.safetensors"), "holds no encoder"),
        (("--encoder", "plain.safetensors"), "is for the model 'small'"),
        (("--encoder", "plain.safetensors", "--preview", "a.gif"), "--preview films a search"),
        (("--encoder", "plain.safetensors", "--precision", "bfloat16"), "encoding is done in float32"),
        (("--encoder", "plain.safetensors", "--model", "small.safetensors", "--space", "w"), "gives codes of W+"),
        (("--encoder", "plain.safetensors", "--model", "small.safetensors", "--steps", "3"), "encodes in one pass"),
        (("--encoder", "plain.safetensors", "--method", "optimize"), "--encoder is of no use"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_is_wrong_is_said(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert _run(*arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert sentence in lines[0]
    assert not Path("me.inversion.safetensors").exists()


def test_an_encoder_that_names_a_known_model(tmp_path: Path) -> None:
    encoder = small_encoder(small_generator(name="ffhq"))
    save_encoder(encoder, tmp_path / "mine.safetensors")
    assert model_of(tmp_path / "mine.safetensors") == "ffhq"


def test_an_encoder_of_the_hub_is_recorded_with_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    G = small_generator()
    save_encoder(small_encoder(G, "e4e"), tmp_path / "mine.safetensors")
    files = {"mine.safetensors": (tmp_path / "mine.safetensors").read_bytes()}
    with serve_hub(files, monkeypatch, tmp_path / "home"):
        # As the command line gives it.
        inverter = EncoderInverter(G, Path(f"hf://{REPOSITORY}/mine.safetensors"))
    record = inverter.invert(noise_images())
    assert record.settings["encoder_address"] == f"hf://{REPOSITORY}/mine.safetensors@{COMMIT}"
    assert "encoder_address" not in EncoderInverter(G, tmp_path / "mine.safetensors").settings()
