"""``stylegan-latents train``: an encoder for a generator, from its own samples, aligned pictures, or both."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stylegan_latents.generator.cli.command import LARGEST_SEED, new_app, run
from stylegan_latents.generator.cli.progress import Display
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_writable

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.encoders.config import Architecture
    from stylegan_latents.encoders.encoder import Encoder
    from stylegan_latents.encoders.training.data import GeneratorSamples, Source
    from stylegan_latents.encoders.training.losses import Measure
    from stylegan_latents.encoders.training.settings import TrainingSettings
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.json_values import JSON

app = new_app()
_LINE_EVERY = 50
_FACES = Path("faces")


@app.command(epilog="Example: stylegan-latents train --out mine/ --architecture e4e --images aligned/ --samples")
def train(
    out: Annotated[Path, typer.Option(help="Folder for the encoder, curves and pictures.", metavar="FOLDER")],
    model: Annotated[str, typer.Option(help="A model's name or a generator's file.", metavar="NAME|PATH")] = "ffhq",
    images: Annotated[
        Path | None, typer.Option(help="Folder of pictures, aligned as the model's are.", metavar="FOLDER")
    ] = None,
    samples: Annotated[
        bool | None,
        typer.Option("--samples/--no-samples", help="Learn from the model's samples; by default without --images."),
    ] = None,
    architecture: Annotated[
        Literal["plain", "perceptual", "psp", "e4e", "single"],
        typer.Option(help="plain: small; perceptual: good in minutes; psp: nearest; e4e: editable; single: W."),
    ] = "plain",
    restyle: Annotated[
        bool, typer.Option("--restyle", help="Let it look again at what its code gives, and correct it.")
    ] = False,
    start: Annotated[
        Path | None, typer.Option(help="Begin with the weights of this encoder's file.", metavar="FILE")
    ] = None,
    regression: Annotated[
        int, typer.Option(min=0, help="Samples that a perceptual encoder is fitted to before its first step.")
    ] = 8000,
    truncation: Annotated[float, typer.Option(help="Of the samples.")] = 1.0,
    mixing: Annotated[float, typer.Option(help="Part of the samples whose later rows are of another code.")] = 0.0,
    input_size: Annotated[int, typer.Option(help="Side of what the encoder sees, in pixels.")] = 256,
    steps: Annotated[int, typer.Option(min=0, help="Of the whole training.")] = 20_000,
    batch: Annotated[int, typer.Option(min=1, help="Images in a step, on each device.")] = 8,
    learning_rate: Annotated[float, typer.Option(help="Of Adam.")] = 1e-4,
    pixels: Annotated[float, typer.Option(help="Weight of the mean squared error.")] = 1.0,
    lpips: Annotated[float, typer.Option(min=0, help="Weight of LPIPS; 0 for none.")] = 0.8,
    features: Annotated[
        Path | None,
        typer.Option(
            help="faces: dlib's face recognition, for aligned faces; or a TorchScript network's file, of identity "
            "for faces, self-supervised elsewhere.",
            metavar="faces|FILE",
        ),
    ] = None,
    features_weight: Annotated[float, typer.Option(help="Weight of the distance of its features.")] = 0.5,
    features_side: Annotated[int, typer.Option(help="Side of a file's pictures: 112 for ArcFace.")] = 224,
    features_values: Annotated[
        Literal["symmetric", "imagenet"], typer.Option(help="Of its pictures: from -1 to 1, or ImageNet's.")
    ] = "symmetric",
    features_crop: Annotated[float, typer.Option(help="Part of the side that it sees, from the middle.")] = 1.0,
    code: Annotated[float, typer.Option(help="Weight of the distance from a sample's own code.")] = 0.1,
    w: Annotated[float, typer.Option(help="Weight that draws codes to the mean of W.")] = 0.0,
    delta: Annotated[float, typer.Option(help="Weight that draws rows of a code to each other (e4e).")] = 2e-4,
    adversarial: Annotated[float, typer.Option(help="Weight of a critic of codes (e4e: 0.1).")] = 0.0,
    first_delta: Annotated[int, typer.Option(min=0, help="Step from which rows may differ (e4e: 20000).")] = 0,
    delta_every: Annotated[int, typer.Option(min=1, help="Steps between one row and the next (e4e).")] = 2_000,
    degrade: Annotated[
        bool, typer.Option("--degrade/--no-degrade", help="Show the encoder blur, noise, JPEG and other colours.")
    ] = True,
    save_every: Annotated[int, typer.Option(min=1, help="Steps between saves.")] = 1000,
    show_every: Annotated[int, typer.Option(min=1, help="Steps between sample pictures.")] = 1000,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Of everything that is random.", metavar="N")
    ] = 0,
    device: Annotated[
        Literal["auto", "cpu"], typer.Option(help="auto: the GPUs that `accelerate launch` gives, or one.")
    ] = "auto",
    precision: Annotated[
        Literal["float32", "bfloat16"], typer.Option(help="Of the networks' convolutions.")
    ] = "float32",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Train an encoder.

    The same command goes on where it was stopped, by Ctrl-C or otherwise, and ends with the same encoder as if it
    had not been. On several GPUs: accelerate launch -m stylegan_latents.encoders.train ...
    """
    from stylegan_latents.encoders.training.settings import TrainingSettings

    settings = TrainingSettings(
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        pixel_weight=pixels,
        code_weight=code,
        w_weight=w,
        delta_weight=delta,
        adversarial_weight=adversarial,
        first_delta_step=first_delta,
        delta_every=delta_every,
        degrade=degrade,
        seed=seed,
    )
    check_writable(out)
    with_samples = images is None if samples is None else samples
    if not with_samples and images is None:
        raise InputError("There is nothing to learn from: give --images, or leave --no-samples out.")
    for name, weight in (("LPIPS", lpips), ("features", features_weight)):
        if not 0 <= weight < float("inf"):
            raise InputError(f"The weight of {name} has to be 0 or above, not {weight}.")

    import torch

    from stylegan_latents.encoders.training.data import GeneratorSamples
    from stylegan_latents.encoders.training.loop import Training, new_accelerator
    from stylegan_latents.encoders.training.regression import fit_regression
    from stylegan_latents.encoders.training.run import ENCODER, STATE, TrainingRun
    from stylegan_latents.generator.loading import load
    from stylegan_latents.generator.ops.memory import keep_freed_memory

    accelerator = new_accelerator(cpu=device == "cpu", bfloat16=precision == "bfloat16")
    G = load(model)
    G.to(accelerator.device)
    settings = _within(settings, G.resolution)
    encoder = _encoder(G, architecture, restyle, input_size, start, out.resolve().name, seed)
    samples_of = GeneratorSamples(G, settings.loss_size, seed=seed, truncation=truncation, mixing=mixing)
    source = _source(G, images, samples_of if with_samples else None, settings.loss_size, seed)
    begins = start is None and not (out / STATE).exists()
    if architecture == "perceptual" and begins and not regression:
        raise InputError("A perceptual encoder begins with --regression, or with --start.")
    if precision == "bfloat16":
        G.to(dtype=torch.bfloat16)
    if architecture == "perceptual" and begins:
        with _progress(regression, "regression", quiet=quiet) as report, keep_freed_memory():
            fit_regression(encoder, G, samples_of, regression, on_sample=lambda done: report(done, {}))
    measures = _measures(lpips, G)
    if features == _FACES:
        from stylegan_latents.encoders.face_recognition import FaceDistance

        measures["features"] = (features_weight, FaceDistance().to(G.device))
    elif features is not None:
        from stylegan_latents.encoders.training.feature_distance import FeatureDistance

        network = FeatureDistance(features, side=features_side, values=features_values, crop=features_crop)
        measures["features"] = (features_weight, network.to(G.device))
    training = Training(encoder, G, source, settings, measures, accelerator)
    about = {
        "images": None if images is None else str(images.resolve()),
        "samples": with_samples,
        "features": _told(features, features_side, features_values, features_crop),
        "truncation": truncation,
        "mixing": mixing,
        "regression": regression if architecture == "perceptual" else None,
        "start": None if start is None else str(start.resolve()),
        "precision": precision,
    }
    going = TrainingRun(training, out, about, save_every=save_every, show_every=show_every)
    if training.steps_done and not quiet:
        print(f"Going on from step {training.steps_done} of {steps}")
    with _progress(steps, "step", quiet=quiet or not accelerator.is_main_process) as report:
        going.run(report)
    if not quiet and accelerator.is_main_process:
        print(f"Wrote {out / ENCODER}")


