"""ReStyle: an encoder whose input is an image and the image of its last code, and whose output corrects that code.

Alaluf et al., "ReStyle: A Residual-Based StyleGAN Encoder via Iterative Refinement", 2021. Its networks are those
of pSp and e4e with 6 input channels.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.encoders.encoder import Encoder, check_images, draw
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator


class ReStyle:
    """Encodes in several passes, starting from the image of the mean code.

    Args:
        encoder: with 6 input channels.
        G: its generator.
        iterations: number of passes; None for the encoder's own number.

    Raises:
        InputError: the encoder has 3 input channels, belongs to another generator, or ``iterations`` is below 1.
    """

    def __init__(self, encoder: Encoder, G: Generator, iterations: int | None = None) -> None:
        if not encoder.config.is_restyle:
            raise InputError(f"'{encoder.name}' encodes in one pass; it is not a ReStyle encoder.")
        if iterations is not None and iterations < 1:
            raise InputError(f"A ReStyle encoder takes 1 pass or more, not {iterations}.")
        encoder.check_generator(G)
        self.encoder, self.G = encoder, G
        self.iterations = encoder.iterations if iterations is None else iterations

    def encode(self, images: Tensor) -> Tensor:
        """Images ``[N, 3, H, W]`` in [-1, 1] to ws ``[N, num_ws, w_dim]``: those of the last pass.

        Raises:
            InputError: the images have another shape.
        """
        *_, ws = self.passes(images)
        return ws

    @torch.no_grad()
    def passes(self, images: Tensor) -> Iterator[Tensor]:
        """The codes ``[N, num_ws, w_dim]`` after each pass; see ``encode``."""
        check_images(images)
        encoder = self.encoder
        target = encoder.fit(images.to(encoder.ws_avg.device).float())
        ws = encoder.ws_avg.unsqueeze(0)
        for _ in range(self.iterations):
            drawn = draw_input(encoder, self.G, ws).expand(len(target), -1, -1, -1)
            ws = ws + encoder(torch.cat([target, drawn], dim=1))
            yield ws


def draw_input(encoder: Encoder, G: Generator, ws: Tensor) -> Tensor:
    """The images of codes at the size of the encoder's input."""
    height, width = encoder.config.input_shape
    drawn = draw(G, ws, width)
    rows = round(drawn.shape[2] * height / width)
    top = (drawn.shape[2] - rows) // 2
    return F.adaptive_avg_pool2d(drawn[:, :, top : top + rows], (height, width))
