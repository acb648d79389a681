import sys
import types
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.editing.discovery.finders.text import TextDirections
from stylegan_latents.editing.discovery.finders.text_table import TextTable
from stylegan_latents.editing.text.image_text import OpenCLIP, drawn_size, read_state, text_step
from stylegan_latents.editing.text.optimizer import TextOptimizer
from stylegan_latents.generator.errors import InputError
from tests.odd_models import odd_config, odd_generator

TEXTS = {
    "a picture": (0.0, 0.0, 0.0, 1.0),
    "a red picture": (1.0, -0.5, -0.5, 1.0),
    "a blue picture": (-0.5, -0.5, 1.0, 1.0),
}


class ColourTexts:
    """Sees a picture's mean colours, and knows three texts about them."""

    version = "colours-1"

    def embed_images(self, images: Tensor) -> Tensor:
        means = images.mean(dim=(2, 3))
        return F.normalize(torch.cat([means, torch.ones_like(means[:, :1])], dim=1), dim=1)

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        return F.normalize(torch.tensor([TEXTS[text] for text in texts]), dim=1)


G = odd_generator()
MODEL = ColourTexts()


def _redness(styles: list[Tensor]) -> Tensor:
    means = G.synthesize_styles(styles).mean(dim=(2, 3))
    return means[:, 0] - (means[:, 1] + means[:, 2]) / 2


def test_a_direction_goes_the_texts_way() -> None:
    finder = TextDirections(G, MODEL)
    one = finder.direction("a red picture", "a picture", G.sample(range(8)), name="red", count=12)
    assert (one.name, one.space) == ("red", "s")
    assert one.provenance["channels"] == 12
    assert one.provenance["positive"] == "a red picture"
    styles = G.styles(G.sample(range(100, 116)))
    low, middle, high = (_redness(one.apply_styles(styles, strength, G)) for strength in (-1.0, 0.0, 1.0))
    assert ((high > middle) & (middle > low)).float().mean() > 0.85
    blue = finder.direction("a blue picture", "a picture", G.sample(range(8)), count=12)
    assert blue.name == "a blue picture"
    assert float(F.cosine_similarity(one.vector, blue.vector)) < 0.95


def test_one_gradient_is_the_tables_product_with_the_text() -> None:
    ws, step = G.sample([3]), text_step(MODEL, "a red picture", "a picture")
    finder = TextDirections(G, MODEL)
    relevance = finder.relevance(ws, step)
    styles, small, rows, start = G.styles(ws), 1e-2, [], 0
    for index, layer in enumerate(G.layers):
        for channel in range(0, layer.channels, 5):
            moved = []
            for sign in (-1, 1):
                changed = [style.clone() for style in styles]
                changed[index][0, channel] += sign * small * finder._deviations[start + channel]
                moved.append(MODEL.embed_images(G.synthesize_styles(changed))[0])
            effect = float((moved[1] - moved[0]) @ step) / (2 * small)
            rows.append((start + channel, effect if not layer.name.endswith("rgb") else 0.0))
        start += layer.channels
    positions, effects = zip(*rows, strict=True)
    wanted = torch.tensor(effects)
    assert torch.allclose(relevance[list(positions)], wanted, atol=1e-2 * float(wanted.abs().max()))


def test_layers_choose_the_channels() -> None:
    finder = TextDirections(G, MODEL, "coarse")
    one = finder.direction("a red picture", "a picture", G.sample(range(2)))
    coarse = torch.cat([torch.full((layer.channels,), layer.group == "coarse") for layer in G.layers])
    assert not one.vector[0][~coarse].any()
    with pytest.raises(InputError, match="to-RGB alone"):
        TextDirections(G, MODEL, str(G.num_ws - 1)).direction("a red picture", "a picture", G.sample([0]))


def test_the_table_that_is_published_gives_the_same_kind_of_direction() -> None:
    channels = sum(layer.channels for layer in G.layers if not layer.name.endswith("rgb"))
    table = TextTable(G, F.normalize(torch.randn(channels, 4, generator=torch.Generator().manual_seed(0)), dim=1))
    one = table.direction(text_step(MODEL, "a red picture", "a picture"), "red", threshold=0.5)
    assert one.space == "s"
    assert one.rows == tuple(range(G.num_ws))


