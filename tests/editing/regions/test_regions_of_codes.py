from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_latents.editing.regions import regions
from stylegan_latents.editing.regions.regions import masks_of_codes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.faces.landmarks import Landmarks
from tests.small_models import small_generator

G = small_generator()
WS = G.sample(range(3))


def test_a_masks_file_is_one_place_for_all(tmp_path: Path) -> None:
    drawn = np.zeros((16, 16), np.uint8)
    drawn[:4] = 255
    Image.fromarray(drawn).save(tmp_path / "top.png")
    ws, masks = masks_of_codes(G, WS, [str(tmp_path / "top.png")])
    assert ws is WS
    assert masks.shape == (1, 1, 32, 32)
    assert float(masks[..., :7, :].min()) == 1
    assert float(masks[..., 9:, :].max()) == 0


def test_each_face_has_its_own_place_and_a_picture_without_one_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []

    def landmarks(_picture: Image.Image, region: str, name: str) -> Landmarks:
        seen.append(len(seen))
        if seen[-1] == 1:
            raise InputError(f"No face was found in {name}, so there is no region '{region}'.")
        return Landmarks.from_ibug(np.random.default_rng(seen[-1]).uniform(0.3, 0.7, (68, 2)))

    monkeypatch.setattr(regions, "face_landmarks", landmarks)
    counted: list[tuple[int, int]] = []
    ws, masks = masks_of_codes(G, WS, ["mouth"], lambda *done: counted.append(done))
    assert torch.equal(ws, WS[[0, 2]])
    assert masks.shape == (2, 1, 32, 32)
    assert not torch.equal(masks[0], masks[1])
    assert counted[-1] == (3, 3)
    seen[:] = [0]
    with pytest.raises(InputError, match="No face was found in the samples"):
        masks_of_codes(G, WS[:1], ["mouth"])
