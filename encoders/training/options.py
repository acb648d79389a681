"""The options of the command ``train``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from stylegan_latents.encoders.training.settings import TrainingSettings
from stylegan_latents.generator.cli.command import LARGEST_SEED
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from stylegan_latents.generator.json_values import JSON

FACES = Path("faces")
"""As ``--features``, instead of a file: dlib's face recognition network."""


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """The training data."""

    panel: ClassVar[str] = "Training data"

    model: Annotated[
        str, typer.Option(help="The generator: a name that `edit models` lists, or a file.", metavar="NAME|PATH")
    ] = "ffhq"
    images: Annotated[
        Path | None, typer.Option(help="Folder of pictures, aligned as the model was trained.", metavar="FOLDER")
    ] = None
    samples: Annotated[
        bool | None, typer.Option("--samples/--no-samples", help="Train on samples; by default without --images.")
    ] = None
    truncation: Annotated[float, typer.Option(help="Truncation of the samples; 1 for none.")] = 1.0
    mixing: Annotated[float, typer.Option(help="Probability of style mixing in a sample.")] = 0.0
    degrade: Annotated[
        bool, typer.Option("--degrade/--no-degrade", help="Augment with blur, noise, JPEG and colour shifts.")
    ] = True

    @property
    def with_samples(self) -> bool:
        """Whether the generator's samples are used."""
        return self.images is None if self.samples is None else self.samples


@dataclass(frozen=True, kw_only=True)
class EncoderOptions:
    """The trained network."""

    panel: ClassVar[str] = "Encoder"

    architecture: Annotated[
        Literal["plain", "perceptual", "psp", "e4e", "single"],
        typer.Option(
            help="plain: small; perceptual: good in minutes; psp: closest to the picture; e4e: easiest to edit; "
            "single: one code for all layers."
        ),
    ] = "plain"
    restyle: Annotated[bool, typer.Option("--restyle", help="Refine the code in several passes (ReStyle).")] = False
    input_size: Annotated[int, typer.Option(help="Side of the encoder's input, in pixels.")] = 256
    start: Annotated[Path | None, typer.Option(help="Start from this encoder's weights.", metavar="FILE")] = None
    regression: Annotated[int, typer.Option(min=0, help="Samples to fit a perceptual encoder to at first.")] = 8000


@dataclass(frozen=True, kw_only=True)
class LossOptions:
    """The terms of the loss and their weights."""

    panel: ClassVar[str] = "Loss"

    pixels: Annotated[float, typer.Option(help="Weight of the mean squared error of the pixels.")] = 1.0
    lpips: Annotated[float, typer.Option(min=0, help="Weight of LPIPS; 0 for none.")] = 0.8
    features: Annotated[
        Path | None,
        typer.Option(
            help="Network for a feature loss: faces (dlib's face recognition), or a TorchScript file, such as an "
            "identity network for faces, or a self-supervised one for other subjects.",
            metavar="faces|FILE",
        ),
    ] = None
    trust_features: Annotated[
        bool,
        typer.Option(
            "--trust-features", help="Run that TorchScript file, a program that can read and write files."
        ),
    ] = False
    features_weight: Annotated[float, typer.Option(help="Weight of the loss on that network's features.")] = 0.5
    features_side: Annotated[int, typer.Option(help="Side of its input, in pixels; 112 for ArcFace.")] = 224
    features_values: Annotated[
        Literal["symmetric", "imagenet"], typer.Option(help="Its input: -1 to 1, or normalised as for ImageNet.")
    ] = "symmetric"
    features_crop: Annotated[float, typer.Option(help="Central fraction of the picture's side as its input.")] = 1.0
    code: Annotated[float, typer.Option(help="Weight of the distance from a sample's true code.")] = 0.1
    w: Annotated[float, typer.Option(help="Weight of the distance from the mean of W.")] = 0.0
    delta: Annotated[float, typer.Option(help="Weight of the distance between a code's rows (e4e).")] = 2e-4
    adversarial: Annotated[float, typer.Option(help="Weight of a latent discriminator (e4e: 0.1).")] = 0.0
    first_delta: Annotated[int, typer.Option(min=0, help="Step from which the rows may differ (e4e: 20000).")] = 0
    delta_every: Annotated[int, typer.Option(min=1, help="Steps until the next row may differ, too (e4e).")] = 2_000

    def check_weights(self) -> None:
        """Raise InputError for a negative or infinite weight, or a network that is not trusted."""
        if self.features is not None and self.features != FACES and not self.trust_features:
            raise InputError(
                f"{self.features} is TorchScript, a program that can read and write files, and training runs it in "
                "this process; add --trust-features if you trust whoever made it."
            )
        for name, weight in (("LPIPS", self.lpips), ("features", self.features_weight)):
            if not 0 <= weight < float("inf"):
                raise InputError(f"The weight of {name} has to be 0 or above, not {weight}.")

    def described_features(self) -> "JSON":
        """The feature loss as a training's state records it, to recognise another training."""
        if self.features is None or self.features == FACES:
            return None if self.features is None else str(self.features)
        return [str(self.features.resolve()), self.features_side, self.features_values, self.features_crop]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The length, device and output of the training."""

    panel: ClassVar[str] = "Training"

    out: Annotated[Path, typer.Option(help="Folder for the encoder, curves and sample pictures.", metavar="FOLDER")]
    steps: Annotated[int, typer.Option(min=0, help="Steps of the whole training.")] = 20_000
    batch: Annotated[int, typer.Option(min=1, help="Images in a step, on each device.")] = 8
    learning_rate: Annotated[float, typer.Option(help="Learning rate of Adam.")] = 1e-4
    save_every: Annotated[int, typer.Option(min=1, help="Save the training's state every N steps.")] = 1000
    show_every: Annotated[int, typer.Option(min=1, help="Write sample pictures every N steps.")] = 1000
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="The same seed gives the same encoder.", metavar="N")
    ] = 0
    device: Annotated[
        Literal["auto", "cpu"], typer.Option(help="auto: the GPUs of `accelerate launch`, else one, else the CPU.")
    ] = "auto"
    precision: Annotated[
        Literal["float32", "bfloat16"], typer.Option(help="Precision of the networks' convolutions.")
    ] = "float32"
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but warnings and errors.")] = False


@dataclass(frozen=True, kw_only=True)
class TrainOptions(RunOptions, DataOptions, EncoderOptions, LossOptions):
    """The options of ``train``; an InputError if a number is out of range, or there is no training data."""

    def __post_init__(self) -> None:
        self.settings()
        self.check_weights()
        if not self.with_samples and self.images is None:
            raise InputError("There is no training data: give --images, or leave --no-samples out.")

    def settings(self, resolution: int | None = None) -> TrainingSettings:
        """The training's settings; images are compared at no more than ``resolution`` pixels."""
        return TrainingSettings(
            steps=self.steps,
            batch=self.batch,
            learning_rate=self.learning_rate,
            pixel_weight=self.pixels,
            code_weight=self.code,
            w_weight=self.w,
            delta_weight=self.delta,
            adversarial_weight=self.adversarial,
            first_delta_step=self.first_delta,
            delta_every=self.delta_every,
            degrade=self.degrade,
            seed=self.seed,
            loss_size=min(TrainingSettings.loss_size, resolution or TrainingSettings.loss_size),
        )
