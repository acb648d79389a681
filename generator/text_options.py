"""Options for the texts of a StyleGAN-T."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class TextOptions:
    """The texts of a StyleGAN-T: codes, or texts for the encoder in its snapshot."""

    panel: ClassVar[str] = "Texts of a StyleGAN-T"
    text: Annotated[
        list[str],
        typer.Option(
            help="Text to draw, encoded by the snapshot's own text encoder; repeatable: several texts are classes.",
            metavar="TEXT",
        ),
    ] = field(default_factory=list)
    text_codes: Annotated[
        Path | None,
        typer.Option(
            help="CLIP's codes of one text or several, as .npy, .npz, .pt or .safetensors.", metavar="FILE"
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.text and self.text_codes is not None:
            raise InputError("--text and --text-codes exclude each other; leave one of them out.")
        if not all(text.strip() for text in self.text):
            raise InputError("Give a text that says something, such as --text 'a dog on a beach'.")

    def codes(self, model: str) -> "Tensor | None":
        """The texts' codes ``[texts, length]`` for ``load``; None where no text is given.

        Args:
            model: the StyleGAN-T's snapshot, which holds the text encoder.

        Raises:
            InputError: the codes cannot be read, or the texts cannot be encoded.
        """
        if self.text_codes is not None:
            from stylegan_latents.generator.formats.text_codes import read_text_codes

            return read_text_codes(self.text_codes)
        return encode_texts(model, self.text) if self.text else None


def encode_texts(model: str | Path, texts: Sequence[str]) -> "Tensor":
    """Codes ``[len(texts), length]`` of texts by the encoder in a StyleGAN-T's snapshot.

    Args:
        model: the snapshot's file, also of the hub as for ``load``.
        texts: not empty.

    Raises:
        InputError: there is no such file, it holds no text encoder, open_clip, which has the tokens, is not
            installed, or a text is empty.
    """
    from stylegan_latents.generator.formats.checkpoint import text_encoder_of
    from stylegan_latents.generator.loading import check_checkpoint, filled
    from stylegan_latents.generator.networks.text_encoder import TextEncoder
    from stylegan_latents.generator.weights.hub import on_this_machine

    path, _ = on_this_machine(model)
    if not path.is_file():
        raise InputError(f"'{model}' takes no texts: --text is for the snapshot of a StyleGAN-T; leave it out.")
    check_checkpoint(path, "a snapshot of a StyleGAN-T")
    config, tensors = text_encoder_of(path)
    return filled(path, tensors, lambda: TextEncoder(config)).encode(texts)
