"""The named weights: complete entries, near names, and the files themselves where they are cached."""

import dataclasses
import re

import numpy as np
import pytest
from safetensors.numpy import load_file

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.weights import zoo
from stylegan_latents.generator.weights.archive import sha256_of
from stylegan_latents.generator.weights.download_package import PackageSource

SHA256 = re.compile(r"[0-9a-f]{64}")


@pytest.mark.parametrize("entry", zoo.entries(), ids=lambda entry: entry.name)
def test_every_entry_is_complete(entry: zoo.Entry) -> None:
    assert zoo.entry(entry.name) is entry
    known = SHA256.fullmatch(entry.sha256) and entry.source.size > 0
    if isinstance(entry.source, PackageSource):
        assert known
        assert entry.members
    else:
        assert entry.source.url.startswith("https://")
        assert known or (entry.sha256, entry.source.size) == ("", 0)
        assert entry.file == entry.source.url.rpartition("/")[2]
    assert all(SHA256.fullmatch(member.sha256) and member.size > 0 for member in entry.members)
    assert entry.licence
    assert entry.domain
    assert (entry.resolution > 0) == (entry.kind == "generator")
    filenames = [member.filename for member in entry.members]
    assert len(set(filenames)) == len(filenames)
    if entry.members and entry.file and not entry.convert:
        assert filenames == [entry.file]
    assert bool(entry.latent_space) == (entry.kind == "generator")


def test_names_are_unique_and_entries_frozen() -> None:
    names = [entry.name for entry in zoo.entries()]
    assert len(set(names)) == len(names)
    with pytest.raises(dataclasses.FrozenInstanceError):
        zoo.entries()[0].name = "other"  # type: ignore[misc]


def test_one_archive_has_one_description() -> None:
    sources = {entry.source for entry in zoo.entries()}
    assert len({source.key for source in sources}) == len(sources)


def test_models_have_the_names_that_load_takes() -> None:
    models = zoo.models()
    assert next(iter(models)) == zoo.DEFAULT_MODEL
    assert "ffhq-openvino" not in models
    assert all(name == entry.name for name, entry in models.items() if name != zoo.DEFAULT_MODEL)
    shared = [name for name, entry in models.items() if entry.latent_space == "stylegan2-ffhq-w"]
    assert shared == ["ffhq", "stylegan2-ffhq-config-f", "stylegan2-ada-ffhq"]
    for published in ("metfaces", "afhqcat", "cifar10", "ffhqu-256x256", "afhqv2", "church", "brecahad"):
        assert any(published in name for name in models)
    assert models["stylegan3-r-ffhqu-256x256"].resolution == 256


def test_unknown_name_suggests_near_ones() -> None:
    with pytest.raises(InputError, match=r"no weights called 'lpips-alexx'; did you mean lpips-alex"):
        zoo.fetch("lpips-alexx")
    with pytest.raises(InputError, match="known are ffhq-openvino, lpips-alex"):
        zoo.entry("????")


@pytest.mark.parametrize(
    "entry", [e for e in zoo.entries() if e.members and not e.convert], ids=lambda entry: entry.name
)
def test_the_real_files(entry: zoo.Entry) -> None:
    path = zoo.fetch(entry.name)
    folder = path.parent if entry.file else path
    for member in entry.members:
        assert (folder / member.filename).stat().st_size == member.size
    smallest = min(entry.members, key=lambda member: member.size)
    assert sha256_of(folder / smallest.filename) == smallest.sha256


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("lpips-alex", [64, 192, 384, 256, 256]),
        ("lpips-vgg", [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]),
    ],
)
def test_the_real_lpips_weights(name: str, widths: list[int]) -> None:
    tensors = load_file(zoo.fetch(name))
    heads = [64, 192, 384, 256, 256] if name == "lpips-alex" else [64, 128, 256, 512, 512]
    assert len(tensors) == 2 * len(widths) + len(heads)
    before = 3
    for index, width in enumerate(widths):
        weight = tensors[f"conv{index}.weight"]
        assert weight.dtype == np.float32
        assert weight.shape[:2] == (width, before)
        assert weight.shape[2] == weight.shape[3]
        assert tensors[f"conv{index}.bias"].shape == (width,)
        before = width
    for index, width in enumerate(heads):
        head = tensors[f"head{index}.weight"]
        assert head.shape == (width,)
        assert head.min() >= 0  # LPIPS's heads are trained to be non-negative
