import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.crop import no_align
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.record.source import Source
from tests.small_models import small_generator, small_record

G = small_generator()


def _photo(folder: Path) -> Path:
    path = folder / "me.png"
    Image.new("RGB", (40, 30), (200, 100, 50)).save(path)
    return path


def test_a_saved_record_comes_back_whole(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    _, alignment = no_align(Image.open(photo), 32)
    record = small_record(
        G,
        settings={"steps": 3, "lr": 0.1, "schedule": [1, 2], "note": None, "flag": True},
        metrics={"psnr": [math.inf], "identity": [math.nan], "mse": [0.25]},
        noise=[torch.randn(1, 1, 4, 4), torch.randn(1, 1, 8, 8)],
        weights={"synthesis.input.bias": torch.randn(1, 8)},
        sources=[Source.of(photo)],
        alignments=[alignment],
    )
    record.save(tmp_path / "me.inversion.safetensors")
    back = Inversion.load(tmp_path / "me.inversion.safetensors")
    for name, tensor in record.tensors().items():
        assert torch.equal(back.tensors()[name], tensor)
    for name in ("model", "fingerprint", "latent_space", "method", "settings", "version", "alignments"):
        assert getattr(back, name) == getattr(record, name)
    assert back.metrics["mse"] == [0.25]
    assert math.isnan(back.metrics["identity"][0])
    assert back.sources[0].find() == photo


def test_the_photo_is_found_after_the_folder_moved(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    photo = _photo(tmp_path / "old")
    small_record(G, sources=[Source.of(photo)]).save(tmp_path / "old" / "out" / "me.inversion.safetensors")
    (tmp_path / "old").rename(tmp_path / "new")
    source = Inversion.load(tmp_path / "new" / "out" / "me.inversion.safetensors").sources[0]
    assert source.find() == tmp_path / "new" / "me.png"
    # Another picture under that name is not the photo.
    Image.new("RGB", (40, 30)).save(tmp_path / "new" / "me.png")
    assert source.find() is None


def test_the_models_file_is_kept_relative_to_the_record(tmp_path: Path) -> None:
    place = tmp_path / "a" / "me.inversion.safetensors"
    place.parent.mkdir()
    small_record(small_generator(), model_file=tmp_path / "models" / "mine.pkl").save(place)
    assert str(tmp_path).encode() not in place.read_bytes()
    place.parent.rename(tmp_path / "b")
    assert Inversion.load(tmp_path / "b" / place.name).model_file == tmp_path / "models" / "mine.pkl"
    small_record(small_generator()).save(place.parent.parent / "old.safetensors")
    assert Inversion.load(tmp_path / "old.safetensors").model_file is None


def test_split_gives_each_image_its_own_values() -> None:
    record = small_record(G, 3, noise=[torch.randn(3, 1, 4, 4), torch.randn(1, 1, 8, 8)])
    parts = record.split()
    assert [len(part) for part in parts] == [1, 1, 1]
    assert torch.equal(torch.cat([part.ws for part in parts]), record.ws)
    assert parts[1].metrics == {"lpips_alex": [pytest.approx(0.2)]}
    assert parts[2].noise is not None
    assert record.noise is not None
    assert torch.equal(parts[2].noise[0], record.noise[0][2:])
    assert torch.equal(parts[2].noise[1], record.noise[1])


@pytest.mark.parametrize(
    ("ws", "words"),
    [
        (torch.zeros(6, 8), "shape"),
        (torch.zeros(0, 6, 8), "shape"),
        (torch.full((1, 6, 8), math.nan), "not finite"),
        (torch.full((1, 6, 8), math.inf), "not finite"),
    ],
)
def test_codes_that_are_none_are_refused(ws: torch.Tensor, words: str) -> None:
    with pytest.raises(InputError, match=words):
        small_record(G, ws=ws)


def test_counts_that_differ_are_refused() -> None:
    with pytest.raises(InputError, match="2 of psnr"):
        small_record(G, metrics={"psnr": [1.0, 2.0]})


def test_a_record_of_another_model_names_both() -> None:
    record = small_record(G)
    assert torch.equal(record.for_generator(G), record.ws)
    with pytest.raises(InputError, match=r"'small'.*'other'"):
        record.for_generator(small_generator(1, name="other"))


def test_models_of_one_latent_space_share_records() -> None:
    first = small_generator(0, latent_space="shared")
    second = small_generator(1, name="other", latent_space="shared")
    record = small_record(first)
    assert torch.equal(record.for_generator(second), record.ws)


def test_w_fits_another_number_of_rows_and_w_plus_does_not() -> None:
    record = small_record(G, ws=torch.randn(1, 1, 8).repeat(1, 4, 1))
    assert record.for_generator(G).shape == (1, 6, 8)
    with pytest.raises(InputError, match="takes 6"):
        small_record(G, ws=torch.randn(1, 4, 8)).for_generator(G)


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "me.inversion.safetensors"
    small_record(G).save(path)
    content = path.read_bytes()
    for position in range(0, len(content), 37):
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(changed)
        with pytest.raises(InputError):
            Inversion.load(path)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_record_is_one_sentence(tmp_path: Path, part: float) -> None:
    path = tmp_path / "me.inversion.safetensors"
    small_record(G).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(InputError, match=r"me\.inversion\.safetensors"):
        Inversion.load(path)


def test_other_files_are_no_records(tmp_path: Path) -> None:
    path = tmp_path / "me.inversion.safetensors"
    with pytest.raises(InputError, match="does not exist"):
        Inversion.load(path)
    path.write_text("hello")
    with pytest.raises(InputError, match="no record"):
        Inversion.load(path)
    save_file({"ws": torch.zeros(1, 6, 8)}, path)
    with pytest.raises(InputError, match="no record"):
        Inversion.load(path)
    with pytest.raises(InputError, match="folder"):
        Inversion.load(tmp_path)


def test_a_record_of_a_later_format_says_to_update(tmp_path: Path) -> None:
    path = tmp_path / "me.inversion.safetensors"
    header = json.dumps({"kind": "inversion", "format": 99})
    save_file({"ws": torch.zeros(1, 6, 8)}, path, metadata={"stylegan-latents": header})
    with pytest.raises(InputError, match="update"):
        Inversion.load(path)


def test_a_record_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "me.inversion.safetensors"
    small_record(G).save(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="--overwrite"):
        small_record(G, settings={"steps": 9}).save(path)
    assert path.read_bytes() == before
    small_record(G, settings={"steps": 9}).save(path, overwrite=True)
    assert Inversion.load(path).settings == {"steps": 9}
    assert list(tmp_path.iterdir()) == [path]


def test_equal_records_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        small_record(G).save(tmp_path / f"{name}.inversion.safetensors")
    first, second = (path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert first == second


def test_the_header_is_plain_json(tmp_path: Path) -> None:
    small_record(G, metrics={"psnr": [math.inf]}).save(tmp_path / "me.inversion.safetensors")
    with safe_open(tmp_path / "me.inversion.safetensors", framework="pt") as file:
        text = file.metadata()["stylegan-latents"]

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is not JSON")

    assert json.loads(text, parse_constant=refuse)["metrics"] == {"psnr": [None]}


def test_npz_is_what_other_projectors_write(tmp_path: Path) -> None:
    record = small_record(G)
    record.save_npz(tmp_path / "me.npz")
    with np.load(tmp_path / "me.npz", allow_pickle=False) as file:
        assert list(file) == ["w"]
        assert file["w"].dtype == np.float32
        np.testing.assert_array_equal(file["w"], record.ws.numpy())
    with pytest.raises(InputError, match="split"):
        small_record(G, 2).save_npz(tmp_path / "two.npz")
    with pytest.raises(InputError, match=r"\.npz"):
        record.save_npz(tmp_path / "me.npy")


def test_a_record_is_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        small_record(G).model = "other"  # type: ignore[misc]
