"""Codes of records and seeds, all for one generator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylegan_latents.editing.records.camera import look_from
from stylegan_latents.editing.records.code_files import code_name
from stylegan_latents.editing.samples.sampling import Seed, check_truncation
from stylegan_latents.generator.cli.command import choose_device
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.json_values import JSON

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.generator import Generator, Noise
    from stylegan_latents.generator.networks.camera import Camera
    from stylegan_latents.generator.seeds import RandomSource
    from stylegan_latents.generator.styles.style import Style
    from stylegan_latents.invert.record.feature_patch import PatchHook
    from stylegan_latents.invert.record.inversion import Inversion


@dataclass(frozen=True, eq=False)
class Code:
    """The code of a record or a seed.

    Attributes:
        name: for titles and files' names: a record's stem, ``seed5`` or ``torch-seed5``, or ``seed5@3`` of class 3.
        ws: float32 ``[1, num_ws, w_dim]``, on the generator's device.
        z: float32 ``[1, z_dim]`` that ``ws`` was mapped from, with ``truncation`` and ``label``; None for most
            records.
        noise: a record's own noise maps, ``[1, 1, H, W]`` each; None for the model's.
        path, record: None for a seed.
        label: the class of ``z``; None for a model without classes.
    """

    name: str
    ws: "Tensor"
    z: "Tensor | None" = None
    noise: "list[Tensor] | None" = None
    path: Path | None = None
    record: "OpenRecord | None" = None
    truncation: float = 1.0
    label: int | None = None

    def own_generator(self, G: "Generator") -> "Generator":
        """The generator of this code's pictures: ``G``, or its copy that was tuned to the record's photo."""
        return G if self.record is None else self.record.generator

    def tuned(self, G: "Generator") -> "dict[str, Tensor] | None":
        """The differences of the tuned weights from those of ``G``, by parameter; None where nothing was tuned."""
        from stylegan_latents.invert.record.tuned_weights import differences

        return None if self.record is None else differences(G, self.record.inversion)

    def patches(self, G: "Generator") -> "list[PatchHook]":
        """The feature patches of the record, for ``attach``."""
        from stylegan_latents.invert.record.tuned_weights import patch_hooks

        return [] if self.record is None else patch_hooks(G, self.record.inversion)

    @property
    def noise_or_const(self) -> "Noise":
        """What ``Generator.synthesize`` takes as noise."""
        return "const" if self.noise is None else self.noise


@dataclass(frozen=True, eq=False)
class CodeSource:
    """What a user named, before a generator is loaded: a seed with its class, or a record that was read.

    ``name`` is the ``Code``'s, ``random`` whose random numbers the seed draws.
    """

    name: str
    seed: int | None = None
    label: int | None = None
    random: "RandomSource" = "numpy"
    path: Path | None = None
    inversion: "Inversion | None" = None


def read_sources(names: Sequence[str]) -> list[CodeSource]:
    """Read records, photos or folders, for their records (``read_record``), codes and seeds.

    Codes are of other projects (``read_code``). Seeds are ``seed:5``, whose z NumPy draws as in NVIDIA's scripts,
    ``torch-seed:5``, whose z PyTorch draws, or ``seed:5@3`` of a class.

    Raises:
        InputError: one cannot be read or is a photo that was not inverted, or the records are of several models.
    """
    from stylegan_latents.editing.records.choose import read_record

    found: dict[str, CodeSource] = {}
    for name in names:
        if name in found:
            continue
        seed = Seed.named(name)
        if seed is not None:
            found[name] = CodeSource(seed.name, seed.number, seed.label, seed.random)
        else:
            path, inversion = read_record(Path(name))
            found[name] = CodeSource(code_name(path, inversion), path=path, inversion=inversion)
    _check_one_model(list(found.values()))
    return [found[name] for name in names]


def open_sources(
    sources: Sequence[CodeSource], *, model: str | None = None, device: str | None = None, truncation: float = 1.0,
    style: "tuple[Style, float] | None" = None, camera: "Camera | None" = None,
) -> "tuple[Generator, list[Code]]":  # fmt: skip
    """Load the generator of all sources (``model``, else the records' or the default one), and their codes.

    Args:
        sources: as ``read_sources`` gives them.
        model, device: as for ``OpenRecord``.
        truncation: of the seeds.
        style: that the generator draws in, with its strength.
        camera: that it draws from; None for its own.

    Raises:
        InputError: a record or the style belongs to another model, a seed has no class or one that the model lacks,
            or the truncation is out of range.
    """
    from stylegan_latents.editing.records.opened import OpenRecord
    from stylegan_latents.generator.loading import DEFAULT_MODEL, load

    check_truncation(truncation)
    generator: Generator | None = None
    records: dict[tuple[Path, str], OpenRecord] = {}
    # A record says its model, a code's file of another project does not.
    for source in sorted(sources, key=lambda source: not (source.inversion and source.inversion.fingerprint)):
        if source.path is None or (source.path, source.name) in records:
            continue
        if generator is None:
            first = OpenRecord(source.path, model=model, device=device, inversion=source.inversion)
            first.look(camera, ())
            if style is not None:
                first.draw_in(*style)
            generator, records[source.path, source.name] = first.base, first
        else:
            opened = OpenRecord(source.path, generator=generator, inversion=source.inversion)
            opened.look(camera, ())
            records[source.path, source.name] = opened
    if generator is None:
        generator = load(model or DEFAULT_MODEL).to(choose_device(device))
        generator = generator if style is None else style[0].apply(generator, style[1])
        generator = look_from(generator, camera)
    codes = []
    for source in sources:
        if source.path is not None:
            codes.append(record_code(records[source.path, source.name]))
        elif source.seed is not None:
            codes.append(seed_code(generator, source.seed, truncation, source.label, source.random))
    return generator, codes


def seed_code(
    generator: "Generator",
    seed: int,
    truncation: float = 1.0,
    label: int | None = None,
    random: "RandomSource" = "numpy",
) -> Code:
    """The code of a seed, the same on every device, as of ``Generator.sample``.

    Raises:
        InputError: the model has classes and none of them is given, or it lacks the class.
    """
    import torch

    from stylegan_latents.generator.seeds import z_of_seeds

    named = Seed(seed, label, random)
    named.check(generator)
    z = z_of_seeds([seed], generator.z_dim, random)
    with torch.inference_mode():
        if label is None:
            return Code(named.name, generator.map(z, truncation=truncation), z=z, truncation=truncation)
        one_hot = torch.nn.functional.one_hot(torch.tensor([label]), generator.label_dim).float()
        ws = generator.map(z, one_hot, truncation)
        return Code(named.name, ws, z=z, truncation=truncation, label=label)


def record_code(record: "OpenRecord") -> Code:
    """The code of a record for the generator that it was opened with; InputError for a record of another model."""
    from stylegan_latents.generator.seeds import z_of_seeds

    G, inversion = record.base, record.inversion
    noise = None if inversion.noise is None else [map.to(G.device) for map in inversion.noise]
    z, truncation, label = None, 1.0, None
    # Records of `edit sample` hold the seed of their z.
    sample = inversion.settings if inversion.method == "sample" and G.has_fingerprint(inversion.fingerprint) else {}
    seed, stored = sample.get("seed"), sample.get("truncation")
    if isinstance(seed, int) and isinstance(stored, int | float):
        # PyTorch drew the seeds of records that do not say whose random numbers they have.
        z = z_of_seeds([seed], G.z_dim, "numpy" if sample.get("random") == "numpy" else "torch")
        truncation, label = float(stored), sample.get("class")
    number = label if isinstance(label, int) else None
    return Code(record.stem, record.ws, z, noise, record.path, record, truncation, number)


def check_not_a_source(out: Path, codes: Sequence[Code | CodeSource]) -> None:
    """Raise InputError for an output that is a source's record, which no option may replace."""
    for code in codes:
        if code.path is not None and out.exists() and code.path.exists() and out.samefile(code.path):
            raise InputError(f"{out} is what this is made from; give another name with --out.")


def _check_one_model(sources: Sequence[CodeSource]) -> None:
    found = [(source.path, source.inversion) for source in sources if source.inversion is not None]
    records = [(path, inversion) for path, inversion in found if inversion.fingerprint]
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
    """A record with a new code and no metrics, which can be edited and pasted back as the original can.

    It is seen from the camera of ``G``, or the original's where that is the model's own.
    """
    from stylegan_latents.invert.record.inversion import library_version
    from stylegan_latents.invert.record.run_settings import CAMERA, settings_of_image, view_settings

    own = settings_of_image(record.settings, 0, len(record))
    kept = view_settings(G.camera) or ({CAMERA: own[CAMERA]} if CAMERA in own else {})
    return replace(
        record, ws=ws, model=G.name, fingerprint=G.fingerprint, latent_space=G.latent_space,
        method=method, settings={**settings, **kept}, metrics={}, version=library_version(),
        model_file=record.model_file if G.has_fingerprint(record.fingerprint) else None,
    )  # fmt: skip
