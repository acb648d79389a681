"""Encoders: from images to codes in one forward pass."""

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.encoders.config import EncoderConfig
from stylegan_latents.encoders.networks.perceptual import PerceptualEncoder
from stylegan_latents.encoders.networks.plain import PlainEncoder
from stylegan_latents.encoders.networks.psp import Encoder4Editing, FlatEncoder, GradualStyleEncoder, SingleEncoder
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator, check_same_space
from stylegan_latents.generator.perceptual import area_resize, as_colour

_NETWORKS: dict[str, type[nn.Module]] = {
    "psp": GradualStyleEncoder,
    "e4e": Encoder4Editing,
    "single": SingleEncoder,
    "flat": FlatEncoder,
    "plain": PlainEncoder,
    "perceptual": PerceptualEncoder,
}

# Cosine similarity of two estimates of the mean of one W is far above this; of two networks', far below.
_SAME_MEAN = 0.7


class Encoder(nn.Module):
    """An encoder: a network that predicts the difference of an image's code from the mean code.

    Attributes:
        config: the sizes.
        network: images to the differences of their codes from ``ws_avg``.
        ws_avg: ``[num_ws, w_dim]``, the mean code.
        name: in messages and records.
        model, fingerprint, latent_space: of its generator; empty if its file lacks them.
        iterations: number of passes of a ReStyle; 1 for any other encoder.
    """

    ws_avg: Tensor

    def __init__(
        self,
        config: EncoderConfig,
        ws_avg: Tensor,
        *,
        name: str,
        model: str = "",
        fingerprint: str = "",
        latent_space: str = "",
        iterations: int = 1,
    ) -> None:
        super().__init__()
        if ws_avg.shape != (config.num_ws, config.w_dim):
            raise ValueError(f"ws_avg needs the shape [{config.num_ws}, {config.w_dim}], got {tuple(ws_avg.shape)}")
        if iterations < 1 or (iterations > 1 and not config.is_restyle):
            raise ValueError(f"only a ReStyle encodes in more than one pass, got {iterations} iterations")
        self.config = config
        self.network = _NETWORKS[config.architecture](config)
        self.register_buffer("ws_avg", ws_avg.detach().float().clone())
        self.name, self.model, self.fingerprint, self.latent_space = name, model, fingerprint, latent_space
        self.iterations = iterations
        self.eval()

    @classmethod
    def for_generator(
        cls, G: Generator, config: EncoderConfig | None = None, *, name: str = "encoder", seed: int = 0
    ) -> "Encoder":
        """A new encoder with random weights, on the generator's device."""
        config = config or EncoderConfig.for_generator(G)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(
                config,
                G.w_avg.expand(G.num_ws, -1),
                name=name,
                model=G.name,
                fingerprint=G.fingerprint,
                latent_space=G.latent_space,
                iterations=5 if config.is_restyle else 1,
            ).to(G.device)

    def regrouped(self, G: Generator) -> "Encoder":
        """This encoder for a generator with another number of rows, if it predicts one code for each group."""
        config = self.config
        if config.architecture != "perceptual" or config.num_ws == G.num_ws:
            return self
        rows = EncoderConfig.for_generator(G)
        made = Encoder(
            replace(
                config, num_ws=G.num_ws, first_middle_row=rows.first_middle_row, first_fine_row=rows.first_fine_row
            ),
            self.ws_avg.mean(dim=0).expand(G.num_ws, -1),
            name=self.name,
            model=self.model,
            fingerprint=self.fingerprint,
            latent_space=self.latent_space,
        )
        made.network.load_state_dict(self.network.state_dict())
        return made

    def check_generator(self, G: Generator) -> None:
        """Raise InputError unless this encoder's codes have the shape of ``G``'s and belong to its W."""
        rows = self.config.num_ws, self.config.w_dim
        if rows != (G.num_ws, G.w_dim):
            raise InputError(
                f"The encoder '{self.name}' gives codes of {rows[0]} rows of {rows[1]} values, and '{G.name}' "
                f"takes {G.num_ws} of {G.w_dim}; give the model it was trained with to --model."
            )
        if self.fingerprint:
            check_same_space(G, self.model, self.latent_space, self.fingerprint, f"The encoder '{self.name}'")
            return
        ours, theirs = self.ws_avg.mean(dim=0).cpu(), G.w_avg.cpu()
        if ours.norm() > 0 and theirs.norm() > 0 and F.cosine_similarity(ours, theirs, dim=0) < _SAME_MEAN:
            raise InputError(
                f"The encoder '{self.name}' was trained with another model than '{G.name}': the means of their "
                "codes differ; give the model it was trained with to --model."
            )

    def fit(self, images: Tensor) -> Tensor:
        """Images ``[N, 3, H, W]`` cropped and resized to the network's input ``[N, 3, *input_shape]``."""
        height, width = self.config.input_shape
        rows = min(images.shape[2], round(images.shape[3] * height / width))
        top = (images.shape[2] - rows) // 2
        images = images[:, :, top : top + rows]
        if images.shape[2:] == (height, width):
            return images
        return F.interpolate(images, size=(height, width), mode="bilinear", antialias=True, align_corners=False)

    def forward(self, images: Tensor) -> Tensor:
        """Input ``[N, input_channels, *input_shape]`` to the differences of the codes, ``[N, num_ws, w_dim]``."""
        return cast(Tensor, self.network(images))

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """Images to codes ``[N, num_ws, w_dim]``, in one forward pass.

        Args:
            images: ``[N, 3, H, W]`` in [-1, 1], aligned like the generator's training images, of any size.

        Raises:
            InputError: the images have another shape, or this is a ReStyle's network: use ``ReStyle``.
        """
        if self.config.is_restyle:
            raise InputError(f"'{self.name}' is a ReStyle encoder, which needs its generator to encode.")
        check_images(images)
        ws: Tensor = self.ws_avg + self(self.fit(images.to(self.ws_avg.device).float()))
        return ws


class EncoderToWs(nn.Module):
    """An encoder as a network: images ``[N, 3, *input_shape]`` in [-1, 1] to ws ``[N, num_ws, w_dim]``."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        ws: Tensor = self.encoder.ws_avg + self.encoder(images)
        return ws


def check_images(images: Tensor) -> None:
    """Raise InputError unless images have the shape ``[N, 3, H, W]``."""
    if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
        raise InputError(f"Images need the shape [N, 3, H, W], got {list(images.shape)}.")


def draw(G: Generator, ws: Tensor, width: int) -> Tensor:
    """Images ``[N, 3, S, S]`` of codes ``ws``, with S the generator's smallest size of at least ``width``."""
    size = G.resolution
    while size // 2 >= width and size % 2 == 0:
        size //= 2
    return as_colour(G.synthesize(ws, size=size))


def draw_at(G: Generator, ws: Tensor, size: int) -> Tensor:
    """Images of codes ``ws``, averaged to ``[N, 3, size, size]``."""
    return area_resize(draw(G, ws, size), size)
