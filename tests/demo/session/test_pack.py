"""Everything of a visit in one ZIP file."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from stylegan_latents.demo.session.pack import pack
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.record.inversion import Inversion
from tests.demo.visits import visiting


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


def test_nothing_is_not_packed(visit: Visit) -> None:
    with pytest.raises(InputError, match="nothing to pack"):
        pack(visit)
