"""Finds the code of an image with an encoder: in one look, or a few."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from stylegan_latents.encoders.encoder import Encoder
from stylegan_latents.encoders.loading import contains_generator, is_native, load, read
from stylegan_latents.encoders.restyle import ReStyle
from stylegan_latents.encoders.shipped import shipped_encoder
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.generator import Generator
from stylegan_latents.invert.record.inversion import JSON, Inversion

if TYPE_CHECKING:
    from stylegan_latents.invert.inverters.base import Progress
    from stylegan_latents.invert.search.loss import Resemblance


class EncoderInverter:
    """Asks an encoder for the codes of images.

    Args:
        G: the generator; it is left as it is.
        encoder: an encoder's file, as ``load`` reads it, or one that is loaded already; None for the
            one that comes with this package.
        steps: how often a ReStyle looks; its own number when None.

    Attributes:
        encoder: the encoder's name.
        sha256: of its file; None for one that came from memory.
        steps: how often it looks.

    Raises:
        InputError: there is no encoder for the generator, the file holds none, the encoder belongs to another
            generator, or a number of looks is given to one that looks once.
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
        if isinstance(encoder, str | Path):
            path = Path(encoder).expanduser()
            self._coder = load(path, G, iterations=steps)
            with path.open("rb") as file:
                self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        elif isinstance(encoder, Encoder) and encoder.config.is_restyle:
            self._coder = ReStyle(encoder, G, steps)
        else:
            if steps is not None:
                raise InputError("The number of steps is that of the encoder which was given; leave it out.")
            inner = encoder if isinstance(encoder, Encoder) else encoder.encoder
            inner.check_generator(G)
            self._coder = encoder
        network = self._coder.encoder if isinstance(self._coder, ReStyle) else self._coder
        self.encoder = network.name
        self.steps = self._coder.iterations
        self.space = "w" if network.config.architecture == "single" else "w+"

    def invert(
        self,
        images: Tensor,
        *,
        on_step: "Callable[[Progress], None] | None" = None,  # noqa: ARG002 - a look has no steps to tell of
        keep_partial: bool = False,  # noqa: ARG002 - nor has it parts
        mask: Tensor | None = None,
        resemblance: "Resemblance | None" = None,  # noqa: ARG002 - nor does it follow a distance
    ) -> Inversion:
        """Encode images, all at once.

        Args:
            images: ``[N, 3, H, W]`` in [-1, 1], square, aligned as the generator's training images were.
            on_step, keep_partial, resemblance: as for a search; without a meaning here.
            mask: refused; an encoder looks at the whole image.

        Raises:
            InputError: the images have another shape, there is a mask, or the encoder's codes are not finite.
        """
        if mask is not None:
            raise InputError("An encoder looks at the whole image; leave the mask out, or use a search.")
        ws = self._coder.encode(images)
        if not bool(torch.isfinite(ws).all()):
            raise InputError(f"The encoder '{self.encoder}' gives codes that are not finite: it is damaged.")
        return Inversion(
            ws=ws,
            model=self.G.name,
            fingerprint=self.G.fingerprint,
            latent_space=self.G.latent_space,
            method=self.method,
            settings=self.settings(),
        )

    def settings(self) -> dict[str, JSON]:
        """Every setting, as records tell it."""
        return {"encoder": self.encoder, "sha256": self.sha256, "steps": self.steps, "space": self.space}


def model_of(encoder: Path) -> str:
    """The model that an encoder's file is for, as ``load`` takes it: its name, or this very file.

    Raises:
        InputError: there is no such file, it is no encoder's, or it does not say.
    """
    from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL, models

    encoder = encoder.expanduser()
    if contains_generator(encoder):
        return str(encoder)
    name = read(encoder).model if is_native(encoder) else ""
    if name == DEFAULT_MODEL or name in models():
        return name
    raise InputError(
        f"The encoder {encoder.name} is for the model '{name}'; give that model's file to --model."
        if name
        else f"{encoder.name} holds no generator; give the one that it was trained with to --model."
    )
