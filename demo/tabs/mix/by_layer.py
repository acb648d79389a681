"""Mixes of a visit's faces by layers: what the buttons of the tab Mix do."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylegan_latents.demo.page.results import command_line, record_name
from stylegan_latents.demo.page.running import Done, run_reporting
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.shared import Shared
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import Group

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.editing.mixing.mixing import Donor
    from stylegan_latents.editing.records.codes import Code

_MOST_IN_FIGURE = 8


@dataclass(frozen=True)
class Share:
    """What one group of layers is given.

    Attributes:
        group: coarse, middle or fine.
        giver: a face's name; empty for the receiver's own styles.
        strength: see ``Donor``.
    """

    group: Group
    giver: str
    strength: float


def draw_mix(visit: Visit, name: str | None, shares: Sequence[Share]) -> tuple[str, str]:
    """A preview of a mix.

    Args:
        visit: whose faces these are.
        name: of the face that receives.
        shares: what it is given.

    Returns:
        The picture's path, and the command line; the latter is empty while nothing is given.

    Raises:
        InputError: a face is not there.
    """
    from stylegan_latents.editing.mixing.pictures import mixed_picture
    from stylegan_latents.editing.records.codes import record_code

    studio, face, given = visit.studio, visit.face(name), _given(visit, shares)
    with visit.computing():
        donors = [_donor(studio, record_code(giver.preview), share) for giver, share in given]
        picture = mixed_picture(studio.preview_G, record_code(face.preview), donors, size=studio.preview_size)
    return visit.files.store(picture, "mix"), _command(face, given)


def keep_mix(visit: Visit, name: str | None, shares: Sequence[Share]) -> Face:
    """Make a mix a face of the visit.

    Args and errors are those of ``draw_mix``; moreover, one face has to give something.
    """
    from stylegan_latents.editing.mixing.mixing import mixed_record
    from stylegan_latents.editing.records.codes import record_code

    studio, face, given = visit.studio, visit.face(name), _given(visit, shares)
    if not given:
        raise InputError("Nothing is mixed yet: choose another face for the coarse, middle or fine styles.")
    visit.check_room()
    names = list(dict.fromkeys(giver.name for giver, _ in given))
    with visit.computing():
        donors = [_donor(studio, record_code(giver.record), share) for giver, share in given]
        made = mixed_record(studio.G, record_code(face.record), donors, [giver.name for giver, _ in given])
    return visit.add(made, "+".join([face.name, *names]), photo=face.photo, made_by=_command(face, given))


def draw_figure(
    visit: Visit, names: Sequence[str], tops: Sequence[str], layers: str, strength: float
) -> Iterator[tuple[int, int] | Done[tuple[str, str]]]:
    """The figure of each face with the styles of each.

    Args:
        visit: whose faces these are.
        names: of the faces that receive, down the side.
        tops: of those that give, along the top; the same ones when empty.
        layers: what the faces along the top give, such as ``coarse,middle``.
        strength: how much of it.

    Yields:
        How many pictures are drawn, of how many; at last the figure's path and the command line.

    Raises:
        InputError: there are too few faces or too many, or no layers.
    """
    from stylegan_latents.editing.mixing.pictures import check_cells, matrix_figure
    from stylegan_latents.editing.records.codes import record_code

    if len({*names, *tops}) < 2:
        raise InputError("The figure needs two faces at least; find or explore another one first.")
    if max(len(names), len(tops)) > _MOST_IN_FIGURE:
        raise InputError(f"The figure takes up to {_MOST_IN_FIGURE} faces a side; choose fewer.")
    if not layers:
        raise InputError("Say which styles are given: coarse, middle or fine.")
    studio, faces = visit.studio, [visit.face(name) for name in names]
    givers = [visit.face(name) for name in tops]
    rows, cells = studio.G.rows(layers), check_cells(len(faces), len(givers or faces))
    words = ["edit", "mix", *map(record_name, faces)]
    for giver in givers:
        words += ["--column", record_name(giver)]
    words += ["--matrix", "--layers", layers]
    words += [] if strength == 1 else ["--strength", f"{strength:g}"]

    def work(report: Callable[[int], None]) -> "Image":
        drawn = itertools.count(1)
        codes = [record_code(face.preview) for face in faces]
        along = [record_code(face.preview) for face in givers] or codes
        return matrix_figure(studio.preview_G, codes, along, rows, strength, on_picture=lambda: report(next(drawn)))

    for now in run_reporting(visit, work):
        if isinstance(now, Done):
            yield Done((visit.files.store(now.result, "figure", suffix=".png", stem="figure"), command_line(words)))
        else:
            yield now, cells


def _given(visit: Visit, shares: Sequence[Share]) -> list[tuple[Face, Share]]:
    return [(visit.face(share.giver), share) for share in shares if share.giver and share.strength]


def _donor(studio: Shared, code: "Code", share: Share) -> "Donor":
    from stylegan_latents.editing.mixing.mixing import Donor

    return Donor(code.ws, studio.G.rows(share.group), share.strength)


def _command(face: Face, given: Sequence[tuple[Face, Share]]) -> str:
    if not given:
        return ""
    words = ["edit", "mix", record_name(face), *(record_name(giver) for giver, _ in given)]
    for _, share in given:
        words += ["--layers", share.group]
    if any(share.strength != 1 for _, share in given):
        for _, share in given:
            words += ["--strength", f"{share.strength:g}"]
    return command_line([*words, "--record"])
