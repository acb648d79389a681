"""The Python examples of each page run one after the other, with small models in place of the large ones."""

import shutil
from pathlib import Path

import pytest
import torch

from stylegan_latents import encoders
from stylegan_latents.editing import Direction
from stylegan_latents.editing.directions import catalogue
from stylegan_latents.invert import HybridInverter, OptimizationInverter
from stylegan_latents.invert.inverters import encode
from tests.docs.pages import PAGES, ROOT, blocks
from tests.encoders.small_encoders import small_encoder
from tests.photos import ASTRONAUT, photo_file
from tests.small_models import CONFIG, save_small_model, small_generator, small_record

SPACE = "small-w"
INSTEAD = {
    '"ffhq"': '"small.safetensors"',
    '"stylegan3-r-ffhq-1024x1024"': '"r-four-channels.pkl"',
    '"ffhq512-128.pkl"': '"faces.pkl"',
    '"hybrid", quality="draft"': '"hybrid", steps=3',
    "Drag(G, steps=50)": "Drag(G, steps=3)",
    "50_000": "4",
    "20_000": "200",
}
"""What a page says, and what runs here in its place: a small model's file, and fewer samples."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two photos, one of them inverted, and small models; their directions and encoder are known."""
    monkeypatch.chdir(tmp_path)
    G = small_generator(latent_space=SPACE)
    save_small_model(tmp_path, latent_space=SPACE)
    shutil.copyfile(ROOT / "tests" / "data" / "stylegan3" / "r-four-channels.pkl", "r-four-channels.pkl")
    shutil.copyfile(ROOT / "tests" / "data" / "eg3d" / "faces.pkl", "faces.pkl")
    shutil.copyfile(ASTRONAUT, "me.jpg")
    shutil.copyfile(photo_file("london_062_neutral"), "you.jpg")
    encoders.save(small_encoder(G), tmp_path / "encoder.safetensors")
    monkeypatch.setattr(encode, "shipped_encoder", lambda _: tmp_path / "encoder.safetensors")
    for inverter in (OptimizationInverter, HybridInverter):
        monkeypatch.setattr(inverter, "own_steps", {"w": 2, "w+": 3})
    small_record(G, model_file=tmp_path / "small.safetensors").save("me.inversion.safetensors")
    known = {name: Direction(name, SPACE, torch.ones(1, CONFIG.w_dim), 1.0) for name in ("pose", "smile")}
    monkeypatch.setattr(catalogue, "all_shipped", lambda: {SPACE: known})
    return tmp_path


WITH_EXAMPLES = [page for page in PAGES if list(blocks(page, "python"))]
LONG = {"models.md"}  # metrics, in the features of VGG


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] * (page.name in LONG)) for page in WITH_EXAMPLES],
    ids=lambda page: page.name,
)
def test_the_examples_of_a_page_run(page: Path, folder: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for line, code in blocks(page, "python"):
        for said, small in INSTEAD.items():
            code = code.replace(said, small)
        exec(compile("\n" * line + code, page.name, "exec"), names)
    if "save_picture" in names:
        assert (folder / "turned.png").is_file()
