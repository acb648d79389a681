"""One face inverted in memory."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from stylegan_latents.invert.commands.cli import main
from stylegan_latents.invert.faces.align import Face, find_faces
from stylegan_latents.invert.invert_face import cut_out, find_codes, invert_face
from stylegan_latents.invert.inverters.optimize import OptimizationInverter
from stylegan_latents.invert.inverters.pivotal import PivotalTuning
from stylegan_latents.invert.inverters.tuning import TuningSettings
from stylegan_latents.invert.photos.files import read_photo, to_tensor
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.metrics import measure
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


class _Seen(OptimizationInverter):
    """Keeps the mask that it is given, and the side of the images."""

    mask: Tensor | None = None
    side: int = 0

    def invert(self, images: Tensor, **arguments: Any) -> Inversion:
        self.mask, self.side = arguments.get("mask"), images.shape[-1]
        return super().invert(images, **arguments)


@pytest.mark.slow
@pytest.mark.usefixtures("small_search")
def test_what_is_not_in_the_photo_is_left_to_the_generator_and_not_measured() -> None:
    photo = read_photo(PHOTO)
    whole = cut_out(photo, find_faces(photo)[0], 64)
    assert whole.in_photo is None
    (left, top), (right, bottom) = whole.alignment.quad.min(axis=0), whole.alignment.quad.max(axis=0)
    cut = photo.crop((int(left + 0.2 * (right - left)), int(top + 0.1 * (bottom - top)), int(right), int(bottom)))
    face = find_faces(cut)[0]
    crop = cut_out(cut, face, 64)
    assert crop.in_photo is not None
    assert not crop.in_photo[..., :6].any()
    inverter = _Seen(odd_generator(), exact(2))
    found = invert_face(inverter, cut, face)
    assert inverter.mask is not None
    assert torch.equal(inverter.mask, crop.in_photo)
    made, wanted = (to_tensor(one) * crop.in_photo for one in (found.picture, crop.picture))
    expected = float((made - wanted).square().mean() / crop.in_photo.mean())
    assert found.inversion.metrics["mse"][0] == pytest.approx(expected, rel=0.05)
    # Beside one that lies inside its photo; and together with a mask of the user's.
    upper = torch.ones(1, 1, 64, 64)
    upper[:, :, 32:] = 0
    find_codes(inverter, [whole, dataclasses.replace(crop)])
    assert torch.equal(inverter.mask, torch.cat([torch.ones_like(crop.in_photo), crop.in_photo]))
    find_codes(inverter, [dataclasses.replace(crop, masks={"mask": upper})])
    assert torch.equal(inverter.mask, upper * crop.in_photo)


@pytest.mark.usefixtures("small_search")
def test_a_small_face_is_compared_at_less_than_the_photos_own_resolution() -> None:
    photo = read_photo(PHOTO)
    face = find_faces(photo)[0]
    scale = 20 / face.size
    small = Face(
        (face.box[0] * scale, face.box[1] * scale, face.box[2] * scale, face.box[3] * scale),
        face.landmarks.mapped(lambda points: points * scale),
        face.score,
    )
    photo = photo.resize((round(photo.width * scale), round(photo.height * scale)))
    crop = cut_out(photo, small, 64)
    inverter = _Seen(odd_generator(), exact(1))
    found = invert_face(inverter, photo, small)
    assert crop.picture.width == 64
    assert 0 < inverter.side < round(crop.alignment.side) < 64
    assert found.inversion.settings["compared_at"] == inverter.side
    image = to_tensor(found.crop)
    at_its_own = measure(inverter.G, found.inversion.ws, image, mask=crop.in_photo, compared_at=inverter.side)
    assert found.inversion.metrics["psnr"] == pytest.approx(at_its_own["psnr"], rel=1e-3)
    assert cut_out(read_photo(PHOTO), face, 64).compared_at is None
