"""Inversion by an encoder: one forward pass, or a few with ReStyle."""

import hashlib
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor

from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.encoders.loading import contains_generator, is_native, load, read, shipped_encoder
from stylegan_latents.encoders.restyle import ReStyle
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.generator.reading.files import open_regular
from stylegan_latents.generator.weights.hub import on_this_machine
from stylegan_latents.invert.inverters.base import Inverter, OnStep
from stylegan_latents.invert.inverters.options import InverterOptions
from stylegan_latents.invert.record.inversion import Inversion
from stylegan_latents.invert.search.loss import IdentityLoss
from stylegan_latents.invert.search.time_left import Phase


class EncoderInverter(Inverter):
    """Finds the codes of images with an encoder.

    Args:
        G: the generator, which is not changed.
        encoder: an encoder or its file; None for the one that comes with this package.
        steps: the number of passes of a ReStyle encoder; None for its own.

    Attributes:
        encoder: the encoder's name.
        sha256: of its file; None for one from memory.
        address: of a file of the Hugging Face hub, with its commit; else None.
        steps: the number of passes.

    Raises:
        InputError: there is no encoder for the generator, the file holds none, the encoder belongs to another
            generator, or a number of passes is given for one that is not a ReStyle.
    """

    method: ClassVar[str] = "encode"

    def __init__(
        self, G: Generator, encoder: str | Path | Encoder | ReStyle | None = None, *, steps: int | None = None
    ) -> None:
        self.G = G
        if encoder is None:
            encoder = shipped_encoder(G)
        if encoder is None:
            raise InputError(
                f"No encoder comes with this package for the model '{G.name}': give one's file to --encoder, or "
                "take --method optimize."
            )
        self.sha256: str | None = None
        self.address: str | None = None
        if isinstance(encoder, str | Path):
            path, self.address = on_this_machine(encoder)
            self._coder = load(path, G, iterations=steps)
            with open_regular(path) as file:
                self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        elif isinstance(encoder, Encoder) and encoder.config.is_restyle:
            self._coder = ReStyle(encoder, G, steps)
        else:
            if steps is not None:
                raise InputError("The number of steps is the encoder's own; leave it out.")
            inner = encoder if isinstance(encoder, Encoder) else encoder.encoder
            inner.check_generator(G)
            self._coder = encoder
        network = self._coder.encoder if isinstance(self._coder, ReStyle) else self._coder
        self.encoder = network.name
        self.steps = self._coder.iterations
        self.space = "w" if network.config.architecture == "single" else "w+"

    @classmethod
    def from_options(cls, G: Generator, options: InverterOptions, pivot: Inverter | None = None) -> Self:  # noqa: ARG003
        made = cls(G, options.encoder, steps=options.steps)
        if options.space == "w" and made.space != "w":
            raise InputError(f"The encoder '{made.encoder}' gives codes of W+; leave --space w out.")
        return made

    def phases(self, count: int) -> list[Phase]:  # noqa: ARG002
        return [(self.steps, 0.0)]  # which are not reported

    @property
    def takes_mask(self) -> bool:
        return False

    def invert(
        self, images: Tensor, *, on_step: OnStep | None = None, keep_partial: bool = False,  # noqa: ARG002
        mask: Tensor | None = None, identity_loss: IdentityLoss | None = None,  # noqa: ARG002
        start: Tensor | None = None,
    ) -> Inversion:  # fmt: skip
        if mask is not None:
            raise InputError("An encoder encodes the whole image; leave the mask out, or use a search.")
        if start is not None:
            raise InputError("An encoder does not start from a code; leave the start out, or use a search.")
        ws = self._coder.encode(images)
        if not bool(torch.isfinite(ws).all()):
            raise InputError(f"The encoder '{self.encoder}' gives codes that are not finite: it is damaged.")
        return self.record(ws)

    def settings(self) -> dict[str, JSON]:
        return {**self.encoder_settings(), "steps": self.steps, "space": self.space}

    def encoder_settings(self) -> dict[str, JSON]:
        """Which encoder it is, as records keep it."""
        hub: dict[str, JSON] = {} if self.address is None else {"encoder_address": self.address}
        return {"encoder": self.encoder, "sha256": self.sha256, **hub}


def model_of(encoder: Path) -> str:
    """The model that an encoder's file is for: its name, or the file itself if it holds the generator, too.

    Raises:
        InputError: there is no such file, it holds no encoder, or it does not name its model.
    """
    from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL, models

    named, (encoder, address) = encoder, on_this_machine(encoder)
    if contains_generator(encoder):
        return address or str(encoder)
    name = read(encoder).model if is_native(encoder) else ""
    if name == DEFAULT_MODEL or name in models():
        return name
    raise InputError(
        f"The encoder {named.name} is for the model '{name}'; give that model's file to --model."
        if name
        else f"{named.name} holds no generator; give the one that it was trained with to --model."
    )
