"""The options of ``invert`` that say how the code is found, and in which model's latent space."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from stylegan_latents.generator.cli.command import LARGEST_SEED
from stylegan_latents.generator.errors import InputError


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """How the code is found, and in which model's latent space."""

    panel: ClassVar[str] = "Method"

    method: Annotated[
        Literal["hybrid", "optimize", "pivotal", "noise", "encode"] | None,
        typer.Option(
            help="hybrid, the default: optimise the code that an encoder predicts; optimize: without an encoder; "
            "pivotal: then tune the model's weights, too; noise: then its noise maps; encode: the encoder's "
            "prediction alone.",
            show_default=False,
        ),
    ] = None
    quality: Annotated[Literal["draft", "good", "best"], typer.Option(help="How long the search takes.")] = "good"
    space: Annotated[
        Literal["w", "w+"],
        typer.Option(
            help="w: one code for all layers, easiest to edit; w+: one code a layer, closer to the photo."
        ),
    ] = "w+"
    model: Annotated[
        str,
        typer.Option(
            help="The generator: a name that `edit models` lists, or a file; by default ffhq, or what the encoder "
            "was trained for.",
            metavar="NAME|PATH",
            show_default=False,
        ),
    ] = ""
    encoder: Annotated[
        Path | None,
        typer.Option(
            help="The encoder: a file that `stylegan-latents train` wrote, or a .pt of pSp, e4e or ReStyle; the "
            "model's own by default.",
            metavar="FILE",
        ),
    ] = None
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of steps of the search, or of passes of a ReStyle encoder; --quality decides by default.",
        ),
    ] = None
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=LARGEST_SEED, help="Random seed; the same seed gives the same result.", metavar="N"
        ),
    ] = 0
    identity_weight: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Weight of the identity loss, which keeps the person recognisable; the method's own by default.",
            show_default=False,
        ),
    ] = None
    pivot: Annotated[
        Literal["hybrid", "optimize", "encode"] | None,
        typer.Option(
            help="The method that pivotal and noise start from; by default hybrid where there is an encoder.",
            show_default=False,
        ),
    ] = None
    weights: Annotated[
        Literal["full", "low-rank", "channels"],
        typer.Option(
            help="What pivotal keeps of the tuned weights: full is closest to the photo; the others make small "
            "records."
        ),
    ] = "full"
    keep_unchanged: Annotated[
        Path | None,
        typer.Option(
            help="For pivotal: like --mask; what is white stays as the untuned model draws it.", metavar="MASK"
        ),
    ] = None

    def check_method(self) -> None:
        """Raise InputError for an option that the method has no use for."""
        method, encoder = self.method, self.encoder
        if method == "optimize" and encoder is not None:
            raise InputError("--encoder is of no use to --method optimize; take --method hybrid.")
        if self.pivot == "optimize" and encoder is not None:
            raise InputError("--encoder is of no use to --pivot optimize; leave one of them out.")
        if self.weights != "full" and method != "pivotal":
            raise InputError("--weights is about tuning; add --method pivotal, or leave it out.")
        if self.pivot is not None and method not in ("pivotal", "noise"):
            raise InputError("--pivot is what pivotal and noise begin with; add one as --method, or leave it out.")
        if self.identity_weight is not None and method == "encode":
            raise InputError("--identity-weight is for a search, and --method encode makes none; leave one out.")
        if self.keep_unchanged is not None and method != "pivotal":
            raise InputError("--keep-unchanged is about tuning; add --method pivotal, or leave it out.")

    @property
    def model_file(self) -> Path | None:
        """The file or folder that the model is loaded from; None for one with a name."""
        from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

        path = Path(self.model).expanduser()
        return path.absolute() if self.model != DEFAULT_MODEL and path.exists() else None

    def own_model(self) -> str:
        """The model to take where none is named.

        Raises:
            InputError: the encoder cannot be read, or does not say which model it is for.
        """
        from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL

        if self.encoder is None:
            return DEFAULT_MODEL
        from stylegan_latents.invert.inverters.encode import model_of

        return model_of(self.encoder)
