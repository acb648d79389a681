"""Every public class on a device: what ``test_rehearsal`` leaves, and the list that fails when one is missing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylegan_latents.demo.session.examples import seed_face
from stylegan_latents.demo.session.studio import Studio
from stylegan_latents.demo.tabs.edit import drawing
from stylegan_latents.editing.commands.cli import main as edit
from stylegan_latents.editing.discovery.finders.text import TextDirections
from stylegan_latents.editing.discovery.scorers.classifier import ClassifierScorer
from stylegan_latents.editing.discovery.scorers.faces import FaceScorer
from stylegan_latents.editing.discovery.scorers.labelled import LabelledScorer
from stylegan_latents.editing.mixing.by_part import PartDonor, mix_parts
from stylegan_latents.editing.text.optimizer import TextOptimizer
from stylegan_latents.invert import align_face, find_faces
from stylegan_latents.invert.commands.cli import main as invert
from stylegan_latents.invert.photos.files import read_photo, to_tensor
from tests.demo.small_studio import wide_generator
from tests.device import test_rehearsal as most
from tests.device.public_classes import NOT_REHEARSED, REHEARSED, public_classes
from tests.device.rehearsal import on_device
from tests.device.test_rehearsal import HERE, _device, _folder
from tests.editing.discovery.finders.test_text import ColourTexts
from tests.editing.repose.people import save_files
from tests.invert.small_films import morphing, save_film
from tests.invert.small_search import small_search
from tests.odd_models import odd_generator
from tests.photos import ASTRONAUT

__all__ = ["_device", "_folder", "small_search"]


def test_every_public_class_is_rehearsed() -> None:
    assert set(public_classes()) - set(REHEARSED) - set(NOT_REHEARSED) == set(), "rehearse these, and list where"
    tests = {*vars(most), *globals()}
    lost = [one for one in REHEARSED.values() if not any(name.startswith(one.partition("*")[0]) for name in tests)]
    assert lost == []


@pytest.mark.slow
@pytest.mark.usefixtures("folder", "small_search")
def test_a_film_is_inverted_edited_and_pasted_back(device: str) -> None:
    save_film(Path("clip.mp4"), morphing(odd_generator(), 3))
    with on_device(device) as rehearsal:
        assert invert(["clip.mp4", "--no-align", "--steps", "3", "--every", "2", *HERE, device]) == 0
        record = "clip.inversion.safetensors"
        assert edit([record, "-d", "smile", "-s", "1", "--paste-back", *HERE, device]) == 0
    assert rehearsal.operations


def test_a_person_is_reposed(device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_files(tmp_path)
    with on_device(device) as rehearsal:
        words = ["me.png", "--to", "you_iuv.png", "--wear", "you.png", "--model", "model.pt", "--device", device]
        assert edit(["repose", *words]) == 0
    assert rehearsal.operations


@pytest.mark.usefixtures("folder", "small_search")
def test_a_photo_is_pasted_back(device: str) -> None:
    Image.linear_gradient("L").resize((96, 80)).convert("RGB").save("me.png")
    with on_device(device):
        assert invert(["me.png", "--no-align", "--steps", "2", "--method", "optimize", *HERE, device]) == 0
        assert edit(["me.png", "-d", "smile", "-s", "1", "--paste-back", *HERE, device]) == 0
    assert Image.open("me.smile+1.pasted.png").size == (96, 80)


class _Texts(ColourTexts):
    """On a device, as OpenCLIP is."""

    def __init__(self, device: str) -> None:
        self._device = device

    def embed_texts(self, texts: Any) -> Tensor:
        return super().embed_texts(texts).to(self._device)


@pytest.mark.slow
def test_texts(device: str) -> None:
    with on_device(device):
        G, model = odd_generator().to(device), _Texts(device)
        finder = TextDirections(G, model)
        one = finder.direction("a red picture", "a picture", G.sample(range(4)), name="red", count=8)
        one.bind(G).apply_styles(G.styles(G.sample([1])), 1.0, G)
        found = TextOptimizer(G, model, steps=2, distance_weight=0.1).optimize(G.sample([0]), "a red picture")
        assert found.ws.device.type == device


@pytest.mark.slow
def test_a_part_of_another(device: str) -> None:
    with on_device(device):
        G = odd_generator().to(device)
        ws = G.sample([0, 1])
        weights = torch.ones(sum(layer.channels for layer in G.layers))
        G.synthesize_styles(mix_parts(G, ws[:1], [PartDonor(ws[1:], weights, 0.5)]))


class _Brightness(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(1, 2, 3), keepdim=True)


@pytest.mark.slow
def test_scorers_from_files(device: str, tmp_path: Path) -> None:
    torch.jit.script(_Brightness()).save(str(tmp_path / "bright.pt"))
    for label, colour in (("blue", (40, 40, 200)), ("red", (200, 40, 40))):
        (tmp_path / "labels" / label).mkdir(parents=True)
        for number in range(8):
            shade = tuple(one + 4 * number for one in colour)
            Image.new("RGB", (64, 64), shade).save(tmp_path / "labels" / label / f"{number}.png")
    bright = ClassifierScorer(tmp_path / "bright.pt")
    labelled = LabelledScorer(tmp_path / "labels", features=lambda x: x.mean((2, 3)).cpu().double().numpy())
    with on_device(device):
        images = torch.rand(2, 3, 32, 32, device=device)
        for scorer in (bright, labelled):
            assert np.isfinite(scorer.score(images)).all()


@pytest.mark.slow
def test_the_scorer_of_faces(device: str) -> None:
    photo = read_photo(ASTRONAUT)
    crop = to_tensor(align_face(photo, find_faces(photo)[0], 256)[0])
    with on_device(device):
        scores = FaceScorer().score(crop.to(device))
    assert np.isfinite(scores).all()


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_a_table_of_scores(device: str) -> None:
    rows = [f"{seed},{seed % 7}" for seed in range(120)]
    Path("scores.csv").write_text("\n".join(["seed,sevenths", *rows]))
    words = ["discover", "-m", "interfacegan", "--scorer", "scores.csv", "--score", "sevenths"]
    with on_device(device):
        assert edit([*words, *HERE, device]) == 0


@pytest.mark.slow
def test_the_demos_edits(device: str, tmp_path: Path) -> None:
    with on_device(device):
        studio = Studio(wide_generator().to(device), folder=tmp_path, steps=2)
        try:
            visit = studio.enter("one")
            face = seed_face(visit, 3)
            drawing.preview(visit, face, {"smile": 1.0})
            drawing.finished(visit, face, {"smile": 1.0})
        finally:
            studio.close()
