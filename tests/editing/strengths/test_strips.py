import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from stylegan_latents.editing.directions.direction import Direction
from stylegan_latents.editing.strengths.strips import strips
from stylegan_latents.invert.photos.files import to_picture
from tests.small_models import small_generator

Pixels = npt.NDArray[np.int64]


def _cell(sheet: Image.Image, column: int, side: int, count: int) -> Pixels:
    """One picture of a sheet of one row, which ends at the right and at the bottom."""
    left = sheet.width - (count - column) * (side + 8)
    return np.asarray(sheet.crop((left, sheet.height - side - 8, left + side, sheet.height - 8))).astype(np.int64)


def test_each_column_is_the_picture_at_its_strength() -> None:
    G = small_generator()
    ws = G.sample([0])
    direction = Direction("one", G.latent_space, torch.ones(1, G.w_dim), 0.5)
    done: list[tuple[int, int]] = []
    sheet = strips(
        G, ws, "const", [direction], lambda *now: done.append(now), strengths=(-1.0, 0.0, 2.0), cell=G.resolution
    )
    assert done == [(1, 1)]
    for column, strength in enumerate((-1.0, 0.0, 2.0)):
        expected = np.asarray(to_picture(G.synthesize(direction.bind(G).apply(ws, strength)))[0]).astype(np.int64)
        assert np.abs(_cell(sheet, column, G.resolution, 3) - expected).max() <= 1


def test_single_style_channels_are_shown_further_than_directions() -> None:
    G = small_generator()
    vector = torch.zeros(1, sum(layer.channels for layer in G.layers))
    vector[0, 3] = 1
    channel = Direction("channel", G.latent_space, vector, 1.0, space="s")
    several = Direction("several", G.latent_space, torch.ones_like(vector), 1.0, space="s")
    side, ws = G.resolution, G.sample([0])
    for directions, furthest in (([channel], 15.0), ([several], 3.0)):
        styles = directions[0].bind(G).apply_styles(G.styles(ws), furthest, G)
        expected = np.asarray(to_picture(G.synthesize_styles(styles))[0]).astype(np.int64)
        sheet = strips(G, ws, "const", directions, cell=side)
        assert np.abs(_cell(sheet, 6, side, 7) - expected).max() <= 1
