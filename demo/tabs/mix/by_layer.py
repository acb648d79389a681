"""Style mixing by layers for the tab Mix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylegan_latents.demo.page.results import record_name
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.shared import Shared
from stylegan_latents.demo.session.visit import Visit
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import Group

if TYPE_CHECKING:
    from stylegan_latents.editing.mixing.mixing import Donor
    from stylegan_latents.editing.records.codes import Code


@dataclass(frozen=True)
class Share:
    """The styles of one group of layers.

    Attributes:
        group: coarse, middle or fine.
        donor: a face's name; empty for the receiver's own styles.
        strength: see ``Donor``.
    """

    group: Group
    donor: str
    strength: float


def draw_mix(visit: Visit, name: str | None, shares: Sequence[Share]) -> tuple[str, str]:
    """A preview of a mix.

    Args:
        visit: with the faces.
        name: of the receiving face.
        shares: the styles it is given.

    Returns:
        The picture's path, and the command line; the latter is empty if nothing is given.

    Raises:
        InputError: there is no such face.
    """
    from stylegan_latents.editing.mixing.pictures import mixed_picture
    from stylegan_latents.editing.records.codes import record_code

    studio, face, given = visit.studio, edited_face(visit, name), _given(visit, shares)
    with visit.computing():
        donors = [_donor(studio, record_code(donor.preview), share) for donor, share in given]
        picture = mixed_picture(studio.preview_G, record_code(face.preview), donors, size=studio.preview_size)
    return visit.files.store(picture, "mix"), _command(studio, face, given)


def keep_mix(visit: Visit, name: str | None, shares: Sequence[Share]) -> Face:
    """Add a mix to the visit as a face.

    Args and errors are those of ``draw_mix``; it is also an error if nothing is given.
    """
    from stylegan_latents.editing.mixing.mixing import mixed_record
    from stylegan_latents.editing.records.codes import record_code

    studio, face, given = visit.studio, edited_face(visit, name), _given(visit, shares)
    if not given:
        raise InputError("Nothing is mixed yet: choose another face for the coarse, middle or fine styles.")
    visit.check_room()
    names = list(dict.fromkeys(donor.name for donor, _ in given))
    with visit.computing():
        donors = [_donor(studio, record_code(donor.record), share) for donor, share in given]
        made = mixed_record(studio.G, record_code(face.record), donors, [donor.name for donor, _ in given])
    command = _command(studio, face, given)
    return visit.add(made, "+".join([face.name, *names]), photo=face.photo, made_by=command, writes="mix")


def _given(visit: Visit, shares: Sequence[Share]) -> list[tuple[Face, Share]]:
    return [(edited_face(visit, share.donor), share) for share in shares if share.donor and share.strength]


def _donor(studio: Shared, code: "Code", share: Share) -> "Donor":
    from stylegan_latents.editing.mixing.mixing import Donor

    return Donor(code.ws, studio.G.rows(share.group), share.strength)


def _command(studio: Shared, face: Face, given: Sequence[tuple[Face, Share]]) -> str:
    if not given:
        return ""
    words = ["edit", "mix", record_name(face), *(record_name(donor) for donor, _ in given)]
    for _, share in given:
        words += ["--layers", share.group]
    if any(share.strength != 1 for _, share in given):
        for _, share in given:
            words += ["--strength", f"{share.strength:g}"]
    return studio.command_line([*words, "--record", "--out", "mix.png"])
