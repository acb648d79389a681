"""What the package exports is there, and costs nothing until it is used."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stylegan_latents import editing
from stylegan_latents.editing.directions import catalogue
from tests.small_models import small_generator, small_record

G = small_generator(latent_space="small-w")


@pytest.mark.parametrize("name", editing.__all__)
def test_each_exported_name_is_there(name: str) -> None:
    assert name in dir(editing)
    assert getattr(editing, name) is not None


def test_no_exported_name_is_that_of_a_subpackage() -> None:
    assert not set(editing.__all__) & {module.name for module in pkgutil.iter_modules(editing.__path__)}


def test_the_package_is_imported_without_what_it_exports() -> None:
    code = (
        "import sys, stylegan_latents.editing; "
        "loaded = {'torch', 'numpy', 'PIL', 'typer'} & set(sys.modules); sys.exit(f'{loaded}' if loaded else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_a_record_is_edited_in_a_few_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smile = editing.Direction("smile", "small-w", torch.ones(1, 8), 1.0)
    monkeypatch.setattr(catalogue, "all_shipped", lambda: {"small-w": {"smile": smile}})
    small_record(G).save(tmp_path / "me.inversion.safetensors")
    record = editing.OpenRecord(tmp_path / "me.inversion.safetensors", generator=G)
    found = editing.find_direction("smile", record.generator)
    assert torch.equal(found.apply(record.ws, strength=1.5), G.sample([0]) + 1.5)
    assert record.edited([(found, 1.5)]).picture.size == (G.resolution, G.resolution)
