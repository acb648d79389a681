"""Mixing by parts and regions for the tab Mix."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from stylegan_latents.demo.page.results import record_name
from stylegan_latents.demo.session.edited import edited_face
from stylegan_latents.demo.session.faces import Face
from stylegan_latents.demo.session.shared import Shared
from stylegan_latents.demo.session.visit import Visit

if TYPE_CHECKING:
    from PIL.Image import Image

    from stylegan_latents.generator.generator import Generator

Kind = Literal["part", "region"]
REGION_LAYERS = "middle"
"""The layers mixed in a region, as in ``edit mix --region``."""


@dataclass(frozen=True)
class PartRequest:
    """The parts or regions that a face is given.

    Attributes:
        kind: ``part`` mixes style channels, ``region`` blends feature maps inside a mask.
        names: of the parts or regions.
        donor: a face's name; empty for none.
        strength: see ``Donor``.
    """

    kind: Kind
    names: tuple[str, ...]
    donor: str
    strength: float

    def __bool__(self) -> bool:
        """Whether anything is given."""
        return bool(self.names and self.donor and self.strength)


def available(G: "Generator") -> dict[Kind, tuple[str, ...]]:
    """Names by kind that a generator supports: parts that are shipped or cached, and regions of faces."""
    from stylegan_latents.editing.regions.parts import stored_parts
    from stylegan_latents.editing.regions.regions import REGIONS
    from stylegan_latents.generator.weights.zoo import models

    parts, entry = stored_parts(G), models().get(G.name)
    found: dict[Kind, tuple[str, ...]] = {} if parts is None else {"part": parts.names}
    return found | ({"region": REGIONS} if entry is None or entry.domain == "faces" else {})


def draw_with_parts(
    visit: Visit, name: str | None, request: PartRequest, *, full: bool = False
) -> "tuple[Image, str]":
    """A face with parts of another.

    Args:
        visit: with the faces.
        name: of the receiving face.
        request: what it is given.
        full: at full resolution in float32; else a preview.

    Returns:
        The picture, and the command line; the latter is empty if nothing is given.

    Raises:
        InputError: there is no such face, part or region, or the picture shows no face.
    """
    from stylegan_latents.editing.commands.parts import THRESHOLD
    from stylegan_latents.editing.mixing.by_part import PartDonor
    from stylegan_latents.editing.mixing.mixing import Donor
    from stylegan_latents.editing.mixing.pictures import mixed_picture
    from stylegan_latents.editing.records.codes import record_code
    from stylegan_latents.editing.regions.parts import stored_parts

    studio, face = visit.studio, edited_face(visit, name)
    donor = edited_face(visit, request.donor) if request else face
    G = studio.G if full else studio.preview_G
    size = None if full else studio.preview_size
    with visit.computing():
        receiving, from_donor = (record_code(one.record if full else one.preview) for one in (face, donor))
        if not request:
            return mixed_picture(G, receiving, [], size=size), ""
        if request.kind == "region":
            donors = [Donor(from_donor.ws, G.rows(REGION_LAYERS), request.strength)]
            picture = mixed_picture(G, receiving, donors, regions=request.names, size=size)
        else:
            parts = stored_parts(studio.G)
            assert parts is not None  # only such parts are offered
            given = [PartDonor(from_donor.ws, parts.weights(request.names, THRESHOLD), request.strength)]
            picture = mixed_picture(G, receiving, [], parts=given, size=size)
    return picture, _command(studio, face, donor, request)


def _command(studio: Shared, face: Face, donor: Face, request: PartRequest) -> str:
    words = ["edit", "mix", record_name(face), record_name(donor)]
    for name in request.names:
        words += [f"--{request.kind}", name]
    words += ["--by", "channels"] if request.kind == "part" else []
    words += [] if request.strength == 1 else ["--strength", f"{request.strength:g}"]
    return studio.command_line(words)
