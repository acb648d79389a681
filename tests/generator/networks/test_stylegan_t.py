from dataclasses import replace

import pytest
import torch

from tests.generator.networks.stylegan_t_files import CONFIG, TEXTS, random_stylegan_t


def test_layers_begin_with_the_input_and_end_with_the_picture() -> None:
    G = random_stylegan_t()
    assert [layer.name for layer in G.layers[:5]] == [
        "input", "block8.conv0", "block8.conv1", "block8.to_rgb", "block16.up",
    ]  # fmt: skip
    assert [layer.ws_index for layer in G.layers] == [0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9]
    assert (G.resolution, G.num_ws) == (32, 10)
    assert G.ws_groups[:4] == ["coarse"] * 4


def test_noise_changes_the_picture() -> None:
    G = random_stylegan_t()
    ws = G.sample([3])
    assert len(G.noise_constants()) == 8
    assert not torch.equal(G.synthesize(ws, "none"), G.synthesize(ws))


def test_a_row_is_x_and_then_the_text() -> None:
    one, several = random_stylegan_t(TEXTS, texts=1), random_stylegan_t(TEXTS, texts=3)
    assert (one.label_dim, several.label_dim, one.w_dim) == (0, 3, 12)
    z = torch.randn(3, 4)
    assert torch.equal(one.map(z)[:, 0, 5:], one.w_avg[None, 5:].expand(3, -1))
    ws = several.map(z, torch.eye(3))
    assert torch.equal(ws[:, 4, :5], several.map(z, torch.eye(3).flip(0))[:, 4, :5])
    assert several.class_w_avg is not None
    assert torch.equal(ws[:, 0, 5:], several.class_w_avg[:, 5:])
    middle = several.map(z, torch.eye(3), truncation=0)
    torch.testing.assert_close(middle[:, 0], several.class_w_avg)
    with pytest.raises(ValueError, match="label"):
        several.map(z)


@pytest.mark.parametrize(
    "change",
    [
        {"channels": ()},
        {"channels": (8,) * 12},
        {"channels": (8, 7)},
        {"z_dim": 0},
        {"pairs": 0},
        {"pairs": 99},
        {"groups": 0},
        {"text_dim": -1},
        {"taps": (0.0, 0.0)},
        {"label_dim": 3},
        {"label_dim": 3, "label_width": 5},
        {"text_dim": 1 << 30},
    ],
)
def test_impossible_sizes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"StyleGAN-?T|filter"):
        replace(CONFIG, **change)  # type: ignore[arg-type]
