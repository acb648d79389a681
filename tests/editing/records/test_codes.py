from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_latents.editing.records.codes import check_not_a_source, open_sources, read_sources
from stylegan_latents.editing.samples.sampling import Sampling
from stylegan_latents.generator.errors import InputError
from tests.editing.command_folder import G, enter_folder
from tests.small_models import small_generator, small_record

MODEL = "../small.safetensors"


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_folder(tmp_path, monkeypatch)


def test_records_seeds_and_photos_are_codes_of_one_generator() -> None:
    Path("b.jpg").touch()
    names = ["a.inversion.safetensors", "seed:7", "b.jpg", "a.inversion.safetensors"]
    generator, codes = open_sources(read_sources(names), model=MODEL, device="cpu", truncation=0.5)
    assert generator.fingerprint == G.fingerprint
    assert [code.name for code in codes] == ["a", "seed7", "b", "a"]
    expected = [G.sample([0]), G.sample([7], truncation=0.5), G.sample([1]), G.sample([0])]
    for code, ws in zip(codes, expected, strict=True):
        assert torch.allclose(code.ws, ws, atol=1e-6)
    assert [code.z is not None for code in codes] == [False, True, False, False]
    assert codes[1].z is not None
    assert torch.allclose(G.map(codes[1].z, truncation=0.5), codes[1].ws, atol=1e-6)


def test_a_records_noise_is_kept() -> None:
    noise = [torch.full_like(map, 2.0) for map in G.noise_constants()]
    small_record(G, noise=noise).save("loud.inversion.safetensors")
    _, (loud, quiet) = open_sources(
        read_sources(["loud.inversion.safetensors", "seed:1"]), model=MODEL, device="cpu"
    )
    assert quiet.noise_or_const == "const"
    assert loud.noise is not None
    assert all(torch.equal(one, other) for one, other in zip(loud.noise, noise, strict=True))


def test_a_samples_record_still_knows_its_z() -> None:
    sampling = Sampling(truncation=0.5)
    sampling.record(G, 3, sampling.codes(G, [3])).save("three.inversion.safetensors")
    _, (three,) = open_sources(read_sources(["three.inversion.safetensors"]), model=MODEL, device="cpu")
    assert three.z is not None
    assert three.truncation == 0.5
    assert torch.allclose(G.map(three.z, truncation=three.truncation), three.ws, atol=1e-6)


def test_a_seed_is_of_numpys_random_numbers_or_of_pytorchs() -> None:
    _, (ours, torchs) = open_sources(read_sources(["seed:7", "torch-seed:7"]), model=MODEL, device="cpu")
    assert [ours.name, torchs.name] == ["seed7", "torch-seed7"]
    numpys = torch.from_numpy(np.random.RandomState(7).randn(1, G.z_dim)).float()
    assert ours.z is not None and torchs.z is not None  # noqa: PT018
    assert torch.equal(ours.z, numpys)
    assert torch.equal(torchs.z[0], torch.randn(G.z_dim, generator=torch.Generator().manual_seed(7)))
    assert torch.allclose(torchs.ws, G.sample([7], random="torch"), atol=1e-6)


def test_a_samples_record_that_names_no_random_numbers_has_pytorchs() -> None:
    sampling = Sampling(random="torch")
    record = sampling.record(G, 3, sampling.codes(G, [3]))
    assert record.settings.pop("random") == "torch"
    record.save("three.inversion.safetensors")
    _, (three,) = open_sources(read_sources(["three.inversion.safetensors"]), model=MODEL, device="cpu")
    assert three.z is not None
    assert torch.equal(three.z[0], torch.randn(G.z_dim, generator=torch.Generator().manual_seed(3)))
    assert torch.allclose(G.map(three.z, truncation=three.truncation), three.ws, atol=1e-6)


def test_records_of_two_models_are_refused_by_both_names() -> None:
    with pytest.raises(InputError, match=r"a\.inv.*'small'.*other\.inv.*'horses'.*one model"):
        open_sources(read_sources(["a.inversion.safetensors", "other.inversion.safetensors"]), model=MODEL)
    with pytest.raises(InputError, match="'horses'"):
        open_sources(read_sources(["other.inversion.safetensors", "seed:1"]), model=MODEL)


def test_models_of_one_latent_space_may_be_mixed() -> None:
    small_record(small_generator(5, name="twin", latent_space="small-w")).save("twin.inversion.safetensors")
    _, codes = open_sources(read_sources(["a.inversion.safetensors", "twin.inversion.safetensors"]), model=MODEL)
    assert len(codes) == 2


@pytest.mark.parametrize("name", ["seed:", "seed:x", "seed:-1", "seed:1.5", f"seed:{2**70}", "seed:٣"])
def test_what_is_no_seed(name: str) -> None:
    with pytest.raises(InputError, match="is no seed"):
        open_sources(read_sources([name]), model=MODEL)


@pytest.mark.parametrize("truncation", [float("nan"), float("inf"), 1e30])
def test_what_is_no_truncation(truncation: float) -> None:
    with pytest.raises(InputError, match="--truncation takes a number"):
        open_sources(read_sources(["seed:1"]), model=MODEL, truncation=truncation)


def test_a_photo_is_inverted_first() -> None:
    Path("new.jpg").touch()
    with pytest.raises(InputError, match=r"run `invert new\.jpg` first"):
        open_sources(read_sources(["new.jpg", "seed:1"]), model=MODEL)


def test_a_record_is_never_written_over() -> None:
    _, codes = open_sources(read_sources(["a.inversion.safetensors"]), model=MODEL)
    with pytest.raises(InputError, match="made from"):
        check_not_a_source(Path("../here/a.inversion.safetensors"), codes)
    check_not_a_source(Path("new.png"), codes)


def test_a_seed_has_a_class() -> None:
    from tests.generator.stylegan2_files import nvidia_pickle

    model = str(nvidia_pickle("skip-conditional"))
    generator, codes = open_sources(
        read_sources(["seed:5@2", "seed:5@0"]), model=model, device="cpu", truncation=0.5
    )
    assert [code.name for code in codes] == ["seed5@2", "seed5@0"]
    for code, label in zip(codes, (2, 0), strict=True):
        one_hot = torch.eye(3)[label : label + 1]
        torch.testing.assert_close(code.ws, generator.sample([5], one_hot, truncation=0.5))
    for name, words in (
        ("seed:5", "has classes; give the seed's, from 0 to 2, as seed:5@0"),
        ("seed:5@3", "has no class 3, only 0 to 2"),
        ("seed:5@x", "is no seed"),
        ("seed:5@", "is no seed"),
        ("seed:5@-1", "is no seed"),
    ):
        with pytest.raises(InputError, match=words):
            open_sources(read_sources([name]), model=model)
    with pytest.raises(InputError, match="has no class 1, as it has none"):
        open_sources(read_sources(["seed:5@1"]), model=MODEL)