def _told(features: Path | None, side: int, values: str, crop: float) -> "JSON":
    """What a training says of its features, so that another one is not taken for it."""
    if features is None or features == _FACES:
        return None if features is None else str(features)
    return [str(features.resolve()), side, values, crop]


def _within(settings: "TrainingSettings", resolution: int) -> "TrainingSettings":
    import dataclasses

    return dataclasses.replace(settings, loss_size=min(settings.loss_size, resolution))


def _encoder(
    G: "Generator",
    architecture: "Architecture",
    restyle: bool,
    input_size: int,
    start: Path | None,
    name: str,
    seed: int,
) -> "Encoder":
    from stylegan_latents.encoders.config import EncoderConfig
    from stylegan_latents.encoders.encoder import Encoder
    from stylegan_latents.encoders.loading import read

    if start is None:
        config = EncoderConfig.for_generator(G, architecture, restyle=restyle, input_size=input_size)
        return Encoder.for_generator(G, config, name=name, seed=seed)
    encoder = read(start, G)
    encoder.check_generator(G)
    if encoder.config.architecture != architecture or encoder.config.is_restyle != restyle:
        kind = f"{encoder.config.architecture}{' with --restyle' if encoder.config.is_restyle else ''}"
        raise InputError(f"{start} is of the architecture {kind}; say so with --architecture.")
    # From here on it belongs to this generator, whatever its file could say.
    encoder.name, encoder.model, encoder.fingerprint, encoder.latent_space = (
        name, G.name, G.fingerprint, G.latent_space,
    )  # fmt: skip
    return encoder


