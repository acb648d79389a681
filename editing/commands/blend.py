"""The command ``edit blend``: coarse layers of one model, fine layers of another."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from stylegan_latents.editing.commands.options import Overwrite
from stylegan_latents.editing.records.outputs import file_name
from stylegan_latents.generator.cli.command import new_app, warn
from stylegan_latents.generator.cli.help_page import examples
from stylegan_latents.generator.cli.options import takes
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.files import check_replaceable, check_writable, printable
from stylegan_latents.generator.styles.style import SUFFIX, find_style, names_a_style

if TYPE_CHECKING:
    from stylegan_latents.generator.generator import Generator

blend_app = new_app()


@dataclass(frozen=True, kw_only=True)
class BlendSettings:
    """Arguments and options of ``edit blend``."""

    panel: ClassVar[str] = "Blend"
    first: Annotated[str, typer.Argument(help="The model of the coarse layers: a name or a file.", metavar="MODEL")]
    second: Annotated[
        str, typer.Argument(help="The model of the fine layers, or a style of the first.", metavar="MODEL|STYLE")
    ]
    at: Annotated[
        float, typer.Option(help="Side in pixels: finer layers are the second model's.", metavar="PIXELS")
    ] = 32
    width: Annotated[
        float, typer.Option(help="Of a smooth transition, in doublings of the side; 0 for a hard one.")
    ] = 0.0
    layers: Annotated[
        str | None,
        typer.Option(
            help="The second model's layers, in place of --at: coarse, middle, fine, or rows such as 7-15.",
            metavar="LAYERS",
        ),
    ] = None
    name: Annotated[str | None, typer.Option(help="The new model's name.", metavar="NAME")] = None
    out: Annotated[
        Path | None, typer.Option(help="The new model's file, ending with .safetensors.", metavar="FILE")
    ] = None
    overwrite: Overwrite = False

    def __post_init__(self) -> None:
        if self.layers is not None and (self.at != 32 or self.width):
            raise InputError("--layers names the second model's layers; leave --at and --width out.")
        if self.out is not None and (self.out.suffix != ".safetensors" or self.out.is_dir()):
            raise InputError(f"Cannot write {self.out}: give a file's name that ends with .safetensors.")


@blend_app.command(
    epilog=examples(
        "edit blend ffhq cartoon.pkl --at 32 --width 1",
        "edit blend ffhq pencil --layers fine --out half-pencil.safetensors",
        "edit sample --model half-pencil.safetensors",
    )
)
@takes(BlendSettings)
def blend(settings: BlendSettings) -> None:
    """Make a model with the coarse layers of one and the fine layers of another."""
    names = [Path(one).name.removesuffix(SUFFIX).partition(".")[0] for one in (settings.first, settings.second)]
    name = settings.name or "-".join(names)
    out = settings.out or Path(file_name(["blend", name], ".safetensors"))
    check_writable(out.parent)
    check_replaceable(out, settings.overwrite, "name another with --out")

    from stylegan_latents.editing.styles.blend import RELATED, agreement, check_transition
    from stylegan_latents.editing.styles.blend import blend as blended
    from stylegan_latents.generator.formats.native import save_native
    from stylegan_latents.generator.loading import load

    check_transition(settings.at, settings.width)
    # A style is read before the models, which take a while.
    style = find_style(settings.second) if names_a_style(settings.second) else None
    A: Generator = load(settings.first)
    if settings.layers is not None:
        A.rows(settings.layers)
    B = load(settings.second) if style is None else style.apply(A)
    same = agreement(A, B)
    print(f"The weights agree by {100 * max(0, same):.0f} %.")
    if same < RELATED:
        warn(
            "edit blend",
            f"'{A.name}' and '{B.name}' have no common ancestor, and blends of such models are noise; take a model "
            "that was tuned from the other.",
        )
    made = blended(A, B, at=settings.at, width=settings.width, layers=settings.layers, name=name)
    save_native(made, out, overwrite=settings.overwrite)
    print(printable(f"Wrote {out}"))
