"""The attributes of a face that directions are shipped for: what + means, what stays, which rows move."""

from dataclasses import dataclass

from stylegan_latents.generator.layers import GROUPS, Group


@dataclass(frozen=True)
class Attribute:
    """What to find a direction for.

    Attributes:
        name: of the direction and of the score it changes.
        positive, negative: what strengths above and below 0 do.
        layers: the groups of rows that move, as a person types them.
        fixed: scores to leave alone, beside those of all other attributes.
    """

    name: str
    positive: str
    negative: str
    layers: str
    fixed: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[Group, ...]:
        """``layers`` as groups."""
        parts = self.layers.split(",")
        return tuple(group for group in GROUPS if "all" in parts or group in parts)


_COLOURS = ("skin-light", "skin-red", "skin-yellow", "background-light")
_LOOKS = ("glasses", "beard", *_COLOURS)

# A head that turns moves in FFHQ's frame (face-x, face-y, roll) and one that smiles grows wider (face-size).
# Those scores are in the leakage table, but to hold them would be to hold the edit itself back. For the same
# reason age may change hair and skin, and gender the beard and the brows.
FACE_ATTRIBUTES = (
    Attribute("pose", "the face turns to the viewer's right", "to the viewer's left", "coarse,middle", _LOOKS),
    Attribute("pitch", "the face looks up", "the face looks down", "coarse,middle", _LOOKS),
    Attribute("smile", "more smile", "less smile", "coarse,middle", _LOOKS),
    Attribute("mouth-open", "the mouth opens", "the mouth closes", "coarse,middle", _LOOKS),
    Attribute("eyes-open", "the eyes open", "the eyes close", "coarse,middle", (*_LOOKS, "brows-up")),
    Attribute("age", "older", "younger", "all", ("glasses", "beard", "background-light")),
    Attribute("gender", "towards masculine", "towards feminine", "all", ("glasses", *_COLOURS)),
)

LOOSELY_HELD = ("skin-light", "skin-red", "contrast", "face-y", "skin-yellow")
"""Scores that may change with an attribute, and by which a step could cheat its own: see
``editing.discovery.fitting.leakage_sparing``."""

HELPERS = ("glasses", "beard")
"""Held scores that are no attribute, whose measured changes are cancelled too."""
