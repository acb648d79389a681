import io
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.photos.tables import list_table

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def png(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (number, 80, 200)).save(file, format="PNG")
    return file.getvalue()


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> str:
    with tarfile.open(path, mode) as shard:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            shard.addfile(info, io.BytesIO(data))
    return str(path)


def _read(table: str) -> dict[str, bytes]:
    return {name: origin.read() for name, origin in list_table(table)}


def test_a_shard_gives_its_pictures_by_name(tmp_path: Path) -> None:
    files = {f"{number:06d}{suffix}": png(number) for number in range(5) for suffix in (".png", ".json")}
    found = _read(write_tar(tmp_path / "shard-000.tar", files | {"./._000001.png": b"x", "sub/b.jpg": png(9)}))
    assert found == {f"{number:06d}.png": png(number) for number in range(5)} | {"b.jpg": png(9)}


@pytest.mark.parametrize("group", [2, 100])
def test_a_column_of_bytes_with_names(tmp_path: Path, group: int) -> None:
    path = tmp_path / "photos.parquet"
    names = [f"a/{number}.png" for number in range(21)]
    table = pyarrow.table({"path": names, "jpg": [png(number) for number in range(21)], "hash": [b"1"] * 21})
    parquet.write_table(table, path, row_group_size=group)
    assert _read(str(path)) == {f"{number}.png": png(number) for number in range(21)}
    origins = dict(list_table(str(path)))
    for number in (20, 3, 4, 4, 0):
        assert origins[f"{number}.png"].read() == png(number)


def test_a_column_of_hugging_face(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    cells = [
        {"bytes": png(1), "path": "me.png"},
        {"bytes": png(2), "path": None},
        {"bytes": None, "path": "no.png"},
    ]
    parquet.write_table(pyarrow.table({"image": cells, "label": [1, 2, 3]}), path)
    origins = dict(list_table(str(path)))
    assert list(origins) == ["me.png", "train-000001", "no.png"]
    assert origins["train-000001"].read() == png(2)
    with pytest.raises(InputError, match=r"Row 2 of row group 0 of .* holds no picture's bytes"):
        origins["no.png"].read()


def test_what_is_no_table_of_photos_is_said_in_one_sentence(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(b"no shard" * 100)
    numbers = tmp_path / "numbers.parquet"
    parquet.write_table(pyarrow.table({"age": [1, 2]}), numbers)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(numbers.read_bytes()[:-20])
    for table, words in (
        (write_tar(tmp_path / "packed.tar", {"a.png": png(1)}, "w:gz"), "or compressed"),
        (write_tar(tmp_path / "empty.tar", {"a.txt": b"1"}), "holds no photo"),
        (str(damaged), r"is no \.tar file"),
        (str(numbers), "no column of pictures' bytes, such as 'image', among age"),
        (str(cut), "is no Parquet file, or is damaged"),
        (str(tmp_path / "gone.tar"), "There is no"),
    ):
        with pytest.raises(InputError, match=words):
            list(list_table(table))


def test_a_shard_that_was_cut_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    path = Path(write_tar(tmp_path / "a.tar", {f"{number}.png": png(number) for number in range(3)}))
    path.write_bytes(path.read_bytes()[:2600])
    with pytest.raises(InputError, match="damaged"):
        list(list_table(str(path)))


def test_names_that_lead_elsewhere_lead_nowhere(tmp_path: Path) -> None:
    names = [
        name for name, _ in list_table(write_tar(tmp_path / "a.tar", {"../../up.png": png(1), "/top.png": png(2)}))
    ]
    assert names == ["up.png", "top.png"]