@pytest.mark.slow
def test_a_code_is_searched_near_the_first() -> None:
    ws = G.sample([5])
    before = ws.clone()
    wanted = MODEL.embed_texts(["a red picture"])[0]

    def fit(code: Tensor) -> float:
        return float(MODEL.embed_images(G.synthesize(code))[0] @ wanted)

    seen: list[tuple[int, int]] = []
    free = TextOptimizer(G, MODEL, steps=30).optimize(ws, "a red picture", progress=lambda *n: seen.append(n))
    assert torch.equal(ws, before)
    assert seen[-1] == (30, 30)
    assert (free.steps, free.stopped) == (30, False)
    assert free.before == pytest.approx(fit(ws), abs=1e-5)
    assert free.after == pytest.approx(fit(free.ws), abs=1e-5)
    assert free.after > free.before + 0.02
    held = TextOptimizer(G, MODEL, steps=30, distance_weight=10.0).optimize(ws, "a red picture")
    assert float((held.ws - ws).norm()) < 0.3 * float((free.ws - ws).norm())
    assert not free.ws.requires_grad
    assert not any(parameter.requires_grad for parameter in G.parameters())


def test_only_the_rows_that_may_move_do() -> None:
    ws = G.sample([5])
    found = TextOptimizer(G, MODEL, steps=3, rows=[1, 2]).optimize(ws, "a red picture").ws
    moved = [row for row in range(G.num_ws) if not torch.equal(found[:, row], ws[:, row])]
    assert moved == [1, 2]


