"""Records with tuned weights: every command draws them with the generator that was tuned to them."""

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.commands.cli import main
from stylegan_latents.editing.films.animation import weights_between
from stylegan_latents.generator.features import features
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.photos.crop import no_align
from stylegan_latents.invert.photos.files import to_picture
from stylegan_latents.invert.record.feature_patch import FeaturePatch, PatchHook, packed, patched_map
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.source import Source
from stylegan_latents.invert.record.tuned_weights import tunable, tuned_generator
from tests.editing.command_folder import MODEL, G, enter_folder, new_files, one_sentence
from tests.small_models import save_small_model, small_record

A, B, TUNED = "a.inversion.safetensors", "b.inversion.safetensors", "tuned.inversion.safetensors"
Pixels = npt.NDArray[np.int64]


def _tuned_record() -> Inversion:
    weights = {}
    for number, (name, parameter) in enumerate(tunable(G).items()):
        source = torch.Generator().manual_seed(number)
        weights[name] = 0.3 * torch.randn(1, *parameter.shape, generator=source)
    return small_record(G, ws=G.sample([2]), weights=weights)


@pytest.fixture(name="record", autouse=True)
def _record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inversion:
    enter_folder(tmp_path, monkeypatch)
    photo = Image.linear_gradient("L").convert("RGB").resize((60, 40))
    photo.save("photo.png")
    _, alignment = no_align(photo, 32)
    sources = [Source.of(Path("photo.png"))]
    record = dataclasses.replace(_tuned_record(), sources=sources, alignments=[alignment])
    record.save(TUNED)
    return record


def _pixels(picture: "Path | str | Image.Image") -> Pixels:
    return np.asarray(picture if isinstance(picture, Image.Image) else Image.open(picture)).astype(np.int64)


def _drawn(generator: Generator, ws: torch.Tensor) -> Pixels:
    return _pixels(to_picture(generator.synthesize(ws))[0])


def test_an_edit_is_drawn_by_the_tuned_generator(record: Inversion) -> None:
    assert main([TUNED, "-d", "smile", "-s", "0", "--out", "same.png", *MODEL]) == 0
    assert np.abs(_pixels("same.png") - _drawn(tuned_generator(G, record), record.ws)).max() <= 1
    assert np.abs(_pixels("same.png") - _drawn(G, record.ws)).max() > 3
    assert main([TUNED, "-d", "smile", "-s", "2", "--out", "moved.png", "--sheet", *MODEL]) == 0
    assert np.abs(_pixels("same.png") - _pixels("moved.png")).max() > 3


def test_a_grid_and_a_paste_back() -> None:
    assert main(["grid", TUNED, "-d", "smile", "--steps", "3", "--out", "grid.png", *MODEL]) == 0
    assert main([TUNED, "-d", "smile", "-s", "1", "--paste-back", "--out", "pasted.png", *MODEL]) == 0
    assert Image.open("pasted.png").size == (60, 40)
    assert {"grid.png", "pasted.png"} <= new_files(Path())


def test_a_mix_is_drawn_as_the_receiver_is(record: Inversion) -> None:
    rows = G.rows("coarse")
    for receiver, giver, code, gives in ((TUNED, A, record.ws, 0), (A, TUNED, G.sample([0]), 2)):
        assert main(["mix", receiver, giver, "--layers", "coarse", "--out", "mix.png", "--overwrite", *MODEL]) == 0
        mixed = code.clone()
        mixed[:, rows] = G.sample([gives])[:, rows]
        expected = _drawn(tuned_generator(G, record) if receiver == TUNED else G, mixed)
        assert np.abs(_pixels("mix.png") - expected).max() <= 1
    assert main(["mix", A, TUNED, "--matrix", "--layers", "coarse", "--out", "matrix.png", *MODEL]) == 0