def _source(
    G: "Generator", images: Path | None, samples: "GeneratorSamples | None", size: int, seed: int
) -> "Source":
    from stylegan_latents.encoders.training.data import AlignedImages, Both

    if images is None:
        assert samples is not None
        return samples
    pictures = AlignedImages(G, images, size, seed=seed)
    return pictures if samples is None else Both(samples, pictures)


def _measures(lpips: float, G: "Generator") -> "dict[str, tuple[float, Measure]]":
    if not lpips:
        return {}
    from stylegan_latents.generator.perceptual import LPIPS, area_resize

    network = LPIPS.load("alex").to(G.device).in_precision(G.dtype)

    def measure(ours: "Tensor", theirs: "Tensor") -> "Tensor":
        # The trunk's strides leave nothing of a picture much smaller than this.
        side = max(64, ours.shape[-1])
        distance: Tensor = network(area_resize(ours, side), area_resize(theirs, side))
        return distance

    return {"lpips": (lpips, measure)}


@contextlib.contextmanager
def _progress(steps: int, what: str, *, quiet: bool) -> Iterator[Callable[[int, dict[str, float]], None]]:
    """Give a function of the number of steps done and the terms of the loss."""
    with Display(quiet=quiet) as display:
        task = display.begin("Training", steps, unit=what, every=_LINE_EVERY)
        yield lambda done, terms: task.update(
            done, note=", ".join(f"{name} {value:.4f}" for name, value in terms.items())
        )


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    return run(app, "stylegan-latents train", sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
