"""Codes to combine: of records and of seeds, all for one generator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.samples.sampling import check_truncation
from stylegan_latents.generator.cli.command import choose_device
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.json_values import JSON
from stylegan_latents.invert.record.files import record_stem

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.generator import Generator, Noise
    from stylegan_latents.generator.seeds import RandomSource
    from stylegan_latents.invert.record.inversion import Inversion

_SEED: "dict[str, RandomSource]" = {"seed:": "numpy", "torch-seed:": "torch"}
_LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, eq=False)
class Code:
    """One code by its name.

    Attributes:
        name: for titles and files' names: a record's stem, ``seed5`` or ``torch-seed5``.
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


@dataclass(frozen=True, eq=False)
class CodeSource:
    """What a user named to be combined, before a generator is loaded: a seed, or a record that was read.

    Attributes:
        name: as ``Code.name``.
        seed: None for a record.
        random: whose random numbers a seed draws.
        path, inversion: the record's file and what it holds; None for a seed.
    """

    name: str
    seed: int | None = None
    random: "RandomSource" = "numpy"
    path: Path | None = None
    inversion: "Inversion | None" = None


def read_sources(names: Sequence[str]) -> list[CodeSource]:
    """Read what a user named; a record that is named twice is read once.

    Args:
        names: records; photos or folders, for their records (``read_record``); or seeds such as ``seed:5``, whose
            z NumPy draws as in NVIDIA's scripts, and ``torch-seed:5``, whose z PyTorch draws.

    Raises:
        InputError: one cannot be read or is a photo that was not inverted, or the records are of several models.
    """
    from stylegan_latents.editing.records.choose import read_record

    found: dict[str, CodeSource] = {}
    for name in names:
        if name in found:
            continue
        scheme, colon, number = name.partition(":")
        random = _SEED.get(scheme + colon)
        if random is not None:
            seed = _seed(name, number)
            found[name] = CodeSource(f"{scheme}{seed}", seed, random)
        else:
            path, inversion = read_record(Path(name))
            found[name] = CodeSource(record_stem(path), path=path, inversion=inversion)
    _check_one_model(list(found.values()))
    return [found[name] for name in names]


def open_codes(
    names: Sequence[str], *, model: str | None = None, device: str | None = None, truncation: float = 1.0
) -> "tuple[Generator, list[Code]]":
    """Read codes, and load the generator that all belong to: ``read_sources``, then ``open_sources``.

    Raises:
        InputError: as these.
    """
    check_truncation(truncation)
    return open_sources(read_sources(names), model=model, device=device, truncation=truncation)


def open_sources(
    sources: Sequence[CodeSource], *, model: str | None = None, device: str | None = None, truncation: float = 1.0
) -> "tuple[Generator, list[Code]]":
    """The codes of what was read, and the generator that all belong to.

    Args:
        sources: what ``read_sources`` gave.
        model: the generator's name or file; None for that of the records, or the default one.
        device: where to compute.
        truncation: of the seeds' codes; 1 leaves them, 0 gives the mean w.

    Raises:
        InputError: a record belongs to another model, the model has classes, which a seed does not say, or the
            truncation is out of range.
    """
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.loading import DEFAULT_MODEL, load

    check_truncation(truncation)
    generator: Generator | None = None
    records: dict[Path, OpenRecord] = {}
    for source in sources:
        if source.path is None or source.path in records:
            continue
        if generator is None:
            first = OpenRecord(source.path, model=model, device=device, inversion=source.inversion)
            generator, records[source.path] = first.base, first
        else:
            records[source.path] = OpenRecord(source.path, generator=generator, inversion=source.inversion)
    if generator is None:
        generator = load(model or DEFAULT_MODEL).to(choose_device(device))
    if generator.label_dim and any(source.seed is not None for source in sources):
        raise InputError(f"The model '{generator.name}' has classes, which a seed does not say; give records.")
    codes = []
    for source in sources:
        if source.path is not None:
            codes.append(record_code(records[source.path]))
        elif source.seed is not None:
            codes.append(seed_code(generator, source.seed, truncation, source.random))
    return generator, codes


def seed_code(generator: "Generator", seed: int, truncation: float = 1.0, random: "RandomSource" = "numpy") -> Code:
    """The code of a seed, the same on every device, as ``Generator.sample`` draws it."""
    import torch

    from stylegan_latents.generator.seeds import z_of_seeds

    z = z_of_seeds([seed], generator.z_dim, random)
    name = f"seed{seed}" if random == "numpy" else f"{random}-seed{seed}"
    with torch.inference_mode():
        return Code(name, generator.map(z, truncation=truncation), z=z, truncation=truncation)


def record_code(record: "OpenRecord") -> Code:
    """The code of a record, for the generator that it was opened with.

    Raises:
        InputError: the record was made with another model.
    """
    from stylegan_latents.generator.seeds import z_of_seeds

    G, inversion = record.base, record.inversion
    noise = None if inversion.noise is None else [map.to(G.device) for map in inversion.noise]
    z, truncation = None, 1.0
    # What `edit sample` wrote still knows where in Z it came from.
    drawn = inversion.settings if inversion.method == "sample" and inversion.fingerprint == G.fingerprint else {}
    seed, kept = drawn.get("seed"), drawn.get("truncation")
    if isinstance(seed, int) and isinstance(kept, int | float) and drawn.get("class") is None:
        # PyTorch drew the seeds of records that do not say whose random numbers they have.
        z = z_of_seeds([seed], G.z_dim, "numpy" if drawn.get("random") == "numpy" else "torch")
        truncation = float(kept)
    return Code(record.stem, record.ws, z, noise, record.path, record, truncation)


def check_not_a_source(out: Path, codes: Sequence[Code | CodeSource]) -> None:
    """Refuse to write over a record, which no option may replace.

    Raises:
        InputError: ``out`` is one of them.
    """
    for code in codes:
        if code.path is not None and out.exists() and code.path.exists() and out.samefile(code.path):
            raise InputError(f"{out} is what this is made from; give another name with --out.")


def _seed(name: str, number: str) -> int:
    text = number.strip()
    if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_SEED:
        raise InputError(f"'{name}' is no seed: give a whole number from 0 up, such as seed:5.")
    return int(text)


def _check_one_model(sources: Sequence[CodeSource]) -> None:
    """Refuse records of several latent spaces, naming two of them."""
    read = [(source.path, source.inversion) for source in sources if source.inversion is not None]
    for path, other in read[1:]:
        first_path, first = read[0]
        if not _same_space(first, other):
            raise InputError(
                f"{first_path} was made with the model '{first.model}' ({first.latent_space}) and {path} with "
                f"'{other.model}' ({other.latent_space}); give records of one model."
            )


def _same_space(one: "Inversion", other: "Inversion") -> bool:
    return one.fingerprint == other.fingerprint or one.latent_space == other.latent_space


def changed_record(
    record: "Inversion", G: "Generator", ws: "Tensor", method: str, settings: Mapping[str, JSON]
) -> "Inversion":
    """A record with another code: edits, and pasting back into the photo, go on from it.

    Args:
        record: whose photo, place in it and noise stay; what was measured of it does not hold of the new code.
        G: the generator of the code.
        ws: ``[1, num_ws, w_dim]``.
        method: what found the code.
        settings: how.
    """
    from stylegan_latents.invert.record.inversion import library_version

    return replace(
        record,
        ws=ws,
        model=G.name,
        fingerprint=G.fingerprint,
        latent_space=G.latent_space,
        method=method,
        settings=dict(settings),
        metrics={},
        version=library_version(),
        model_file=record.model_file if record.fingerprint == G.fingerprint else None,
    )