def test_ctrl_c_keeps_the_code_so_far_where_that_is_wanted() -> None:
    def stop(done: int, _steps: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    search = TextOptimizer(G, MODEL, steps=9)
    kept = search.optimize(G.sample([5]), "a red picture", progress=stop, keep_partial=True)
    assert (kept.steps, kept.stopped) == (2, True)
    assert not torch.equal(kept.ws, G.sample([5]))
    with pytest.raises(KeyboardInterrupt):
        search.optimize(G.sample([5]), "a red picture", progress=stop)


def test_what_is_wrong_is_said() -> None:
    finder = TextDirections(G, MODEL)
    with pytest.raises(InputError, match="mean the same to the model"):
        finder.direction("a picture", "a picture", G.sample([0]))
    with pytest.raises(InputError, match="Give a text for what is wanted"):
        finder.direction(" ", "a picture", G.sample([0]))
    with pytest.raises(InputError, match="a code to look at"):
        finder.direction("a red picture", "a picture", G.sample([]))
    with pytest.raises(InputError, match="Give a text"):
        TextOptimizer(G, MODEL, steps=1).optimize(G.sample([0]), "")
    for options in ({"steps": 0}, {"learning_rate": 0.0}, {"distance_weight": -1.0}):
        with pytest.raises(InputError):
            TextOptimizer(G, MODEL, **options)  # type: ignore[arg-type]
    assert drawn_size(G) == 64


def test_without_open_clip_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(InputError, match="pip install open_clip_torch"):
        OpenCLIP()


class TinyCLIP(torch.nn.Module):
    """In place of open_clip's networks: one matrix for pictures, one for words."""

    def __init__(self, quick: bool = False) -> None:
        super().__init__()
        self.quick = quick
        self.visual = torch.nn.Linear(3 * 8 * 8, 5)
        self.visual.image_size = (8, 8)  # type: ignore[assignment]
        self.words = torch.nn.Embedding(300, 5)

    def encode_image(self, images: Tensor) -> Tensor:
        return self.visual(images.flatten(1))  # type: ignore[no-any-return]

    def encode_text(self, tokens: Tensor) -> Tensor:
        return self.words(tokens).mean(dim=1)  # type: ignore[no-any-return]


@pytest.fixture(name="open_clip")
def _open_clip(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A stand-in for open_clip with one architecture, whose weights no host gives."""

    def refuse(_config: object) -> str:
        raise ConnectionError("no route")

    module = types.ModuleType("open_clip")
    module.__dict__.update(
        list_models=lambda: ["tiny"],
        create_model=lambda _name, *, force_quick_gelu, **_: TinyCLIP(quick=force_quick_gelu),
        get_tokenizer=lambda _name: lambda texts: torch.tensor([[ord(text[0]), ord(text[-1])] for text in texts]),
        get_pretrained_cfg=lambda _name, tag: {"url": "x", "quick_gelu": True} if tag == "known" else {},
        list_pretrained_tags_by_model=lambda _name: ["known"],
        download_pretrained=refuse,
        OPENAI_DATASET_MEAN=(0.5, 0.5, 0.5),
        OPENAI_DATASET_STD=(0.25, 0.25, 0.25),
    )
    monkeypatch.setitem(sys.modules, "open_clip", module)
    return module


@pytest.mark.usefixtures("open_clip")
def test_clip_is_made_of_a_file(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    network = TinyCLIP()
    save_file(network.state_dict(), tmp_path / "tiny.safetensors")
    torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, tmp_path / "tiny.pt")
    one, two = (OpenCLIP(tmp_path / name, architecture="tiny") for name in ("tiny.safetensors", "tiny.pt"))
    images = torch.rand(2, 3, 20, 20).requires_grad_()
    seen = one.embed_images(images)
    assert torch.allclose(seen.norm(dim=1), torch.ones(2))
    assert torch.equal(seen, two.embed_images(images))
    (gradient,) = torch.autograd.grad(seen[0, 0], images)
    assert gradient[0].any()
    levels = F.interpolate((images + 1) / 2, (8, 8), mode="bicubic", antialias=True, align_corners=False)
    assert torch.allclose(seen, F.normalize(network.encode_image((levels - 0.5) / 0.25), dim=1), atol=1e-6)
    texts = one.embed_texts(["ab", "cd"])
    assert texts.shape == (2, 5)
    assert torch.allclose(texts.norm(dim=1), torch.ones(2))


@pytest.mark.usefixtures("open_clip")
def test_missing_and_wrong_weights_are_said(tmp_path: Path) -> None:
    for weights, architecture, said in (
        ("known", "large", "no architecture 'large'"),
        ("unknown", "tiny", "no file 'unknown', and open_clip has no weights of that name for tiny.* known"),
        ("known", "tiny", r"could not be downloaded \(ConnectionError\)"),
    ):
        with pytest.raises(InputError, match=said):
            OpenCLIP(weights, architecture=architecture)
    torch.save({"words.weight": torch.zeros(3, 5)}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="another network"):
        OpenCLIP(tmp_path / "other.pt", architecture="tiny")
    (tmp_path / "broken.safetensors").write_bytes(b"no")
    (tmp_path / "broken.pt").write_bytes(b"no")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save(Path("x"), tmp_path / "code.pt")
    for name in ("broken.safetensors", "broken.pt", "list.pt", "code.pt"):
        with pytest.raises(InputError):
            read_state(tmp_path / name)


def test_weights_get_the_activation_that_they_were_trained_with(
    open_clip: types.ModuleType, tmp_path: Path
) -> None:
    torch.save(TinyCLIP().state_dict(), tmp_path / "tiny.pt")
    open_clip.__dict__["download_pretrained"] = lambda _config: str(tmp_path / "tiny.pt")
    by_name, by_file = OpenCLIP("known", architecture="tiny"), OpenCLIP(tmp_path / "tiny.pt", architecture="tiny")
    told = OpenCLIP(tmp_path / "tiny.pt", architecture="tiny", quick_gelu=True)
    assert [one._network.quick for one in (by_name, by_file, told)] == [True, False, True]
    assert by_name.version != by_file.version


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_models_of_other_channels_than_three_take_texts(channels: int) -> None:
    other = odd_generator(odd_config(image_channels=channels))
    ws = other.sample(range(2))
    assert TextDirections(other, MODEL).direction("a blue picture", "a picture", ws, count=4).space == "s"
    assert TextOptimizer(other, MODEL, steps=1).optimize(ws[:1], "a blue picture").steps == 1
