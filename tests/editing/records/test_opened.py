"""Records opened with their generators."""

from pathlib import Path

import pytest

from stylegan_latents.editing.records.opened import OpenRecord
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.loading import load
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
