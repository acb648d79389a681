"""The notebooks run from top to bottom with a small model, and are kept without outputs."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from stylegan_latents.editing import Direction
from tests.docs.pages import ROOT
from tests.photos import ASTRONAUT
from tests.small_models import CONFIG, save_small_model

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
SPACE = "small-w"
SMALL = {
    "invert-and-edit": 'model, photo_file = "small.safetensors", "astronaut.jpg"\n'
    'method, quality, directions = "optimize", "draft", ["turn.safetensors"]',
    "find-a-direction": 'model, samples = "small.safetensors", 20',
    "own-model": 'model, photo_file, steps = "small.safetensors", None, 3',
}
"""What stands in the place of each notebook's cell of parameters."""


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    save_small_model(tmp_path, latent_space=SPACE)
    shutil.copy(ASTRONAUT, tmp_path)
    Direction("turn", SPACE, torch.ones(1, CONFIG.w_dim), 1.0).save(tmp_path / "turn.safetensors")
    notebook = nbformat.read(path, as_version=4)
    parameters = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    parameters.source = SMALL[path.stem]
    nbclient.NotebookClient(notebook, timeout=250, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert list(tmp_path.glob("*.safetensors"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in cells] == [[]] * len(cells)
    assert {cell["execution_count"] for cell in cells} == {None}


def test_every_notebook_has_its_small_parameters() -> None:
    assert sorted(SMALL) == [path.stem for path in NOTEBOOKS]
