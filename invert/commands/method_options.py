"""The options of ``invert`` that say how the code is found, and in which model's latent space."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from stylegan_latents.generator.cli.command import LARGEST_SEED
from stylegan_latents.invert.inverters.by_name import Method, PivotMethod, check_options, methods_help
from stylegan_latents.invert.inverters.options import Quality, Space


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """How the code is found, and in which model's latent space."""

    panel: ClassVar[str] = "Method"

    method: Annotated[
        Method | None,
        typer.Option(help=methods_help(), show_default=False),
    ] = None
    quality: Annotated[Quality, typer.Option(help="How long the search takes.")] = "good"
    space: Annotated[
        Space,
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
        PivotMethod | None,
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

    def check_method(self, **others: bool) -> None:
        """Raise InputError for an option that the method has no use for.

        Args:
            others: whether other options were given that only some methods take, by their names.
        """
        given = {
            "encoder": self.encoder is not None,
            "identity_weight": self.identity_weight is not None,
            "weights": self.weights != "full",
            "keep_unchanged": self.keep_unchanged is not None,
            "pivot": self.pivot is not None,
            **others,
        }
        check_options(self.method, [name for name, one in given.items() if one], pivot=self.pivot)

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
