"""``stylegan-latents train``: train an encoder for a generator on its samples, aligned images, or both."""

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from stylegan_latents.encoders.training.options import FACES, TrainOptions
from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.cli.progress import Display
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_writable, printable

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from stylegan_latents.encoders.encoder import Encoder
    from stylegan_latents.encoders.training.data import GeneratorSamples, Source
    from stylegan_latents.encoders.training.losses import Measure
    from stylegan_latents.generator.generator import Generator

app = new_app()
_LINE_EVERY = 50


@app.command(
    epilog=examples(
        "stylegan-latents train --out mine/",
        "stylegan-latents train --out mine/ --architecture e4e --images aligned/ --samples",
        "invert me.jpg --encoder mine/encoder.safetensors",
    )
)
@takes(TrainOptions)
def train(options: TrainOptions) -> None:
    """Train an encoder, which predicts the code of a picture.

    After a stop, by Ctrl-C or otherwise, the same command resumes and ends with the same encoder as an unbroken
    run. On several GPUs: accelerate launch -m stylegan_latents.encoders.train ...
    """
    check_writable(options.out)

    import torch

    from stylegan_latents.encoders.training.data import GeneratorSamples
    from stylegan_latents.encoders.training.loop import Training, new_accelerator
    from stylegan_latents.encoders.training.regression import fit_regression
    from stylegan_latents.encoders.training.run import ENCODER, STATE, TrainingRun
    from stylegan_latents.generator.loading import load
    from stylegan_latents.generator.ops.memory import keep_freed_memory

    out, start, quiet, perceptual = options.out, options.start, options.quiet, options.architecture == "perceptual"
    bfloat16 = options.precision == "bfloat16"
    accelerator = new_accelerator(cpu=options.device == "cpu", bfloat16=bfloat16)
    G = load(options.model)
    G.to(accelerator.device)
    settings = options.settings(G.resolution)
    encoder = _encoder(G, options)
    samples_of = GeneratorSamples(
        G, settings.loss_size, seed=options.seed, truncation=options.truncation, mixing=options.mixing
    )
    source = _source(G, options, samples_of, settings.loss_size)
    is_new = start is None and not (out / STATE).exists()
    if perceptual and is_new and not options.regression:
        raise InputError("A perceptual encoder starts from --regression or --start; give one of them.")
    if bfloat16:
        G.to(dtype=torch.bfloat16)
    if perceptual and is_new:
        with _progress(options.regression, "regression", quiet=quiet) as report, keep_freed_memory():
            fit_regression(encoder, G, samples_of, options.regression, on_sample=lambda done: report(done, {}))
    training = Training(encoder, G, source, settings, _measures(options, G), accelerator)
    about = {
        "images": None if options.images is None else str(options.images.resolve()),
        "samples": options.with_samples,
        "features": options.described_features(),
        "truncation": options.truncation,
        "mixing": options.mixing,
        "regression": options.regression if perceptual else None,
        "start": None if start is None else str(start.resolve()),
        "precision": options.precision,
    }
    training_run = TrainingRun(training, out, about, save_every=options.save_every, show_every=options.show_every)
    if training.steps_done and not quiet:
        print(f"Resuming from step {training.steps_done} of {options.steps}")
    with _progress(options.steps, "step", quiet=quiet or not accelerator.is_main_process) as report:
        training_run.run(report)
    if not quiet and accelerator.is_main_process:
        print(printable(f"Wrote {out / ENCODER}"))
        print(printable(f"Next: {next_command(out / ENCODER, options.model)}"))


def next_command(encoder: "Path", model: str) -> str:
    """The command that inverts a photo with an encoder's file, for the generator as the user named it."""
    from stylegan_latents.generator.weights.zoo import DEFAULT_MODEL, models

    named = [] if model == DEFAULT_MODEL or model in models() else ["--model", model]
    return shlex.join(["invert", "me.jpg", "--encoder", str(encoder), *named])


def _encoder(G: "Generator", options: TrainOptions) -> "Encoder":
    from stylegan_latents.encoders.config import EncoderConfig
    from stylegan_latents.encoders.encoder import Encoder
    from stylegan_latents.encoders.loading import read

    start, architecture, name = options.start, options.architecture, options.out.resolve().name
    if start is None:
        config = EncoderConfig.for_generator(
            G, architecture, restyle=options.restyle, input_size=options.input_size
        )
        return Encoder.for_generator(G, config, name=name, seed=options.seed)
    encoder = read(start, G)
    encoder.check_generator(G)
    if encoder.config.architecture != architecture or encoder.config.is_restyle != options.restyle:
        kind = f"{encoder.config.architecture}{' with --restyle' if encoder.config.is_restyle else ''}"
        raise InputError(f"{start} has the architecture {kind}; give that to --architecture.")
    # It belongs to this generator from here on, whatever its file says.
    encoder.name, encoder.model, encoder.fingerprint, encoder.latent_space = (
        name, G.name, G.fingerprint, G.latent_space,
    )  # fmt: skip
    return encoder


def _source(G: "Generator", options: TrainOptions, samples: "GeneratorSamples", size: int) -> "Source":
    from stylegan_latents.encoders.training.data import AlignedImages, Mixed

    if options.images is None:
        return samples
    pictures = AlignedImages(G, options.images, size, seed=options.seed)
    return Mixed(samples, pictures) if options.with_samples else pictures


def _measures(options: TrainOptions, G: "Generator") -> "dict[str, tuple[float, Measure]]":
    measures: dict[str, tuple[float, Measure]] = {}
    if options.lpips:
        from stylegan_latents.generator.perceptual import LPIPS, area_resize

        network = LPIPS.load("alex").to(G.device).in_precision(G.dtype)

        def measure(ours: "Tensor", theirs: "Tensor") -> "Tensor":
            # Much smaller images vanish in the trunk's strides.
            side = max(64, ours.shape[-1])
            distance: Tensor = network(area_resize(ours, side), area_resize(theirs, side))
            return distance

        measures["lpips"] = (options.lpips, measure)
    if options.features == FACES:
        from stylegan_latents.encoders.face_recognition import FaceDistance

        measures["features"] = (options.features_weight, FaceDistance().to(G.device))
    elif options.features is not None:
        from stylegan_latents.encoders.training.feature_distance import FeatureDistance

        features = FeatureDistance(
            options.features, side=options.features_side, values=options.features_values, crop=options.features_crop
        )
        measures["features"] = (options.features_weight, features.to(G.device))
    return measures


@contextlib.contextmanager
def _progress(steps: int, what: str, *, quiet: bool) -> Iterator[Callable[[int, dict[str, float]], None]]:
    """Yield a function of the number of steps done and the terms of the loss."""
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
