from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.person import Person
from stylegan_latents.invert.record.source import Source
from tests.invert.small_people import small_person
from tests.small_models import small_generator, small_record


def test_a_person_is_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    G = small_generator()
    person = small_person(G)
    person.save(tmp_path / "anna.person.safetensors")
    found = Person.load(tmp_path / "anna.person.safetensors")
    assert (found.name, found.is_tuned, found.sha256) == ("anna", True, person.sha256)
    assert torch.equal(found.record.ws, person.record.ws)
    assert [source.name for source in found.record.sources] == ["0.png", "1.png", "2.png"]
    np.testing.assert_allclose(np.stack([one for one in found.embeddings if one is not None])[2], 0.02)
    assert not torch.equal(found.generator(G).synthesize(G.sample([1])), G.synthesize(G.sample([1])))


def test_a_grown_person_keeps_its_weights_until_they_are_tuned_again() -> None:
    G = small_generator()
    before = small_person(G)
    new = small_record(G, ws=G.sample([99]), sources=[Source("new.png", "f" * 64)], alignments=[None])
    grown = Person.of("anna", [new], [None], base=before)
    assert len(grown.record) == 4
    assert torch.equal(grown.record.ws[:3], before.record.ws)
    weights = (before.record.weights or {}).items()
    assert all(torch.equal(part, (grown.record.weights or {})[name]) for name, part in weights)
    assert (before.is_tuned, grown.is_tuned) == (True, False)
    assert grown.embeddings[3] is None
    assert [one["steps"] for one in grown.record.settings["anchors"]] == [3, 3, 3, 3]  # type: ignore[union-attr,index,call-overload]


def test_other_files_are_no_person(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no person's file .*none; `invert ALBUM --together"):
        Person.load(tmp_path / "none")
    path = tmp_path / "me.inversion.safetensors"
    small_record(small_generator()).save(path)
    with pytest.raises(InputError, match="holds no person's model"):
        Person.load(path)
    changed = dict(small_person(small_generator()).record.settings) | {"embeddings": [None]}
    record = small_person(small_generator()).record
    Inversion(**{**record.__dict__, "settings": changed}).save(tmp_path / "bad.safetensors")
    with pytest.raises(InputError, match="holds no person's model"):
        Person.load(tmp_path / "bad.safetensors")
