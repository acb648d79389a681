"""One face inverted in memory."""

from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.faces.align import find_faces
from stylegan_latents.invert.invert_face import invert_face
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.pivotal import PivotalTuning
from stylegan_latents.invert.inverters.tuning import TuningSettings
from stylegan_latents.invert.photos.files import read_photo
from stylegan_latents.invert.record.source import Source
from tests.benchmarks.walk import counting
from tests.invert.small_search import exact, small_search
from tests.odd_models import odd_generator
from tests.photos import ASTRONAUT
from tests.small_models import save_small_model

__all__ = ["small_search"]
PHOTO = ASTRONAUT


@pytest.mark.usefixtures("small_search")
def test_the_record_says_where_the_face_is_and_how_near_it_came() -> None:
    G, photo = odd_generator(), read_photo(PHOTO)
    face = find_faces(photo)[0]
    seen = []
    portrait = invert_face(
        OptimizationInverter(G, exact(3)),
        photo,
        face,
        source=Source.of(PHOTO),
        on_step=lambda progress: seen.append(progress.step),
    )
    record = portrait.inversion
    assert seen == [1, 2, 3]
    assert portrait.picture.size == portrait.crop.size == (64, 64)
    assert record.alignments[0] is not None
    assert record.alignments[0].method == "ffhq"
    assert record.settings["face"] == "largest"
    assert set(record.metrics) == {"lpips_alex", "mse", "psnr"}


@pytest.mark.usefixtures("small_search")
def test_without_a_face_the_middle_is_taken() -> None:
    portrait = invert_face(
        OptimizationInverter(odd_generator(), exact(1)),
        read_photo(PHOTO),
        None,
        source=Source.of(PHOTO),
    )
    assert portrait.inversion.settings["face"] is None
    assert portrait.inversion.alignments[0] is not None
    assert portrait.inversion.alignments[0].method != "ffhq"


@pytest.mark.usefixtures("small_search")
def test_a_face_is_drawn_once_and_measured_from_that() -> None:
    G, photo = odd_generator(), read_photo(PHOTO)
    search = OptimizationInverter(G, exact(2, search_size=16))  # which draws at 32 of 64 pixels
    tuning = PivotalTuning(G, search, TuningSettings(steps=1, precision="float32"))
    for inverter, copies in ((search, 0), (tuning, 1)):
        with counting() as counts:
            invert_face(inverter, photo, None)
        assert (counts.drawings, counts.copies) == (1, copies)


@pytest.mark.usefixtures("small_search")
def test_the_command_draws_each_photo_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_small_model(tmp_path)
    for name in ("one.png", "two.png"):
        Image.linear_gradient("L").convert("RGB").save(name)
    options = ["--no-align", "--model", "small.safetensors", "--device", "cpu", "--steps", "2", "--quiet"]
    for more in ([], ["--report", "table.csv", "--out", "measured"]):
        with counting() as counts:
            assert main(["one.png", "two.png", *options, *more]) == 0
        assert counts.drawings == 2
