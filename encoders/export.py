"""``stylegan-latents export MODEL FILE``: a generator's networks, or its encoder, for other programs to run."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from stylegan_latents.generator.cli.command import new_app, run
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_writable, printable

if TYPE_CHECKING:
    from stylegan_latents.encoders.encoder import Encoder
    from stylegan_latents.generator.generator import Generator

app = new_app()
_SUFFIXES = (".onnx", ".pt2")
_OLDEST_OPSET = 18


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """What the command line says about an export; each attribute is the argument or option of that name.

    Raises:
        InputError: the file's name ends with no known suffix or is taken, or an option does not fit the others.
    """

    panel: ClassVar[str] = "Export"
    source: Annotated[
        str, typer.Argument(help="A generator's file of any known format, or a model's name.", metavar="NAME|PATH")
    ]
    target: Annotated[
        Path,
        typer.Argument(help="An .onnx file, or a .pt2 file, which torch.export.load reads.", metavar="FILE"),
    ]
    part: Annotated[
        Literal["synthesis", "mapping", "encoder"],
        typer.Option(help="From ws to images, from z to ws, or from images to ws."),
    ] = "synthesis"
    batch: Annotated[
        int | None, typer.Option(min=1, max=64, help="Samples at once; any number by default.", metavar="N")
    ] = None
    precision: Annotated[
        Literal["float32", "float16"],
        typer.Option(help="Of an .onnx file's weights; float16 halves the file, which computes in float32."),
    ] = "float32"
    size: Annotated[
        int | None,
        typer.Option(min=1, help="Side of the synthesis' images: the model's, or that halved some times."),
    ] = None
    truncation: Annotated[
        float, typer.Option("--truncation", "-t", help="Of the mapping: 0 is the mean picture, 1 leaves w.")
    ] = 1.0
    encoder: Annotated[
        Path | None, typer.Option(help="An encoder's file; the one that is shipped by default.", metavar="PATH")
    ] = None
    opset: Annotated[int, typer.Option(help="Version of ONNX's operations, 18 or newer.", metavar="N")] = 20
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False

    def __post_init__(self) -> None:
        if self.target.suffix not in _SUFFIXES:
            raise InputError(f"Cannot write {self.target}: give a name that ends with {' or '.join(_SUFFIXES)}.")
        if self.precision == "float16" and self.target.suffix != ".onnx":
            raise InputError("--precision float16 is for .onnx files; leave it out.")
        if self.opset < _OLDEST_OPSET:
            raise InputError(f"ONNX's opset {self.opset} is too old; give --opset {_OLDEST_OPSET} or newer.")
        if self.size is not None and self.part != "synthesis":
            raise InputError("--size is for --part synthesis; leave it out.")
        if self.truncation != 1 and self.part != "mapping":
            raise InputError("--truncation is for --part mapping; leave it out.")
        if not -10 <= self.truncation <= 10:  # false for NaN, too
            raise InputError("--truncation takes a number, usually from 0 (the mean) to 1 (as drawn).")
        if self.encoder is not None and self.part != "encoder":
            raise InputError("--encoder is for --part encoder; leave it out.")
        if self.target.exists() and not self.overwrite:
            raise InputError(
                f"{self.target} exists already; add --overwrite to replace it, or choose another name."
            )
        check_writable(self.target.parent)


@app.command(
    epilog=examples(
        "stylegan-latents export ffhq face.onnx --size 256 --precision float16",
        "stylegan-latents export ffhq mapping.onnx --part mapping --truncation 0.7",
    )
)
@takes(ExportSettings)
def export(settings: ExportSettings) -> None:
    """Write a network as ONNX or torch.export's archive, and check it against PyTorch."""
    import torch
    from torch import nn

    from stylegan_latents.encoders.encoder import EncoderToWs
    from stylegan_latents.generator.export import MappingFromZ, SynthesisFromWs, export_network, sample_inputs
    from stylegan_latents.generator.loading import load
    from stylegan_latents.generator.perceptual import as_colour

    G = load(settings.source)
    _check_size(G, settings.size)
    inputs, output = sample_inputs(G, settings.batch), "ws"
    network: nn.Module = MappingFromZ(G, settings.truncation)
    if settings.part != "mapping":
        with torch.no_grad():
            inputs = {"ws": G.map(inputs["z"], inputs.get("label"))}
        network, output = SynthesisFromWs(G, settings.size), "image"
    if settings.part == "encoder":
        encoder = _encoder(G, settings.encoder)
        with torch.no_grad():
            images = encoder.fit(as_colour(network(inputs["ws"])).clamp(-1, 1))
        inputs, network, output = {"image": images}, EncoderToWs(encoder), "ws"
    apart = export_network(
        network,
        inputs,
        output,
        settings.target,
        free_batch=settings.batch is None,
        precision=settings.precision,
        opset=settings.opset,
        overwrite=settings.overwrite,
    )
    sides = {name: ", ".join(map(str, (settings.batch or "N", *x.shape[1:]))) for name, x in inputs.items()}
    taken = " and ".join(f"{name} [{side}]" for name, side in sides.items())
    print(printable(f"Wrote {settings.target}, {settings.target.stat().st_size / 1e6:.1f} MB: {taken} to {output}"))
    print(f"Run for a check, it differs from PyTorch by at most {apart:.1g}.")


def _check_size(G: "Generator", size: int | None) -> None:
    """Refuse a side of the images that the model does not make.

    Raises:
        InputError: it is not the model's, nor that halved some times.
    """
    if size is not None and size != G.resolution:
        try:
            G.synthesis.check_size(size)
        except ValueError as error:
            raise InputError(
                f"'{G.name}' makes images of {G.resolution} pixels, or that halved some times, not {size}."
            ) from error


def _encoder(G: "Generator", path: Path | None) -> "Encoder":
    """The encoder of a file, or the one that is shipped for the generator.

    Raises:
        InputError: there is none, it is a ReStyle, or it belongs to another generator.
    """
    from stylegan_latents.encoders.loading import load, shipped_encoder
    from stylegan_latents.encoders.restyle import ReStyle

    path = path or shipped_encoder(G)
    if path is None:
        raise InputError(f"No encoder is shipped for '{G.name}'; give one with --encoder.")
    encoder = load(path, G)
    if isinstance(encoder, ReStyle):
        raise InputError(
            f"{path.name} is a ReStyle encoder, which draws between its passes; export one of one pass."
        )
    return encoder


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    return run(app, "stylegan-latents export", sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
