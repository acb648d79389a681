"""CLIP's text encoder, whose codes a StyleGAN-T draws (Radford et al., "Learning Transferable Visual Models From
Natural Language Supervision", 2021, section 2.4), and its sizes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.networks.mapping import LARGEST_SIZE, zeros

_MOST_BLOCKS = 64


@dataclass(frozen=True)
class TextEncoderConfig:
    """The sizes of a text encoder.

    Attributes:
        vocabulary: number of tokens.
        context: length of a text in tokens.
        width: of the transformer; ``heads`` share it.
        hidden: width of the layers between the attention.
        depth: number of blocks.
        text_dim: length of a code.
    """

    vocabulary: int
    context: int
    width: int
    heads: int
    hidden: int
    depth: int
    text_dim: int

    def __post_init__(self) -> None:
        sizes = (self.vocabulary, self.context, self.width, self.heads, self.hidden, self.text_dim)
        if min(*sizes, self.depth) < 1 or max(sizes) > LARGEST_SIZE or self.depth > _MOST_BLOCKS:
            raise ValueError("no text encoder has these sizes")
        if self.width % self.heads:
            raise ValueError("a text encoder's heads share its width")


class _Block(nn.Module):
    """Attention to the tokens so far, and a layer for each token."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(config.width)
        self.attention = nn.MultiheadAttention(config.width, config.heads, batch_first=True)
        self.before_layer = nn.LayerNorm(config.width)
        self.wide = nn.Linear(config.width, config.hidden)
        self.narrow = nn.Linear(config.hidden, config.width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        seen = self.before_attention(x)
        x = x + self.attention(seen, seen, seen, need_weights=False, attn_mask=mask)[0]
        wide = self.wide(self.before_layer(x))
        changed: Tensor = x + self.narrow(wide * torch.sigmoid(1.702 * wide))  # OpenAI's approximation of GELU
        return changed


class TextEncoder(nn.Module):
    """Tokens ``[N, context]`` to codes ``[N, text_dim]`` of the length 1.

    A text ends with its largest token.
    """

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = zeros(config.vocabulary, config.width)
        self.positions = zeros(config.context, config.width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width)
        self.projection = zeros(config.width, config.text_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        length = self.config.context
        mask = torch.full((length, length), -torch.inf).triu(1).to(self.positions)
        x = self.tokens[tokens] + self.positions
        for block in self.blocks:
            x = block(x, mask)
        ends = self.norm(x)[torch.arange(len(x)), tokens.argmax(dim=1)]
        return F.normalize(ends @ self.projection, dim=1)

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Texts to codes, with open_clip's tokens.

        Raises:
            InputError: a text is empty, open_clip is not installed, or this encoder has other tokens.
        """
        if not all(text.strip() for text in texts):
            raise InputError("A text is empty; give one such as --text 'a dog on a beach'.")
        try:
            from open_clip import tokenize
        except ImportError as error:
            raise InputError(
                "Texts need open_clip; run `pip install open_clip_torch`, or install the extra `text`."
            ) from error
        tokens = cast(Tensor, tokenize(list(texts), self.config.context))
        if int(tokens.max()) >= self.config.vocabulary:
            raise InputError("The model's text encoder has other tokens than CLIP's; give --text-codes.")
        codes: Tensor = self(tokens)
        return codes
