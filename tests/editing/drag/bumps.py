"""A model of two bumps that its code moves, and a detector that takes the first bump for a face."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from stylegan_latents.generator.features import FeatureMap
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.layers import Layer
from stylegan_latents.generator.networks.synthesis import SynthesisNetwork
from stylegan_latents.invert.faces.detector import Face, FaceDetector
from stylegan_latents.invert.faces.landmarks import Landmarks

SIDE, MAP = 256, 64
# Where the two bumps are in the image of w = 0, in fractions of the side.
HOME = torch.tensor([[0.35, 0.5], [0.7, 0.4]])


class Bumps(nn.Module):
    """Two bumps of features, each about a place of its own, on a still slope."""

    def forward(self, places: Tensor) -> Tensor:
        line = (torch.arange(MAP) + 0.5) / MAP
        y, x = torch.meshgrid(line, line, indexing="ij")
        maps = [x.expand(len(places), -1, -1), y.expand(len(places), -1, -1)]
        for i, widths in enumerate(((0.03, 0.06), (0.04, 0.08))):
            away = (x - places[:, i, :1, None]).square() + (y - places[:, i, 1:, None]).square()
            maps += [torch.exp(-away / (2 * width**2)) for width in widths]
        return torch.stack(maps, dim=1)


class Planted(SynthesisNetwork):
    """w's first pair of values moves the first bump, its second pair both of them."""

    resolution, w_dim, num_ws, image_channels = SIDE, 4, 2, 3
    layers = (Layer("a", 4, 0, 4), Layer("b", SIDE, 1, 4))

    def __init__(self) -> None:
        super().__init__()
        self.bumps = Bumps()

    def styles(self, ws: Tensor) -> list[Tensor]:
        return [ws[:, 0], ws[:, 1]]

    def places(self, w: Tensor) -> Tensor:
        return HOME + 0.1 * torch.stack([w[:, :2] + w[:, 2:], w[:, 2:]], dim=1)

    def noise_constants(self) -> list[Tensor]:
        return []

    def noise_strengths(self) -> list[Tensor]:
        return []

    def set_precision(self, dtype: torch.dtype) -> None:
        self.to(dtype)

    def feature_maps(self) -> list[FeatureMap]:
        return [FeatureMap(MAP, MAP, self.bumps)]

    def forward(self, styles, _noise, *, size=None, reference=False):  # noqa: ARG002
        bumps = self.bumps(self.places(styles[0]))
        return nn.functional.interpolate(bumps[:, 2:5], size=size or SIDE)


def planted() -> Generator:
    return Generator(nn.Identity(), Planted(), torch.zeros(4), name="planted", z_dim=4)


def pixel(place: Tensor) -> tuple[float, float]:
    x, y = (place * SIDE - 0.5).tolist()
    return x, y


def where(G: Generator, ws: Tensor) -> Tensor:
    """Where the bumps really are, in pixels."""
    return G.synthesis.places(ws[:, 0])[0] * SIDE - 0.5  # type: ignore[operator]


class BumpDetector(FaceDetector):
    """Places the 68 landmarks on a ring about the first bump, ``aside`` pixels of it; or finds no face any more.

    Args:
        aside: how far the ring is to the right of the bump.
        still: whether the ring stays where it was first, whatever the picture shows.
        finds: how many pictures have a face, the first ones.
    """

    def __init__(self, aside: float = 40.0, still: bool = False, finds: int = 1000) -> None:
        self.aside, self.still, self.finds = aside, still, finds
        self.first: Face | None = None

    def find(self, image: Image.Image) -> list[Face]:
        """See ``FaceDetector``."""
        self.finds -= 1
        if self.finds < 0:
            return []
        if self.first is not None and self.still:
            return [self.first]
        narrow = np.asarray(image, dtype=np.float64)[:, :, 0]
        rows, columns = np.nonzero(narrow >= narrow.max() - 8)
        turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
        centre = np.array([columns.mean() + self.aside, rows.mean()])
        ring = centre + 40 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        x, y = centre.tolist()
        found = Face((x - 60, y - 60, x + 60, y + 60), Landmarks.from_ibug(ring), 1.0)
        self.first = self.first or found
        return [found]
