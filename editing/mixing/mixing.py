"""Style mixing: rows of a receiver's code replaced by donors' (StyleGAN, section 3.1; StyleGAN2, section 3)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from stylegan_latents.editing.records.codes import changed_record
from stylegan_latents.generator.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan_latents.editing.records.codes import Code
    from stylegan_latents.generator.generator import Generator
    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.invert.record.inversion import Inversion

_Value = TypeVar("_Value", str, float)


@dataclass(frozen=True, eq=False)
class Donor:
    """A donor of rows.

    Attributes:
        ws: ``[1 or N, num_ws, w_dim]``.
        rows: the rows of ws that it gives.
        strength: 0 keeps the receiver's rows, 1 replaces them; in between they are interpolated.
        columns: first and end of those of each row that it gives; None for all.
    """

    ws: "Tensor"
    rows: Sequence[int]
    strength: float = 1.0
    columns: tuple[int, int] | None = None


def mix(ws: "Tensor", donors: Sequence[Donor]) -> "Tensor":
    """Replace rows of codes by those of donors.

    Args:
        ws: the receivers, ``[N, num_ws, w_dim]``; not changed.
        donors: applied in order; where two give the same row, the later one wins.

    Returns:
        ws ``[N, num_ws, w_dim]``.

    Raises:
        InputError: a strength is not between 0 and 1.
        ValueError: shapes do not fit.
    """
    mixed = ws.clone()
    for donor in donors:
        check_crossfade(donor.strength)
        if donor.ws.shape[1:] != ws.shape[1:] or len(donor.ws) not in (1, len(ws)):
            raise ValueError(f"a donor's ws {list(donor.ws.shape)} does not fit {list(ws.shape)}")
        rows = list(donor.rows)
        columns = slice(*(donor.columns or (None,)))
        given = donor.ws[:, rows, columns].to(ws.device, ws.dtype)
        mixed[:, rows, columns] = mixed[:, rows, columns].lerp(given, donor.strength)
    return mixed


def mix_matrix(receivers: "Tensor", donors: "Tensor", rows: Sequence[int], strength: float = 1.0) -> "Tensor":
    """``mix`` of every receiver ``[R, num_ws, w_dim]`` with every donor ``[C, num_ws, w_dim]``: ``[R, C, ...]``."""
    import torch

    columns = [mix(receivers, [Donor(donor[None], rows, strength)]) for donor in donors]
    return torch.stack(columns, dim=1)


def mixed_record(G: "Generator", receiver: "Code", donors: Sequence[Donor], names: Sequence[str]) -> "Inversion":
    """The record of ``mix`` by named donors, with the receiver's photo, noise and tuned weights."""
    from stylegan_latents.invert.record.inversion import Inversion
    from stylegan_latents.invert.record.run_settings import view_settings

    given: list[JSON] = []
    for name, donor in zip(names, donors, strict=True):
        about: dict[str, JSON] = {"name": name, "rows": list(donor.rows), "strength": donor.strength}
        given.append(about if donor.columns is None else {**about, "columns": list(donor.columns)})
    ws = mix(receiver.ws, donors)
    if receiver.record is None:
        settings: dict[str, JSON] = {"donors": given, **view_settings(G.camera)}
        return Inversion(ws, G.name, G.fingerprint, G.latent_space, "mix", settings)
    record = receiver.record.inversion
    return changed_record(record, G, ws, "mix", {"mixed_from": record.method, "donors": given})


def donor_of(G: "Generator", ws: "Tensor", rows: Sequence[int], strength: float, part: str | None) -> Donor:
    """A donor of these rows, or of only a part of them that ``SynthesisNetwork.code_parts`` names.

    Raises:
        InputError: the model's codes have no such part, or the rows nothing of it.
    """
    if part is None:
        return Donor(ws, rows, strength)
    parts = G.synthesis.code_parts
    if part not in parts:
        lacks, kind = ("texts", "StyleGAN-T with texts") if part in ("x", "text") else (part, "StyleNeRF")
        raise InputError(f"'{G.name}' has no {lacks}: --only {part} is for a {kind}; leave it out.")
    first, end = parts[part].rows
    chosen = [row for row in rows if first <= row < end]
    if not chosen:
        raise InputError(f"The --layers have no {part}, which '{G.name}' has in its layers {first} to {end - 1}.")
    return Donor(ws, chosen, strength, parts[part].columns)


def check_crossfade(strength: float) -> None:
    """Raise InputError for a strength that is not between 0 and 1."""
    if not (math.isfinite(strength) and 0 <= strength <= 1):
        raise InputError(
            f"A mix takes strengths from 0, the first picture's own, to 1, the other's, not {strength:g}."
        )


def share_out(sources: Sequence[str], layers: Sequence[str], strengths: Sequence[float]) -> list[tuple[str, float]]:
    """The layers and the strength of each source, from one for each or one for all; InputError for other counts."""
    for strength in strengths:
        check_crossfade(strength)
    count = len(sources)
    return [(_of(layers, i, count, "--layers"), _of(strengths, i, count, "--strength")) for i in range(count)]


def _of(values: Sequence[_Value], index: int, count: int, option: str) -> _Value:
    if len(values) == 1:
        return values[0]
    if len(values) != count:
        if count == 1:
            joined = ", joined by commas: coarse,fine" if option == "--layers" else ""
            raise InputError(f"One donor takes one {option}{joined}; there are {len(values)}.")
        raise InputError(f"Give one {option} for all {count} donors or one for each, not {len(values)}.")
    return values[index]


def check_apart(sources: Sequence[str], rows: Sequence[Sequence[int]]) -> None:
    """Raise InputError if two sources give the same row, as the later would replace the earlier."""
    owner: dict[int, str] = {}
    for source, given in zip(sources, rows, strict=True):
        for row in given:
            if row in owner:
                raise InputError(
                    f"{owner[row]} and {source} both give layer {row}; give each its own --layers, such as "
                    "--layers coarse --layers fine, or add --matrix for a picture of each."
                )
            owner[row] = source
