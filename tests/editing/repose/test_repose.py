"""Persons are drawn as by the official code of Pose With Style."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from stylegan_latents.editing.repose.files import load_completion, load_pose_with_style
from stylegan_latents.editing.repose.repose import CLOTHES, Person, Reposer, known_coordinates, read_iuv
from stylegan_latents.generator.errors import InputError
from tests.editing.repose.people import FOLDER, figure, lookup, photo, silhouette

SIZES = {256: 172, 512: 348}
SMALL = (172, 256)


def _apart(value: Tensor, wanted: Tensor) -> float:
    assert value.shape == wanted.shape
    return float((value - wanted).abs().max() / wanted.abs().max())


@cache
def _reposer(side: int = 256) -> Reposer:
    return Reposer(load_pose_with_style(FOLDER / f"{side}.pt"), load_completion(FOLDER / "completion.pt"), lookup())


def _person(side: int = 256, lean: int = 0, phase: int = 0) -> Person:
    size = (SIZES[side], side)
    return Person(photo(*size, phase), figure(*size, lean), silhouette(*size))


def _noise(reposer: Reposer) -> list[Tensor]:
    return [
        torch.sin(torch.arange(one.numel(), dtype=torch.float64) * 1.7 + place).float().reshape(one.shape)
        for place, one in enumerate(reposer.network.noise(0))
    ]


@pytest.mark.parametrize("side", SIZES)
def test_parity_with_the_official_code(side: int) -> None:
    reposer, person = _reposer(side), _person(side)
    wanted = load_file(FOLDER / f"{side}.expected.safetensors")
    known, mask = known_coordinates(person.iuv, reposer.lookup)
    known[:, :, 0] += (side - SIZES[side]) // 2
    known = np.where(mask[:, :, None], 2 * known / (side - 1) - 1, -10.0)
    partial = torch.from_numpy(known).permute(2, 0, 1)[None]
    assert _apart(partial[:, :, ::16, ::16].float(), wanted["partial"]) < 1e-5
    assert torch.equal(torch.from_numpy(mask)[None, None, ::16, ::16].float(), wanted["mask"])
    sums = torch.stack([partial.sum(), torch.tensor(mask.sum())])
    torch.testing.assert_close(sums, wanted["sums"][:2], rtol=1e-6, atol=0)
    with torch.inference_mode():
        complete = reposer.completion(partial.float(), torch.from_numpy(mask)[None, None].float())
        assert _apart(complete[:, :, ::16, ::16], wanted["complete"]) < 1e-4
        pose = reposer.pose(figure(SIZES[side], side, 6))
        image = reposer.network(pose, reposer.appearance(person), _noise(reposer))
    step = side // 32
    assert _apart(image[:, :, ::step, ::step], wanted["square"]) < 1e-4
    torch.testing.assert_close(image.double().abs().sum()[None], wanted["image_sum"], rtol=1e-5, atol=0)


def test_garments_are_transferred_as_by_the_official_code() -> None:
    reposer, person = _reposer(512), _person(512)
    wanted = load_file(FOLDER / "512.expected.safetensors")
    pose = reposer.pose(person.iuv)
    part = torch.isin(pose.iuv[:, :1].int(), torch.tensor(CLOTHES["upper-body"])).float()
    assert torch.equal(part[:, :, ::16, ::16], wanted["part"])
    with torch.inference_mode():
        other = reposer.appearance(_person(512, lean=-5, phase=3))
        image = reposer.network(pose, reposer.appearance(person), _noise(reposer), other=other, part=part)
    assert _apart(image[:, :, ::16, ::16], wanted["garment"]) < 1e-4


def test_a_picture_has_the_targets_shape_and_depends_on_the_seed() -> None:
    reposer, person = _reposer(), _person()
    target = figure(101, 128, 4)
    drawn = reposer.repose(person, target)
    assert drawn.size == (202, 256)
    assert drawn.tobytes() == reposer.repose(person, target).tobytes()
    assert drawn.tobytes() != reposer.repose(person, target, seed=1).tobytes()
    assert reposer.repose(person).size == SMALL


def test_clothes_change_the_person_alone() -> None:
    reposer, person = _reposer(), _person()
    same = reposer.repose(person, other=person, part="full-body")
    assert np.abs(np.array(same, int) - np.array(reposer.repose(person), int)).max() <= 1
    other = Person(photo(*SMALL, 3), figure(*SMALL, -5))
    pictures = {part: reposer.repose(person, other=other, part=part).tobytes() for part in CLOTHES}
    assert len({*pictures.values(), same.tobytes()}) == 5


def test_larger_photos_and_maps_are_reduced() -> None:
    reposer, person = _reposer(), _person()
    double = Person(
        person.picture.resize((344, 512), Image.Resampling.NEAREST),
        person.iuv.repeat(2, 0).repeat(2, 1),
        silhouette(*SMALL).repeat(2, 0).repeat(2, 1),
    )
    seen, halved = reposer.appearance(person), reposer.appearance(double)
    assert torch.equal(seen.coordinates, halved.coordinates)
    assert torch.equal(seen.silhouette, halved.silhouette)
    assert seen.picture.shape == halved.picture.shape == (1, 3, 256, 256)


def test_the_body_is_in_the_silhouette() -> None:
    reposer = _reposer()
    bare = reposer.appearance(Person(photo(*SMALL), figure(*SMALL))).silhouette
    assert torch.equal(bare, reposer.pose(figure(*SMALL)).mask)
    dressed = reposer.appearance(_person()).silhouette
    assert bool((dressed >= bare).all())
    assert dressed.sum() > bare.sum()


def test_maps_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    photo(*SMALL).save(tmp_path / "me.png")
    body = Image.fromarray(figure(*SMALL))
    body.save(tmp_path / "iuv.png")
    Image.fromarray(silhouette(86, 128)).save(tmp_path / "small.png")
    body.save(tmp_path / "iuv.jpg")
    photo(*SMALL).save(tmp_path / "bands.png")
    Image.new("RGB", SMALL).save(tmp_path / "nobody.png")
    body.rotate(90, expand=True).save(tmp_path / "wide.png")
    body.resize((86, 128), Image.Resampling.NEAREST).save(tmp_path / "half.png")
    for name, words in (
        ("iuv.jpg", "no PNG"),
        ("bands.png", "no IUV map"),
        ("nobody.png", "no person"),
        ("wide.png", "wider than tall"),
        ("missing.png", "Cannot read"),
    ):
        with pytest.raises(InputError, match=words):
            read_iuv(tmp_path / name)
    with pytest.raises(InputError, match=r"half.png is 86x128 pixels and .*me.png 172x256"):
        Person.read(tmp_path / "me.png", tmp_path / "half.png")
    with pytest.raises(InputError, match=r"small.png is 86x128"):
        Person.read(tmp_path / "me.png", tmp_path / "iuv.png", tmp_path / "small.png")
    read = Person.read(tmp_path / "me.png", tmp_path / "iuv.png")
    assert np.array_equal(read.iuv, figure(*SMALL))
    assert read.silhouette is None
    dot = np.zeros((256, 172, 3), np.uint8)
    dot[5, 5] = (2, 10, 10)
    with pytest.raises(InputError, match="too little"):
        known_coordinates(dot, lookup())
