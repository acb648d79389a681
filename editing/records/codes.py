"""Codes to combine: of records and of seeds, all for one generator."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.samples.seeds import check_truncation
from stylegan_latents.generator.cli.command import choose_device
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.generator import Generator, Noise
    from stylegan_latents.invert.record.inversion import Inversion

_SEED = "seed:"
_LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, eq=False)
class Code:
    """One code by its name.

    Attributes:
        name: for titles and files' names: a record's stem, or ``seed5``.
        ws: float32 ``[1, num_ws, w_dim]``, on the generator's device.
        z: float32 ``[1, z_dim]`` of a seed, also of a sample's record; None for other records.
        noise: a record's own noise maps, ``[1, 1, H, W]`` each; None for the model's.
        path: the record's file; None for a seed.
        record: the record; None for a seed.
        truncation: with which ``ws`` came from ``z``.
    """

    name: str
    ws: "Tensor"
    z: "Tensor | None" = None
    noise: "list[Tensor] | None" = None
    path: Path | None = None
    record: "OpenRecord | None" = None
    truncation: float = 1.0

    def drawn_by(self, G: "Generator") -> "Generator":
        """What draws this code: ``G``, or the copy of it that was tuned to the record's photo."""
        return G if self.record is None else self.record.generator

    def tuned(self, G: "Generator") -> "dict[str, Tensor] | None":
        """What tuning added to the weights of ``G``, by parameter; None where nothing was tuned."""
        from stylegan_latents.invert.record.tuned_weights import differences

        return None if self.record is None else differences(G, self.record.inversion)

    @property
    def noise_or_const(self) -> "Noise":
        """What ``Generator.synthesize`` takes as noise."""
        return "const" if self.noise is None else self.noise


def open_codes(
    names: Sequence[str], *, model: str | None = None, device: str | None = None, truncation: float = 1.0
) -> "tuple[Generator, list[Code]]":
    """Read codes, and load the generator that all belong to.

    Args:
        names: records; photos or folders, for their records (``resolve_record``); or
            seeds such as ``seed:5``.
        model: the generator's name or file; None for that of the records, or the default one.
        device: where to compute.
        truncation: of the seeds' codes; 1 leaves them, 0 gives the mean w.

    Raises:
        InputError: one cannot be read, is a photo that was not inverted, or belongs to another model than the
            others; or the truncation is out of range.
    """
    from stylegan_latents.editing.records.choose import resolve_record
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.loading import DEFAULT_MODEL, load

    check_truncation(truncation)
    places = [None if name.startswith(_SEED) else resolve_record(Path(name)) for name in names]
    seeds = [_seed(name) for name, place in zip(names, places, strict=True) if place is None]
    paths = [place for place in places if place is not None]
    generator: Generator | None = None
    records: dict[Path, OpenRecord] = {}
    if paths:
        _check_one_model(paths)
        first = OpenRecord(paths[0], model=model, device=device)
        generator, records[paths[0]] = first.base, first
        for path in paths[1:]:
            if path not in records:
                records[path] = OpenRecord(path, generator=generator)
    if generator is None:
        generator = load(model or DEFAULT_MODEL).to(choose_device(device))
    if seeds and generator.label_dim:
        raise InputError(f"The model '{generator.name}' has classes, which a seed does not say; give records.")
    codes, waiting = [], iter(seeds)
    for place in places:
        if place is None:
            codes.append(seed_code(generator, next(waiting), truncation))
        else:
            codes.append(record_code(records[place]))
    return generator, codes


def seed_code(generator: "Generator", seed: int, truncation: float = 1.0) -> Code:
    """The code of a seed, the same on every device, as ``Generator.sample`` draws it."""
    import torch

    z = _z(generator, seed)
    with torch.inference_mode():
        return Code(f"seed{seed}", generator.map(z, truncation=truncation), z=z, truncation=truncation)


def record_code(record: "OpenRecord") -> Code:
    """The code of a record, for the generator that it was opened with.

    Raises:
        InputError: the record was made with another model.
    """
    G, inversion = record.base, record.inversion
    noise = None if inversion.noise is None else [map.to(G.device) for map in inversion.noise]
    z, truncation = None, 1.0
    # What `edit sample` wrote still knows where in Z it came from.
    drawn = inversion.settings if inversion.method == "sample" and inversion.fingerprint == G.fingerprint else {}
    seed, kept = drawn.get("seed"), drawn.get("truncation")
    if isinstance(seed, int) and isinstance(kept, int | float) and drawn.get("class") is None:
        z, truncation = _z(G, seed), float(kept)
    return Code(record.stem, record.ws, z, noise, record.path, record, truncation)


def _z(G: "Generator", seed: int) -> "Tensor":
    import torch

    return torch.randn(1, G.z_dim, generator=torch.Generator().manual_seed(seed))


def check_not_a_source(out: Path, codes: Sequence[Code]) -> None:
    """Refuse to write over a record, which no option may replace.

    Raises:
        InputError: ``out`` is one of them.
    """
    for code in codes:
        if code.path is not None and out.exists() and code.path.exists() and out.samefile(code.path):
            raise InputError(f"{out} is what this is made from; give another name with --out.")


def _seed(name: str) -> int:
    text = name.removeprefix(_SEED).strip()
    if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_SEED:
        raise InputError(f"'{name}' is no seed: give a whole number from 0 up, such as seed:5.")
    return int(text)


def _check_one_model(paths: Sequence[Path]) -> None:
    """Refuse records of several latent spaces, naming two of them."""
    from stylegan_latents.invert.record.inversion import Inversion

    first = Inversion.load(paths[0])
    for path in dict.fromkeys(paths[1:]):
        other = Inversion.load(path)
        if not _same_space(first, other):
            raise InputError(
                f"{paths[0]} was made with the model '{first.model}' ({first.latent_space}) and {path} with "
                f"'{other.model}' ({other.latent_space}); give records of one model."
            )


def _same_space(one: "Inversion", other: "Inversion") -> bool:
    return one.fingerprint == other.fingerprint or one.latent_space == other.latent_space
