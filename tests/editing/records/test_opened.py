"""Records opened with their generators."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.editing.records.pasted import pasted
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.loading import load
from stylegan_latents.invert.photos.crop import Alignment
from stylegan_latents.invert.photos.files import to_picture
from tests.generator.styles.test_style import small_style
from tests.hub import COMMIT, REPOSITORY, serve_hub
from tests.invert.small_people import small_person
from tests.small_models import save_small_model, small_generator, small_record


def test_a_model_of_the_hub_is_found_by_its_record_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"small.safetensors": save_small_model(tmp_path).read_bytes()}
    with serve_hub(files, monkeypatch, tmp_path / "home"):
        G = load(f"hf://{REPOSITORY}/small.safetensors")
    small_record(G).save(tmp_path / "me.inversion.safetensors")
    opened = OpenRecord(tmp_path / "me.inversion.safetensors")
    assert opened.inversion.model == f"hf://{REPOSITORY}/small.safetensors@{COMMIT}"
    assert opened.generator.fingerprint == G.fingerprint


def test_a_persons_model_is_no_record_to_edit(tmp_path: Path) -> None:
    small_person(small_generator()).save(tmp_path / "anna.person.safetensors")
    with pytest.raises(InputError, match=r"one person's model; `invert PHOTO --person anna\.person"):
        OpenRecord(tmp_path / "anna.person.safetensors")


def test_a_code_of_another_project_is_drawn_in_a_style(tmp_path: Path) -> None:
    G, model = small_generator(), str(save_small_model(tmp_path))
    np.save(tmp_path / "code.npy", G.sample([3]).numpy())
    opened = OpenRecord.of(tmp_path / "code.npy", model=model, device="cpu")
    opened.draw_in(small_style(G), 1.0)
    assert opened.picture() == to_picture(small_style(G).apply(G).synthesize(G.sample([3])))[0]
    assert opened.picture(G=opened.plain) == to_picture(G.synthesize(G.sample([3])))[0]


def test_a_style_is_pasted_back(tmp_path: Path) -> None:
    G = small_generator()
    photo = Image.new("RGB", (60, 60), "grey")
    alignment = Alignment(np.array([[9.5, 9.5], [9.5, 49.5], [49.5, 49.5], [49.5, 9.5]]), (60, 60), 32, "ffhq")
    small_record(G, alignments=[alignment]).save(tmp_path / "me.inversion.safetensors")
    opened = OpenRecord(tmp_path / "me.inversion.safetensors", model=str(save_small_model(tmp_path)), device="cpu")
    opened.draw_in(small_style(G), 1.0)
    assert np.abs(np.asarray(pasted(opened, photo, opened.edited([]))).astype(int) - np.asarray(photo)).max() > 5
