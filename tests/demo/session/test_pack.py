"""Everything of a visit in one ZIP file."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.demo.page.running import StoppedError
from stylegan_latents.demo.session.pack import pack
from stylegan_latents.demo.session.styles import keep_style
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.demo.tabs.album.person import open_person
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.inversion import Inversion
from tests.demo.visits import visiting
from tests.generator.styles.test_style import small_style
from tests.invert.small_people import small_person


def test_records_pictures_and_sheets_are_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with visiting(tmp_path, monkeypatch) as visit:
        visit.face("ann").history.push({"smile": 1.0})
        done: list[int] = []
        path = pack(visit, done.append)
        assert done == [1, 2, 3]
        with zipfile.ZipFile(path) as packed:
            assert packed.testzip() is None
            names = set(packed.namelist())
            assert names >= {f"{name}.inversion.safetensors" for name in visit.faces}
            assert names >= {"bob.png", "ann.png", "ann.edited.png", "ann.before-after.jpg"}
            assert "bob.edited.png" not in names
            edited = tmp_path / "edited.inversion.safetensors"
            edited.write_bytes(packed.read("ann.smile+1.inversion.safetensors"))
            assert Inversion.load(edited).settings["edits"] == {"smile": 1.0}
            with Image.open(io.BytesIO(packed.read("ann.png"))) as picture:
                assert picture.convert("RGB") == visit.face("ann").record.picture()
        # A new one replaces it.
        assert pack(visit).exists()
        assert not path.exists()


def test_nothing_is_left_of_a_pack_that_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_face: int) -> None:
        raise StoppedError

    with visiting(tmp_path, monkeypatch) as visit:
        before = {path for path in visit.files.folder.rglob("*") if path.is_file()}
        with pytest.raises(StoppedError):
            pack(visit, stop)
        assert {path for path in visit.files.folder.rglob("*") if path.is_file()} == before


def test_styles_and_models_of_people_are_packed_too(visit: Visit) -> None:
    keep_style(visit, small_style(visit.studio.G, "ink"), "edit stylize --like ink.png --name ink")
    upload = visit.studio.uploads / "anna.person.safetensors"
    small_person(visit.studio.G, 3).save(upload)
    open_person(visit, str(upload))
    with zipfile.ZipFile(pack(visit)) as packed:
        assert packed.namelist() == ["ink.style.safetensors", "anna.person.safetensors", "commands.txt"]
        assert packed.read("commands.txt") == b"edit stylize --like ink.png --name ink\n"


def test_nothing_is_not_packed(visit: Visit) -> None:
    with pytest.raises(InputError, match="nothing to pack"):
        pack(visit)
