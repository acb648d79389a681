"""Codes of records and seeds, all for one generator."""

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
    from stylegan_latents.invert.record.inversion import Inversion

_SEED = "seed:"
_LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, eq=False)
class Code:
    """The code of a record or a seed.

    Attributes:
        name: for titles and files' names: a record's stem, or ``seed5``.
        ws: float32 ``[1, num_ws, w_dim]``, on the generator's device.
        z: float32 ``[1, z_dim]`` that ``ws`` was mapped from, with ``truncation``; None for most records.
        noise: a record's own noise maps, ``[1, 1, H, W]`` each; None for the model's.
        path, record: None for a seed.
    """

    name: str
    ws: "Tensor"
    z: "Tensor | None" = None
    noise: "list[Tensor] | None" = None
    path: Path | None = None
    record: "OpenRecord | None" = None
    truncation: float = 1.0

    def own_generator(self, G: "Generator") -> "Generator":
        """The generator of this code's pictures: ``G``, or its copy that was tuned to the record's photo."""
        return G if self.record is None else self.record.generator

    def tuned(self, G: "Generator") -> "dict[str, Tensor] | None":
        """The differences of the tuned weights from those of ``G``, by parameter; None where nothing was tuned."""
        from stylegan_latents.invert.record.tuned_weights import differences

        return None if self.record is None else differences(G, self.record.inversion)

    @property
    def noise_or_const(self) -> "Noise":
        """What ``Generator.synthesize`` takes as noise."""
        return "const" if self.noise is None else self.noise


@dataclass(frozen=True, eq=False)
class CodeSource:
    """A seed, or a record that was read, before a generator is loaded; ``name`` is that of the ``Code``."""

    name: str
    seed: int | None = None
    path: Path | None = None
    inversion: "Inversion | None" = None


def read_sources(names: Sequence[str]) -> list[CodeSource]:
    """Read records, photos or folders, for their records (``read_record``), and seeds such as ``seed:5``.

    Raises:
        InputError: one cannot be read or is a photo that was not inverted, or the records are of several models.
    """
    from stylegan_latents.editing.records.choose import read_record

    found: dict[str, CodeSource] = {}
    for name in names:
        if name in found:
            continue
        if name.startswith(_SEED):
            seed = _seed(name)
            found[name] = CodeSource(f"seed{seed}", seed)
        else:
            path, inversion = read_record(Path(name))
            found[name] = CodeSource(record_stem(path), path=path, inversion=inversion)
    _check_one_model(list(found.values()))
    return [found[name] for name in names]


def open_sources(
    sources: Sequence[CodeSource], *, model: str | None = None, device: str | None = None, truncation: float = 1.0
) -> "tuple[Generator, list[Code]]":
    """Load the generator of all sources (``model``, else the records' or the default one), and their codes.

    Raises:
        InputError: a record belongs to another model, a seed is for a model with classes, or the truncation is out
            of range.
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
        raise InputError(f"The model '{generator.name}' has classes, which seeds do not name; give records.")
    codes = []
    for source in sources:
        if source.path is not None:
            codes.append(record_code(records[source.path]))
        elif source.seed is not None:
            codes.append(seed_code(generator, source.seed, truncation))
    return generator, codes


def seed_code(generator: "Generator", seed: int, truncation: float = 1.0) -> Code:
    """The code of a seed, the same on every device, as of ``Generator.sample``."""
    import torch

    z = _z(generator, seed)
    with torch.inference_mode():
        return Code(f"seed{seed}", generator.map(z, truncation=truncation), z=z, truncation=truncation)


def record_code(record: "OpenRecord") -> Code:
    """The code of a record for the generator that it was opened with; InputError for a record of another model."""
    G, inversion = record.base, record.inversion
    noise = None if inversion.noise is None else [map.to(G.device) for map in inversion.noise]
    z, truncation = None, 1.0
    # Records of `edit sample` hold the seed of their z.
    sample = inversion.settings if inversion.method == "sample" and inversion.fingerprint == G.fingerprint else {}
    seed, stored = sample.get("seed"), sample.get("truncation")
    if isinstance(seed, int) and isinstance(stored, int | float) and sample.get("class") is None:
        z, truncation = _z(G, seed), float(stored)
    return Code(record.stem, record.ws, z, noise, record.path, record, truncation)


def _z(G: "Generator", seed: int) -> "Tensor":
    import torch

    return torch.randn(1, G.z_dim, generator=torch.Generator().manual_seed(seed))


def check_not_a_source(out: Path, codes: Sequence[Code | CodeSource]) -> None:
    """Raise InputError for an output that is a source's record, which no option may replace."""
    for code in codes:
        if code.path is not None and out.exists() and code.path.exists() and out.samefile(code.path):
            raise InputError(f"{out} is what this is made from; give another name with --out.")


def _seed(name: str) -> int:
    text = name.removeprefix(_SEED).strip()
    if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_SEED:
        raise InputError(f"'{name}' is no seed: give a whole number from 0 up, such as seed:5.")
    return int(text)


def _check_one_model(sources: Sequence[CodeSource]) -> None:
    records = [(source.path, source.inversion) for source in sources if source.inversion is not None]
    for path, other in records[1:]:
        first_path, first = records[0]
        if first.fingerprint != other.fingerprint and first.latent_space != other.latent_space:
            raise InputError(
                f"{first_path} was made with the model '{first.model}' ({first.latent_space}) and {path} with "
                f"'{other.model}' ({other.latent_space}); give records of one model."
            )


def changed_record(
    record: "Inversion", G: "Generator", ws: "Tensor", method: str, settings: Mapping[str, JSON]
) -> "Inversion":
    """A record with a new code and no metrics, which can be edited and pasted back as the original can."""
    from stylegan_latents.invert.record.inversion import library_version

    return replace(
        record, ws=ws, model=G.name, fingerprint=G.fingerprint, latent_space=G.latent_space,
        method=method, settings=dict(settings), metrics={}, version=library_version(),
        model_file=record.model_file if record.fingerprint == G.fingerprint else None,
    )  # fmt: skip