@pytest.mark.slow
def test_a_film_goes_from_weights_to_weights(record: Inversion) -> None:
    assert main(["interpolate", A, TUNED, "--frames", "3", "--out", "frames", *MODEL]) == 0
    frames = [_pixels(path) for path in sorted(Path("frames").glob("frame_*.png"))]
    # Frames may be drawn in bfloat16.
    assert np.abs(frames[0] - _drawn(G, G.sample([0]))).mean() < 4
    last = _drawn(tuned_generator(G, record), record.ws)
    assert np.abs(frames[2] - last).mean() < 4
    assert np.abs(frames[2] - last).mean() < 0.5 * np.abs(frames[2] - _drawn(G, record.ws)).mean()
    half = dataclasses.replace(record, weights={name: 0.5 * part for name, part in (record.weights or {}).items()})
    middle = _drawn(tuned_generator(G, half), (G.sample([0]) + record.ws) / 2)
    assert np.abs(frames[1] - middle).mean() < 4
    assert main(["interpolate", TUNED, "-d", "smile", "--range", "-1", "1", "--frames", "4", "--even", *MODEL]) == 0


def test_weights_on_a_way() -> None:
    name = "synthesis.input.bias"
    own = dict(G.named_parameters())[name]
    at = weights_between(G, [None, {name: torch.ones_like(own)}, None])
    assert at is not None
    for time, part in ((0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.75, 0.5), (1.0, 0.0)):
        torch.testing.assert_close(at(time)[name], own + part)
    single = weights_between(G, [{name: torch.ones_like(own)}])
    assert single is not None
    assert single(0.1) is single(0.9)
    assert weights_between(G, [None, None]) is None


def test_another_model_of_the_same_space_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    path = save_small_model(folder, seed=3, latent_space="small-w")  # type: ignore[arg-type]
    assert main([TUNED, "-d", "smile", "-s", "1", "--model", str(path), "--device", "cpu"]) == 2
    assert "tuned on the model" in one_sentence(capsys)


@pytest.fixture(name="patched")
def _patched(record: Inversion) -> Inversion:
    """The record with a patch in the upper half of its features."""
    tuned = tuned_generator(G, record)
    own = features(tuned, record.ws, patched_map(tuned))
    share = torch.zeros(1, 1, *own.shape[2:])
    share[:, :, : own.shape[2] // 2] = 1
    added = 100 * own.abs().mean() * torch.randn(own.shape, generator=torch.Generator().manual_seed(0))
    hook = PatchHook(patched_map(G).resolution, own, share, added)
    weights = (record.weights or {}) | packed([FeaturePatch.of(record.ws, hook)])
    patched = dataclasses.replace(record, weights=weights)
    patched.save(TUNED, overwrite=True)
    return patched


def test_edits_and_mixes_draw_a_records_patch(record: Inversion, patched: Inversion) -> None:
    assert main([TUNED, "-d", "smile", "-s", "0", "--out", "same.png", *MODEL]) == 0
    assert np.abs(_pixels("same.png") - _drawn(tuned_generator(G, patched), patched.ws)).max() <= 1
    assert np.abs(_pixels("same.png") - _drawn(tuned_generator(G, record), record.ws)).max() > 3
    assert main([TUNED, "-d", "smile", "-s", "1", "--paste-back", "--out", "pasted.png", *MODEL]) == 0
    assert main(["mix", TUNED, A, "--layers", "fine", "--out", "mix.png", *MODEL]) == 0
    mixed = patched.ws.clone()
    mixed[:, G.rows("fine")] = G.sample([0])[:, G.rows("fine")]
    assert np.abs(_pixels("mix.png") - _drawn(tuned_generator(G, patched), mixed)).max() <= 1


@pytest.mark.slow
def test_a_film_draws_a_patch_near_its_own_code(patched: Inversion) -> None:
    assert main(["interpolate", A, TUNED, "--frames", "3", "--out", "frames", *MODEL]) == 0
    frames = [_pixels(path) for path in sorted(Path("frames").glob("frame_*.png"))]
    assert np.abs(frames[2] - _drawn(tuned_generator(G, patched), patched.ws)).mean() < 4


def test_untuned_records_beside_tuned_ones_stay_as_they_are() -> None:
    assert main([B, "-d", "smile", "-s", "0", "--out", "b.png", *MODEL]) == 0
    assert np.abs(_pixels("b.png") - _drawn(G, G.sample([1]))).max() <= 1
