"""An edit pasted back knows the person where the model's parts are those of people."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.directions.apply import Edit
from stylegan_latents.editing.records import pasted as pasted_module
from stylegan_latents.editing.records.drawn import DrawnEdit
from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.editing.records.pasted import LOST_FACE, pasted, people_of
from stylegan_latents.editing.regions import parts as parts_catalogue
from stylegan_latents.editing.regions.parts import Parts, part_features
from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.photos.person_mask import CLASSES, SIDE, PersonMask
from stylegan_latents.invert.record.source import Source
from tests.editing.command_folder import G, enter_folder
from tests.small_models import small_record


@pytest.fixture(name="opened")
def _opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenRecord:
    enter_folder(tmp_path, monkeypatch)
    Image.linear_gradient("L").resize((60, 60)).convert("RGB").save("me.png")
    alignment = Alignment(np.array([[9.5, 9.5], [9.5, 49.5], [49.5, 49.5], [49.5, 9.5]]), (60, 60), 16, "ffhq")
    small_record(G, sources=[Source.of(Path("me.png"))], alignments=[alignment]).save("me.inversion.safetensors")
    return OpenRecord(Path("me.inversion.safetensors"), generator=G)


def _edits(opened: OpenRecord) -> list[Edit]:
    (smile,) = opened.lookup(["smile"])
    return [(smile.bind(opened.generator), 2.0)]


def test_a_model_without_parts_of_people_is_pasted_back_without_them(
    opened: OpenRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts_catalogue, "_shipped", dict)
    assert people_of(opened, opened.picture(), opened.edited(_edits(opened))) is None


@pytest.mark.slow
def test_the_person_is_found_by_the_models_parts(opened: OpenRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    found = part_features(G, G.sample([0]))[0]
    side = len(found)
    centres = torch.stack([found[0, 0], found[side // 4, side // 2], found[side // 2, side // 2]])
    parts = Parts(
        ("background", "hair", "skin"), centres, torch.arange(3), torch.zeros(3, 1), G.name, G.fingerprint
    )
    monkeypatch.setattr(parts_catalogue, "_shipped", lambda: {G.fingerprint: parts})
    drawn = opened.edited(_edits(opened))
    people = people_of(opened, opened.picture(), drawn)
    assert people is not None
    assert people[0].shares.shape == (len(CLASSES), SIDE, SIDE)
    photo = Image.open("me.png").convert("RGB")
    result = pasted(opened, photo, drawn)
    assert result.size == photo.size
    assert not np.array_equal(np.asarray(result), np.asarray(photo))


def test_a_face_that_the_edit_has_lost_is_told(opened: OpenRecord) -> None:
    told: list[str] = []
    join: Any = SimpleNamespace(seen=False, face=None, people_in=lambda _after: None)
    photo = Image.open("me.png").convert("RGB")
    for join.seen in (False, True):
        drawn = DrawnEdit(opened.picture(), ((), ()), ("face",), "features", join=join)
        pasted(opened, photo, drawn, told.append)
    assert told == [LOST_FACE]


def test_around_a_face_whose_expression_changes_the_photo_stays(
    opened: OpenRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = np.zeros((len(CLASSES), SIDE, SIDE), np.float32)
    middle = np.s_[SIDE // 3 : 2 * SIDE // 3, SIDE // 3 : 2 * SIDE // 3]
    shares[CLASSES.index("face")][middle] = 1
    shares[0] = 1 - shares.sum(axis=0)
    monkeypatch.setattr(pasted_module, "people_of", lambda *_, **__: (PersonMask(shares), PersonMask(shares)))
    after = opened.picture().point(lambda level: 255 - level)
    photo = Image.open("me.png").convert("RGB")
    result = pasted(opened, photo, DrawnEdit(after, ((), ()), ("face",)))
    changed = np.asarray(result) != np.asarray(photo)
    assert changed[25:35, 25:35].any()
    assert not any(beside.any() for beside in (changed[:20], changed[:, :20], changed[:, 40:]))
