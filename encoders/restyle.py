"""ReStyle: an encoder that sees the image beside the image of its last code, and predicts a correction of the code.

Alaluf et al., "ReStyle: A Residual-Based StyleGAN Encoder via Iterative Refinement", 2021. It works with the
networks of pSp and of e4e, which then take 6 channels.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.encoders.encoder import Encoder, check_images, draw
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator


class ReStyle:
    """Encodes in several passes, beginning with the image of the mean code.

    Args:
        encoder: its network takes 6 channels.
        G: the generator that it belongs to.
        iterations: how many passes; the encoder's own number when None.

    Raises:
        InputError: the encoder takes 3 channels, belongs to another generator, or ``iterations`` is below 1.
    """

    def __init__(self, encoder: Encoder, G: Generator, iterations: int | None = None) -> None:
        if not encoder.config.is_restyle:
            raise InputError(f"'{encoder.name}' encodes in one pass; it is no ReStyle encoder.")
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
        *_, ws = self.looks(images)
        return ws

    @torch.no_grad()
    def looks(self, images: Tensor) -> Iterator[Tensor]:
        """The codes ``[N, num_ws, w_dim]`` after each pass.

        Raises:
            InputError: the images have another shape.
        """
        check_images(images)
        encoder = self.encoder
        target = encoder.fit(images.to(encoder.ws_avg.device).float())
        ws = encoder.ws_avg.unsqueeze(0)
        for _ in range(self.iterations):
            drawn = drawn_as_seen(encoder, self.G, ws).expand(len(target), -1, -1, -1)
            ws = ws + encoder(torch.cat([target, drawn], dim=1))
            yield ws


def drawn_as_seen(encoder: Encoder, G: Generator, ws: Tensor) -> Tensor:
    """The pictures of codes, averaged to the size that the encoder sees."""
    height, width = encoder.config.input_shape
    drawn = draw(G, ws, width)
    rows = round(drawn.shape[2] * height / width)
    top = (drawn.shape[2] - rows) // 2
    return F.adaptive_avg_pool2d(drawn[:, :, top : top + rows], (height, width))
